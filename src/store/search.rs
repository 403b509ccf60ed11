//! Looking into messages: what no index tells is read, newest first and a bounded number at once.

use super::Result;
use super::query::{Filter, Page};
use super::view::View;
use crate::model::message::{Message, MessageType};

/// Messages read for one search; what lies further back is asked for with the next.
const MAX_READ: usize = 20_000;

/// Messages found by index at a time.
const STRIDE: usize = 256;

/// What a message's own text and type must be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// In lower case; looked for in the content and in the sender's name.
    needle: Option<String>,
    message_type: Option<MessageType>,
}

/// What a search found, newest first.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    #[allow(missing_docs)]
    pub messages: Vec<Message>,
    /// The oldest `seq` that was read, where the search ended before the page was full and there
    /// is more to read: the next search goes on below it.
    pub searched_to: Option<u64>,
}

impl Search {
    /// Looks for text in any case, and for a type; `None` where neither is wanted.
    pub fn new(text: Option<&str>, message_type: Option<MessageType>) -> Option<Self> {
        let needle = text.map(str::to_lowercase).filter(|needle| !needle.is_empty());
        (needle.is_some() || message_type.is_some()).then_some(Self { needle, message_type })
    }

    fn matches(&self, message: &Message) -> bool {
        let has = |text: &str, needle: &str| text.to_lowercase().contains(needle);
        let says = |needle: &String| {
            let sender = message.sender.as_ref();
            has(&message.content, needle) || sender.is_some_and(|s| has(&s.name, needle))
        };
        self.message_type.is_none_or(|wanted| wanted == message.message_type)
            && self.needle.as_ref().is_none_or(says)
    }
}

impl View {
    /// The messages that match both; `page.offset` counts only those.
    pub fn search(&self, filter: &Filter, search: &Search, page: Page) -> Result<Found> {
        let mut found = Found::default();
        let mut skip = page.offset;
        let mut read = 0;
        let mut stride = Page { offset: 0, limit: STRIDE, before: page.before };
        while found.messages.len() < page.limit {
            if read >= MAX_READ {
                found.searched_to = stride.before;
                break;
            }
            let messages = self.list(filter, stride)?;
            let Some(last) = messages.last() else { break };
            stride.before = Some(last.seq);
            read += messages.len();
            for message in messages.into_iter().filter(|message| search.matches(message)) {
                if skip > 0 {
                    skip -= 1;
                } else if found.messages.len() < page.limit {
                    found.messages.push(message);
                }
            }
        }
        Ok(found)
    }
}
