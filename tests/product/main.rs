//! The product, as its users meet it: the real binary, over real sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
#![allow(clippy::print_stderr, reason = "tests say what went wrong")]

#[path = "../common/server.rs"]
mod server;

mod http;
