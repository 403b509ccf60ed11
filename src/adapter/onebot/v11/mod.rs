//! OneBot 11, by WebSocket in both directions (communication/ws.md, ws-reverse.md).

mod account;
mod act;
mod action;
mod address;
mod bot_message;
mod compose;
mod connection;
mod cq;
mod event;
mod faces;
mod find_media;
mod handler;
mod history;
mod history_limits;
mod lookup;
mod notice;
mod options;
mod platform_clock;
mod progress;
mod questions;
mod quoted_messages;
mod reading;
mod segment;

pub use bot_message::{BotMessage, cq_of_segments, segments_of_cq};
#[cfg(fuzzing)]
pub(in crate::adapter) use event::swallow;

use crate::adapter::api::{ConfigKey, Kind};
use crate::adapter::definition::{Adapter, Service, read_own};
use crate::adapter::onebot::common::MEDIA_FOLDER;
use crate::adapter::transport::{Connection, ConnectionEnd, Running, ServeConnection};
use options::OneBot11Options;
use std::sync::Arc;

pub(in crate::adapter) static ADAPTER: Adapter = Adapter {
    kind: Kind {
        name: "onebot11",
        title: "OneBot 11",
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
        loses_media: false,
        advice: "start the OneBot implementation, and compare its address: it ends in /onebot/v11/ws",
        keys: &[
            ConfigKey::new(
                "history",
                "number",
                "20",
                "0",
                "messages of each conversation fetched after a reconnect; 0 fetches none",
            ),
            ConfigKey::new(
                "history_conversations",
                "number",
                "20",
                "5",
                "number of conversations whose messages are fetched after a reconnect",
            ),
            ConfigKey::new(
                "group_file",
                "string",
                "\"message\"",
                "\"upload\"",
                "how a file goes to a group: `message` or `upload`",
            ),
            MEDIA_FOLDER,
            ConfigKey::new(
                "message_format",
                "string",
                "\"array\"",
                "\"string\"",
                "`array`, or `string` for OneBot implementations that only know that",
            ),
        ],
    },
    logs_in: false,
    configure: |own| {
        let options = Arc::new(read_own::<OneBot11Options>(own)?);
        Ok(Service::Connections(Arc::new(OneBot11 { options })))
    },
};

#[derive(Debug)]
struct OneBot11 {
    options: Arc<OneBot11Options>,
}

impl ServeConnection for OneBot11 {
    fn serve(self: Arc<Self>, connection: Connection) -> Running<ConnectionEnd> {
        Box::pin(connection::run(connection, Arc::clone(&self.options)))
    }
}

/// Reads a message with CQ codes, for the fuzz target.
#[cfg(fuzzing)]
pub(in crate::adapter) fn read_cq(text: &str) {
    if let Ok(json) = serde_json::value::to_raw_value(text) {
        assert!(!reading::read(&json, &|user| user == "1").content.is_empty());
    }
}

/// Composes what is sent of segments in the contract's JSON, for the fuzz target.
#[cfg(fuzzing)]
pub(in crate::adapter) fn compose_segments(segments: &str) {
    let Ok(content) = crate::model::content::Content::from_json(segments) else { return };
    let message = crate::adapter::api::Outbound::new(uuid::Uuid::nil(), "group_1", content);
    let Some(address) = address::OneBot11Address::parse(&message.conversation) else { return };
    let Ok(steps) = compose::steps(&message, &address, "1", &OneBot11Options::default()) else {
        return;
    };
    for step in &steps {
        if let compose::StepBody::Message(segments) = &step.body {
            for format in [options::MessageFormat::Array, options::MessageFormat::String] {
                assert!(serde_json::to_string(&compose::write(segments, format)).is_ok());
            }
        }
    }
}
