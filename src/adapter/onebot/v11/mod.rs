//! OneBot 11, by WebSocket in both directions (communication/ws.md, ws-reverse.md).

mod account;
mod act;
mod action;
mod address;
mod connection;
mod cq;
mod event;
mod handler;
mod history;
mod history_limits;
mod lookup;
mod options;
mod reading;
mod segment;

#[cfg(fuzzing)]
pub(in crate::adapter) use event::swallow;

use crate::adapter::api::Kind;
use crate::adapter::service::{Adapter, Service, read_own};
use crate::adapter::transport::{Connection, End, Running, ServeConnection};
use options::Options;
use std::sync::Arc;

pub(in crate::adapter) static ADAPTER: Adapter = Adapter {
    kind: Kind {
        name: "onebot11",
        platform: "qq",
        paths: &[
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
    },
    logs_in: false,
    configure: |own| {
        let options = Arc::new(read_own::<Options>(own)?);
        Ok(Service::Connections(Arc::new(OneBot11 { options })))
    },
};

#[derive(Debug)]
struct OneBot11 {
    options: Arc<Options>,
}

impl ServeConnection for OneBot11 {
    fn serve(self: Arc<Self>, connection: Connection) -> Running<End> {
        Box::pin(connection::run(connection, Arc::clone(&self.options)))
    }
}

/// Reads a message with CQ codes, for the fuzz target.
#[cfg(fuzzing)]
pub(in crate::adapter) fn parse_cq(text: &str) {
    let _ = cq::parse(text);
}
