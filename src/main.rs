//! The program: parse, run, exit code.

use rechat::command;
use rechat::error::{ErrorKind, tell};
use std::process::ExitCode;

fn main() -> ExitCode {
    match command::run_process() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if error.kind != ErrorKind::Gone {
                tell(&error);
            }
            error.exit_code()
        }
    }
}
