//! The program: parse, run, exit code.

use clap::Parser;
use rechat::cli::Cli;
use rechat::command;
use rechat::error::Kind;
use std::process::ExitCode;

#[allow(clippy::print_stderr, reason = "errors belong there")]
fn main() -> ExitCode {
    match command::run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if error.kind != Kind::Gone {
                eprintln!("rechat: {error}");
            }
            error.exit_code()
        }
    }
}
