//! A message that is sent in parts.

use super::nameless::NamelessPart;
use crate::adapter::api::{AdapterEvent, Delivery, Outbound, PartNoted};
use crate::clock::now;
use crate::model::content::Content;
use crate::model::inbound::{ECHO_LATE, Inbound};
use crate::model::message::ReplyTo;
use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;
use uuid::Uuid;

/// A message, and the parts of it that were sent.
#[derive(Debug)]
pub(super) struct UnderWay {
    pub(super) message: Uuid,
    pub(super) conversation: String,
    pub(super) reply_to: Option<Box<ReplyTo>>,
    /// Without addresses of media, which change each time.
    pub(super) contents: Vec<Content>,
    /// The IDs of the parts that have gone.
    pub(super) sent: Vec<Option<String>>,
    /// How many of them the core has noted.
    pub(super) noted: usize,
    /// The number that it has noted once it answers, if an answer has not come yet.
    pub(super) next_note: Option<(usize, oneshot::Receiver<PartNoted>)>,
    /// The platform took one of them without a proof.
    pub(super) is_unconfirmed: bool,
    pub(super) next: NextPart,
    /// The number of parts before the last one whose attempt ended without an outcome.
    pub(super) doubted: Option<usize>,
    /// The late answer to one of them, which came during a later attempt.
    pub(super) late: Option<LateAnswer>,
}

/// An answer that came after the time limit of its attempt: the part was sent.
#[derive(Debug)]
pub(super) struct LateAnswer {
    pub(super) external_id: Option<String>,
}

/// The part that goes next.
#[derive(Debug, Default)]
pub(super) enum NextPart {
    /// It was not sent, so an own message that says the same is one that the owner wrote.
    #[default]
    Waits,
    /// An attempt to send it waits for the outcome.
    IsOpen(Attempts),
    /// An own message that says the same came before its outcome was known.
    Echoed(Box<Inbound>),
    /// Every attempt to send it has ended, one of them without an outcome.
    InDoubt(Attempts),
}

/// The time in which the attempts to send a part may have sent it, in Unix seconds. They may be hours apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempts {
    /// When the first of them began.
    pub(super) began: u64,
    /// When the last of them began, or when it ended.
    pub(super) last: u64,
    /// The same without the one that is open, which may turn out to have sent nothing.
    pub(super) last_ended: u64,
}

impl UnderWay {
    fn new(message: &Outbound, contents: &[Content], sent: Vec<Option<String>>) -> Self {
        Self {
            message: message.id,
            conversation: message.conversation.clone(),
            reply_to: message.reply_to.clone(),
            contents: contents.iter().map(Content::without_addresses).collect(),
            noted: sent.len(),
            sent,
            next_note: None,
            is_unconfirmed: false,
            next: NextPart::Waits,
            doubted: None,
            late: None,
        }
    }

    /// A message of which only those parts are known that the core lists.
    pub(super) fn as_listed_in(message: &Outbound, contents: &[Content]) -> Self {
        let id = |id: &String| Some(id.clone()).filter(|id| !id.is_empty());
        Self::new(message, contents, message.parts.iter().map(id).collect())
    }

    /// This, if an attempt goes on where it ended: its parts are the same, and the core lists no more of them. The
    /// core lists fewer that it has noted if it has forgotten them, because the message is sent anew.
    pub(super) fn go_on_with(mut self, message: &Outbound, contents: &[Content]) -> Option<Self> {
        let goes_on = self.is_attempt_of(message, contents)
            && !self.is_recorded_in(message)
            && self.is_listed_in(message);
        goes_on.then_some(self)
    }

    /// Whether this is the last attempt to send a message with these contents. The core may list fewer parts:
    /// it was perhaps asked before it noted the last one.
    pub(super) fn is_attempt_of(&self, message: &Outbound, contents: &[Content]) -> bool {
        self.has_contents(contents) && self.sent.len() >= message.parts.len()
    }

    /// About how many bytes of memory the contents take.
    pub(super) fn bytes(&self) -> usize {
        self.contents.iter().map(Content::bytes).sum()
    }

    /// Whether an attempt with these contents sends the same parts.
    fn has_contents(&self, contents: &[Content]) -> bool {
        contents.iter().map(Content::without_addresses).eq(self.contents.iter().cloned())
    }

    /// The echo of the next part, which waits from now on, unless an attempt to send it is in doubt.
    pub(super) fn take_echo(&mut self) -> Option<Box<Inbound>> {
        match std::mem::take(&mut self.next) {
            NextPart::Echoed(echo) => return Some(echo),
            NextPart::IsOpen(attempts) | NextPart::InDoubt(attempts) if self.is_doubted() => {
                self.next = NextPart::InDoubt(Attempts { last: attempts.last_ended, ..attempts });
            }
            NextPart::Waits | NextPart::IsOpen(_) | NextPart::InDoubt(_) => {}
        }
        None
    }

    /// The outcome of the next part, if its echo or the late answer to an earlier attempt tells that it was sent.
    pub(super) fn proven(&self) -> Option<Delivery> {
        let external_id = match (&self.next, &self.late) {
            (NextPart::Echoed(echo), _) => Some(echo.external_id.clone()),
            (_, Some(late)) => late.external_id.clone(),
            _ => return None,
        };
        Some(Delivery::Sent { external_id, is_unconfirmed: false })
    }

    /// The next part was sent.
    pub(super) fn next_is_sent(&mut self, external_id: Option<String>) {
        self.sent.push(external_id);
        (self.next, self.late) = (NextPart::Waits, None);
    }

    /// The next part, if its echo is to be known by what it says.
    pub(super) fn next_nameless(&self) -> Option<NamelessPart> {
        let index = self.sent.len();
        Some(NamelessPart {
            index,
            conversation: self.conversation.clone(),
            reply_to: self.reply_to.clone(),
            content: self.contents.get(index)?.clone(),
            at: now(),
        })
    }

    /// Whether an own message has the ID of a part that was sent, but says something else: some platforms give an ID
    /// again at once.
    pub(super) fn has_id_of_other_part(&self, inbound: &Inbound) -> bool {
        let has_its_id = |id: &Option<String>| id.as_ref() == Some(&inbound.external_id);
        let parts = self.sent.iter().zip(&self.contents).filter(|(id, _)| has_its_id(id));
        let mut says_it =
            parts.map(|(_, part)| inbound.tells(part, self.reply_to.as_deref())).peekable();
        says_it.peek().is_some() && !says_it.any(|says_it| says_it)
    }

    /// The next part is sent.
    pub(super) fn send(&mut self) {
        // The echo of an earlier attempt without an outcome may still come, too.
        let earlier = self.attempts().filter(|_| self.is_doubted());
        let now = now();
        let first = Attempts { began: now, last: now, last_ended: now };
        let attempts = earlier.map_or(first, |earlier| Attempts { last: now, ..earlier });
        self.next = NextPart::IsOpen(attempts);
    }

    /// Whether an attempt to send the next part ended without an outcome.
    pub(super) fn is_doubted(&self) -> bool {
        self.doubted == Some(self.sent.len())
    }

    /// Whether a live message may be the echo of the next part. There is one echo; another message that says
    /// the same is the owner's.
    pub(super) fn awaits(&self, inbound: &Inbound) -> bool {
        let may_come = |attempts: Attempts| now() <= attempts.last.saturating_add(ECHO_LATE);
        !inbound.from_history
            && self.attempts().is_some_and(may_come)
            && self.conversation == inbound.conversation
            && self.is_next(inbound)
    }

    /// The attempts that may have sent the next part, if its echo is still to come.
    pub(super) fn attempts(&self) -> Option<Attempts> {
        match self.next {
            NextPart::IsOpen(attempts) | NextPart::InDoubt(attempts) => Some(attempts),
            NextPart::Waits | NextPart::Echoed(_) => None,
        }
    }

    /// Whether the platform may report the next part in this form.
    pub(super) fn is_next(&self, told: &Inbound) -> bool {
        let next = self.contents.get(self.sent.len());
        next.is_some_and(|next| told.tells(next, self.reply_to.as_deref()))
    }

    /// The attempt to send the next part ended without an outcome.
    pub(super) fn end_in_doubt(&mut self) {
        if let NextPart::IsOpen(Attempts { began, .. }) = self.next {
            let now = now();
            self.next = NextPart::InDoubt(Attempts { began, last: now, last_ended: now });
            self.doubted = Some(self.sent.len());
        }
    }

    /// Whether all parts were sent, and `message.sent_as` records that: then it is sent anew.
    fn is_recorded_in(&self, message: &Outbound) -> bool {
        let first = self.sent.first().map(|id| id.as_deref().unwrap_or_default());
        message.parts.is_empty()
            && self.sent.len() == self.contents.len()
            && message.sent_as.as_deref() == first
    }

    /// Whether the core lists as many parts as it has noted.
    fn is_listed_in(&mut self, message: &Outbound) -> bool {
        let answer = self.next_note.as_mut().map(|(count, note)| (*count, note.try_recv()));
        match answer {
            None | Some((_, Err(TryRecvError::Empty))) => {}
            Some((count, answer)) => {
                self.next_note = None;
                if answer == Ok(PartNoted::Stored) {
                    self.noted = count;
                }
            }
        }
        self.noted <= message.parts.len()
    }

    /// The part in doubt was sent under this ID, as its echo or a late answer proves. Returns the events for the core.
    pub(super) fn prove(
        &mut self,
        external_id: Option<String>,
        account: Option<String>,
    ) -> Vec<AdapterEvent> {
        let (message, index) = (self.message, self.sent.len());
        self.next_is_sent(external_id.clone());
        let (noted, is_noted) = oneshot::channel();
        self.next_note = Some((self.sent.len(), is_noted));
        let mut events = vec![AdapterEvent::PartSent { message, index, external_id, noted }];
        if self.sent.len() == self.contents.len() {
            events.push(AdapterEvent::ConfirmedLate {
                message,
                account,
                external_id: self.sent[0].clone(),
                is_unconfirmed: self.is_unconfirmed,
            });
        }
        events
    }
}
