//! `rechat completions`, and the answers that its scripts ask for at each press of Tab.

use super::brief::briefly;
use super::listing::ID_DIGITS;
use crate::cli::{Cli, Completions, SourceArgs};
use crate::client::Client;
use crate::error::{Error, Result};
use crate::model::message::Status;
use crate::store::{Access, ConversationQuery, MessageFilter, Page};
use crate::text::{cut, readable, visible};
use clap::CommandFactory;
use clap_complete::env::Shells;
use clap_complete::{ArgValueCandidates, ArgValueCompleter, CompleteEnv, CompletionCandidate};
use std::ffi::OsStr;
use std::io::Write;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

/// How long a shell waits for values at most; then there are none.
const TIMEOUT: Duration = Duration::from_millis(500);

/// Messages whose IDs are offered.
const MESSAGES: usize = 50;

/// Conversations that are offered, the latest ones that fit what is typed.
const CONVERSATIONS: usize = 100;

/// Columns of what is told of a message beside its ID.
const COLUMNS: usize = 60;

/// The variable by which a script asks for completions.
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
    CompleteEnv::with_factory(command).var(VARIABLE).bin("rechat").complete();
}

/// The command line, with values from live data where an argument has such.
fn command() -> clap::Command {
    Cli::command().mut_subcommands(|command| {
        let name = command.get_name().to_owned();
        let status = match &*name {
            "retry" => Some(Status::Failed),
            "cancel" => Some(Status::Pending),
            _ => None,
        };
        command.mut_args(|argument| match argument.get_id().as_str() {
            "platform" => argument.add(ArgValueCandidates::new(platforms)),
            "conversation" | "conversations" | "recipient" => {
                argument.add(ArgValueCompleter::new(conversations))
            }
            "id" | "ids" | "before" | "reply_to" if name != "requests" => {
                argument.add(ArgValueCompleter::new(move |typed: &OsStr| messages(status, typed)))
            }
            "page" => argument.add(ArgValueCandidates::new(pages)),
            _ => argument,
        })
    })
}

fn platforms() -> Vec<CompletionCandidate> {
    live(async |client| {
        let known = client.known_platforms(Some(CONVERSATIONS)).await?;
        let plain = known.into_iter().filter(|name| is_plain(name));
        Ok(plain.map(CompletionCandidate::new).collect())
    })
}

/// The latest conversations whose ID begins so.
fn conversations(typed: &OsStr) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy().into_owned();
    live(async move |client| {
        // The server looks for it in names too, and in any case.
        let query = ConversationQuery {
            text: Some(typed.clone()).filter(|typed| !typed.is_empty()),
            limit: Some(CONVERSATIONS),
            is_brief: true,
            ..ConversationQuery::default()
        };
        let candidate = |known: crate::protocol::http::Conversation| {
            let name = known.name.map(|name| format!(" {}", visible(&name))).unwrap_or_default();
            let help = format!("{}{name}", known.platform);
            CompletionCandidate::new(known.conversation).help(Some(help.into()))
        };
        let known = client.conversations(&query).await?.into_iter();
        let fits = |id: &str| id.starts_with(&typed) && is_plain(id);
        Ok(known.filter(|one| fits(&one.conversation)).map(candidate).collect())
    })
}

/// Short IDs, as lists show them, until more of one is typed.
fn messages(status: Option<Status>, typed: &OsStr) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy().to_lowercase();
    let digits = if typed.len() > ID_DIGITS { usize::MAX } else { ID_DIGITS };
    live(async move |client| {
        let filter =
            MessageFilter { statuses: status.into_iter().collect(), ..MessageFilter::default() };
        let page = Page { offset: 0, limit: MESSAGES, before: None };
        let messages = client.list(&filter, page, None).await?;
        let candidates = messages.iter().map(|message| {
            let start: String = readable(message).chars().take(COLUMNS).collect();
            let text = format!("{} {}: {start}", message.status, message.recipient);
            let help = cut(&visible(&text), COLUMNS).into_owned();
            let id: String = message.id.to_string().chars().take(digits).collect();
            (id, help)
        });
        let fitting = candidates.filter(|(id, _)| id.starts_with(&typed));
        Ok(fitting.map(|(id, help)| CompletionCandidate::new(id).help(Some(help.into()))).collect())
    })
}

/// Whether a shell takes a word as it is. Platforms and other people make IDs, and a shell would run
/// what some of them say.
fn is_plain(word: &str) -> bool {
    let is_safe = |c: char| c.is_alphanumeric() || "_-.:@%+,/".contains(c);
    !word.starts_with('-') && word.chars().all(is_safe)
}

fn pages() -> Vec<CompletionCandidate> {
    let command = Cli::command();
    let names = command.get_subcommands().map(|command| command.get_name().to_owned());
    names.chain(["rechat.toml".to_owned()]).map(CompletionCandidate::new).collect()
}

/// Values from the server or the store; none where those do not answer soon.
fn live(
    ask: impl AsyncFnOnce(&mut Client) -> Result<Vec<CompletionCandidate>> + Send + 'static,
) -> Vec<CompletionCandidate> {
    let (found, values) = mpsc::channel();
    // A thread, for a store may be locked; the process ends without waiting for it.
    std::thread::spawn(move || {
        let work = async {
            let (source, config) = written_so_far(std::env::args());
            let mut client = Client::open(&source, config, Access::Read, None).await?;
            drop(found.send(ask(&mut client).await?));
            Ok(())
        };
        drop(briefly(work));
    });
    values.recv_timeout(TIMEOUT).unwrap_or_default()
}

/// Where the command that is being typed will look for messages.
fn written_so_far(words: impl Iterator<Item = String>) -> (SourceArgs, Option<PathBuf>) {
    let (mut source, mut config) = (SourceArgs::default(), None);
    let mut words = words.peekable();
    while let Some(word) = words.next() {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (word, words.peek().cloned()),
        };
        match name.as_str() {
            "--db" => source.db = value.map(PathBuf::from),
            "--server" => source.server = value,
            "--token" => source.token = value,
            "--ca" => source.ca = value.map(PathBuf::from),
            "--config" => config = value.map(PathBuf::from),
            _ => {}
        }
    }
    (source, config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_that_are_typed_already_say_where_to_look() {
        let words =
            ["rechat", "list", "--server=http://h:1", "--token", "t", "--config", "c", "-p"];
        let (source, config) = written_so_far(words.iter().map(ToString::to_string));
        assert_eq!(source.server.as_deref(), Some("http://h:1"));
        assert_eq!((source.token.as_deref(), source.db), (Some("t"), None));
        assert_eq!(config, Some(PathBuf::from("c")));
    }

    #[test]
    fn a_word_that_a_shell_would_run_is_not_offered() {
        for plain in ["group_123456", "private_o9@im.wechat", "channel_1_a%5Fb", "周末"] {
            assert!(is_plain(plain), "{plain}");
        }
        for hostile in
            ["x;id", "$(id)", "`id`", "a b", "a\nb", "a'b", "a\"b", "-rf", "~", "*", "!1"]
        {
            assert!(!is_plain(hostile), "{hostile}");
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }
}
