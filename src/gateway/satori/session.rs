//! A WebSocket for events (protocol/events.md): one for all accounts of a bot.

use super::frame::{self, ClientIdentity, SatoriFrame};
use super::{event, login, sn};
use crate::gateway::bot::{ConfiguredBot, ServedAccount};
use crate::gateway::connection::serve;
use crate::gateway::follow::begin;
use crate::gateway::framework::BotPeer;
use crate::gateway::socket::BotSocket;
use crate::store::{BotEvent, Result, View};
use futures_util::StreamExt;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_util::sync::CancellationToken;

/// The longest time until IDENTIFY comes ("连接流程").
const IDENTIFY_TIMEOUT: Duration = Duration::from_secs(10);

/// Pause before a connection with a wrong token is closed, because some frameworks reconnect at
/// once.
const REFUSAL_PAUSE: Duration = Duration::from_secs(3);

/// The most bytes of a frame: a framework sends only its token and pings.
const MAX_FRAME: usize = 64 << 10;

/// Close code for a wrong token: Unauthorized, as registered with IANA.
const UNAUTHORIZED: u16 = 3000;

/// Close code for an invalid frame.
const INVALID: u16 = 4000;

/// Limits for a WebSocket that carries only events.
pub fn small_socket_config() -> WebSocketConfig {
    WebSocketConfig::default().max_message_size(Some(MAX_FRAME)).max_frame_size(Some(MAX_FRAME))
}

/// A WebSocket to be served.
pub struct EventsOpening(pub(super) Arc<ConfiguredBot>);

/// A WebSocket whose framework sent a valid token.
pub struct Identified {
    bot: Arc<ConfiguredBot>,
    socket: BotSocket,
    identity: ClientIdentity,
}

impl EventsOpening {
    /// Waits for the first frame and checks its token. `None` if the connection ended.
    pub async fn identify<T>(
        self,
        mut socket: BotSocket,
        check: impl FnOnce(Option<&str>) -> std::result::Result<T, String>,
    ) -> Option<(Identified, T)> {
        let identity = match timeout(IDENTIFY_TIMEOUT, first_identity(&mut socket)).await {
            Ok(Ok(Some(identity))) => identity,
            Ok(Ok(None)) => return None,
            Ok(Err(reason)) => {
                socket.close(INVALID, &reason, true).await;
                return None;
            }
            Err(_) => {
                socket.close(INVALID, "no IDENTIFY came within 10 s", true).await;
                return None;
            }
        };
        match check(identity.token.as_deref()) {
            Ok(granted) => Some((Identified { bot: self.0, socket, identity }, granted)),
            Err(reason) => {
                sleep(REFUSAL_PAUSE).await;
                socket.close(UNAUTHORIZED, &reason, true).await;
                None
            }
        }
    }
}

/// The first IDENTIFY of a connection; the error is the reason to close it.
async fn first_identity(
    socket: &mut BotSocket,
) -> std::result::Result<Option<ClientIdentity>, String> {
    while let Some(Ok(message)) = socket.frames.next().await {
        let Message::Text(text) = message else { continue };
        if let SatoriFrame::Identify(identity) = SatoriFrame::parse(&text)? {
            return Ok(Some(identity));
        }
    }
    Ok(None)
}

impl Identified {
    /// Serves the connection until it ends or `stop` is cancelled.
    pub async fn serve(self, stop: CancellationToken) {
        let Self { bot, socket, identity } = self;
        let session = SatoriSession::new(bot.clone());
        let serving = Box::pin(session.serve(socket, &identity, stop.clone()));
        bot.serve_while(&bot.stop, serving, &stop).await;
    }

    /// Closes the connection because there are too many.
    pub async fn refuse(self, reason: &str) {
        /// Close code "try again later", as registered with IANA.
        const TRY_AGAIN: u16 = 1013;
        self.socket.close(TRY_AGAIN, reason, true).await;
    }
}

/// A connection, or a webhook.
pub(super) struct SatoriSession {
    bot: Arc<ConfiguredBot>,
    /// The logins that were announced to the framework, by platform and account.
    told: Mutex<HashMap<(String, String), AnnouncedLogin>>,
    accounts_changed: tokio::sync::Mutex<watch::Receiver<()>>,
}

/// A login that was announced to the framework.
struct AnnouncedLogin {
    account: Arc<ServedAccount>,
    state: AnnouncedState,
}

/// The state that was announced last.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AnnouncedState {
    Online,
    Offline,
    Removed,
    /// The framework may have missed the announcement.
    Unknown,
}

impl AnnouncedState {
    fn of(is_online: bool) -> Self {
        if is_online { Self::Online } else { Self::Offline }
    }
}

impl SatoriSession {
    pub(super) fn new(bot: Arc<ConfiguredBot>) -> Self {
        let accounts_changed = tokio::sync::Mutex::new(bot.accounts_changed.subscribe());
        Self { bot, told: Mutex::default(), accounts_changed }
    }

    async fn serve(
        &self,
        socket: BotSocket,
        identity: &ClientIdentity,
        stop: CancellationToken,
    ) -> String {
        let core = &self.bot.shared.core;
        let name = self.bot.name();
        let cursor = match self.bot.cursor() {
            Ok(cursor) => cursor,
            Err(error) => return format!("the store cannot be read: {error}"),
        };
        let turn = cursor.take_over(stop.clone());
        let seconds = self.bot.config.load().catch_up_seconds;
        let start = || {
            let view = core.store.view()?;
            let named = identity.sn().map(|sn| sn::offset(&view, sn)).transpose()?.flatten();
            cursor.start(&view, seconds, named)
        };
        let following = match begin(core, &cursor, turn, &name, start).await {
            Ok(following) => following,
            Err(error) => return format!("the store cannot be read: {error}"),
        };
        let connected = self.bot.connected();
        tracing::info!(bot = name, "a bot is connected");
        let reason = serve(socket, self, Some(following), &stop).await;
        drop(connected);
        cursor.write().await;
        cursor.reason(turn, reason)
    }

    /// Notes the new state of a login, and returns the one before.
    fn note(&self, account: &Arc<ServedAccount>, state: AnnouncedState) -> Option<AnnouncedState> {
        let key = (account.platform.clone(), account.account.clone());
        let before = self.lock().insert(key, AnnouncedLogin { account: account.clone(), state });
        before.map(|before| before.state)
    }

    /// The frame that announces the new state of a login.
    fn login_event(
        &self,
        view: &View,
        offset: u64,
        account: &Arc<ServedAccount>,
        state: AnnouncedState,
    ) -> Result<Option<String>> {
        let kind = match (self.note(account, state), state) {
            (Some(before), state) if before == state => return Ok(None),
            (_, AnnouncedState::Removed) => "login-removed",
            (None | Some(AnnouncedState::Removed | AnnouncedState::Unknown), _) => "login-added",
            (Some(_), _) => "login-updated",
        };
        let is_online = state == AnnouncedState::Online;
        let event = serde_json::json!({
            // It may be sent again after a resume, because it is not an event of the log.
            "sn": sn::of(view.cursor_at(offset)?),
            "type": kind,
            "timestamp": super::message::milliseconds(crate::clock::now()),
            "login": login::whole(&self.bot, account, is_online),
        });
        Ok(Some(frame::event(&event.to_string())))
    }

    /// Makes every login be announced again before the next event.
    pub(super) fn forget_logins(&self) {
        self.lock().values_mut().for_each(|told| told.state = AnnouncedState::Unknown);
    }

    /// The logins that were announced, and that the bot does not have any more.
    fn lost(&self) -> Vec<Arc<ServedAccount>> {
        let told = self.lock();
        let known = told.values().map(|told| told.account.clone());
        known.filter(|account| account.stop.is_cancelled()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(String, String), AnnouncedLogin>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BotPeer for SatoriSession {
    async fn answer(&self, text: &str) -> Option<String> {
        matches!(SatoriFrame::parse(text), Ok(SatoriFrame::Ping)).then(frame::pong)
    }

    /// An event belongs to a connected login ("Event"), so the login is announced before it if
    /// necessary.
    async fn tell(&self, view: &View, entry: &BotEvent) -> Result<Vec<String>> {
        let Some(told) = event::event(&self.bot, view, entry).await? else { return Ok(Vec::new()) };
        let before = entry.offset.saturating_sub(1);
        let mut frames: Vec<_> = self
            .login_event(view, before, &told.account, AnnouncedState::Online)?
            .into_iter()
            .collect();
        frames.extend(told.bodies.iter().map(|body| frame::event(body)));
        Ok(frames)
    }

    fn hello(&self) -> Option<String> {
        let login = |account: Arc<ServedAccount>| {
            let is_online = login::is_online(&self.bot, &account);
            self.note(&account, AnnouncedState::of(is_online));
            login::whole(&self.bot, &account, is_online)
        };
        let logins: Vec<_> = self.bot.accounts().into_iter().map(login).collect();
        Some(frame::ready(&login::meta(&logins)))
    }

    fn heartbeat(&self) -> Option<String> {
        None
    }

    fn frames_without_event(&self, view: &View, offset: u64) -> Result<Vec<String>> {
        let accounts = self.bot.accounts();
        let event = |account: &Arc<ServedAccount>, state| {
            self.login_event(view, offset, account, state).transpose()
        };
        let changed = |account: &Arc<ServedAccount>| {
            event(account, AnnouncedState::of(login::is_online(&self.bot, account)))
        };
        let lost = self.lost();
        let removed = lost.iter().filter_map(|account| event(account, AnnouncedState::Removed));
        removed.chain(accounts.iter().filter_map(changed)).collect()
    }

    async fn wait_for_frames_without_event(&self) {
        // The bot owns the sender and is alive here.
        let _ = self.accounts_changed.lock().await.changed().await;
    }
}
