//! One connection of an OneBot 12 implementation, from the upgrade to its end.

use super::action::delivery;
use super::bot::Bot;
use super::event::{BotId, Event, Frame, Message, bots};
use crate::adapter::kind::End;
use crate::adapter::mount::Connection;
use crate::adapter::onebot::call::{Answered, Calls};
use crate::adapter::onebot::names::Names;
use crate::adapter::onebot::requests;
use crate::adapter::onebot::session::{self, Session, Unreadable};
use crate::adapter::registry::{Arrival, Registration, Seat};
use crate::adapter::{self, Context, Inbound, Settings};
use crate::model::message::check_name;
use serde::Serialize;
use std::collections::HashMap;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Accounts of one connection; more are not taken.
const BOTS: usize = 256;
/// Why an account counts as off.
const OFFLINE: &str = "the account is off, says the implementation; log it in there";

/// Serves one connection until it ends.
pub(super) async fn run(connection: Connection) -> End {
    let Connection { socket, dial_in, settings, seat, context } = connection;
    let (reader, writer, writing) = socket.split();
    let calls = Calls::new(writer, settings.answer_timeout);
    let asked_for = dial_in.as_ref().and_then(|dial_in| dial_in.parameter("platform"));
    let platform = settings.platform.as_deref().or(asked_for).map(str::to_owned);
    let ended = CancellationToken::new();
    let stop = context.stop.clone();
    let mut peer = Peer {
        platform,
        calls,
        settings,
        seat,
        context,
        bots: HashMap::new(),
        status: None,
        heartbeat: None,
        unreadable: Unreadable::default(),
        known: CancellationToken::new(),
        ended,
    };
    peer.status = Some(peer.ask_who_is_there());
    let serving = async {
        let end = session::read(reader, &mut peer, &stop).await;
        peer.end(end)
    };
    tokio::join!(serving, writing).0
}

/// The implementation at the other end.
struct Peer {
    /// The platform of all its accounts, where it is not to be what they say.
    platform: Option<String>,
    calls: Calls,
    settings: Arc<Settings>,
    seat: Option<Seat>,
    context: Context,
    bots: HashMap<BotId, (Arc<Bot>, Registration)>,
    /// The answer to who is there, while it is awaited.
    status: Option<oneshot::Receiver<Vec<(BotId, bool)>>>,
    heartbeat: Option<Duration>,
    unreadable: Unreadable,
    /// Ends the waiting for who is there.
    known: CancellationToken,
    ended: CancellationToken,
}

impl Session for Peer {
    async fn frame(&mut self, text: &str) -> Result<(), End> {
        match Frame::parse(text) {
            Ok(Frame::Event { bot, event }) => self.event(bot, event).await,
            Ok(Frame::Answer { echo, answer }) => match self.calls.answered(&echo, answer) {
                Answered::Late(message, answer) => {
                    let late = requests::late(message, self.only_account(), delivery(Ok(answer)));
                    requests::report(&self.context.core, late).await
                }
                Answered::InTime | Answered::Unknown(_) => Ok(()),
            },
            Err(error) => {
                self.unreadable.skip(text, &error);
                Ok(())
            }
        }
    }

    async fn happen(&mut self) {
        match &mut self.status {
            Some(status) => {
                let bots = status.await.unwrap_or_default();
                self.status = None;
                self.update(bots);
            }
            None => pending().await,
        }
    }

    fn heartbeat(&self) -> Option<Duration> {
        self.heartbeat
    }
}

impl Peer {
    async fn event(&mut self, bot: Option<BotId>, event: Event<'_>) -> Result<(), End> {
        match event {
            Event::Message(message) => {
                let Some(bot) = bot.and_then(|id| self.bot(id)) else {
                    tracing::debug!("skipped a message that does not tell its account");
                    return Ok(());
                };
                self.message(&bot, *message).await
            }
            Event::Heartbeat { interval } => {
                self.heartbeat = session::patience(interval);
                Ok(())
            }
            Event::Status(bots) => {
                self.update(bots);
                Ok(())
            }
            Event::Other => {
                bot.and_then(|id| self.bot(id));
                Ok(())
            }
        }
    }

    /// The account, where the connection has just one.
    fn only_account(&self) -> Option<String> {
        let mut ids = self.bots.keys().map(|id| id.user_id.clone());
        ids.next().filter(|_| ids.next().is_none())
    }

    /// The account of an ID, which counts as connected from its first sign on.
    fn bot(&mut self, id: BotId) -> Option<Arc<Bot>> {
        if let Some((bot, _)) = self.bots.get(&id) {
            return Some(Arc::clone(bot));
        }
        self.add(id, None)
    }

    fn add(&mut self, id: BotId, offline: Option<&str>) -> Option<Arc<Bot>> {
        let told = Some(id.platform.as_str()).filter(|platform| !platform.is_empty());
        let platform = self.platform.as_deref().or(told).unwrap_or(self.settings.kind.platform);
        let names = [("platform", platform), ("user_id", &id.user_id)];
        let are_usable = names.iter().all(|(field, name)| check_name(field, name).is_ok());
        if !are_usable || self.bots.len() >= BOTS {
            return None;
        }
        self.known.cancel();
        let bot = Arc::new(Bot {
            platform: platform.to_owned(),
            id: id.clone(),
            calls: self.calls.clone(),
            core: self.context.core.clone(),
            names: Names::default(),
        });
        let (registration, queue) = self.context.registry.connect_for_requests(&Arrival {
            settings: Arc::clone(&self.settings),
            platform: &bot.platform,
            account: Some(&id.user_id),
            seat: self.seat.as_ref(),
            offline,
        });
        let serving = requests::answer(Arc::clone(&bot), queue, self.ended.clone());
        self.context.tracker.spawn(serving);
        self.bots.insert(id, (Arc::clone(&bot), registration));
        Some(bot)
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

    async fn message(&mut self, bot: &Arc<Bot>, message: Message<'_>) -> Result<(), End> {
        let mut inbound = match message.into_inbound(&bot.platform, &bot.id.user_id) {
            Ok(inbound) => inbound,
            Err(reason) => {
                tracing::debug!(reason, "skipped a message");
                return Ok(());
            }
        };
        self.name(bot, &mut inbound);
        let event = adapter::Event::Message(Box::new(inbound));
        self.context.core.send(event).await.map_err(|_| End::lost("rechat is stopping"))
    }

    /// Names the conversation and the sender, as far as is known; events carry no names.
    fn name(&self, bot: &Arc<Bot>, inbound: &mut Inbound) {
        inbound.conversation_name = bot.names.get(&inbound.conversation);
        if let Some(permit) = bot.names.ask(&inbound.conversation) {
            let (bot, conversation) = (Arc::clone(bot), inbound.conversation.clone());
            self.context.tracker.spawn(async move {
                bot.look_up_conversation(&conversation).await;
                drop(permit);
            });
        }
        let key = Bot::sender_key(inbound);
        let is_private = inbound.conversation.starts_with("private_");
        let known =
            if is_private { inbound.conversation_name.clone() } else { bot.names.get(&key) };
        if let Some(name) = known {
            inbound.sender.name = name;
        }
        if let Some(permit) = (!is_private).then(|| bot.names.ask(&key)).flatten() {
            let (bot, conversation) = (Arc::clone(bot), inbound.conversation.clone());
            let sender = inbound.sender.id.clone();
            self.context.tracker.spawn(async move {
                bot.look_up_sender(&conversation, &sender, &key).await;
                drop(permit);
            });
        }
    }

    /// Asks which accounts there are (interface/meta/actions.md, `get_status`), unless the first
    /// events tell it.
    fn ask_who_is_there(&self) -> oneshot::Receiver<Vec<(BotId, bool)>> {
        let (told, status) = oneshot::channel();
        let (calls, known) = (self.calls.clone(), self.known.clone());
        self.context.tracker.spawn(async move {
            if known.run_until_cancelled(sleep(session::FIRST_EVENTS)).await.is_none() {
                return;
            }
            let answer = calls.call("get_status", Nothing {}, None).await.ok();
            let mut there = answer.and_then(|answer| answer.data.as_deref().map(bots));
            if there.as_ref().is_none_or(Vec::is_empty) {
                there = Some(who_i_am(&calls).await.into_iter().map(|id| (id, true)).collect());
            }
            // The connection may have ended meanwhile.
            let _ = told.send(there.unwrap_or_default());
        });
        status
    }

    fn end(&mut self, end: End) -> End {
        self.known.cancel();
        // First nobody new may come, then those that wait are told.
        for (_, (_, registration)) in self.bots.drain() {
            registration.end(end.state, &end.reason);
        }
        self.ended.cancel();
        self.calls.close();
        end
    }
}

/// The one account of an implementation that cannot list its accounts.
async fn who_i_am(calls: &Calls) -> Option<BotId> {
    let answer = calls.call("get_self_info", Nothing {}, None).await.ok()?;
    let user_id = answer.field("user_id")?.text()?.to_owned();
    Some(BotId { platform: String::new(), user_id })
}

/// The parameters of an action that takes none.
#[derive(Serialize)]
struct Nothing {}
