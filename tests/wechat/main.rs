//! WeChat by its bot interface: the real binary beside a fake of the interface, and beside an
//! implementation of it that others wrote.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
#![allow(clippy::print_stderr, reason = "tests say what went wrong")]

#[path = "../common/framework.rs"]
mod framework;
#[path = "../common/satori_client.rs"]
mod satori_client;
#[path = "../common/server.rs"]
mod server;
#[path = "../common/small_disk.rs"]
mod small_disk;
#[path = "../common/tools.rs"]
mod tools;

mod bench;
mod bots;
mod chat;
mod crash;
mod disk;
mod fake;
mod http;
mod hub;
mod limits;
mod login;
mod media;
mod polls;
mod random;
