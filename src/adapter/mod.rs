//! Adapters: connections to the implementations of chat platforms.
//!
//! An adapter speaks to the core by the types of `api` alone: it reports [`AdapterEvent`]s to an
//! [`EventSink`] and answers the [`AccountRequest`]s that reach it by an [`AccountHandle`]. It never sees
//! the store, the hub or the server; they never name a protocol.
//!
//! To add one: copy `example.rs` (or `loopback.rs`, which also receives), and list its `ADAPTER` in
//! `kinds.rs`. The folders: `onebot` is QQ and others, `wechat` is WeChat (the
//! kind `ilink`), `transport` is WebSockets.

mod api;
mod context;
mod definition;
#[cfg(test)]
mod example;
#[cfg(fuzzing)]
pub mod fuzzing;
mod kinds;
mod loopback;
mod onebot;
mod recent;
mod registry;
mod start;
mod transport;
mod wechat;

pub use crate::model::event::AdapterState;
pub use crate::model::inbound::Inbound;
pub use crate::protocol::platform::{AdapterStatus, AdapterStatusChange, PlatformState};
pub use api::{
    AccountConversation, AccountHandle, AccountRequest, Action, ActionError, AdapterEvent,
    ConfigKey, Delivery, EventSink, ForwardOf, Found, Fragments, Kind, LoginError, LoginRequest,
    MediaOf, MediaSource, MessageRef, OnUnknown, Outbound, PartNoted, PlatformRequest, QueuedEvent,
    RateLimit, ReadMedia, RequestKind, ResolveRecipient, Settings, Transport, Window, WindowClosed,
};
pub use kinds::{AdapterConfig, kinds, login_kinds};
pub use onebot::{BotMessage, cq_of_segments, segments_of_cq};
pub use registry::{
    Changes, Registry, ThrottledChanges, configured_facts, conversations_of, is_fallback,
    loses_media,
};
pub use start::{Adapters, none, start};
pub use transport::{Endpoint, Handshake, Socket, socket_config};
