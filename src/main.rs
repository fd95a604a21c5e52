//! The `nightferry` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    nightferry::cli::main(std::env::args_os())
}
