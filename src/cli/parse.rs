//! Reading the command line of this process.

use super::Cli;
use crate::error::{Error, Result};
use clap::Parser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::ffi::OsString;

/// Verbs of other programs, and what does that here.
const ELSEWHERE: [(&[&str], &str); 31] = [
    (&["tail", "follow", "monitor"], "list --follow"),
    (&["ls", "log", "logs", "history", "inbox", "messages"], "list"),
    (&["rm", "del", "remove"], "delete"),
    (&["cat", "view", "info", "describe"], "show"),
    (&["grep", "find"], "search"),
    (&["chats", "groups", "contacts", "rooms", "channels", "dialogs"], "conversations"),
    (&["adapters", "accounts"], "platforms"),
    (&["start", "run", "server", "daemon", "up"], "serve"),
    (&["resend", "again"], "retry"),
    (&["write", "post", "msg", "say", "message"], "send"),
    (&["answer", "respond"], "reply"),
    (&["config", "settings"], "serve --print-config"),
    (&["ui", "chat", "interactive"], "tui"),
    (&["withdraw", "undo", "unsend", "revoke"], "recall"),
    (&["modify", "update", "correct"], "edit"),
    (&["abort", "stop"], "cancel"),
    (&["count", "counts", "statistics"], "stats"),
    (&["health", "ps", "top"], "status"),
    (&["dump", "save"], "export"),
    (&["restore", "load"], "import"),
    (&["vacuum", "optimize"], "compact"),
    (&["verify", "fsck"], "check"),
    (&["unread"], "conversations --unread"),
    (&["mark", "mark-read", "seen"], "read"),
    (&["mute", "unmute", "pin", "unpin"], "tui"),
    (&["download", "file", "files", "attachments"], "media"),
    (&["approve", "accept", "decline", "invites", "friends"], "requests"),
    (&["web", "browser", "page", "dashboard", "gui"], "open"),
    (&["pending", "queue", "outbox"], "list --status pending"),
    (&["failed", "errors"], "list --status failed"),
    (&["pair", "qr", "signin", "sign-in"], "login wechat"),
];

/// The command line of this process; ends the process where it asks for help or the version.
///
/// # Errors
///
/// The arguments are wrong; the text names the one.
pub fn parse() -> Result<Cli> {
    let arguments: Vec<_> = std::env::args_os().collect();
    if let Some(seconds) = detached_seconds(&arguments) {
        return Err(Error::usage(format!("`--wait {seconds}` would send the text `{seconds}`"))
            .hint(format!(
                "write --wait={seconds} for the seconds, or `-- {seconds}` for the text"
            )));
    }
    Cli::try_parse_from(arguments).map_err(|error| in_our_form(&error))
}

/// The error as every other one is told: what is wrong, then what to do.
fn in_our_form(error: &clap::Error) -> Error {
    if !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        error.exit();
    }
    if error.kind() == ErrorKind::InvalidSubcommand
        && let Some(ContextValue::String(verb)) = error.get(ContextKind::InvalidSubcommand)
    {
        let similar = match error.get(ContextKind::SuggestedSubcommand) {
            Some(ContextValue::String(similar)) => Some(similar.as_str()),
            Some(ContextValue::Strings(similar)) => similar.last().map(String::as_str),
            _ => None,
        };
        return unknown_verb(verb, similar);
    }
    let text = error.render().to_string();
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let what = lines.next().unwrap_or_default();
    let more: Vec<_> = lines.map(|line| line.strip_prefix("tip: ").unwrap_or(line)).collect();
    Error::usage(what.strip_prefix("error: ").unwrap_or(what)).hint(more.join("\n  "))
}

fn unknown_verb(verb: &str, similar: Option<&str>) -> Error {
    let elsewhere = ELSEWHERE.iter().find(|(verbs, _)| verbs.contains(&verb));
    let meant = elsewhere.map(|(_, ours)| *ours).or(similar);
    let hint = match meant {
        Some(meant) => format!("write `rechat {meant}`"),
        None => "`rechat --help` lists the commands".to_owned(),
    };
    Error::usage(format!("there is no command `{verb}`")).hint(hint)
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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn told(arguments: &[&str]) -> String {
        let all = std::iter::once("rechat").chain(arguments.iter().copied());
        in_our_form(&Cli::try_parse_from(all).unwrap_err()).to_string()
    }

    #[test]
    fn every_verb_of_elsewhere_leads_to_a_command_there_is() {
        let cli = Cli::command();
        for (verbs, ours) in ELSEWHERE {
            let name = ours.split(' ').next().unwrap();
            assert!(cli.find_subcommand(name).is_some(), "{ours}");
            for verb in verbs {
                assert!(cli.find_subcommand(verb).is_none(), "`{verb}` is a command");
                assert_eq!(
                    told(&[verb]),
                    format!("there is no command `{verb}`\n  write `rechat {ours}`")
                );
            }
        }
    }

    #[test]
    fn errors_have_one_form() {
        assert!(told(&["serv"]).contains("write `rechat serve`"));
        assert!(told(&["xyzzy"]).contains("`rechat --help`"));
        let text = told(&["list", "--folow"]);
        assert!(text.starts_with("unexpected argument '--folow' found\n  a similar"), "{text}");
        assert!(text.contains("'--follow'") && !text.contains("\n\n"), "{text}");
        assert!(told(&["send", "x"]).contains("--recipient"), "{}", told(&["send", "x"]));
    }
}
