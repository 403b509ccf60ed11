//! Reading the command line of this process.

use super::Cli;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use std::ffi::OsString;

/// The command line of this process; ends the process where it is wrong or asks for help.
pub fn parse() -> Cli {
    let arguments: Vec<_> = std::env::args_os().collect();
    if let Some(seconds) = detached_seconds(&arguments) {
        let text = format!(
            "`--wait {seconds}` would send the text `{seconds}`\n\n  \
             write --wait={seconds} for the seconds, or `-- {seconds}` for the text"
        );
        Cli::command().error(ErrorKind::InvalidValue, text).exit();
    }
    Cli::parse_from(arguments)
}

/// A number that follows `--wait` as an argument of its own: meant as its seconds, and parsed as
/// the text to send.
fn detached_seconds(arguments: &[OsString]) -> Option<&str> {
    let options = arguments.iter().take_while(|argument| *argument != "--");
    let pairs = options.clone().zip(options.skip(1));
    let mut numbers = pairs.filter(|(option, _)| *option == "--wait").map(|(_, value)| value);
    let is_number = |text: &&str| text.parse::<f64>().is_ok();
    numbers.find_map(|value| value.to_str().filter(is_number))
}
