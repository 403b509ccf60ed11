//! Webhooks (protocol/events.md, "WebHook"): events are posted to the framework one after the
//! other. The answer proves that an event was read.

use super::session::SatoriSession;
use crate::gateway::acknowledgements::Acknowledgements;
use crate::gateway::backoff::backoff;
use crate::gateway::bot::ConfiguredBot;
use crate::gateway::follow::begin;
use crate::gateway::raw_object::RawObject;
use crate::protocol::platform::PlatformState;
use crate::text::without_secrets;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Message;

/// The longest time that the framework may take for an event.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// The header of a post, and its value for an event.
const OPCODE: &str = "satori-opcode";
const EVENT: &str = "0";

/// Error of a post: the new state of the bot, and a text for people.
type PostFailed = (PlatformState, String);

/// Posts events to an address until the bot ends.
pub(super) async fn keep_posting(bot: Arc<ConfiguredBot>, url: String) {
    let stop = bot.stop.clone();
    let mut pauses = backoff();
    let mut failures: u64 = 0;
    let webhook = Webhook { session: SatoriSession::new(bot.clone()), bot, url };
    let bot = &webhook.bot;
    loop {
        let before = webhook.delivered();
        let failed = webhook.follow().await;
        if stop.is_cancelled() {
            return;
        }
        // Announcements of logins do not count: they may be repeated before an event that always
        // fails.
        if webhook.delivered() != before {
            (pauses, failures) = (backoff(), 0);
        }
        if let Err((state, reason)) = failed {
            bot.failed(state, &reason);
            failures += 1;
            if failures.is_power_of_two() {
                tracing::warn!(
                    bot = bot.name(),
                    failures,
                    reason,
                    "a webhook failed; posting again"
                );
            }
        }
        stop.run_until_cancelled(sleep(pauses.pause())).await;
    }
}

/// Posts the events after the bot's cursor.
struct Webhook {
    bot: Arc<ConfiguredBot>,
    url: String,
    /// One session for all attempts, so that logins that were accepted are not announced again.
    session: SatoriSession,
}

impl Webhook {
    /// Number of events that were accepted, ever.
    fn delivered(&self) -> Option<u64> {
        self.bot.cursor().ok().map(|cursor| cursor.delivered())
    }

    /// Posts events until one fails or the bot ends.
    async fn follow(&self) -> Result<(), PostFailed> {
        let of_store =
            |error| (PlatformState::Disconnected, format!("the store cannot be read: {error}"));
        let client = Client::builder().timeout(ANSWER_TIMEOUT).redirect(Policy::none()).no_proxy();
        let client = client.build().map_err(|error| (PlatformState::Error, error.to_string()))?;
        let bot = &self.bot;
        let (core, name) = (&bot.shared.core, bot.name());
        let cursor = bot.cursor().map_err(of_store)?;
        let turn = cursor.take_over(bot.stop.child_token());
        let seconds = bot.config.load().catch_up_seconds;
        let start = || cursor.start(&*core.store.view()?, seconds, None);
        let following = begin(core, &cursor, turn, &name, start).await.map_err(of_store)?;
        let (queue, outgoing) = mpsc::channel(1);
        let acknowledgements = Acknowledgements::default();
        let ended = tokio::select! {
            ended = self.post_all(&client, outgoing, &acknowledgements) => ended,
            () = following.one_by_one().run(&self.session, &queue, &acknowledgements) => Ok(()),
            () = bot.stop.cancelled() => Ok(()),
        };
        cursor.write().await;
        ended
    }

    async fn post_all(
        &self,
        client: &Client,
        mut outgoing: mpsc::Receiver<Message>,
        acknowledgements: &Acknowledgements,
    ) -> Result<(), PostFailed> {
        let mut connected = None;
        while let Some(message) = outgoing.recv().await {
            match message {
                Message::Text(frame) => {
                    self.post(client, &frame).await?;
                    connected.get_or_insert_with(|| self.bot.connected());
                }
                // Everything before it was accepted.
                Message::Ping(payload) => acknowledgements.note_pong(&payload),
                _ => {}
            }
        }
        Ok(())
    }

    async fn post(&self, client: &Client, frame: &str) -> Result<(), PostFailed> {
        let frame = RawObject::parse(frame).unwrap_or_default();
        let Some(body) = frame.get("body") else { return Ok(()) };
        let posted = self.post_event(client, body.get()).await;
        let kind = RawObject::parse(body.get()).and_then(|event| event.text("type"));
        if posted.is_err() && kind.is_some_and(|kind| kind.starts_with("login-")) {
            self.session.forget_logins();
        }
        posted
    }

    async fn post_event(&self, client: &Client, event: &str) -> Result<(), PostFailed> {
        let mut request = client.post(&self.url).header(OPCODE, EVENT);
        if let Some(token) = self.bot.token() {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.header(CONTENT_TYPE, "application/json").body(event.to_owned());
        let url = without_secrets(&self.url);
        let answered = request.send().await.map_err(|error| {
            if error.is_connect() {
                // The framework may have been restarted.
                self.session.forget_logins();
            }
            let why = match error {
                late if late.is_timeout() => "it does not answer",
                refused if refused.is_connect() => "nothing listens there",
                _ => "the connection ended without an answer of HTTP",
            };
            (PlatformState::Connecting, format!("{url}: {why}"))
        })?;
        let status = answered.status();
        let advice = match status {
            taken if taken.is_success() => return Ok(()),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                "set `token` of this bot to the framework's own"
            }
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
                "the path of `url` is another one there"
            }
            _ => "the framework did not take the event",
        };
        Err((PlatformState::Error, format!("{url} answered {status}: {advice}")))
    }
}
