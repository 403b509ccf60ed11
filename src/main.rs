//! The program: parse, run, exit code.

use rechat::command;
use rechat::error::{ErrorKind, tell};
use std::process::ExitCode;

/// Memory is allocated by one thread and freed by another all the time: connections and the writer pass messages on.
#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

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
