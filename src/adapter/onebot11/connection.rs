//! One connection of an OneBot 11 implementation, from the upgrade to its end.

use super::account::Account;
use super::action::delivery;
use super::courier::Courier;
use super::event::{Event, Frame, Message, Place};
use super::{history, lookup};
use crate::adapter::kind::End;
use crate::adapter::mount::Connection;
use crate::adapter::onebot::answer::Answer;
use crate::adapter::onebot::call::{Answered, Calls};
use crate::adapter::onebot::requests;
use crate::adapter::onebot::session::{self, Session, Unreadable};
use crate::adapter::registry::{Arrival, Registration, Seat};
use crate::adapter::{self, Context, Handshake, Inbound, Settings};
use crate::model::message::check_name;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// What a connection is for (communication/ws-reverse.md, "连接请求").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Universal,
    Api,
    Event,
}

impl Role {
    /// By the header, else by the path some configure for each.
    fn of(dial_in: &Handshake) -> Self {
        let said = dial_in.header("x-client-role").or(dial_in.path.rsplit('/').next());
        match said.unwrap_or_default().to_ascii_lowercase().as_str() {
            "api" => Self::Api,
            "event" => Self::Event,
            _ => Self::Universal,
        }
    }
}

/// Serves one connection until it ends.
pub(super) async fn run(connection: Connection) -> End {
    let Connection { socket, dial_in, settings, seat, context } = connection;
    let (reader, writer, writing) = socket.split();
    let calls = Calls::new(writer, settings.answer_timeout);
    let mut session = Peer::new(dial_in.as_ref(), calls, settings, seat, context.clone());
    session.begin(dial_in.is_some());
    let serving = async {
        let end = session::read(reader, &mut session, &context.stop).await;
        session.end(end)
    };
    tokio::join!(serving, writing).0
}

/// The implementation at the other end.
struct Peer {
    role: Role,
    account: Arc<Account>,
    calls: Calls,
    settings: Arc<Settings>,
    seat: Option<Seat>,
    context: Context,
    /// There once the account counts as connected.
    registration: Option<Registration>,
    /// The answer to who we are, while it is awaited.
    login: Option<oneshot::Receiver<Option<String>>>,
    heartbeat: Option<Duration>,
    unreadable: Unreadable,
    /// Ends the waiting for who the account is.
    known: CancellationToken,
    ended: CancellationToken,
}

impl Session for Peer {
    async fn frame(&mut self, text: &str) -> Result<(), End> {
        match Frame::parse(text) {
            Ok(Frame::Event { account, event }) => {
                if let Some(account) = account {
                    self.identify(&account);
                }
                self.event(event).await
            }
            Ok(Frame::Answer { echo, answer }) => self.answer(&echo, answer).await,
            Err(error) => {
                self.unreadable.skip(text, &error);
                Ok(())
            }
        }
    }

    async fn happen(&mut self) {
        match &mut self.login {
            Some(login) => {
                let told = login.await.ok().flatten();
                self.login = None;
                match told {
                    Some(account) => self.identify(&account),
                    None => self.register(),
                }
            }
            None => pending().await,
        }
    }

    fn heartbeat(&self) -> Option<Duration> {
        self.heartbeat
    }
}

impl Peer {
    fn new(
        dial_in: Option<&Handshake>,
        calls: Calls,
        settings: Arc<Settings>,
        seat: Option<Seat>,
        context: Context,
    ) -> Self {
        let platform = dial_in.and_then(|dial_in| dial_in.parameter("platform"));
        let platform = platform.unwrap_or(settings.platform());
        // Some say 0 as long as they are not logged in.
        let account =
            dial_in.and_then(|dial_in| dial_in.header("x-self-id")).filter(|id| *id != "0");
        Self {
            role: dial_in.map_or(Role::Universal, Role::of),
            account: context.accounts.get(platform, account),
            calls,
            settings,
            seat,
            context,
            registration: None,
            login: None,
            heartbeat: None,
            unreadable: Unreadable::default(),
            known: CancellationToken::new(),
            ended: CancellationToken::new(),
        }
    }

    /// Who dials in is connected from the upgrade on; whom we dial, once we know who it is.
    fn begin(&mut self, dialled_in: bool) {
        if dialled_in {
            self.register();
        }
        if self.account.id().is_none() && self.role != Role::Event {
            self.login = Some(self.ask_who_we_are());
        }
    }

    fn register(&mut self) {
        if self.registration.is_some() {
            return;
        }
        let account = Arc::clone(&self.account);
        let arrival = Arrival {
            settings: Arc::clone(&self.settings),
            platform: &account.platform,
            account: account.id(),
            seat: self.seat.as_ref(),
            offline: None,
        };
        if self.role == Role::Event {
            self.registration = Some(self.context.registry.connect(&arrival));
            return;
        }
        let (registration, queue) = self.context.registry.connect_for_requests(&arrival);
        self.registration = Some(registration);
        let courier = Courier {
            account: Arc::clone(&account),
            calls: self.calls.clone(),
            settings: Arc::clone(&self.settings),
        };
        self.context.tracker.spawn(requests::answer(courier, queue, self.ended.clone()));
        account.open(self.calls.clone());
        if account.id().is_some() {
            self.catch_up();
        }
    }

    /// The account is known, by whatever told it first.
    fn identify(&mut self, id: &str) {
        if self.account.id().is_some() || check_name("self_id", id).is_err() {
            return;
        }
        self.known.cancel();
        self.account.close(&self.calls);
        self.account = self.context.accounts.identify(Arc::clone(&self.account), id);
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
    }

    /// Asks for the account, unless the first events tell it.
    fn ask_who_we_are(&self) -> oneshot::Receiver<Option<String>> {
        let (told, login) = oneshot::channel();
        let (calls, known) = (self.calls.clone(), self.known.clone());
        self.context.tracker.spawn(async move {
            if known.run_until_cancelled(sleep(session::FIRST_EVENTS)).await.is_none() {
                return;
            }
            // The connection may have ended meanwhile.
            let _ = told.send(lookup::own_account(&calls).await);
        });
        login
    }

    fn catch_up(&self) {
        if self.settings.history.messages == 0 {
            return;
        }
        let (account, calls) = (Arc::clone(&self.account), self.calls.clone());
        let (settings, core) = (Arc::clone(&self.settings), self.context.core.clone());
        let ended = self.ended.clone();
        self.context.tracker.spawn(async move {
            let work = history::catch_up(&account, &calls, &settings, &core);
            ended.run_until_cancelled(work).await;
        });
    }

    async fn event(&mut self, event: Event<'_>) -> Result<(), End> {
        match event {
            Event::Message(message) => self.message(*message).await,
            Event::Heartbeat { interval, online } => {
                self.heartbeat = session::patience(interval);
                match (&self.registration, online) {
                    (Some(registration), Some(false)) => registration
                        .offline("the account is off, says the implementation; log it in there"),
                    (Some(registration), Some(true)) if registration.online() => self.catch_up(),
                    _ => {}
                }
                Ok(())
            }
            Event::Offline { reason } => {
                if let Some(registration) = &self.registration {
                    registration.offline(&format!("the account was logged out: {reason}"));
                }
                Ok(())
            }
            Event::Other => Ok(()),
        }
    }

    async fn message(&mut self, message: Message<'_>) -> Result<(), End> {
        let account = self.account.id().unwrap_or_default();
        let (mut inbound, place) = match message.into_inbound(&self.account.platform, account, None)
        {
            Ok(read) => read,
            Err(reason) => {
                tracing::debug!(reason, "skipped a message");
                return Ok(());
            }
        };
        self.remember(&mut inbound, place);
        let event = adapter::Event::Message(Box::new(inbound));
        self.context.core.send(event).await.map_err(|_| End::lost("rechat is stopping"))
    }

    /// Keeps what a message tells of its conversation, and completes it by what others told.
    fn remember(&self, inbound: &mut Inbound, place: Place) {
        let Place { conversation, name, through } = place;
        match through {
            Some(group) => self.account.through.set(&conversation, &group),
            None => self.account.through.forget(&conversation),
        }
        if !conversation.starts_with("group_") {
            return;
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
            let (account, core) = (Arc::clone(&self.account), self.context.core.clone());
            self.context.tracker.spawn(async move {
                lookup::group_name(&conversation, &account, &calls, &core).await;
                drop(permit);
            });
        }
    }

    /// Hands an answer to its call. One that belongs to no call may say that we are not wanted.
    async fn answer(&mut self, echo: &str, answer: Answer) -> Result<(), End> {
        match self.calls.answered(echo, answer) {
            Answered::InTime => Ok(()),
            Answered::Late(message, answer) => {
                let account = self.account.id().map(str::to_owned);
                let late = requests::late(message, account, delivery(Ok(answer)));
                requests::report(&self.context.core, late).await
            }
            Answered::Unknown(answer) if matches!(answer.retcode, 1401 | 1403) => {
                Err(End::refused(format!(
                    "{}; set `token` of this adapter to the implementation's access token",
                    answer.reason()
                )))
            }
            Answered::Unknown(_) => Ok(()),
        }
    }

    fn end(&mut self, end: End) -> End {
        self.account.close(&self.calls);
        // First nobody new may come, then those that wait are told.
        if let Some(registration) = self.registration.take() {
            registration.end(end.state, &end.reason);
        }
        self.known.cancel();
        self.ended.cancel();
        self.calls.close();
        end
    }
}
