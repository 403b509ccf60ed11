//! OneBot 11, by WebSocket in both directions (communication/ws.md, ws-reverse.md).

mod account;
mod action;
mod address;
mod connection;
mod courier;
mod cq;
mod event;
mod history;
mod lookup;
mod segment;

pub(super) use account::Accounts;

#[cfg(fuzzing)]
pub(super) use event::swallow;

use super::kind::{Kind, Run};

pub(super) static KIND: Kind = Kind {
    name: "onebot11",
    platform: "qq",
    mounts: &[
        "/onebot/v11/ws",
        "/onebot/v11/ws/",
        "/onebot/v11",
        "/onebot/v11/",
        "/onebot/v11/ws/api",
        "/onebot/v11/ws/event",
    ],
    addresses: address::addresses,
    resolve: address::resolve,
    is_fallback: false,
    run: Run::Connection(|connection| Box::pin(connection::run(connection))),
};

/// Reads a message with CQ codes, for the fuzz target.
#[cfg(fuzzing)]
pub(super) fn parse_cq(text: &str) {
    let _ = cq::parse(text);
}
