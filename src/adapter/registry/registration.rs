//! What adapters hold of the registry: a place for each configured one, an entry for each connection.

use super::Registry;
use super::row::Row;
use crate::adapter::State;
use crate::clock::now;

/// A configured adapter's place in the registry.
#[derive(Clone, Debug)]
pub(in crate::adapter) struct Seat {
    pub(super) registry: Registry,
    pub(super) row: u64,
}

impl Seat {
    /// Says what the adapter is while nothing is connected.
    pub(in crate::adapter) fn absent(&self, state: State, reason: Option<&str>) {
        let mut rows = self.registry.rows();
        let came_by = |row: &&Row| row.seat == Some(self.row) && row.account.is_some();
        let mut ids: Vec<u64> = rows.list.iter().filter(came_by).map(|row| row.id).collect();
        if ids.is_empty() {
            ids.push(self.row);
        }
        for id in ids {
            self.registry
                .change(&mut rows, id, |row| row.absent = (state, reason.map(str::to_owned)));
        }
    }
}

/// A connection's entry in the registry; it ends with this value.
#[derive(Debug)]
pub(in crate::adapter) struct Registration {
    pub(super) registry: Registry,
    pub(super) row: u64,
    pub(super) connection: u64,
}

impl Registration {
    /// The account became known.
    pub(in crate::adapter) fn identify(&mut self, account: &str) {
        let registry = self.registry.clone();
        let mut rows = registry.rows();
        let Some(from) = rows.get(self.row) else { return };
        let Some(connection) = from.remove(self.connection) else { return };
        let (kind, platform, seat) = (from.kind, from.platform.clone(), from.seat);
        let published = from.connections.is_empty().then(|| from.take_state(now()));
        let known = rows.find_account(&platform, Some(account));
        self.row = known.unwrap_or_else(|| rows.add_account(kind, &platform, Some(account)));
        registry.change(&mut rows, self.row, |row| {
            if let (None, Some(published)) = (known, published) {
                row.inherit(published);
            }
            row.seat = seat.or(row.seat);
            row.offline = None;
            row.on_unknown = connection.settings.on_unknown;
            row.connections.push(connection);
        });
        rows.list
            .retain(|row| row.configured || row.account.is_some() || !row.connections.is_empty());
    }

    /// The account is off though the connection lives.
    pub(in crate::adapter) fn offline(&self, reason: &str) {
        let mut rows = self.registry.rows();
        self.registry.change(&mut rows, self.row, |row| row.offline = Some(reason.to_owned()));
    }

    /// The account is on; says whether it had been off.
    pub(in crate::adapter) fn online(&self) -> bool {
        let mut rows = self.registry.rows();
        let was_off = rows.get(self.row).is_some_and(|row| row.offline.is_some());
        self.registry.change(&mut rows, self.row, |row| row.offline = None);
        was_off
    }

    /// The connection ends, and says why.
    pub(in crate::adapter) fn end(self, state: State, reason: &str) {
        self.remove(state, reason);
    }

    fn remove(&self, state: State, reason: &str) {
        let mut rows = self.registry.rows();
        self.registry.change(&mut rows, self.row, |row| {
            if row.remove(self.connection).is_some() && row.connections.is_empty() {
                row.offline = None;
                row.absent = (state, Some(reason.to_owned()));
            }
        });
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.remove(State::Disconnected, "the connection ended");
    }
}
