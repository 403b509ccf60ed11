//! Reading the command line of this process.

use super::Cli;
use crate::error::{Error, Result};
use clap::Parser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::error::Error as _;
use std::ffi::OsString;
use std::io::{self, Write};
use std::num::ParseIntError;
use std::process::exit;

/// Verbs of other programs, and what does that here.
const VERBS_OF_OTHER_PROGRAMS: [(&[&str], &str); 30] = [
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
    (&["abort"], "cancel"),
    (&["count", "counts", "statistics"], "stats"),
    (&["health", "ps", "top"], "status"),
    (&["dump", "save"], "export"),
    (&["load"], "import"),
    (&["vacuum", "optimize"], "compact"),
    (&["verify", "fsck"], "check"),
    (&["unread"], "conversations --unread"),
    (&["mark", "mark-read", "seen"], "read"),
    (&["approve", "accept", "decline", "invites", "friends"], "requests"),
    (&["web", "browser", "page", "dashboard", "gui"], "open"),
    (&["files", "attachments"], "media"),
    (&["pending", "queue", "outbox"], "list --status pending"),
    (&["failed", "errors"], "list --status failed"),
    (&["pair", "qr", "signin", "sign-in"], "login wechat"),
];

/// Verbs that no one command does, and what does it.
const VERBS_WITHOUT_COMMAND: [(&[&str], &str); 4] = [
    (
        &["stop", "kill", "quit", "shutdown"],
        "Ctrl-C where the server runs, or `systemctl stop rechat`; `rechat cancel` cancels a message",
    ),
    (
        &["restore"],
        "a backup is a store: use it with `--db FILE`, or put it in the place of the store's file while no \
         server runs; `rechat import` takes what `rechat export` wrote",
    ),
    (
        &["download"],
        "the page saves the files of messages (`rechat open`), and so does `rechat tui`; \
         `rechat media` lists them",
    ),
    (
        &["mute", "unmute", "pin", "unpin"],
        "the page (`rechat open`) and `rechat tui` mute and pin conversations",
    ),
];

/// Options of other programs, and what does that here.
const OPTIONS_ELSEWHERE: [(&[&str], &str); 5] = [
    (&["--port", "--host", "--bind", "--address"], "--listen 127.0.0.1:8080"),
    (&["--reverse", "--oldest", "--newest", "--asc", "--desc"], "--order seq, or --order time"),
    (&["--in", "--inbound", "--incoming"], "--direction in"),
    (&["--out", "--outbound", "--outgoing"], "--direction out"),
    (&["--around"], "--context N"),
];

/// How alike a name must be to be what was meant (Jaro-Winkler, 1 is the same).
const MIN_SIMILARITY: f64 = 0.85;

/// The command line of this process; ends the process where it asks for help or the version.
///
/// # Errors
///
/// The arguments are wrong; the text names the one.
pub fn parse() -> Result<Cli> {
    let arguments: Vec<_> = std::env::args_os().collect();
    if let Some(seconds) = detached(&arguments, "--wait", |text| text.parse::<f64>().is_ok()) {
        return Err(Error::usage(format!("`--wait {seconds}` would send the text `{seconds}`"))
            .hint(format!(
                "write --wait={seconds} for the seconds, or `-- {seconds}` for the text"
            )));
    }
    if let Some(file) = detached(&arguments, "--batch", |text| !text.starts_with('-')) {
        return Err(Error::usage(format!("`--batch {file}` would send the text `{file}`"))
            .hint(format!("write --batch={file} for the file")));
    }
    Cli::try_parse_from(&arguments).map_err(|error| in_our_form(&error, &arguments))
}

/// The error as every other one is told: what is wrong, then what to do.
fn in_our_form(error: &clap::Error, arguments: &[OsString]) -> Error {
    if !error.use_stderr() {
        // Help, or the version.
        return match error.print().and_then(|()| io::stdout().flush()) {
            Ok(()) => exit(0),
            Err(error) => Error::of_output(&error),
        };
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        error.exit();
    }
    let texts = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        _ => Vec::new(),
    };
    let first = |kind| texts(kind).into_iter().next().unwrap_or_default();
    let (argument, value) = (first(ContextKind::InvalidArg), first(ContextKind::InvalidValue));
    let name = argument.split([' ', '=']).next().unwrap_or_default();
    let name = name.strip_suffix('[').unwrap_or(name);
    let command = command_of(error, arguments);
    let help = format!("`{command} --help` tells how it is written");
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let similar = texts(ContextKind::SuggestedSubcommand).pop();
            unknown_verb(&first(ContextKind::InvalidSubcommand), similar.as_deref())
        }
        ErrorKind::UnknownArgument => {
            let similar = texts(ContextKind::SuggestedArg).pop();
            unknown_argument(&argument, similar.as_deref(), &command)
        }
        ErrorKind::InvalidValue if value.is_empty() => {
            Error::usage(format!("`{argument}` needs a value")).hint(help)
        }
        ErrorKind::InvalidValue => {
            let known = texts(ContextKind::ValidValue).join(", ");
            Error::usage(format!("`{name}` cannot be `{value}`"))
                .hint(format!("write one of {known}"))
        }
        ErrorKind::ValueValidation => {
            let why = error.source().map(ToString::to_string).unwrap_or_default();
            // The standard library's text for a number.
            let is_number =
                error.source().is_some_and(<dyn std::error::Error>::is::<ParseIntError>);
            let why = if is_number { "give a whole number, from 0 on" } else { &why };
            Error::usage(format!("`{name}` cannot be `{value}`")).hint(why)
        }
        ErrorKind::MissingRequiredArgument => {
            missing(&texts(ContextKind::InvalidArg), &command, arguments)
        }
        ErrorKind::ArgumentConflict => {
            let others = texts(ContextKind::PriorArg).join("`, `");
            Error::usage(format!("`{argument}` cannot be used with `{others}`"))
                .hint(format!("leave out one of them; {help}"))
        }
        _ => {
            let text = error.render().to_string();
            let what = text.lines().next().unwrap_or_default();
            Error::usage(what.strip_prefix("error: ").unwrap_or(what)).hint(help)
        }
    }
}

/// The command that an error is about: `rechat list`.
fn command_of(error: &clap::Error, arguments: &[OsString]) -> String {
    let usage = match error.get(ContextKind::Usage) {
        Some(ContextValue::StyledStr(usage)) => usage.to_string(),
        // An error of a value tells no usage.
        _ => arguments.iter().map(|word| word.to_string_lossy() + " ").collect(),
    };
    // The program may have been renamed.
    let words = usage.split_whitespace().skip_while(|word| *word == "Usage:").skip(1);
    let name = words.take(1).find(|word| word.starts_with(|c: char| c.is_ascii_lowercase()));
    name.map_or_else(|| "rechat".to_owned(), |name| format!("rechat {name}"))
}

fn unknown_argument(argument: &str, similar: Option<&str>, command: &str) -> Error {
    let elsewhere = OPTIONS_ELSEWHERE.iter().find(|(names, _)| names.contains(&argument));
    let near = similar.filter(|similar| strsim::jaro_winkler(argument, similar) >= MIN_SIMILARITY);
    let hint = match (elsewhere, near) {
        (Some((_, ours)), _) => format!("write {ours}"),
        (None, Some(near)) => format!("did you mean `{near}`?"),
        (None, None) if command == "rechat media" && !argument.starts_with('-') => format!(
            "it lists all files; `rechat media --remove {argument}` removes one, and \
             `rechat get {argument}` shows a message"
        ),
        (None, None) => format!("`{command} --help` lists what it takes"),
    };
    let what = if argument.starts_with('-') { "option" } else { "argument" };
    Error::usage(format!("`{command}` has no {what} `{argument}`")).hint(hint)
}

fn missing(missing: &[String], command: &str, arguments: &[OsString]) -> Error {
    let names = missing.join("`, `");
    let verb = if missing.len() == 1 { "is" } else { "are" };
    let error = Error::usage(format!("`{names}` {verb} missing"));
    // Most people name the conversation first.
    let words: Vec<_> = arguments.iter().skip(2).filter_map(|word| word.to_str()).collect();
    match (&words[..], command) {
        ([conversation, text, ..], "rechat send")
            if !conversation.starts_with('-') && missing.len() == 1 =>
        {
            error.hint(format!("write `rechat send -r {conversation} {text}`"))
        }
        _ => error.hint(format!("`{command} --help` has examples")),
    }
}

fn unknown_verb(verb: &str, similar: Option<&str>) -> Error {
    let elsewhere = VERBS_OF_OTHER_PROGRAMS.iter().find(|(verbs, _)| verbs.contains(&verb));
    let meant = elsewhere.map(|(_, ours)| *ours).or(similar);
    let means = VERBS_WITHOUT_COMMAND.iter().find(|(verbs, _)| verbs.contains(&verb));
    let hint = match meant {
        _ if let Some((_, how)) = means => (*how).to_owned(),
        Some(meant) => format!("write `rechat {meant}`"),
        None => "`rechat --help` lists the commands".to_owned(),
    };
    Error::usage(format!("there is no command `{verb}`")).hint(hint)
}

/// A word that follows an option as an argument of its own: meant as its value, and parsed as the text
/// to send.
fn detached<'a>(
    arguments: &'a [OsString],
    option: &str,
    is_value: impl Fn(&str) -> bool,
) -> Option<&'a str> {
    let options = arguments.iter().take_while(|argument| *argument != "--");
    let mut pairs = options.clone().zip(options.skip(1)).filter(|(name, _)| *name == option);
    pairs.find_map(|(_, value)| value.to_str().filter(|text| is_value(text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn told(arguments: &[&str]) -> String {
        let all = std::iter::once("rechat").chain(arguments.iter().copied());
        let all: Vec<_> = all.map(OsString::from).collect();
        in_our_form(&Cli::try_parse_from(&all).unwrap_err(), &all).to_string()
    }

    #[test]
    fn every_verb_of_elsewhere_leads_to_a_command_there_is() {
        let cli = Cli::command();
        for (verbs, ours) in VERBS_OF_OTHER_PROGRAMS {
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
    fn verbs_that_no_command_does_are_no_commands_and_say_how() {
        for (verbs, how) in VERBS_WITHOUT_COMMAND {
            for verb in verbs {
                assert_eq!(told(&[verb]), format!("there is no command `{verb}`\n  {how}"));
            }
        }
    }

    #[test]
    fn errors_have_one_form() {
        for (arguments, wanted) in [
            (&["serv"][..], "there is no command `serv`\n  write `rechat serve`"),
            (&["xyzzy"], "there is no command `xyzzy`\n  `rechat --help` lists the commands"),
            (
                &["list", "--folow"],
                "`rechat list` has no option `--folow`\n  did you mean `--follow`?",
            ),
            (
                &["list", "--reverse"],
                "`rechat list` has no option `--reverse`\n  write --order seq, or --order time",
            ),
            (
                &["platforms", "-c", "x"],
                "`rechat platforms` has no option `-c`\n  `rechat platforms --help` lists what it takes",
            ),
            (
                &["list", "-n", "x"],
                "`--limit` cannot be `x`\n  give a number; `rechat export` writes every message",
            ),
            (
                &["list", "-n", "-1"],
                "`--limit` cannot be `-1`\n  give a number; `rechat export` writes every message",
            ),
            (
                &["send", "-r", "x", "--wait=abc", "y"],
                "`--wait` cannot be `abc`\n  give seconds: 30, 30s or 2m",
            ),
            (
                &["media", "12345678"],
                "`rechat media` has no argument `12345678`\n  it lists all files; \
                 `rechat media --remove 12345678` removes one, and `rechat get 12345678` shows a message",
            ),
            (&["requests", "x"], "`[NUMBER]` cannot be `x`\n  give a whole number, from 0 on"),
            (
                &["serve", "--listen", ":9"],
                "`--listen` cannot be `:9`\n  write 127.0.0.1:9 for this host alone, 0.0.0.0:9 for others too",
            ),
            (
                &["list", "--status", "pend"],
                "`--status` cannot be `pend`\n  write one of Pending, Sending, Sent, Failed, Canceled",
            ),
            (
                &["send", "Family", "hello"],
                "`--recipient <CONVERSATION>` is missing\n  write `rechat send -r Family hello`",
            ),
            (
                &["send", "x"],
                "`--recipient <CONVERSATION>` is missing\n  `rechat send --help` has examples",
            ),
            (
                &["list", "--json", "--columns", "id"],
                "`--json` cannot be used with `--columns <COLUMNS>`\n  leave out one of them; `rechat list --help` tells how it is written",
            ),
            (
                &["list", "-c"],
                "`--conversation <CONVERSATION>` needs a value\n  `rechat list --help` tells how it is written",
            ),
        ] {
            assert_eq!(told(arguments), wanted, "{arguments:?}");
        }
    }

    #[test]
    fn a_value_behind_an_option_that_takes_it_with_an_equals_sign_is_noticed() {
        let words = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        let any = |_: &str| true;
        assert_eq!(detached(&words("send --batch x"), "--batch", any), Some("x"));
        assert_eq!(detached(&words("send --batch=x y"), "--batch", any), None);
        assert_eq!(detached(&words("send -- --batch x"), "--batch", any), None);
        assert_eq!(detached(&words("send --batch"), "--batch", any), None);
    }
}
