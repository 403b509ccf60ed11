//! Echoes of parts that come as live messages.

use super::under_way::{NextPart, UnderWay};
use super::{NamelessPart, SendProgress, State};
use crate::adapter::api::AdapterEvent;
use crate::clock::now;
use crate::model::inbound::{ECHO_LATE, Inbound};

impl SendProgress {
    /// Takes a live message of the account that is the echo of a part; `None` if it is none. That of the first
    /// one stands for the message once its outcome is known. Returns the events for the core if it proves
    /// that a part in doubt was sent, because perhaps no later attempt will report it.
    pub(in super::super) fn take_echo(&self, inbound: &Inbound) -> Option<Vec<AdapterEvent>> {
        if !inbound.own {
            return None;
        }
        let mut state = self.state();
        if state.is_part(inbound) {
            return Some(Vec::new());
        }
        if state.whole.has(inbound) {
            return None;
        }
        let is_nameless = state.take_nameless(inbound);
        let proven = if is_nameless { Vec::new() } else { state.take_echo_of_next(inbound)? };
        state.keep_part(inbound);
        Some(proven)
    }
}

impl State {
    /// Takes the echo of a part that goes next, and returns what it proves; `None` if it is none.
    fn take_echo_of_next(&mut self, inbound: &Inbound) -> Option<Vec<AdapterEvent>> {
        // A part whose attempt is under way is likelier than a message whose attempt has ended, and that is
        // likelier than a part in doubt, because it has nothing else to say.
        let is_open = |known: &UnderWay| matches!(known.next, NextPart::IsOpen(_));
        let awaits = |known: &UnderWay| known.awaits(inbound);
        let open = self.under_way.iter().position(|known| is_open(known) && awaits(known));
        let place = match open {
            Some(place) => place,
            None if self.whole.take_echo(inbound) => return None,
            None => self.under_way.iter().position(awaits)?,
        };
        Some(self.under_way[place].take_as_next(inbound))
    }

    /// Whether a live message is the echo of a part that was taken without an ID; it has one.
    fn take_nameless(&mut self, inbound: &Inbound) -> bool {
        let now = now();
        let is_its = |part: &NamelessPart| {
            !inbound.from_history
                && now <= part.at.saturating_add(ECHO_LATE)
                && part.conversation == inbound.conversation
                && inbound.content.is_told_of(&part.content)
        };
        let place = self.nameless.iter().position(is_its);
        place.and_then(|place| self.nameless.remove(place)).is_some()
    }
}
