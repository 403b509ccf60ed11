//! Echoes of parts that come as live messages.

use super::under_way::{NextPart, UnderWay};
use super::{SendProgress, State};
use crate::adapter::api::AdapterEvent;
use crate::model::inbound::Inbound;

impl SendProgress {
    /// Takes a live message of the account that is the echo of a part; `None` if it is none. That of the first
    /// one stands for the message once its outcome is known. Returns the events for the core if it proves
    /// that a part in doubt was sent, because perhaps no later attempt will report it.
    pub(in super::super) fn take_echo(&self, inbound: &Inbound) -> Option<Vec<AdapterEvent>> {
        if !inbound.own {
            return None;
        }
        let mut state = self.state();
        let is_another =
            |known: &UnderWay| known.awaits(inbound) && known.has_id_of_other_part(inbound);
        if !state.under_way.iter().any(is_another) {
            if state.is_part(inbound) {
                return Some(Vec::new());
            }
            if state.whole.has(inbound) {
                return None;
            }
        }
        let proven = match state.nameless.take_echoed(inbound) {
            Some(_) => Vec::new(),
            None => state.take_echo_of_next(inbound)?,
        };
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
        Some(self.take_as_next(place, inbound))
    }

    /// Takes the echo of the next part of a message. Returns the events for the core if that part was in doubt.
    pub(super) fn take_as_next(&mut self, place: usize, echo: &Inbound) -> Vec<AdapterEvent> {
        let known = &mut self.under_way[place];
        if matches!(known.next, NextPart::InDoubt(_)) {
            return self.prove(place, Some(echo.external_id.clone()), Some(echo.account.clone()));
        }
        known.next = NextPart::Echoed(Box::new(echo.clone()));
        Vec::new()
    }

    /// The part in doubt was sent under this ID. Returns the events for the core.
    pub(super) fn prove(
        &mut self,
        place: usize,
        external_id: Option<String>,
        account: Option<String>,
    ) -> Vec<AdapterEvent> {
        self.under_way[place].prove(external_id, account)
    }
}
