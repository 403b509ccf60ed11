//! Notices and requests as the core takes them (contract, items 26, 27 and 29).

use crate::adapter::api::{AdapterEvent, MessageRef, PlatformRequest, cut_to};
use crate::model::message::{Sender, check_name};
use crate::model::notice::{Notice, NoticeKind};
use crate::model::reaction::ReactionChange;

/// The most characters of a notice's text: a file's has its address.
const MAX_TEXT: usize = 2_000;

/// The surroundings of a notice: whom it was told, when, and the names of people.
pub(in crate::adapter::onebot) struct NoticeContext<'a> {
    pub(in crate::adapter::onebot) platform: &'a str,
    pub(in crate::adapter::onebot) account: &'a str,
    /// Unix seconds.
    pub(in crate::adapter::onebot) at: u64,
    /// The name of a person in a conversation, where it is known.
    pub(in crate::adapter::onebot) name_of: &'a dyn Fn(&str, &str) -> Option<String>,
}

/// The subject of a notice.
#[derive(Debug, Default)]
pub(in crate::adapter::onebot) struct NoticeSubject<'a> {
    pub(in crate::adapter::onebot) conversation: Option<&'a str>,
    /// The person it is about.
    pub(in crate::adapter::onebot) user: Option<&'a str>,
    /// The person who did it.
    pub(in crate::adapter::onebot) operator: Option<&'a str>,
    pub(in crate::adapter::onebot) text: String,
    /// By which it can be answered.
    pub(in crate::adapter::onebot) request: Option<PlatformRequest>,
}

impl NoticeContext<'_> {
    /// A notice; `None` where its conversation has no usable name.
    pub(in crate::adapter::onebot) fn noticed(
        &self,
        kind: NoticeKind,
        about: NoticeSubject<'_>,
    ) -> Option<AdapterEvent> {
        let NoticeSubject { conversation, user, operator, text, request } = about;
        if let Some(conversation) = conversation {
            check_name("conversation", conversation).ok()?;
        }
        let person = |id| self.person(conversation, id);
        let operator = operator.filter(|operator| Some(*operator) != user);
        let notice = Box::new(Notice {
            platform: self.platform.to_owned(),
            account: self.account.to_owned(),
            conversation: conversation.map(str::to_owned),
            kind,
            user: user.map(person),
            operator: operator.map(person),
            text: cut_to(&text, MAX_TEXT).into_owned(),
            created_at: self.at,
            request: None,
        });
        Some(AdapterEvent::Noticed { notice, request })
    }

    /// A message was taken back, by this person where it is told.
    pub(in crate::adapter::onebot) fn recalled(
        &self,
        conversation: &str,
        message_id: &str,
        by: Option<&str>,
    ) -> Option<AdapterEvent> {
        let message = self.message(conversation, message_id)?;
        let by = by.map(|id| self.person(Some(conversation), id));
        Some(AdapterEvent::Recalled { message, by, at: self.at })
    }

    /// The reactions to a message changed.
    pub(in crate::adapter::onebot) fn reacted(
        &self,
        conversation: &str,
        message_id: &str,
        change: ReactionChange,
    ) -> Option<AdapterEvent> {
        let message = self.message(conversation, message_id)?;
        Some(AdapterEvent::Reacted { message, change, at: self.at })
    }

    /// A message of a conversation.
    pub(in crate::adapter::onebot) fn message(
        &self,
        conversation: &str,
        message_id: &str,
    ) -> Option<MessageRef> {
        check_name("conversation", conversation).ok()?;
        Some(MessageRef {
            account: self.account.to_owned(),
            platform: self.platform.to_owned(),
            conversation: conversation.to_owned(),
            external_id: message_id.to_owned(),
        })
    }

    fn person(&self, conversation: Option<&str>, id: &str) -> Sender {
        let name = conversation.and_then(|conversation| (self.name_of)(conversation, id));
        Sender { id: id.to_owned(), name: name.unwrap_or_else(|| id.to_owned()) }
    }
}
