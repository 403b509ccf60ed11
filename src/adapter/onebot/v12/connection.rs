//! One connection of an OneBot 12 implementation, from the upgrade to its end.

use super::action::delivery;
use super::bot::ConnectedBot;
use super::event::{BotId, OneBot12Event, OneBot12Frame, OneBot12Message, bots};
use crate::adapter::api::{AdapterEvent as CoreEvent, MessageRef, Settings};
use crate::adapter::context::Context;
use crate::adapter::onebot::common::answer::ActionResponse;
use crate::adapter::onebot::common::call::{Answered, Calls};
use crate::adapter::onebot::common::late_calls::LateCalls;
use crate::adapter::onebot::common::lookups::Lookups;
use crate::adapter::onebot::common::mentions::{message_of, name_mentions, person_key};
use crate::adapter::onebot::common::names::Names;
use crate::adapter::onebot::common::requests;
use crate::adapter::onebot::common::session::{self, OneBotSession, Skipped};
use crate::adapter::registry::{ConfiguredEntry, NewConnection, Registration};
use crate::adapter::transport::Connection;
use crate::adapter::transport::{ConnectionEnd, SocketClosed};
use crate::model::change::Inbound;
use crate::model::message::check_name;
use serde::Serialize;
use std::collections::HashMap;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Accounts of one connection; further ones are skipped.
const MAX_BOTS: usize = 256;
/// Why an account counts as off.
const OFFLINE: &str = "the account is off, says the implementation; log it in there";

/// Serves one connection until it ends.
pub(super) async fn run(connection: Connection, media_folder: Option<String>) -> ConnectionEnd {
    let Connection { socket, handshake, settings, entry, context } = connection;
    let (reader, writer, writing) = socket.split(settings.max_frame);
    let calls = Calls::new(writer, settings.answer_timeout, context.shared::<LateCalls>());
    let asked_for = handshake.as_ref().and_then(|handshake| handshake.parameter("platform"));
    let platform = settings.platform.as_deref().or(asked_for).map(str::to_owned);
    let ended = CancellationToken::new();
    let stop = context.stop.clone();
    let mut implementation = Implementation {
        platform,
        calls,
        settings,
        entry,
        media_folder,
        context,
        bots: HashMap::new(),
        status: None,
        heartbeat: None,
        is_dialled: handshake.is_none(),
        is_other_version: false,
        other_version_of: None,
        skipped: Skipped::default(),
        identified: CancellationToken::new(),
        ended,
    };
    implementation.status = Some(implementation.ask_for_accounts());
    let serving = async {
        let end = session::read(reader, &mut implementation, &stop).await;
        implementation.end(end)
    };
    tokio::join!(serving, writing).0
}

/// The implementation at the other end.
struct Implementation {
    /// The platform of all its accounts, where it is not to be what they say.
    platform: Option<String>,
    calls: Calls,
    settings: Arc<Settings>,
    entry: Option<ConfiguredEntry>,
    /// The folder of media as the implementation sees it.
    media_folder: Option<String>,
    context: Context,
    bots: HashMap<BotId, (Arc<ConnectedBot>, Registration)>,
    /// The answer to which accounts there are, while it is awaited.
    status: Option<oneshot::Receiver<Vec<(BotId, bool)>>>,
    heartbeat: Option<Duration>,
    /// We dialled it.
    is_dialled: bool,
    is_other_version: bool,
    /// The account that is off because a frame of OneBot 11 named it.
    other_version_of: Option<BotId>,
    skipped: Skipped,
    /// Ends the waiting for the accounts.
    identified: CancellationToken,
    ended: CancellationToken,
}

impl OneBotSession for Implementation {
    async fn frame(&mut self, text: &str) -> Result<(), ConnectionEnd> {
        match OneBot12Frame::parse(text) {
            Ok(OneBot12Frame::Event { bot, event }) => self.event(bot, event).await,
            Ok(OneBot12Frame::ActionResponse { echo, answer }) => {
                match self.calls.answered(&echo, answer) {
                    Answered::Late(call, answer) => {
                        let late = requests::late(call, delivery(Ok(answer)));
                        requests::report(&self.context.events, late).await
                    }
                    Answered::InTime | Answered::Unknown(_) => Ok(()),
                }
            }
            Err(error) => {
                self.skipped.note(text, &error);
                Ok(())
            }
        }
    }

    async fn other_event(&mut self) -> Result<(), ConnectionEnd> {
        match &mut self.status {
            Some(status) => {
                let bots = status.await.unwrap_or_default();
                self.status = None;
                self.update(bots);
                Ok(())
            }
            None => pending().await,
        }
    }

    fn too_large(&mut self, text: &str) {
        match session::echo_of(text) {
            Some(echo) => drop(self.calls.answered(&echo, ActionResponse::too_large(text.len()))),
            None => self.skipped.note(text, &"it is larger than `max_frame`"),
        }
    }

    fn closed(&mut self, closed: &SocketClosed) {
        match closed {
            SocketClosed::Lost(_) => {}
            SocketClosed::FrameTooLarge(_) => self.calls.answer_was_too_large(),
            SocketClosed::OursTooLarge(_) => self.calls.refuse_largest(),
        }
    }

    fn heartbeat(&self) -> Option<Duration> {
        self.heartbeat
    }
}

impl Implementation {
    async fn event(
        &mut self,
        bot: Option<BotId>,
        event: OneBot12Event<'_>,
    ) -> Result<(), ConnectionEnd> {
        match event {
            OneBot12Event::Message(message) => {
                let Some(bot) = bot.and_then(|id| self.bot(id)) else {
                    self.skipped.note("", &"a message without a valid `self`");
                    return Ok(());
                };
                self.message(&bot, *message).await
            }
            OneBot12Event::Notice(notice) => match bot.and_then(|id| self.bot(id)) {
                Some(bot) => {
                    let name_of = |conversation: &str, user: &str| {
                        bot.names.get(&person_key(conversation, user))
                    };
                    let told = notice.event(&bot.platform, &bot.id.user_id, &name_of);
                    requests::report(&self.context.events, told).await
                }
                None => Ok(()),
            },
            OneBot12Event::Heartbeat { interval } => {
                self.heartbeat = session::patience(interval);
                Ok(())
            }
            OneBot12Event::Status(bots) => {
                self.update(bots);
                Ok(())
            }
            OneBot12Event::OtherVersion => self.other_version(bot),
            OneBot12Event::Other => {
                bot.and_then(|id| self.bot(id));
                Ok(())
            }
        }
    }

    /// The account of an ID, which counts as connected from its first sign on.
    fn bot(&mut self, id: BotId) -> Option<Arc<ConnectedBot>> {
        if let Some((bot, registration)) = self.bots.get(&id) {
            // It speaks OneBot 12 after all.
            if self.other_version_of.take_if(|other| *other == id).is_some() {
                registration.online();
            }
            return Some(Arc::clone(bot));
        }
        self.add(id, None)
    }

    fn add(&mut self, id: BotId, offline: Option<&str>) -> Option<Arc<ConnectedBot>> {
        let told = Some(id.platform.as_str()).filter(|platform| !platform.is_empty());
        let platform = self.platform.as_deref().or(told).unwrap_or(self.settings.kind.platform);
        let names = [("platform", platform), ("user_id", &id.user_id)];
        let are_usable = names.iter().all(|(field, name)| check_name(field, name).is_ok());
        if !are_usable || self.bots.len() >= MAX_BOTS {
            return None;
        }
        if let Err(reason) = self.settings.check_account(&id.user_id) {
            self.skipped.note("", &reason);
            return None;
        }
        self.identified.cancel();
        let bot = Arc::new(ConnectedBot {
            platform: platform.to_owned(),
            id: id.clone(),
            calls: self.calls.clone(),
            events: self.context.events.clone(),
            names: Names::default(),
            lookups: Lookups::default(),
            media_folder: self.media_folder.clone(),
        });
        let (registration, queue) = self.context.registry.connect_for_requests(&NewConnection {
            settings: Arc::clone(&self.settings),
            platform: &bot.platform,
            account: Some(&id.user_id),
            entry: self.entry.as_ref(),
            offline,
            window: None,
        });
        let serving = requests::answer(
            Arc::clone(&bot),
            queue,
            self.context.media.clone(),
            self.ended.clone(),
        );
        self.context.tracker.spawn(serving);
        self.bots.insert(id, (Arc::clone(&bot), registration));
        Some(bot)
    }

    /// The implementation speaks OneBot 11: says so in the state of the account it names, once.
    fn other_version(&mut self, bot: Option<BotId>) -> Result<(), ConnectionEnd> {
        const REASON: &str = "the implementation speaks OneBot 11 here; let it dial \
            /onebot/v11/ws, or set its own side to OneBot 12";
        if self.is_dialled {
            return Err(ConnectionEnd::refused(REASON));
        }
        if !std::mem::replace(&mut self.is_other_version, true) {
            tracing::warn!("{REASON}");
            if let Some(bot) = bot {
                self.other_version_of = self.add(bot.clone(), Some(REASON)).map(|_| bot);
            }
        }
        Ok(())
    }

    /// Takes what a status says of the accounts.
    fn update(&mut self, bots: Vec<(BotId, bool)>) {
        for (id, online) in bots {
            match (self.bots.get(&id), online) {
                (Some((_, registration)), true) => {
                    registration.online();
                }
                (Some((_, registration)), false) => registration.offline(OFFLINE),
                (None, online) => {
                    self.add(id, (!online).then_some(OFFLINE));
                }
            }
        }
    }

    async fn message(
        &mut self,
        bot: &Arc<ConnectedBot>,
        message: OneBot12Message<'_>,
    ) -> Result<(), ConnectionEnd> {
        let mut inbound = match message.into_inbound(&bot.platform, &bot.id.user_id) {
            Ok(inbound) => inbound,
            Err(reason) => {
                self.skipped.note("", &reason);
                return Ok(());
            }
        };
        self.name(bot, &mut inbound);
        let message = message_of(&inbound);
        let unnamed = name_mentions(&mut inbound, &bot.names);
        self.report(CoreEvent::Message(Box::new(inbound))).await?;
        // Asked for once the message is on its way, so that what is found comes after it.
        for user in unnamed {
            self.ask_for_person(bot, &message.conversation, user, Some(message.clone()));
        }
        Ok(())
    }

    /// Asks for the name of somebody in a conversation, unless that is asked for already. A message that
    /// mentions the person is told of the answer.
    fn ask_for_person(
        &self,
        bot: &Arc<ConnectedBot>,
        conversation: &str,
        user: String,
        message: Option<MessageRef>,
    ) {
        let key = person_key(conversation, &user);
        if !bot.names.is_open(&key) || !bot.lookups.want(&key, message) {
            return;
        }
        let (bot, conversation) = (Arc::clone(bot), conversation.to_owned());
        self.context.look_up(async move {
            bot.look_up_person(&conversation, &user, &key).await;
        });
    }

    async fn report(&self, event: CoreEvent) -> Result<(), ConnectionEnd> {
        requests::report(&self.context.events, Some(event)).await
    }

    /// Names the conversation and the sender, as far as is known; events carry no names.
    fn name(&self, bot: &Arc<ConnectedBot>, inbound: &mut Inbound) {
        inbound.conversation_name = bot.names.get(&inbound.conversation);
        let conversation = &inbound.conversation;
        if bot.names.is_open(conversation) && bot.lookups.want(conversation, None) {
            let (bot, conversation) = (Arc::clone(bot), conversation.clone());
            self.context.look_up(async move {
                bot.look_up_conversation(&conversation).await;
            });
        }
        let key = person_key(&inbound.conversation, &inbound.sender.id);
        let is_private = inbound.conversation.starts_with("private_");
        let known =
            if is_private { inbound.conversation_name.clone() } else { bot.names.get(&key) };
        if let Some(name) = known {
            inbound.sender.name = name;
        }
        if !is_private {
            self.ask_for_person(bot, &inbound.conversation, inbound.sender.id.clone(), None);
        }
    }

    /// Asks for the accounts (interface/meta/actions.md, `get_status`), unless the first
    /// events tell it.
    fn ask_for_accounts(&self) -> oneshot::Receiver<Vec<(BotId, bool)>> {
        let (told, status) = oneshot::channel();
        let (calls, identified) = (self.calls.clone(), self.identified.clone());
        self.context.look_up(async move {
            if identified.run_until_cancelled(sleep(session::FIRST_EVENTS_TIMEOUT)).await.is_none()
            {
                return;
            }
            let answer = calls.call("get_status", NoParameters {}, None).await.ok();
            let mut there = answer.and_then(|answer| answer.data.as_deref().map(bots));
            if there.as_ref().is_none_or(Vec::is_empty) {
                there = Some(own_account(&calls).await.into_iter().map(|id| (id, true)).collect());
            }
            // The connection may have ended meanwhile.
            let _ = told.send(there.unwrap_or_default());
        });
        status
    }

    fn end(&mut self, end: ConnectionEnd) -> ConnectionEnd {
        self.identified.cancel();
        // First no new request may come, then those that wait are answered.
        for (_, (_, registration)) in self.bots.drain() {
            registration.end(end.state, &end.reason);
        }
        self.ended.cancel();
        self.calls.close();
        end
    }
}

/// The one account of an implementation that cannot list its accounts.
async fn own_account(calls: &Calls) -> Option<BotId> {
    let answer = calls.call("get_self_info", NoParameters {}, None).await.ok()?;
    let user_id = answer.field("user_id")?.text()?.to_owned();
    Some(BotId { platform: String::new(), user_id })
}

/// The parameters of an action that takes none.
#[derive(Serialize)]
struct NoParameters {}
