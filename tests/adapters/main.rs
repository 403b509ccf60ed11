//! The adapters against implementations that speak over real sockets, without the server.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

#[path = "../common/onebot.rs"]
mod onebot;
#[path = "../common/onebot11.rs"]
mod onebot11;
#[path = "../common/onebot12.rs"]
mod onebot12;

mod fixtures;
mod forward;
mod loopback;
mod members;
mod rechat;
mod segments;
mod v11;
mod v12;
