//! A message, and how the core takes it (event/message.md).

use super::fields::{EventPerson, OneBot11EventFields, parse_or_default};
use crate::adapter::onebot::common::channel;
use crate::adapter::onebot::common::parts::MessageReading;
use crate::adapter::onebot::v11::reading;
use crate::clock::now;
use crate::model::inbound::{AlikeEntries, Inbound};
use crate::model::json_object::object_from_str;
use crate::model::message::{Sender, check_name};
use serde_json::value::RawValue;
use siphasher::sip::SipHasher13;
use std::hash::Hasher;

/// A message event (event/message.md), or a message of a history.
#[derive(Debug)]
pub(in crate::adapter::onebot::v11) struct OneBot11Message<'a>(pub(super) OneBot11EventFields<'a>);

/// Where a message was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::adapter::onebot::v11) struct MessageOrigin {
    pub(in crate::adapter::onebot::v11) conversation: String,
    /// The conversation's name, where the event told it.
    pub(in crate::adapter::onebot::v11) name: Option<String>,
    /// The group through which strangers talk, in a temporary session.
    pub(in crate::adapter::onebot::v11) through: Option<String>,
}

impl<'a> OneBot11Message<'a> {
    /// Reads a message of a history, which may lack what makes it an event.
    pub(in crate::adapter::onebot::v11) fn parse(json: &'a RawValue) -> Option<Self> {
        object_from_str(json.get()).ok().map(Self)
    }

    /// Whether the account itself wrote it.
    fn is_own(&self, account: &str) -> bool {
        self.0.post_type.or_empty() == "message_sent"
            || self.sender_id() == Some(account)
            // In guilds the account has another ID (go-cqhttp, guild.md).
            || self.0.self_tiny_id.id().is_some_and(|own| self.sender_id() == Some(own))
    }

    fn sender_id(&self) -> Option<&str> {
        self.0.user_id.id()
    }

    /// The conversation. An own private message tells it as `target_id`, or not at all.
    fn origin(&self, account: &str, sender: &EventPerson<'_>) -> Option<MessageOrigin> {
        let fields = &self.0;
        let group = fields.group_id.id();
        let is_group = match fields.message_type.or_empty() {
            "group" => true,
            "private" => false,
            "guild" => {
                let ids = fields.guild_id.id().zip(fields.channel_id.id());
                let conversation =
                    ids.map(|(guild, channel)| channel::conversation(guild, channel));
                return Some(MessageOrigin {
                    conversation: conversation?,
                    name: None,
                    through: None,
                });
            }
            "" => group.is_some(),
            _ => return None,
        };
        if is_group {
            let name = fields.group_name.text().map(str::to_owned);
            return Some(MessageOrigin {
                conversation: format!("group_{}", group?),
                name,
                through: None,
            });
        }
        let own = self.is_own(account);
        let other =
            if own { fields.target_id.id() } else { self.sender_id().or(sender.user_id.id()) };
        let name = (!own).then(|| sender.nickname.text()).flatten().map(str::to_owned);
        let through = group.or(sender.group_id.id()).map(str::to_owned);
        Some(MessageOrigin { conversation: format!("private_{}", other?), name, through })
    }

    /// The message as the core takes it; the error says what is missing.
    ///
    /// A history was asked for one conversation, and its messages may not name it.
    pub(in crate::adapter::onebot::v11) fn into_inbound(
        self,
        platform: &str,
        account: &str,
        asked_for: Option<&str>,
    ) -> Result<(Inbound, MessageOrigin), String> {
        let from: EventPerson<'_> = parse_or_default(self.0.sender);
        let origin = self.origin(account, &from).or_else(|| {
            let conversation = asked_for?.to_owned();
            Some(MessageOrigin { conversation, name: None, through: None })
        });
        let origin = origin.ok_or_else(|| {
            let message_type = self.0.message_type.or_empty();
            format!("a `{message_type}` message without `group_id` or `user_id`")
        })?;
        check_name("conversation", &origin.conversation)?;
        let message = self.0.message.or(self.0.raw_message).ok_or("a message without `message`")?;
        let MessageReading { content, reply_to, original, .. } = self.read(message, account);
        let inbound = Inbound {
            platform: platform.to_owned(),
            account: account.to_owned(),
            conversation: origin.conversation.clone(),
            conversation_name: origin.name.clone(),
            sender: self.sender(&from),
            content,
            reply_to,
            external_id: self.external_id(message),
            time: self.0.time.time().unwrap_or_else(now),
            own: self.is_own(account),
            from_history: false,
            alike: AlikeEntries::default(),
            clock_ahead: None,
            original,
            fingerprint: None,
        };
        Ok((inbound, origin))
    }

    /// Reads the message; `raw_message` where the message itself brings no more than names.
    fn read(&self, message: &RawValue, account: &str) -> MessageReading {
        let is_me = |user: &str| user == account || self.0.self_tiny_id.id() == Some(user);
        let reading = reading::read(message, &is_me);
        if !reading.says_nothing {
            return reading;
        }
        let raw = self.0.raw_message.map(|raw| reading::read(raw, &is_me));
        match raw.filter(|raw| !raw.says_nothing) {
            Some(raw) => MessageReading {
                original: Some(message.get().to_owned()),
                reply_to: reading.reply_to.or(raw.reply_to),
                ..raw
            },
            None => reading,
        }
    }

    /// The sender, by the group card where there is one, else the nickname.
    fn sender(&self, from: &EventPerson<'_>) -> Sender {
        let anonymous: EventPerson<'_> = parse_or_default(self.0.anonymous);
        let id = anonymous.id.id().or(self.sender_id()).or(from.user_id.id()).unwrap_or_default();
        let card = from.card.text().filter(|card| !card.trim().is_empty());
        let name = anonymous.name.text().or(card).or(from.nickname.text()).unwrap_or(id);
        Sender { id: id.to_owned(), name: name.to_owned() }
    }

    /// The platform's ID; where it tells none, a mark that is the same when it comes again.
    fn external_id(&self, message: &RawValue) -> String {
        if let Some(id) = self.0.message_id.id() {
            return id.to_owned();
        }
        let mut mark = SipHasher13::new();
        mark.write(self.0.user_id.or_empty().as_bytes());
        mark.write(message.get().as_bytes());
        format!("mark-{:016x}", mark.finish())
    }
}
