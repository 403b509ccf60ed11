//! `rechat completions`, and the answers that its scripts ask for at each press of Tab.

mod values;

use super::run_request::on_one_thread;
use crate::adapter;
use crate::cli::{Cli, Completions, SourceArgs};
use crate::client::Client;
use crate::error::{Error, Result};
use crate::model::message::Status;
use crate::store::Access;
use clap::CommandFactory;
use clap::builder::PossibleValue;
use clap_complete::env::Shells;
use clap_complete::{ArgValueCompleter, CompleteEnv, CompletionCandidate};
use std::ffi::OsStr;
use std::io::Write;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;
use values::{Typed, unquoted};

/// How long a shell waits for values at most; then there are none.
const TIMEOUT: Duration = Duration::from_millis(500);

/// The variable by which a script asks for completions; its value names the shell.
const VARIABLE: &str = "COMPLETE";

/// Prints the script that has a shell ask this program for completions.
pub(super) fn run(completions: &Completions) -> Result<()> {
    let name = completions.shell.to_string();
    let shells = Shells::builtins();
    let completer = shells
        .completer(&name)
        .ok_or_else(|| Error::failed(format!("there are no completions for {name}")))?;
    let mut script = Vec::new();
    completer
        .write_registration(VARIABLE, "rechat", "rechat", "rechat", &mut script)
        .and_then(|()| std::io::stdout().write_all(&script))
        .map_err(|error| Error::of_output(&error))
}

/// Answers a shell that asks for completions, and ends the process; else does nothing.
pub(super) fn answer_shell() {
    // The library takes the variable away.
    let shell = std::env::var(VARIABLE).unwrap_or_default();
    CompleteEnv::with_factory(|| command(&shell)).var(VARIABLE).bin("rechat").complete();
}

/// The command line, with values from live data where an argument has such.
fn command(shell: &str) -> clap::Command {
    Cli::command().mut_subcommands(|command| {
        let name = command.get_name().to_owned();
        let statuses = match &*name {
            "retry" => &Status::REPEATABLE[..],
            "cancel" => &Status::CANCELABLE[..1],
            _ => &[],
        };
        command.mut_args(|argument| match argument.get_id().as_str() {
            "platform" if ["login", "logout"].contains(&&*name) => {
                argument.add(ArgValueCompleter::new(login_platforms))
            }
            "platform" => argument.add(live(shell, values::platforms)),
            "conversation" | "conversations" | "recipient" | "named" => {
                argument.add(live(shell, values::conversations))
            }
            "sender" => argument.add(live(shell, async |client, typed| {
                values::people(client, typed, written_so_far().conversation.as_deref()).await
            })),
            "mention" => argument.add(live(shell, async |client, typed| {
                values::mentions(client, typed, written_so_far().conversation.as_deref()).await
            })),
            "id" | "ids" | "before" | "reply_to" if name != "requests" => argument
                .add(live(shell, async move |client, typed| {
                    values::messages(client, typed, statuses).await
                })),
            "page" => argument.add(ArgValueCompleter::new(pages)),
            _ if argument.is_ignore_case_set() => {
                let names = argument.get_possible_values();
                argument
                    .add(ArgValueCompleter::new(move |typed: &OsStr| in_any_case(&names, typed)))
            }
            _ => argument,
        })
    })
}

/// The platforms that are logged in to.
fn login_platforms(typed: &OsStr) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    let platforms = adapter::login_kinds().map(|kind| kind.platform);
    platforms.filter(|name| name.starts_with(&*typed)).map(CompletionCandidate::new).collect()
}

/// The names that begin so in any case, as their arguments take them.
fn in_any_case(names: &[PossibleValue], typed: &OsStr) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy().to_lowercase();
    let fitting = names.iter().filter(|name| name.get_name().to_lowercase().starts_with(&typed));
    let candidate = |name: &PossibleValue| {
        CompletionCandidate::new(name.get_name().to_owned()).help(name.get_help().cloned())
    };
    fitting.map(candidate).collect()
}

fn pages(typed: &OsStr) -> Vec<CompletionCandidate> {
    let command = Cli::command();
    let names = command.get_subcommands().map(|command| command.get_name().to_owned());
    let names = names.chain(["rechat.toml".to_owned()]);
    let typed = typed.to_string_lossy();
    names.filter(|name| name.starts_with(&*typed)).map(CompletionCandidate::new).collect()
}

/// Values from the server or the store; none where those do not answer soon.
fn live<F>(shell: &str, ask: F) -> ArgValueCompleter
where
    F: AsyncFn(&mut Client, &Typed) -> Result<Vec<CompletionCandidate>> + Clone,
    F: Send + Sync + 'static,
{
    let shell = shell.to_owned();
    ArgValueCompleter::new(move |typed: &OsStr| {
        let (found, answer) = mpsc::channel();
        let (typed, ask) = (Typed::new(&typed.to_string_lossy(), &shell), ask.clone());
        // A thread, for a store may be locked; the process ends without waiting for it.
        std::thread::spawn(move || {
            let work = async {
                let CommandLine { source, config, .. } = written_so_far();
                let mut client = Client::open(&source, config, Access::Read, None).await?;
                drop(found.send(ask(&mut client, &typed).await?));
                Ok(())
            };
            drop(on_one_thread(work));
        });
        answer.recv_timeout(TIMEOUT).unwrap_or_default()
    })
}

/// The part of the command line so far that tells which values there are.
#[derive(Debug, Default)]
struct CommandLine {
    source: SourceArgs,
    config: Option<PathBuf>,
    /// The conversation that is named.
    conversation: Option<String>,
}

/// The command line that is being typed.
fn written_so_far() -> CommandLine {
    CommandLine::of(std::env::args())
}

impl CommandLine {
    fn of(words: impl Iterator<Item = String>) -> Self {
        let mut line = Self::default();
        let mut words = words.peekable();
        while let Some(word) = words.next() {
            let (name, value) = match word.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (word, words.peek().cloned()),
            };
            match name.as_str() {
                "--db" => line.source.db = value.map(PathBuf::from),
                "--server" => line.source.server = value,
                "--token" => line.source.token = value,
                "--ca" => line.source.ca = value.map(PathBuf::from),
                "--config" => line.config = value.map(PathBuf::from),
                "-c" | "-r" | "--conversation" | "--recipient" | "--to" => {
                    line.conversation = value.as_deref().map(unquoted);
                }
                _ => {}
            }
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_are_typed_already_say_where_to_look() {
        let words = [
            "rechat",
            "list",
            "--server=http://h:1",
            "--token",
            "t",
            "--config",
            "c",
            "-r",
            "group_1",
            "-p",
        ];
        let line = CommandLine::of(words.iter().map(ToString::to_string));
        assert_eq!(line.source.server.as_deref(), Some("http://h:1"));
        assert_eq!((line.source.token.as_deref(), line.source.db), (Some("t"), None));
        assert_eq!(line.config, Some(PathBuf::from("c")));
        assert_eq!(line.conversation.as_deref(), Some("group_1"));
    }

    #[test]
    fn the_command_line_is_consistent() {
        command("bash").debug_assert();
    }
}
