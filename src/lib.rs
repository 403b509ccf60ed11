//! rechat gathers the chats of many platforms in one durable place.
//!
//! The map, from the inside out; an arrow never runs back:
//! [`message`] and [`change`] (what there is, what can happen) ← [`store`] (kept on disk) ←
//! `hub` (who watches) ← `inbox` and `outbox` (to and from platforms) ← `server` ← `command`.
//! [`adapter`] speaks to platforms, and to the core by channels only.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]
#![allow(
    clippy::cast_possible_truncation,
    reason = "numbers of bounded things; each cast is near its bound"
)]

pub mod activity;
pub mod adapter;
pub mod api;
pub mod change;
pub mod cli;
pub mod client;
pub mod clock;
pub mod command;
pub mod config;
pub mod error;
pub mod frame;
pub mod hub;
pub mod inbox;
pub mod message;
pub mod metrics;
pub mod outbox;
pub mod replay;
pub mod retention;
pub mod server;
pub mod shutdown;
pub mod store;
pub mod subscription;
pub mod tui;
