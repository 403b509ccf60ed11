//! Calling actions of an implementation, and finding the answer to each by its echo.

use super::answer::ActionResponse;
use super::late_calls::{LateCalls, SendCall};
use crate::adapter::transport::{Writer, limit_for};
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;
use uuid::Uuid;

/// Why a call was not sent whose connection ended.
const LOST: &str = "the connection was lost";

/// The actions of one connection.
#[derive(Clone)]
pub(in crate::adapter::onebot) struct Calls {
    shared: Arc<Shared>,
}

struct Shared {
    writer: Writer,
    limit: Duration,
    late: Arc<LateCalls>,
    waiting: Mutex<Waiting>,
}

struct Waiting {
    closed: bool,
    /// Part of every echo, so that no answer is taken for one of another connection.
    connection: Uuid,
    last_echo: u64,
    answers: HashMap<String, AwaitedAnswer>,
    /// Calls of others, which want the answer as it came.
    through: HashMap<String, oneshot::Sender<String>>,
    /// The bytes of each frame whose answer is awaited.
    sizes: HashMap<String, usize>,
    /// The echo of the call that the implementation refused as too large.
    too_large: Option<String>,
    /// The connection ended by a frame that was far too large.
    is_answer_too_large: bool,
}

/// The answer to a call that waits.
struct AwaitedAnswer {
    call: oneshot::Sender<ActionResponse>,
    /// There if the call is to send a message.
    sends: Option<SendCall>,
}

/// The call an answer belongs to.
#[derive(Debug)]
pub(in crate::adapter::onebot) enum Answered {
    /// One that waited for it.
    InTime,
    /// One that was to send a message, and does not wait any more.
    Late(SendCall, ActionResponse),
    /// None.
    Unknown(ActionResponse),
}

/// Why an action has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::adapter::onebot) enum NoAnswer {
    /// It was never sent.
    NotSent(&'static str),
    /// It was never sent: the implementation still reads an action before it.
    Busy,
    /// It was sent, and nothing came back in time.
    Silent(Duration),
    /// It was sent, and the connection was lost.
    Lost,
    /// It was sent, and the implementation refused it as too large (close code 1009).
    TooLarge,
    /// It was sent, and a frame came back that is so far over `max_frame` that the connection ended.
    AnswerTooLarge,
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSent(reason) => write!(f, "not sent: {reason}"),
            Self::Busy => write!(
                f,
                "not sent: the implementation does not read it yet, because it still reads an action before it"
            ),
            Self::Silent(limit) => write!(f, "no answer within {} s", limit.as_secs_f32()),
            Self::Lost => write!(f, "the connection was lost before the answer came"),
            Self::TooLarge => {
                write!(f, "the implementation closed the connection: too large for it (1009)")
            }
            Self::AnswerTooLarge => {
                write!(f, "the answer is far larger than `max_frame`, which ended the connection")
            }
        }
    }
}

impl fmt::Debug for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calls").finish_non_exhaustive()
    }
}

/// An action request.
#[derive(Serialize)]
struct ActionFrame<'a, P> {
    action: &'a str,
    params: P,
    echo: &'a str,
    #[serde(rename = "self", skip_serializing_if = "Option::is_none")]
    bot: Option<BotSelf<'a>>,
}

/// One of several accounts on a connection (OneBot 12: basic-types.md, `self`).
#[derive(Clone, Copy, Debug, Serialize)]
pub(in crate::adapter::onebot) struct BotSelf<'a> {
    pub(in crate::adapter::onebot) platform: &'a str,
    pub(in crate::adapter::onebot) user_id: &'a str,
}

impl Calls {
    /// The actions of a connection; `late` has the calls of connections before it, too.
    pub(in crate::adapter::onebot) fn new(
        writer: Writer,
        limit: Duration,
        late: Arc<LateCalls>,
    ) -> Self {
        let waiting = Waiting {
            closed: false,
            connection: Uuid::new_v4(),
            last_echo: 0,
            answers: HashMap::new(),
            through: HashMap::new(),
            sizes: HashMap::new(),
            too_large: None,
            is_answer_too_large: false,
        };
        Self { shared: Arc::new(Shared { writer, limit, late, waiting: Mutex::new(waiting) }) }
    }

    /// Calls an action and waits for its answer, as long as is allowed.
    pub(in crate::adapter::onebot) async fn call(
        &self,
        action: &str,
        params: impl Serialize,
        bot: Option<BotSelf<'_>>,
    ) -> Result<ActionResponse, NoAnswer> {
        self.call_about(None, action, params, bot).await
    }

    /// Calls an action that sends a message: the answer is known as its own also when it comes
    /// after the time limit, or by another connection.
    pub(in crate::adapter::onebot) async fn send(
        &self,
        message: Uuid,
        action: &str,
        params: impl Serialize,
        bot: Option<BotSelf<'_>>,
    ) -> Result<ActionResponse, NoAnswer> {
        let account = bot.map(|bot| bot.user_id.to_owned());
        self.call_about(Some(SendCall { message, account, part: None }), action, params, bot).await
    }

    /// The same, for one part of a message.
    pub(in crate::adapter::onebot) async fn send_part(
        &self,
        message: Uuid,
        part: usize,
        action: &str,
        params: impl Serialize,
    ) -> Result<ActionResponse, NoAnswer> {
        let call = SendCall { message, account: None, part: Some(part) };
        self.call_about(Some(call), action, params, None).await
    }

    async fn call_about(
        &self,
        sends: Option<SendCall>,
        action: &str,
        params: impl Serialize,
        bot: Option<BotSelf<'_>>,
    ) -> Result<ActionResponse, NoAnswer> {
        let mut place = self.begin(sends)?;
        let request = ActionFrame { action, params, echo: &place.echo, bot };
        let frame = serde_json::to_string(&request).map_err(|_| NoAnswer::NotSent("no JSON"))?;
        self.waiting().sizes.insert(place.echo.clone(), frame.len());
        let limit = limit_for(frame.len(), self.shared.limit);
        let frame = self.shared.writer.send(frame).map_err(NoAnswer::NotSent)?;
        match timeout(limit, &mut place.answer).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) if frame.take_back() => Err(NoAnswer::NotSent(LOST)),
            Err(_) if frame.take_back() => Err(NoAnswer::Busy),
            Ok(Err(_)) => Err(self.lost(&place.echo)),
            Err(_) => {
                // Under one lock with the end of the waiting, so that no answer falls in between.
                let mut waiting = self.waiting();
                if let Ok(answer) = place.answer.try_recv() {
                    return Ok(answer);
                }
                if let Some(awaited) = waiting.answers.remove(&place.echo) {
                    self.keep_late(place.echo.clone(), awaited);
                }
                Err(NoAnswer::Silent(limit))
            }
        }
    }

    /// Calls an action for somebody else, and gives the answer's frame as it came.
    pub(in crate::adapter::onebot) async fn call_through(
        &self,
        action: &str,
        params: &RawValue,
        limit: Duration,
    ) -> Result<String, NoAnswer> {
        let (sender, answer) = oneshot::channel();
        let mut place = self.begin(None)?;
        self.waiting().through.insert(place.echo.clone(), sender);
        let request = ActionFrame { action, params, echo: &place.echo, bot: None };
        let frame = serde_json::to_string(&request).map_err(|_| NoAnswer::NotSent("no JSON"))?;
        self.waiting().sizes.insert(place.echo.clone(), frame.len());
        let limit = limit_for(frame.len(), limit);
        let frame = self.shared.writer.send(frame).map_err(NoAnswer::NotSent)?;
        let answered = tokio::select! {
            answer = timeout(limit, answer) => answer.map(Result::ok),
            // An answer that was too large, or the end of the connection.
            _ = &mut place.answer => Ok(None),
        };
        match answered {
            Ok(Some(frame)) => Ok(frame),
            Ok(None) if frame.take_back() => Err(NoAnswer::NotSent(LOST)),
            Err(_) if frame.take_back() => Err(NoAnswer::Busy),
            Ok(None) => Err(self.lost(&place.echo)),
            Err(_) => Err(NoAnswer::Silent(limit)),
        }
    }

    /// Hands an answer's frame to a call of somebody else; false where it belongs to none.
    pub(in crate::adapter::onebot) fn answered_through(&self, echo: &str, frame: &str) -> bool {
        let call = self.waiting().through.remove(echo);
        call.is_some_and(|call| call.send(frame.to_owned()).is_ok())
    }

    /// Hands an answer to the call that waits for it.
    pub(in crate::adapter::onebot) fn answered(
        &self,
        echo: &str,
        answer: ActionResponse,
    ) -> Answered {
        let mut waiting = self.waiting();
        if let Some(awaited) = waiting.answers.remove(echo) {
            return awaited.call.send(answer).map_or_else(Answered::Unknown, |()| Answered::InTime);
        }
        match self.shared.late.take(echo) {
            Some(call) => Answered::Late(call, answer),
            None => Answered::Unknown(answer),
        }
    }

    /// The implementation ends the connection because of a frame that is too large for it: the largest one
    /// whose answer is awaited.
    pub(in crate::adapter::onebot) fn refuse_largest(&self) {
        let mut waiting = self.waiting();
        let largest = waiting.sizes.iter().max_by_key(|(_, size)| **size);
        waiting.too_large = largest.map(|(echo, _)| echo.clone());
    }

    /// A frame far over the limit ends the connection; it is an answer that is awaited.
    pub(in crate::adapter::onebot) fn answer_was_too_large(&self) {
        self.waiting().is_answer_too_large = true;
    }

    /// Why a call has no answer whose connection has ended.
    fn lost(&self, echo: &str) -> NoAnswer {
        let waiting = self.waiting();
        match waiting.too_large.as_deref() {
            Some(too_large) if too_large == echo => NoAnswer::TooLarge,
            _ if waiting.is_answer_too_large => NoAnswer::AnswerTooLarge,
            _ => NoAnswer::Lost,
        }
    }

    /// Whether these are the actions of the same connection.
    pub(in crate::adapter::onebot) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// The connection ended: nothing is sent any more, and nothing will be answered.
    pub(in crate::adapter::onebot) fn close(&self) {
        let mut waiting = self.waiting();
        waiting.closed = true;
        for (echo, awaited) in waiting.answers.drain() {
            self.keep_late(echo, awaited);
        }
        waiting.through.clear();
        self.shared.writer.close();
    }

    /// Keeps a call to send a message whose answer is not awaited any more.
    fn keep_late(&self, echo: String, awaited: AwaitedAnswer) {
        if let Some(sends) = awaited.sends {
            self.shared.late.keep(echo, sends);
        }
    }

    fn begin(&self, sends: Option<SendCall>) -> Result<PendingCall<'_>, NoAnswer> {
        let (call, answer) = oneshot::channel();
        let mut waiting = self.waiting();
        if waiting.closed {
            return Err(NoAnswer::NotSent(LOST));
        }
        waiting.last_echo += 1;
        let echo = format!("{}-{}", waiting.connection.simple(), waiting.last_echo);
        waiting.answers.insert(echo.clone(), AwaitedAnswer { call, sends });
        Ok(PendingCall { calls: self, echo, answer })
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that waits; it leaves no trace when it is given up.
struct PendingCall<'a> {
    calls: &'a Calls,
    echo: String,
    answer: oneshot::Receiver<ActionResponse>,
}

impl Drop for PendingCall<'_> {
    fn drop(&mut self) {
        let mut waiting = self.calls.waiting();
        waiting.answers.remove(&self.echo);
        waiting.sizes.remove(&self.echo);
        waiting.through.remove(&self.echo);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::transport::Socket;
    use futures_util::StreamExt;
    use tokio::io::DuplexStream;
    use tokio::task::JoinHandle;
    use tokio_tungstenite::WebSocketStream;
    use tokio_tungstenite::tungstenite::protocol::Role;

    /// The actions of a connection, the other end of it, and the work of writing.
    async fn connected() -> (Calls, WebSocketStream<DuplexStream>, JoinHandle<()>) {
        let (ours, theirs) = tokio::io::duplex(4096);
        let [ours, theirs] = [(ours, Role::Server), (theirs, Role::Client)]
            .map(|(stream, role)| WebSocketStream::from_raw_socket(stream, role, None));
        let (_, writer, writing) = Socket::new(ours.await).split(1 << 20);
        let calls = Calls::new(writer, Duration::from_secs(2), Arc::default());
        (calls, theirs.await, tokio::spawn(writing))
    }

    #[tokio::test(start_paused = true)]
    async fn an_action_that_waits_for_a_large_one_in_vain_was_not_sent() {
        let (calls, mut implementation, _writing) = connected().await;
        let video = "v".repeat(1 << 20);
        let (video, text) = tokio::join!(
            calls.call("send_video", &video, None),
            calls.call("send_text", "hi", None)
        );
        assert_eq!(video.unwrap_err(), NoAnswer::Silent(Duration::from_secs(10)));
        assert_eq!(text.unwrap_err(), NoAnswer::Busy);
        let read = implementation.next().await.unwrap().unwrap();
        assert!(read.to_text().unwrap().contains("send_video"));
        let (last, _) = tokio::join!(implementation.next(), calls.call("send_text", "later", None));
        let last = last.unwrap().unwrap();
        assert!(last.to_text().unwrap().contains("later"), "{last}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_action_that_waits_when_the_connection_ends_was_not_sent() {
        let (calls, _implementation, _writing) = connected().await;
        let video = "v".repeat(1 << 20);
        let ending = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            calls.close();
        };
        let (video, text, ()) = tokio::join!(
            calls.call("send_video", &video, None),
            calls.call("send_text", "hi", None),
            ending
        );
        assert_eq!(video.unwrap_err(), NoAnswer::Lost);
        assert_eq!(text.unwrap_err(), NoAnswer::NotSent(LOST));
    }
}
