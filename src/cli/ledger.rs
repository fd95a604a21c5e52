//! `nightferry ledger`: check and backup.

use std::io::Write;

use super::args::LedgerCommand;
use super::failure::Outcome;
use super::{Context, output, shown};
use crate::exit::ExitReason;

/// Looks after the ledger.
pub fn ledger(context: &Context, asked: &LedgerCommand) -> Outcome {
    let ledger = context.ledger()?;
    match asked {
        LedgerCommand::Check => {
            let problems = ledger.check()?;
            output::write(|out| {
                for problem in &problems {
                    writeln!(out, "{problem}")?;
                }
                if problems.is_empty() {
                    writeln!(
                        out,
                        "{}: whole, and the books balance",
                        shown(&context.ledger_path())
                    )?;
                }
                Ok(())
            })?;
            Ok(if problems.is_empty() {
                ExitReason::Done
            } else {
                ExitReason::Unbalanced
            })
        }
        LedgerCommand::Backup { path } => {
            ledger.back_up(path, context.data_dir.modes().file)?;
            output::write(|out| writeln!(out, "{}", shown(path)))
        }
    }
}
