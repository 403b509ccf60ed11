//! rechat collects the chats of several platforms on one machine.
//!
//! `docs/architecture.md` has the map of the modules and the way of a message through them.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]
#![allow(
    clippy::cast_possible_truncation,
    reason = "numbers of bounded things; each cast is near its bound"
)]

pub mod actions;
pub mod activity;
pub mod adapter;
pub mod allocator;
pub mod backoff;
pub mod cli;
pub mod client;
pub mod clock;
pub mod cluster;
pub mod command;
pub mod config;
pub mod error;
pub mod gateway;
pub mod health;
pub mod hub;
pub mod ingest;
pub mod log;
pub mod low_priority;
pub mod mcp;
pub mod media;
pub mod metrics;
pub mod model;
pub mod outbox;
pub mod picture;
pub mod protocol;
pub mod raw_events;
pub mod retention;
pub mod search;
pub mod server;
pub mod shutdown;
pub mod store;
pub mod text;
pub mod tui;
