//! OneBot 12, by WebSocket in both directions (connect/communication).

mod action;
mod address;
mod bot;
mod connection;
mod event;
mod files;
mod notice;
mod segment;
#[cfg(test)]
mod tests;

#[cfg(fuzzing)]
pub(in crate::adapter) use event::swallow;

use crate::adapter::api::Kind;
use crate::adapter::definition::{Adapter, Service, read_own};
use crate::adapter::onebot::common::MEDIA_FOLDER;
use crate::adapter::transport::{Connection, ConnectionEnd, Running, ServeConnection};
use serde::Deserialize;
use std::sync::Arc;

pub(in crate::adapter) static ADAPTER: Adapter = Adapter {
    kind: Kind {
        name: "onebot12",
        title: "OneBot 12",
        platform: "wechat",
        paths: &["/onebot/v12/ws", "/onebot/v12/ws/", "/onebot/v12", "/onebot/v12/"],
        addresses: address::addresses,
        resolve: address::resolve,
        is_fallback: false,
        loses_media: false,
        advice: "start the OneBot implementation, and compare its address: it ends in /onebot/v12/ws",
        keys: &[MEDIA_FOLDER],
    },
    logs_in: false,
    configure: |own| Ok(Service::Connections(Arc::new(read_own::<OneBot12>(own)?))),
};

/// The settings of OneBot 12's own.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct OneBot12 {
    /// The folder of media as the implementation sees it.
    media_folder: Option<String>,
}

impl ServeConnection for OneBot12 {
    fn serve(self: Arc<Self>, connection: Connection) -> Running<ConnectionEnd> {
        Box::pin(connection::run(connection, self.media_folder.clone()))
    }
}

/// Composes what is sent of segments in the contract's JSON, and reads that back, for the fuzz
/// target.
#[cfg(fuzzing)]
pub(in crate::adapter) fn compose_segments(segments: &str) {
    use super::common::media::ByteSource;
    let Ok(content) = crate::model::content::Content::from_json(segments) else { return };
    let segments = content.to_segments();
    let composed: Vec<_> = segments.iter().map(action::OneBot12Segment::new).collect();
    if let Ok(json) = serde_json::value::to_raw_value(&composed) {
        assert!(!segment::read(&json, &|_| false).content.is_empty());
    }
    for media in segments.iter().filter_map(crate::model::content::Segment::media) {
        if let Ok(source) = ByteSource::of(media) {
            assert!(serde_json::to_string(&action::UploadFile::new(&source, media)).is_ok());
        }
    }
}
