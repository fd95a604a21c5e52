//! `nightferry export` and `nightferry verify`: lists made again, lists compared.

use std::fs;
use std::io::Write;

use super::args::{Export, Verify};
use super::failure::{Failed, Outcome};
use super::{Context, output};
use crate::config::TaskConfig;
use crate::data_dir::Modes;
use crate::exit::ExitReason;
use crate::ledger::Ledger;
use crate::model::TaskId;
use crate::report::table::paragraph;
use crate::report::text::counted;
use crate::report::write_run;
use crate::run::{ListState, RunError, VerifiedList, ends, http_client, verify_run};

/// Writes the lists of a run again.
pub fn export(context: &Context, asked: &Export) -> Outcome {
    let task = &context.task(&asked.task)?.id;
    let ledger = context.ledger()?;
    let run = ledger
        .run_numbered(task, asked.run)?
        .ok_or_else(|| no_run(task, asked.run))?;
    fs::create_dir_all(&asked.out).map_err(|error| {
        Failed::usage(format!(
            "cannot make the folder {}: {error}",
            asked.out.display()
        ))
    })?;
    let files = write_run(&ledger, run, &asked.out, Modes::PRIVATE)?;
    output::write(|out| {
        if files.is_empty() {
            writeln!(
                out,
                "{task}: run {} took nothing, so it has no lists",
                asked.run
            )?;
        }
        for file in &files {
            writeln!(
                out,
                "{}  {}",
                file.sha256,
                asked.out.join(&file.path).display()
            )?;
        }
        Ok(())
    })
}

/// Compares delivered lists with their manifest and with the ledger.
pub fn verify(context: &Context, asked: &Verify) -> Outcome {
    let task = context.task(&asked.task)?;
    let ledger = context.ledger()?;
    let runs = match asked.run {
        Some(number) => {
            vec![(
                number,
                ledger
                    .run_numbered(&task.id, number)?
                    .ok_or_else(|| no_run(&task.id, number))?,
            )]
        }
        None => ledger.ended_runs(&task.id)?,
    };
    let http = http_client(&context.config, 1).map_err(RunError::from)?;
    let destination = ends(&http, task, &context.clock)?.lists;
    let mut verified = Vec::new();
    for (number, run) in runs {
        if ledger.is_pruned(run)? {
            tracing::warn!(
                task = %task.id,
                run = number,
                "the detail of run {number} was pruned; compared is what was delivered with the hashes that were kept"
            );
        }
        verified.extend(verify_run(&ledger, run, number, &task.id, &destination)?);
    }
    owe_missing(context, task, &verified)?;
    if asked.json {
        let json = serde_json::to_string_pretty(&verified).map_err(Failed::unexpected)?;
        output::write(|out| writeln!(out, "{json}"))?;
    } else {
        output::write(|out| {
            for file in &verified {
                writeln!(
                    out,
                    "{:8} run {:<5} {}",
                    file.state.as_str(),
                    file.run,
                    file.path
                )?;
            }
            writeln!(out, "{} files compared", verified.len())?;
            say_what_to_do(task, &verified, out)
        })?;
    }
    let reasons: Vec<ExitReason> = verified
        .iter()
        .map(|file| file.state.exit_reason())
        .collect();
    Ok(ExitReason::most_serious(&reasons))
}

/// What to do about lists that are not as they were delivered.
fn say_what_to_do(
    task: &TaskConfig,
    verified: &[VerifiedList],
    out: &mut impl Write,
) -> std::io::Result<()> {
    let of = |state| verified.iter().filter(move |file| file.state == state);
    let missing = of(ListState::Missing).count() as u64;
    if missing > 0 && task.deliver_lists {
        let missing = counted(missing, "missing file");
        writeln!(
            out,
            "{missing}: owed again, the next run delivers what is owed"
        )?;
    }
    if let Some(first) = of(ListState::Different).next() {
        let note = format!(
            "Somebody wrote other bytes over what was delivered: `nightferry export --task {} \
             --run {}` makes the right lists again. To have them delivered, delete the different \
             ones in the destination bucket, `verify` again and run.",
            task.id, first.run
        );
        write!(out, "{}", paragraph(&note, 0))?;
    }
    Ok(())
}

fn no_run(task: &TaskId, number: u64) -> Failed {
    Failed::usage(format!(
        "task `{task}` has no run {number}; `nightferry runs` shows them"
    ))
}

/// What is missing is owed again, and the next run delivers it.
fn owe_missing(
    context: &Context,
    task: &TaskConfig,
    verified: &[VerifiedList],
) -> Result<(), Failed> {
    let missing = |file: &&VerifiedList| file.state == ListState::Missing;
    let mut missing = verified.iter().filter(missing).peekable();
    if missing.peek().is_none() || !task.deliver_lists {
        return Ok(());
    }
    let mut ledger = Ledger::open(&context.ledger_path(), context.data_dir.modes().file)?;
    for file in missing {
        ledger.owe_again(&task.id, &file.path)?;
    }
    Ok(())
}
