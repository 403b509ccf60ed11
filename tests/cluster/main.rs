//! Many nodes: real servers of rechat beside real NATS servers, which die one after the other.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
#![allow(clippy::print_stderr, reason = "tests say what went wrong")]

#[path = "../common/onebot.rs"]
mod onebot;
#[path = "../common/onebot11.rs"]
mod onebot11;
#[path = "../common/server.rs"]
mod server;
#[path = "../common/socket.rs"]
mod socket;
#[path = "../common/tools.rs"]
mod tools;

mod agreement;
mod behind;
mod dial_in;
mod faults;
mod figures;
mod held;
mod links;
mod meddling;
mod media;
mod model;
mod namespaces;
mod nats;
mod nodes;
mod platform;
mod starting;
mod takeover;
mod watchers;
