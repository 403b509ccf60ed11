//! One connection of an OneBot 11 implementation, from the upgrade to its end.

use super::account::{Account, Accounts};
use super::action::delivery;
use super::event::{Event, Frame, Message, Origin};
use super::handler::Handler;
use super::notice::NoticeFrame;
use super::options::Options;
use super::{history, lookup};
use crate::adapter::api::{Event as CoreEvent, MessageRef, Settings};
use crate::adapter::context::Context;
use crate::adapter::onebot::common::answer::ActionResponse;
use crate::adapter::onebot::common::call::{Answered, Calls};
use crate::adapter::onebot::common::mentions::{message_of, name_mentions, person_key};
use crate::adapter::onebot::common::requests;
use crate::adapter::onebot::common::session::{self, Session, Skipped};
use crate::adapter::registry::{ConfiguredEntry, NewConnection, Registration};
use crate::adapter::transport::Connection;
use crate::adapter::transport::End;
use crate::adapter::transport::{Closed, Handshake};
use crate::model::change::Inbound;
use crate::model::message::check_name;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// The largest frame whose own words are kept for bots; of a larger one its meaning is.
const MAX_TOLD: usize = 1 << 20;

/// Role of a connection (communication/ws-reverse.md, "连接请求").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Universal,
    Api,
    Event,
}

impl Role {
    /// By the header, else by the path some configure for each.
    fn of(handshake: &Handshake) -> Self {
        let said = handshake.header("x-client-role").or(handshake.path.rsplit('/').next());
        match said.unwrap_or_default().to_ascii_lowercase().as_str() {
            "api" => Self::Api,
            "event" => Self::Event,
            _ => Self::Universal,
        }
    }
}

/// Serves one connection until it ends.
pub(super) async fn run(connection: Connection, options: Arc<Options>) -> End {
    let Connection { socket, handshake, settings, entry, context } = connection;
    let (reader, writer, writing) = socket.split(settings.max_frame);
    let calls = Calls::new(writer, settings.answer_timeout);
    let handshake = handshake.as_ref();
    let platform = handshake.and_then(|handshake| handshake.parameter("platform"));
    // Some say 0 as long as they are not logged in.
    let account = handshake.and_then(|handshake| handshake.header("x-self-id"));
    let account = account.filter(|id| *id != "0");
    let accounts = context.shared::<Accounts>();
    let stop = context.stop.clone();
    let mut peer = Peer {
        role: handshake.map_or(Role::Universal, Role::of),
        account: accounts.get(platform.unwrap_or(settings.platform()), account),
        accounts,
        calls,
        options,
        settings,
        entry,
        context,
        registration: None,
        login: None,
        heartbeat: None,
        online_beats: 0,
        is_other_version: false,
        skipped: Skipped::default(),
        identified: CancellationToken::new(),
        ended: CancellationToken::new(),
    };
    peer.begin(handshake.is_some());
    let serving = async {
        let end = session::read(reader, &mut peer, &stop).await;
        peer.end(end)
    };
    tokio::join!(serving, writing).0
}

/// The implementation at the other end.
struct Peer {
    role: Role,
    accounts: Arc<Accounts>,
    account: Arc<Account>,
    calls: Calls,
    options: Arc<Options>,
    settings: Arc<Settings>,
    entry: Option<ConfiguredEntry>,
    context: Context,
    /// There once the account counts as connected.
    registration: Option<Registration>,
    /// The answer to which account it is, while it is awaited.
    login: Option<oneshot::Receiver<Option<String>>>,
    heartbeat: Option<Duration>,
    /// Heartbeats in a row that said that the account is on.
    online_beats: u32,
    is_other_version: bool,
    skipped: Skipped,
    /// Ends the waiting for the account's ID.
    identified: CancellationToken,
    ended: CancellationToken,
}

impl Session for Peer {
    async fn frame(&mut self, text: &str) -> Result<(), End> {
        match Frame::parse(text) {
            Ok(Frame::Event { account, event }) => {
                if let Some(account) = account {
                    self.identify(&account)?;
                }
                self.event(event, text).await
            }
            Ok(Frame::ActionResponse { echo, .. }) if self.calls.answered_through(&echo, text) => {
                Ok(())
            }
            Ok(Frame::ActionResponse { echo, answer }) => self.answer(&echo, answer).await,
            Err(error) => {
                self.skipped.note(text, &error);
                Ok(())
            }
        }
    }

    async fn other_event(&mut self) -> Result<(), End> {
        let Some(login) = &mut self.login else { return pending().await };
        let told = login.await.ok().flatten();
        self.login = None;
        if let Some(account) = told {
            return self.identify(&account);
        }
        self.register();
        Ok(())
    }

    fn too_large(&mut self, text: &str) {
        match session::echo_of(text) {
            Some(echo) => drop(self.calls.answered(&echo, ActionResponse::too_large(text.len()))),
            None => self.skipped.note(text, &"it is larger than `max_frame`"),
        }
    }

    fn closed(&mut self, closed: &Closed) {
        match closed {
            Closed::Lost(_) => {}
            Closed::FrameTooLarge(_) => {
                self.account.history_limits.answer_was_too_large(&self.account.key());
            }
            Closed::OursTooLarge(_) => self.calls.refuse_largest(),
        }
    }

    fn heartbeat(&self) -> Option<Duration> {
        self.heartbeat
    }
}

impl Peer {
    /// An implementation that dials in is connected from the upgrade on; one that we dial, once its
    /// account is known.
    fn begin(&mut self, dialled_in: bool) {
        if dialled_in {
            self.register();
        }
        if self.account.id().is_none() && self.role != Role::Event {
            self.login = Some(self.ask_for_account());
        }
    }

    fn register(&mut self) {
        if self.registration.is_some() {
            return;
        }
        let account = Arc::clone(&self.account);
        let new = NewConnection {
            settings: Arc::clone(&self.settings),
            platform: &account.platform,
            account: account.id(),
            entry: self.entry.as_ref(),
            offline: None,
            window: None,
        };
        if self.role == Role::Event {
            self.registration = Some(self.context.registry.connect(&new));
            return;
        }
        let (registration, queue) = self.context.registry.connect_for_requests(&new);
        self.registration = Some(registration);
        let handler = Handler {
            account: Arc::clone(&account),
            calls: self.calls.clone(),
            options: Arc::clone(&self.options),
        };
        let media = self.context.media.clone();
        self.context.tracker.spawn(requests::answer(handler, queue, media, self.ended.clone()));
        account.open(self.calls.clone());
        if account.id().is_some() {
            self.catch_up();
        }
    }

    /// The account's ID became known.
    fn identify(&mut self, id: &str) -> Result<(), End> {
        if self.account.id().is_some() || check_name("self_id", id).is_err() {
            return Ok(());
        }
        if let Err(reason) = self.settings.check_account(id) {
            return Err(End::refused(reason));
        }
        self.identified.cancel();
        self.account.close(&self.calls);
        self.account = self.accounts.identify(Arc::clone(&self.account), id);
        match &mut self.registration {
            Some(registration) => {
                registration.identify(id);
                if self.role != Role::Event {
                    self.account.open(self.calls.clone());
                    self.catch_up();
                }
            }
            None => self.register(),
        }
        Ok(())
    }

    /// Asks for the account, unless the first events tell it.
    fn ask_for_account(&self) -> oneshot::Receiver<Option<String>> {
        let (told, login) = oneshot::channel();
        let (calls, identified) = (self.calls.clone(), self.identified.clone());
        self.context.tracker.spawn(async move {
            if identified.run_until_cancelled(sleep(session::FIRST_EVENTS_TIMEOUT)).await.is_none()
            {
                return;
            }
            // The connection may have ended meanwhile.
            let _ = told.send(lookup::own_account(&calls).await);
        });
        login
    }

    fn catch_up(&self) {
        if self.options.history == 0 {
            return;
        }
        let (account, calls) = (Arc::clone(&self.account), self.calls.clone());
        let (options, events) = (Arc::clone(&self.options), self.context.events.clone());
        let ended = self.ended.clone();
        self.context.tracker.spawn(async move {
            let work = history::catch_up(&account, &calls, &options, &events);
            ended.run_until_cancelled(work).await;
        });
    }

    async fn event(&mut self, event: Event<'_>, text: &str) -> Result<(), End> {
        match event {
            Event::Message(message) => self.message(*message, text).await,
            Event::Heartbeat { interval, online } => {
                self.heartbeat = session::patience(interval);
                if let Some(online) = online {
                    self.online(online);
                }
                Ok(())
            }
            Event::Notice(notice) => self.notice(&notice, text).await,
            Event::OtherVersion => self.other_version(),
            Event::Meta => Ok(()),
            Event::Other => self.tell(text, None).await,
        }
    }

    /// Takes what a heartbeat says of the account. After it was off, it takes two beats in a row
    /// for it to be on, so that a status that goes to and fro changes nothing each time.
    fn online(&mut self, online: bool) {
        self.online_beats = if online { self.online_beats.saturating_add(1) } else { 0 };
        match &self.registration {
            Some(registration) if !online => {
                registration.offline("the account is off, says the implementation; log it in there")
            }
            Some(registration) if self.online_beats >= 2 && registration.online() => {
                self.catch_up();
            }
            _ => {}
        }
    }

    /// The implementation speaks OneBot 12: says so in the state, once.
    fn other_version(&mut self) -> Result<(), End> {
        const REASON: &str = "the implementation speaks OneBot 12 here; let it dial \
            /onebot/v12/ws, or set its own side to OneBot 11";
        let Some(registration) = &self.registration else { return Err(End::refused(REASON)) };
        if !std::mem::replace(&mut self.is_other_version, true) {
            tracing::warn!(platform = self.account.platform, REASON);
            registration.offline(REASON);
        }
        Ok(())
    }

    async fn message(&mut self, message: Message<'_>, text: &str) -> Result<(), End> {
        let account = self.account.id().unwrap_or_default();
        let (mut inbound, origin) =
            match message.into_inbound(&self.account.platform, account, None) {
                Ok(read) => read,
                Err(reason) => {
                    self.skipped.note("", &reason);
                    return self.tell(text, None).await;
                }
            };
        if self.account.progress.is_part(&inbound) {
            return Ok(());
        }
        self.remember(&mut inbound, origin);
        let message = message_of(&inbound);
        let is_group = inbound.conversation.starts_with("group_");
        let unnamed =
            if is_group { name_mentions(&mut inbound, &self.account.people) } else { Vec::new() };
        self.account.known.insert(&message.conversation, &message.external_id);
        let answered = inbound.reply_to.as_ref().and_then(|answered| answered.external_id.clone());
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

    async fn notice(&mut self, notice: &NoticeFrame<'_>, text: &str) -> Result<(), End> {
        if let (Some(reason), Some(registration)) = (notice.offline(), &self.registration) {
            registration.offline(&format!("the account was logged out: {reason}"));
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
        // The words go with the last: before it, nothing of them is told.
        let last = events.pop();
        for event in events {
            self.report(event).await?;
        }
        self.tell(text, last).await
    }

    /// Reports what a frame means, together with the frame itself.
    async fn tell(&self, frame: &str, meaning: Option<CoreEvent>) -> Result<(), End> {
        let Some(account) = self.account.id().filter(|_| frame.len() <= MAX_TOLD) else {
            return requests::report(&self.context.events, meaning).await;
        };
        let (platform, account) = (self.account.platform.clone(), account.to_owned());
        let meaning = meaning.map(Box::new);
        self.report(CoreEvent::Told { platform, account, frame: frame.to_owned(), meaning }).await
    }

    /// Asks for the name of a person whom a message mentions, once each and few at once.
    fn ask_for_person(&self, message: &MessageRef, user: String) {
        let key = person_key(&message.conversation, &user);
        if let Some(calls) = self.account.calls()
            && let Some(permit) = self.account.people.ask(&key)
        {
            let (account, events) = (Arc::clone(&self.account), self.context.events.clone());
            let message = message.clone();
            self.context.tracker.spawn(async move {
                lookup::person(message, user, &account, &calls, &events).await;
                drop(permit);
            });
        }
    }

    /// Asks for the message that another one answers, where nobody told of it lately: once each and
    /// few at once.
    fn ask_for_answered(&self, message: MessageRef, answered: String) {
        if !self.account.known.insert(&message.conversation, &answered) {
            return;
        }
        if let Some(calls) = self.account.calls()
            && let Some(permit) = self.account.people.permit()
        {
            let (account, events) = (Arc::clone(&self.account), self.context.events.clone());
            self.context.tracker.spawn(async move {
                lookup::answered(message, &answered, &account, &calls, &events).await;
                drop(permit);
            });
        }
    }

    async fn report(&self, event: CoreEvent) -> Result<(), End> {
        requests::report(&self.context.events, Some(event)).await
    }

    /// Keeps what a message tells of its conversation, and completes it by what others told.
    fn remember(&self, inbound: &mut Inbound, origin: Origin) {
        let Origin { conversation, name, through } = origin;
        match through {
            Some(group) => self.account.through.set(&conversation, &group),
            None => self.account.through.forget(&conversation),
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
        if inbound.conversation_name.is_none()
            && let Some(calls) = self.account.calls()
            && let Some(permit) = self.account.names.ask(&conversation)
        {
            let (account, events) = (Arc::clone(&self.account), self.context.events.clone());
            self.context.tracker.spawn(async move {
                lookup::group_name(&conversation, &account, &calls, &events).await;
                drop(permit);
            });
        }
    }

    /// Hands an answer to its call. One that belongs to no call may say that we are not wanted.
    async fn answer(&mut self, echo: &str, answer: ActionResponse) -> Result<(), End> {
        match self.calls.answered(echo, answer) {
            Answered::Late(message, answer) => {
                let account = self.account.id().map(str::to_owned);
                let late = requests::late(message, account, delivery(Ok(answer)));
                requests::report(&self.context.events, late).await
            }
            Answered::Unknown(answer) if matches!(answer.retcode, 1401 | 1403) => {
                Err(End::refused(format!(
                    "{}; set `token` of this adapter to the implementation's access token",
                    answer.reason()
                )))
            }
            Answered::InTime | Answered::Unknown(_) => Ok(()),
        }
    }

    fn end(&mut self, end: End) -> End {
        self.account.close(&self.calls);
        // First no new request may come, then those that wait are answered.
        if let Some(registration) = self.registration.take() {
            registration.end(end.state, &end.reason);
        }
        self.identified.cancel();
        self.ended.cancel();
        self.calls.close();
        end
    }
}
