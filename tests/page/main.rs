//! The web page, in a headless Chromium that is driven as a person would.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
#![allow(clippy::print_stderr, reason = "tests say what went wrong")]

#[path = "../common/onebot.rs"]
mod onebot;
#[path = "../common/onebot11.rs"]
mod onebot11;
#[path = "../common/satori_client.rs"]
mod satori_client;
#[path = "../common/server.rs"]
mod server;
#[path = "../common/terminal.rs"]
mod terminal;
#[path = "../common/tools.rs"]
mod tools;

mod activity;
mod bots;
mod browser;
mod chat;
mod company;
mod contents;
mod files;
mod finding;
mod front;
mod held;
mod lively;
mod login;
mod looks;
mod media;
mod notifications;
mod pictures;
mod requests;
mod resume;
mod sending;
mod terminal_pictures;
mod views;
