//! Manual pages and completions, which the program makes of its own command line.

use std::collections::BTreeSet;
use std::fs;

use clap::{Command, CommandFactory};
use nightferry::cli::Arguments;

use super::{End, end, program};

/// What it answers where there is no configuration.
fn says(arguments: &[&str]) -> End {
    let folder = tempfile::tempdir().unwrap();
    end(program().current_dir(folder.path()).args(arguments))
}

/// The names of a command's page and of those below it.
fn pages(command: &Command, above: &str) -> Vec<String> {
    let name = format!("{above}{}", command.get_name());
    let below = command.get_subcommands();
    let mut pages: Vec<String> = below
        .flat_map(|command| pages(command, &format!("{name}-")))
        .collect();
    pages.push(format!("{name}.1"));
    pages
}

#[test]
fn there_is_a_page_for_every_command_with_its_examples() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("share/man1");
    let end = says(&["man", "--out", out.to_str().unwrap()]);
    assert_eq!(
        (end.code, end.stdout.as_str(), end.stderr.as_str()),
        (0, "", "")
    );
    let written: BTreeSet<String> = fs::read_dir(&out)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let expected: BTreeSet<String> = pages(&Arguments::command(), "").into_iter().collect();
    assert_eq!(written, expected);
    let page = fs::read_to_string(out.join("nightferry-ledger-restore.1")).unwrap();
    assert!(page.contains("\n.SH EXAMPLES\n.nf\nnightferry ledger restore /backup/nightferry\n"));
    assert!(
        page.contains("\n.SH \"SEE ALSO\"\n\\fBnightferry\\fR(1)"),
        "{page}"
    );
}

#[test]
fn the_first_page_has_every_exit_code_and_is_what_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    says(&["man", "--out", folder.path().to_str().unwrap()]);
    let end = says(&["man"]);
    assert_eq!(end.code, 0);
    let page = fs::read_to_string(folder.path().join("nightferry.1")).unwrap();
    assert_eq!(end.stdout, page);
    let (_, codes) = page.split_once("\n.SH \"EXIT STATUS\"\n").unwrap();
    let (codes, _) = codes.split_once("\n.SH FILES\n").unwrap();
    let codes: Vec<&str> = codes.split(".TP\n").skip(1).collect();
    assert_eq!(codes.len(), 10);
    for (code, text) in codes.iter().enumerate() {
        assert!(text.starts_with(&format!("\\fB{code}\\fR\n")), "{text}");
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_wrong_usage() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let end = says(&["man", "--out", file.to_str().unwrap()]);
    assert_eq!(end.code, 2);
    assert!(end.stderr.contains(file.to_str().unwrap()), "{end:?}");
}

#[test]
fn each_shell_gets_completions_that_know_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let end = says(&["completions", shell]);
        assert_eq!((end.code, end.stderr.as_str()), (0, ""));
        for word in ["withdraw", "restore", "carries no such word"] {
            let known = end.stdout.contains(word);
            assert_eq!(known, word != "carries no such word", "{shell}: {word}");
        }
    }
    assert_eq!(says(&["completions", "telepathy"]).code, 2);
}
