//! OneBot 12, by WebSocket in both directions (connect/communication).

mod action;
mod address;
mod bot;
mod connection;
mod event;
mod segment;

#[cfg(fuzzing)]
pub(super) use event::swallow;

use super::kind::{Kind, Run};

pub(super) static KIND: Kind = Kind {
    name: "onebot12",
    platform: "wechat",
    mounts: &["/onebot/v12/ws", "/onebot/v12/ws/", "/onebot/v12", "/onebot/v12/"],
    addresses: address::addresses,
    resolve: address::resolve,
    is_fallback: false,
    run: Run::Connection(|connection| Box::pin(connection::run(connection))),
};
