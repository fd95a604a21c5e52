//! `nightferry man` and `nightferry completions`: what a package installs beside the
//! program, made from the command line that it has.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_mangen::roff::{Roff, bold, roman};

use super::args::{Arguments, Completions, Man};
use super::failure::{Failed, Outcome};
use super::output;
use crate::exit::ExitReason;

/// Files and variables, as nightferry(1) names them.
const FILES: &[(&str, &str)] = &[
    (
        "./nightferry.toml, /etc/nightferry/nightferry.toml",
        "The configuration; the first that is there counts. `nightferry init` prints one with a \
         comment on every key.",
    ),
    (
        "data_dir/ledger.sqlite",
        "The ledger, to be read with sqlite3(1) through its views.",
    ),
    (
        "data_dir/oms/sync_task/TASK/object_lists/",
        "Where names of objects are put, one a line, in files that end in .txt.",
    ),
];
const ENVIRONMENT: &[(&str, &str)] = &[
    (
        "NIGHTFERRY_CONFIG",
        "The configuration, if --config names none.",
    ),
    (
        "AWS_SHARED_CREDENTIALS_FILE",
        "Where profiles are looked up, instead of ~/.aws/credentials.",
    ),
];

/// Prints nightferry(1), or writes the page of each command into a folder.
pub fn man(asked: &Man) -> Outcome {
    let mut command = Arguments::command().disable_help_subcommand(true);
    // Gives the commands their full names and the options that all have.
    command.build();
    match &asked.out {
        None => output::write(|out| page(&command, out)),
        Some(folder) => write_pages(&command, folder)
            .map(|()| ExitReason::Done)
            .map_err(|error| {
                Failed::usage(format!(
                    "cannot write manual pages into {}: {error}; name a folder that you may write",
                    folder.display()
                ))
            }),
    }
}

/// Prints the completions for a shell.
pub fn completions(asked: &Completions) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(
        asked.shell,
        &mut Arguments::command(),
        "nightferry",
        &mut script,
    );
    output::write(|out| out.write_all(&script))
}

/// Writes the page of `command` and of all below it.
fn write_pages(command: &Command, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for below in command.get_subcommands() {
        write_pages(below, folder)?;
    }
    let mut text = Vec::new();
    page(command, &mut text)?;
    fs::write(folder.join(format!("{}.1", full_name(command))), text)
}

fn page(command: &Command, out: &mut dyn Write) -> io::Result<()> {
    let page = clap_mangen::Man::new(command.clone())
        .manual("Nightferry")
        // A page has no date of its own; an empty field would be left out.
        .date(" ")
        .source(concat!("nightferry ", env!("CARGO_PKG_VERSION")));
    page.render_title(out)?;
    page.render_name_section(out)?;
    page.render_synopsis_section(out)?;
    page.render_description_section(out)?;
    page.render_options_section(out)?;
    if command.has_subcommands() {
        page.render_subcommands_section(out)?;
    }
    let mut rest = Roff::new();
    examples(command, &mut rest);
    if full_name(command) == command.get_name() {
        surroundings(&mut rest);
    } else {
        rest.control("SH", ["SEE ALSO"]);
        rest.text([bold("nightferry"), roman("(1)")]);
    }
    rest.to_writer(out)
}

/// The examples of `--help`, line by line as they stand there.
fn examples(command: &Command, page: &mut Roff) {
    let Some(help) = command.get_after_help() else {
        return;
    };
    page.control("SH", ["EXAMPLES"]);
    page.control("nf", []);
    for line in help.to_string().lines().skip(1) {
        page.text([roman(line.trim_start())]);
    }
    page.control("fi", []);
}

/// Exit codes, files and variables.
fn surroundings(page: &mut Roff) {
    let mut codes: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for reason in ExitReason::BY_SERIOUSNESS {
        let meanings = codes.entry(reason.code().to_string()).or_default();
        meanings.push(reason.meaning());
    }
    let codes: Vec<(String, String)> = codes
        .into_iter()
        .map(|(code, meanings)| (code, meanings.join(" Or: ")))
        .collect();
    page.control("SH", ["EXIT STATUS"]);
    list(
        codes
            .iter()
            .map(|(code, meaning)| (code.as_str(), meaning.as_str())),
        page,
    );
    page.control("SH", ["FILES"]);
    list(FILES.iter().copied(), page);
    page.control("SH", ["ENVIRONMENT"]);
    list(ENVIRONMENT.iter().copied(), page);
}

fn list<'a>(entries: impl Iterator<Item = (&'a str, &'a str)>, page: &mut Roff) {
    for (term, meaning) in entries {
        page.control("TP", []);
        page.text([bold(term)]);
        page.text([roman(meaning)]);
    }
}

/// The command with those above it, as `nightferry-ledger-backup`.
fn full_name(command: &Command) -> &str {
    command
        .get_display_name()
        .unwrap_or_else(|| command.get_name())
}
