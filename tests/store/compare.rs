//! The store's answers, compared with the model's.

use super::both::Both;
use super::steps::{CONVERSATIONS, PLATFORMS};
use rechat::model::message::{Direction, Message, Status};
use rechat::protocol::overview::Conversation;
use rechat::store::check::check;
use rechat::store::{
    ConversationQuery, EntryContent, Matches, MessageFilter, MessageSource, Page, View,
};
use std::ops::Range;

/// A filter's messages, a few at a time, so that pages meet.
struct Listed<'a> {
    view: &'a View,
    filter: &'a MessageFilter,
}

impl MessageSource for Listed<'_> {
    fn page(&self, page: Page) -> rechat::store::Result<Matches> {
        let few = Page { limit: 3, ..page };
        Ok(Matches { messages: self.view.list(self.filter, few)?, searched_to: None })
    }

    fn has(&self, message: &Message) -> bool {
        self.filter.matches(message)
    }

    fn span(&self) -> Range<u64> {
        0..u64::MAX
    }
}

fn filters() -> impl Iterator<Item = MessageFilter> {
    let statuses = [&[][..], &[Status::Pending], &[Status::Sent], &[Status::Sent, Status::Failed]];
    let platforms = [None, Some("local"), Some("qq"), Some("unheard")];
    let conversations = [None, Some("group_1"), Some("unheard")];
    let directions = [None, Some(Direction::Inbound), Some(Direction::Outbound)];
    statuses.into_iter().flat_map(move |statuses| {
        platforms.into_iter().flat_map(move |platform| {
            conversations.into_iter().flat_map(move |conversation| {
                directions.into_iter().map(move |direction| MessageFilter {
                    statuses: statuses.to_vec(),
                    platform: platform.map(str::to_owned),
                    conversation: conversation.map(str::to_owned),
                    direction,
                })
            })
        })
    })
}

impl Both {
    pub(super) fn agree(&self) {
        let view = self.store.as_ref().unwrap().view().unwrap();
        for message in &self.model.messages {
            assert_eq!(view.by_id(message.id).unwrap().as_ref(), Some(message));
        }
        let stats = view.stats();
        assert_eq!(stats.total, self.model.messages.len() as u64);
        let sent = self.model.messages.iter().filter(|message| message.status == Status::Sent);
        assert_eq!(stats.sent, sent.count() as u64);
        for filter in filters() {
            let all = self.model.list(&filter);
            let list = |page| view.list(&filter, page).unwrap();
            assert_eq!(list(Page { offset: 0, limit: 200, before: None }), all, "{filter:?}");
            let by_offset: Vec<_> = (0..)
                .map(|page| list(Page { offset: page * 3, limit: 3, before: None }))
                .take_while(|page| !page.is_empty())
                .flatten()
                .collect();
            assert_eq!(by_offset, all, "{filter:?}");
            let before = all.get(all.len() / 2).map(|message| message.seq);
            let older: Vec<_> =
                all.iter().filter(|m| before.is_none_or(|seq| m.seq < seq)).cloned().collect();
            assert_eq!(list(Page { offset: 0, limit: 200, before }), older, "{filter:?}");
            let after = before.unwrap_or(0);
            let mut newer: Vec<_> = all.iter().filter(|m| m.seq > after).cloned().collect();
            newer.reverse();
            assert_eq!(view.list_after(&filter, after, 200).unwrap(), newer, "{filter:?}");
            newer.truncate(3);
            assert_eq!(view.list_after(&filter, after, 3).unwrap(), newer, "{filter:?}");
            let mut said = all;
            said.sort_by_key(|message| std::cmp::Reverse((message.created_at, message.seq)));
            let source = Listed { view: &view, filter: &filter };
            let by_time = |page| view.by_time(&filter, &source, page).unwrap().messages;
            assert_eq!(by_time(Page { offset: 0, limit: 200, before: None }), said, "{filter:?}");
            for (place, message) in said.iter().enumerate() {
                let page = Page { offset: 1, limit: 2, before: Some(message.seq) };
                let wanted: Vec<_> = said.iter().skip(place + 2).take(2).cloned().collect();
                assert_eq!(by_time(page), wanted, "after {message:?} of {filter:?}");
            }
        }
        for (platform, conversation) in
            PLATFORMS.iter().flat_map(|p| CONVERSATIONS.map(|c| (*p, c)))
        {
            let mut waiting = self.model.list(&MessageFilter {
                statuses: vec![Status::Pending],
                platform: Some(platform.unwrap_or("local").into()),
                conversation: Some(conversation.into()),
                direction: Some(Direction::Outbound),
            });
            waiting.reverse();
            assert_eq!(view.pending(platform, conversation, 100).unwrap(), waiting);
        }
        let wanted = self.model.conversations();
        // Names, accounts and kinds do not follow from the model.
        let plain = |found: Vec<Conversation>| -> Vec<_> {
            let plain = |found: Conversation| Conversation {
                kind: rechat::protocol::overview::ConversationKind::default(),
                name: None,
                account: None,
                ..found
            };
            found.into_iter().map(plain).collect()
        };
        let all = ConversationQuery::default();
        assert_eq!(plain(view.conversations(&all).unwrap()), wanted);
        for platform in [None, Some("qq"), Some("local")] {
            let platform = platform.map(str::to_owned);
            let is_wanted =
                |known: &&Conversation| platform.as_ref().is_none_or(|p| *p == known.platform);
            let mut one =
                ConversationQuery { platform: platform.clone(), limit: Some(1), ..all.clone() };
            for conversation in wanted.iter().filter(is_wanted) {
                let found = plain(view.conversations(&one).unwrap());
                assert_eq!(found, std::slice::from_ref(conversation));
                one.before = Some(conversation.last_seq);
            }
        }
        let kept = view.journal(0, usize::MAX).unwrap().unwrap();
        assert!(kept.is_sorted_by(|a, b| a.offset < b.offset), "{kept:?}");
        let creations = kept.iter().filter_map(|kept| match kept.entry {
            EntryContent::Created { seq } => Some(seq),
            _ => None,
        });
        assert!(creations.eq(1..=view.head()), "each creation has its event: {kept:?}");
        let deletions =
            kept.iter().filter(|kept| matches!(kept.entry, EntryContent::Deleted { .. }));
        assert_eq!(deletions.count() as u64, view.head() - self.model.messages.len() as u64);
        for message in &self.model.messages {
            let last = kept.iter().rev().find_map(|kept| match kept.entry {
                EntryContent::StatusChanged { seq, status, .. } if seq == message.seq => {
                    Some(status)
                }
                _ => None,
            });
            assert!(last.is_none_or(|status| status == message.status), "{message:?}");
        }
        assert_eq!(check(&view).unwrap().findings, Vec::<String>::new());
    }
}
