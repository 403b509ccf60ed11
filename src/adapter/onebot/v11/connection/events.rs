//! Events: what each changes of the account, and what the core is told.

use super::Implementation;
use crate::adapter::api::AdapterEvent as CoreEvent;
use crate::adapter::onebot::common::mentions::{message_of, name_mentions, person_key};
use crate::adapter::onebot::common::{requests, session};
use crate::adapter::onebot::v11::event::{MessageOrigin, OneBot11Event, OneBot11Message};
use crate::adapter::onebot::v11::notice::OneBot11NoticeFrame;
use crate::adapter::onebot::v11::questions::restore_doubt;
use crate::adapter::onebot::v11::quoted_messages::answered_key;
use crate::adapter::registry::Registration;
use crate::adapter::transport::ConnectionEnd;
use crate::model::inbound::Inbound;

/// The largest frame whose own words are kept for bots; of a larger one its meaning is.
const MAX_TOLD: usize = 1 << 20;

impl Implementation {
    pub(super) async fn event(
        &mut self,
        event: OneBot11Event<'_>,
        text: &str,
    ) -> Result<(), ConnectionEnd> {
        match event {
            OneBot11Event::Message(message) => {
                self.proves_on();
                self.message(*message, text).await
            }
            OneBot11Event::Heartbeat { interval, online } => {
                self.heartbeat = session::patience(interval);
                if let Some(online) = online {
                    self.online(online);
                }
                Ok(())
            }
            OneBot11Event::Notice(notice) => self.notice(&notice, text).await,
            OneBot11Event::OtherVersion => self.other_version(),
            OneBot11Event::Meta => {
                self.proves_on();
                Ok(())
            }
            OneBot11Event::Other => self.tell(text, None).await,
        }
    }

    /// Takes what a heartbeat says of the account. After it was off, it takes two beats in a row
    /// for it to be on, so that a status that goes to and fro changes nothing each time.
    fn online(&mut self, online: bool) {
        self.online_beats = if online { self.online_beats.saturating_add(1) } else { 0 };
        match &self.registration {
            Some(registration) if !online => {
                self.is_off_until_event = false;
                registration.offline("the account is off, says the implementation; log it in there")
            }
            Some(registration) if self.online_beats >= 2 && registration.online() => {
                self.catch_up();
            }
            _ => {}
        }
    }

    /// A message or a lifecycle event came: the account is on again, unless heartbeats say that it is
    /// off, which also say when it is on.
    fn proves_on(&mut self) {
        if !std::mem::take(&mut self.is_off_until_event) {
            return;
        }
        if self.registration.as_ref().is_some_and(Registration::online) {
            self.catch_up();
        }
    }

    /// The implementation speaks OneBot 12: says so in the state, once.
    fn other_version(&mut self) -> Result<(), ConnectionEnd> {
        const REASON: &str = "the implementation speaks OneBot 12 here; let it dial \
            /onebot/v12/ws, or set its own side to OneBot 11";
        let Some(registration) = &self.registration else {
            return Err(ConnectionEnd::refused(REASON));
        };
        if !std::mem::replace(&mut self.is_other_version, true) {
            tracing::warn!(platform = self.account.platform, "{REASON}");
            registration.offline(REASON);
            self.is_off_until_event = true;
        }
        Ok(())
    }

    async fn message(
        &mut self,
        message: OneBot11Message<'_>,
        text: &str,
    ) -> Result<(), ConnectionEnd> {
        let account = self.account.id().unwrap_or_default();
        let (mut inbound, origin) =
            match message.into_inbound(&self.account.platform, account, None) {
                Ok(read) => read,
                Err(reason) => {
                    self.skipped.note("", &reason);
                    return self.tell(text, None).await;
                }
            };
        if inbound.own {
            restore_doubt(&self.account, &self.context.events, &inbound.conversation).await;
        }
        if let Some(proven) = self.account.progress().take_echo(&inbound) {
            return self.tell_last(text, proven).await;
        }
        self.remember(&mut inbound, origin);
        let message = message_of(&inbound);
        let is_group = inbound.conversation.starts_with("group_");
        let unnamed =
            if is_group { name_mentions(&mut inbound, &self.account.people) } else { Vec::new() };
        self.account.known.insert(&message.conversation, &message.external_id);
        self.account.clocks.message_came(&self.account.key(), inbound.time);
        let answered = self.answered(&mut inbound);
        self.tell(text, Some(CoreEvent::Message(Box::new(inbound)))).await?;
        // Asked for once the message is on its way, so that what is found comes after it.
        for user in unnamed {
            self.ask_for_person(&message, user);
        }
        if let Some(answered) = answered {
            self.ask_for_answered(message, answered);
        }
        Ok(())
    }

    async fn notice(
        &mut self,
        notice: &OneBot11NoticeFrame<'_>,
        text: &str,
    ) -> Result<(), ConnectionEnd> {
        if let (Some(reason), Some(registration)) = (notice.offline(), &self.registration) {
            registration.offline(&format!("the account was logged out: {reason}"));
            self.is_off_until_event = true;
        }
        let (account, platform) = (&self.account, &self.account.platform);
        if let Some((conversation, person, card)) = notice.card() {
            let key = person_key(&conversation, person);
            // Without a card it is the nickname that counts, which is not told here.
            if card.is_empty() {
                account.people.forget(&key)
            } else {
                account.people.set(&key, card)
            }
        }
        let mut events = Vec::new();
        if let Some((conversation, name)) = notice.conversation_name() {
            account.names.set(&conversation, name);
            let (platform, name) = (platform.clone(), name.to_owned());
            events.push(CoreEvent::Named { platform, conversation, name });
        }
        let name_of =
            |conversation: &str, user: &str| account.people.get(&person_key(conversation, user));
        events.extend(notice.events(platform, account.id().unwrap_or_default(), &name_of));
        self.tell_last(text, events).await
    }

    /// Reports what a frame means. The frame goes with the last event: before it, nothing of it is told.
    async fn tell_last(
        &self,
        frame: &str,
        mut events: Vec<CoreEvent>,
    ) -> Result<(), ConnectionEnd> {
        let last = events.pop();
        for event in events {
            self.report(event).await?;
        }
        self.tell(frame, last).await
    }

    /// Reports what a frame means, together with the frame itself.
    async fn tell(&self, frame: &str, meaning: Option<CoreEvent>) -> Result<(), ConnectionEnd> {
        let Some(account) = self.account.id().filter(|_| frame.len() <= MAX_TOLD) else {
            return requests::report(&self.context.events, meaning).await;
        };
        let (platform, account) = (self.account.platform.clone(), account.to_owned());
        let meaning = meaning.map(Box::new);
        self.report(CoreEvent::RawEvent { platform, account, frame: frame.to_owned(), meaning })
            .await
    }

    /// Keeps what a message tells of its conversation, and completes it by what others told.
    fn remember(&self, inbound: &mut Inbound, origin: MessageOrigin) {
        let MessageOrigin { conversation, name, through } = origin;
        match through {
            Some(group) => self.account.through().set(&conversation, &group),
            None => self.account.through().forget(&conversation),
        }
        if !conversation.starts_with("group_") {
            return;
        }
        let sender = &inbound.sender;
        if sender.name != sender.id {
            self.account.people.set(&person_key(&conversation, &sender.id), &sender.name);
        }
        if let Some(name) = name {
            self.account.names.set(&conversation, &name);
            return;
        }
        inbound.conversation_name = self.account.names.get(&conversation);
        if inbound.conversation_name.is_none() {
            self.ask_for_group_name(&conversation);
        }
    }

    /// Completes the message that another one answers by what is known of it; gives the ID of one that
    /// is to be asked for.
    fn answered(&self, inbound: &mut Inbound) -> Option<String> {
        let answered = inbound.reply_to.as_ref()?.external_id.clone()?;
        let key = answered_key(&inbound.conversation, &answered);
        match self.account.answered.get(&key) {
            Some(found) => inbound.reply_to = Some(Box::new(found)),
            None => return Some(answered),
        }
        None
    }

    async fn report(&self, event: CoreEvent) -> Result<(), ConnectionEnd> {
        requests::report(&self.context.events, Some(event)).await
    }
}
