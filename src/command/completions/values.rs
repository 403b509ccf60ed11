//! Values that are offered for what is typed.

use crate::client::Client;
use crate::command::listing::ID_DIGITS;
use crate::error::Result;
use crate::model::id_prefix::IdPrefix;
use crate::model::message::{Direction, Message, Sender, Status};
use crate::protocol::http::Conversation;
use crate::search::Conditions;
use crate::store::{ByPrefix, ConversationQuery, MessageFilter, Order, Page};
use crate::text::{cut, readable, visible};
use clap_complete::CompletionCandidate;
use std::collections::BTreeSet;

/// Messages whose IDs are offered.
const MESSAGES: usize = 50;

/// The newest messages of which each is offered whose ID begins as it is typed: what can be looked at
/// before a person notices, 60 to 110 ns each on a busy machine.
const COMPARED: u64 = 200_000;

/// Conversations that are offered, the latest ones that fit what is typed.
const CONVERSATIONS: usize = 100;

/// The newest messages whose senders are offered.
const SENDERS_OF: usize = 200;

/// Columns of what is told of a message beside its ID.
const COLUMNS: usize = 60;

/// A word that is being typed.
pub(super) struct Typed {
    /// Without the quotes and backslashes of the shell.
    text: String,
    quoting: Quoting,
}

/// How names with spaces reach the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quoting {
    /// The shell quotes what it inserts.
    OfShell,
    /// The shell inserts what it is given, so that each space needs a backslash.
    Backslashes,
    /// Names with spaces are not offered.
    None,
}

impl Typed {
    pub(super) fn new(word: &str, shell: &str) -> Self {
        let quoting = match shell {
            "zsh" | "fish" => Quoting::OfShell,
            "bash" if !word.starts_with(['"', '\'']) => Quoting::Backslashes,
            _ => Quoting::None,
        };
        Self { text: unquoted(word), quoting }
    }

    /// The candidate for a name, where it begins as it is typed and the shell takes it.
    fn candidate(&self, name: &str, help: &str) -> Option<CompletionCandidate> {
        if !name.to_lowercase().starts_with(&self.text.to_lowercase()) {
            return None;
        }
        let has_spaces = name.contains(' ');
        let name = match self.quoting {
            _ if !name.split(' ').all(is_plain) => return None,
            Quoting::None if has_spaces => return None,
            Quoting::Backslashes => name.replace(' ', "\\ "),
            Quoting::OfShell | Quoting::None => name.to_owned(),
        };
        let help = cut(&visible(help), COLUMNS).into_owned();
        Some(CompletionCandidate::new(name).help(Some(help.into())))
    }
}

/// A word without the quotes and backslashes of the shell.
pub(super) fn unquoted(word: &str) -> String {
    word.replace(['"', '\'', '\\'], "")
}

/// Whether a shell takes a word as it is. Platforms and other people make names, and a shell would run
/// what some of them say.
fn is_plain(word: &str) -> bool {
    let is_safe = |c: char| c.is_alphanumeric() || "_-.:@%+,/".contains(c);
    !word.is_empty() && !word.starts_with('-') && word.chars().all(is_safe)
}

/// The platforms that are known.
pub(super) async fn platforms(
    client: &mut Client,
    typed: &Typed,
) -> Result<Vec<CompletionCandidate>> {
    let known = client.known_platforms(Some(CONVERSATIONS)).await?;
    Ok(known.iter().filter_map(|name| typed.candidate(name, "")).collect())
}

/// The latest conversations whose ID or name begins so: by the ID, or by the name where only that fits.
pub(super) async fn conversations(
    client: &mut Client,
    typed: &Typed,
) -> Result<Vec<CompletionCandidate>> {
    let known = conversations_with(client, &typed.text).await?;
    let candidate = |known: &Conversation| {
        let Conversation { platform, conversation, name, .. } = known;
        let name = name.as_deref().unwrap_or_default();
        let by_id = typed.candidate(conversation, &format!("{platform} {name}"));
        by_id.or_else(|| typed.candidate(name, &format!("{platform} {conversation}")))
    };
    Ok(known.iter().filter_map(candidate).collect())
}

/// The latest conversations that have a text in their ID or their name, in any case.
async fn conversations_with(client: &mut Client, text: &str) -> Result<Vec<Conversation>> {
    let query = ConversationQuery {
        text: Some(text.to_owned()).filter(|text| !text.is_empty()),
        limit: Some(CONVERSATIONS),
        is_brief: true,
        ..ConversationQuery::default()
    };
    client.conversations(&query).await
}

/// People who wrote in a conversation, or anywhere, whose name begins so; those who wrote last come
/// first, and then those whom a search for the name finds.
pub(super) async fn people(
    client: &mut Client,
    typed: &Typed,
    conversation: Option<&str>,
) -> Result<Vec<CompletionCandidate>> {
    let mut filter =
        MessageFilter { direction: Some(Direction::Inbound), ..MessageFilter::default() };
    if let Some(named) = conversation {
        let known = conversations_with(client, named).await?.into_iter();
        let is_meant = |known: &Conversation| {
            known.conversation == named || known.name.as_deref() == Some(named)
        };
        let Some(meant) = known.into_iter().find(is_meant) else { return Ok(Vec::new()) };
        (filter.platform, filter.conversation) = (Some(meant.platform), Some(meant.conversation));
    }
    let page = Page { offset: 0, limit: SENDERS_OF, before: None };
    let mut messages = client.list(&filter, page, None).await?;
    if !typed.text.is_empty() {
        let text = Some(typed.text.clone());
        let conditions = Conditions { text, ..Conditions::default() };
        messages.extend(client.search(&conditions, Order::Seq, &filter, page, None).await?);
    }
    let mut seen = BTreeSet::new();
    let senders = messages.into_iter().filter_map(|message| message.sender);
    let new = senders.filter(|sender| seen.insert(sender.name.clone()));
    Ok(new.filter_map(|Sender { id, name }| typed.candidate(&name, &id)).collect())
}

/// The same, and everybody.
pub(super) async fn mentions(
    client: &mut Client,
    typed: &Typed,
    conversation: Option<&str>,
) -> Result<Vec<CompletionCandidate>> {
    let mut found = people(client, typed, conversation).await?;
    found.extend(typed.candidate("all", "everybody"));
    Ok(found)
}

/// Short IDs, as lists show them, until more of one is typed: of the newest messages, and once enough
/// digits are typed, of each among many that begins so.
pub(super) async fn messages(
    client: &mut Client,
    typed: &Typed,
    statuses: &[Status],
) -> Result<Vec<CompletionCandidate>> {
    let filter = MessageFilter { statuses: statuses.to_vec(), ..MessageFilter::default() };
    let found = if let Ok(prefix) = typed.text.parse::<IdPrefix>() {
        let newest = Some(COMPARED);
        let wanted = ByPrefix { prefix, before: None, newest, limit: MESSAGES };
        client.by_prefix(&filter, wanted).await?
    } else {
        let page = Page { offset: 0, limit: MESSAGES, before: None };
        client.list(&filter, page, None).await?
    };
    let digits = if typed.text.len() > ID_DIGITS { usize::MAX } else { ID_DIGITS };
    let candidate = |message: &Message| {
        let start: String = readable(message).chars().take(COLUMNS).collect();
        let text = format!("{} {}: {start}", message.status, message.recipient);
        let id: String = message.id.to_string().chars().take(digits).collect();
        typed.candidate(&id, &text)
    };
    Ok(found.iter().filter_map(candidate).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_a_shell_would_run_is_not_offered() {
        for plain in ["group_123456", "private_o9@im.wechat", "channel_1_a%5Fb", "周末"] {
            assert!(is_plain(plain), "{plain}");
        }
        for hostile in
            ["x;id", "$(id)", "`id`", "a b", "a\nb", "a'b", "a\"b", "-rf", "~", "*", "!1", ""]
        {
            assert!(!is_plain(hostile), "{hostile}");
            for shell in ["bash", "zsh", "fish", "elvish"] {
                let offered = Typed::new("", shell).candidate(hostile, "");
                assert!(offered.is_none() || hostile == "a b", "{hostile} in {shell}");
            }
        }
    }

    #[test]
    fn a_name_with_spaces_is_quoted_as_the_shell_needs_it() {
        let offered = |word: &str, shell: &str| {
            let found = Typed::new(word, shell).candidate("Book Club", "");
            found.map(|candidate| candidate.get_value().to_string_lossy().into_owned())
        };
        let (plain, escaped) = (Some("Book Club".to_owned()), Some("Book\\ Club".to_owned()));
        assert_eq!(offered("boo", "fish"), plain);
        assert_eq!(offered("Book\\ C", "zsh"), plain);
        assert_eq!(offered("Book\\ C", "bash"), escaped);
        assert_eq!(offered("'Book C", "bash"), None);
        assert_eq!(offered("Boo", "powershell"), None);
        assert_eq!(offered("Club", "fish"), None);
    }
}
