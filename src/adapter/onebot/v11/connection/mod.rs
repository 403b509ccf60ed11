//! One connection of an OneBot 11 implementation, from the upgrade to its end.

mod events;
mod lookups;

use super::account::{Account, Accounts};
use super::act::Reactions;
use super::action::delivery;
use super::event::OneBot11Frame;
use super::handler::Handler;
use super::options::OneBot11Options;
use crate::adapter::api::{Delivery, Settings};
use crate::adapter::context::Context;
use crate::adapter::onebot::common::answer::ActionResponse;
use crate::adapter::onebot::common::call::{Answered, Calls};
use crate::adapter::onebot::common::late_calls::{LateCalls, SendCall};
use crate::adapter::onebot::common::requests;
use crate::adapter::onebot::common::session::{self, OneBotSession, Skipped};
use crate::adapter::registry::{ConfiguredEntry, NewConnection, Registration};
use crate::adapter::transport::{Connection, ConnectionEnd, Handshake, SocketClosed};
use crate::model::message::check_name;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

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
pub(super) async fn run(connection: Connection, options: Arc<OneBot11Options>) -> ConnectionEnd {
    let Connection { socket, handshake, settings, entry, context } = connection;
    let (reader, writer, writing) = socket.split(settings.max_frame);
    let calls = Calls::new(writer, settings.answer_timeout, context.shared::<LateCalls>());
    let handshake = handshake.as_ref();
    let platform = handshake.and_then(|handshake| handshake.parameter("platform"));
    // Some say 0 as long as they are not logged in.
    let account = handshake.and_then(|handshake| handshake.header("x-self-id"));
    let account = account.filter(|id| *id != "0");
    let accounts = context.shared::<Accounts>();
    let stop = context.stop.clone();
    let mut implementation = Implementation {
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
        is_other_account: false,
        is_off_until_event: false,
        skipped: Skipped::default(),
        identified: CancellationToken::new(),
        ended: CancellationToken::new(),
    };
    implementation.begin(handshake.is_some());
    let serving = async {
        let end = session::read(reader, &mut implementation, &stop).await;
        implementation.end(end)
    };
    tokio::join!(serving, writing).0
}

/// The implementation at the other end.
struct Implementation {
    role: Role,
    accounts: Arc<Accounts>,
    account: Arc<Account>,
    calls: Calls,
    options: Arc<OneBot11Options>,
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
    /// It was logged that events name another account than the connection.
    is_other_account: bool,
    /// The account counts as off until a message or a lifecycle event of it comes.
    is_off_until_event: bool,
    skipped: Skipped,
    /// Ends the waiting for the account's ID.
    identified: CancellationToken,
    ended: CancellationToken,
}

impl OneBotSession for Implementation {
    async fn frame(&mut self, text: &str) -> Result<(), ConnectionEnd> {
        match OneBot11Frame::parse(text) {
            Ok(OneBot11Frame::Event { account, event }) => {
                if let Some(account) = account {
                    self.identify(&account)?;
                }
                self.event(event, text).await
            }
            Ok(OneBot11Frame::ActionResponse { echo, .. })
                if self.calls.answered_through(&echo, text) =>
            {
                Ok(())
            }
            Ok(OneBot11Frame::ActionResponse { echo, answer }) => self.answer(&echo, answer).await,
            Err(error) => {
                self.skipped.note(text, &error);
                Ok(())
            }
        }
    }

    async fn other_event(&mut self) -> Result<(), ConnectionEnd> {
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

    fn closed(&mut self, closed: &SocketClosed) {
        match closed {
            SocketClosed::Lost(_) => {}
            SocketClosed::FrameTooLarge(_) => {
                self.account.history_limits.frame_was_too_large(&self.account.key());
                self.calls.answer_was_too_large();
            }
            SocketClosed::OursTooLarge(_) => self.calls.refuse_largest(),
        }
    }

    fn heartbeat(&self) -> Option<Duration> {
        self.heartbeat
    }
}

impl Implementation {
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
            events: self.context.events.clone(),
            tracker: self.context.tracker.clone(),
            reactions: Reactions::default(),
        };
        let media = self.context.media.clone();
        self.context.tracker.spawn(requests::answer(handler, queue, media, self.ended.clone()));
        account.open(self.calls.clone());
        if account.id().is_some() {
            self.catch_up();
        }
    }

    /// The account's ID became known.
    fn identify(&mut self, id: &str) -> Result<(), ConnectionEnd> {
        if let Some(known) = self.account.id() {
            if known != id && !std::mem::replace(&mut self.is_other_account, true) {
                tracing::warn!(
                    platform = self.account.platform,
                    account = known,
                    self_id = id,
                    "an event names another account than its connection; it is stored for that of the connection"
                );
            }
            return Ok(());
        }
        if check_name("self_id", id).is_err() {
            return Ok(());
        }
        if let Err(reason) = self.settings.check_account(id) {
            return Err(ConnectionEnd::refused(reason));
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

    /// Hands an answer to its call. One that belongs to no call may say that we are not wanted.
    async fn answer(&mut self, echo: &str, answer: ActionResponse) -> Result<(), ConnectionEnd> {
        match self.calls.answered(echo, answer) {
            Answered::Late(call, answer) => {
                let account = self.account.id().map(str::to_owned);
                let delivery = delivery(Ok(answer));
                if let Some(part) = call.part {
                    return self.part_answered_late(call.message, part, delivery, account).await;
                }
                self.account.progress().end_whole(call.message, &delivery);
                let late = requests::late(SendCall { account, ..call }, delivery);
                requests::report(&self.context.events, late).await
            }
            Answered::Unknown(answer) if matches!(answer.retcode, 1401 | 1403) => {
                Err(ConnectionEnd::refused(format!(
                    "{}; set `token` of this adapter to the implementation's access token",
                    answer.reason()
                )))
            }
            Answered::InTime | Answered::Unknown(_) => Ok(()),
        }
    }

    /// Tells the core what an answer to the attempt to send a part proves that came after its time limit.
    async fn part_answered_late(
        &self,
        message: Uuid,
        part: usize,
        delivery: Delivery,
        account: Option<String>,
    ) -> Result<(), ConnectionEnd> {
        let progress = self.account.progress();
        for event in progress.part_answered_late(message, part, delivery, account) {
            requests::report(&self.context.events, Some(event)).await?;
        }
        Ok(())
    }

    fn end(&mut self, end: ConnectionEnd) -> ConnectionEnd {
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
