//! The product, as its users meet it: the real binary, over real sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
#![allow(clippy::print_stderr, reason = "tests say what went wrong")]

#[path = "../common/account.rs"]
mod account;
#[path = "../common/framework.rs"]
mod framework;
#[path = "../common/onebot.rs"]
mod onebot;
#[path = "../common/onebot11.rs"]
mod onebot11;
#[path = "../common/onebot12.rs"]
mod onebot12;
#[path = "../common/satori_client.rs"]
mod satori_client;
#[path = "../common/server.rs"]
mod server;
#[path = "../common/small_disk.rs"]
mod small_disk;
#[path = "../common/socket.rs"]
mod socket;
#[path = "../common/terminal.rs"]
mod terminal;
#[path = "../common/tools.rs"]
mod tools;

mod access;
mod actions;
mod agents;
mod agents_audit;
mod agents_elsewhere;
mod agents_hidden;
mod bots;
mod bots_elsewhere;
mod bots_flood;
mod bots_load;
mod bots_unnamed_account;
mod clock;
mod commands;
mod content;
mod conversations;
mod crash;
mod damage;
mod damage_in_replay;
mod data;
mod delivery;
mod delivery12;
mod described;
mod disk;
mod doctor;
mod errors;
mod examples;
mod faults;
mod forms_in_doubt;
mod forwards;
mod frameworks;
mod generated;
mod guides;
mod http;
mod https;
mod late_parts;
mod limits;
mod lively;
mod media;
mod media_attack;
mod media_failures;
mod media_of_platforms;
mod media_parts;
mod members;
mod metrics;
mod names;
mod outcomes;
mod output;
mod overviews;
mod parts;
mod parts_in_doubt;
mod readme;
mod reload;
mod routing;
mod satori;
mod satori_attack;
mod satori_webhook;
mod search;
mod sending;
mod signing_in;
mod socket_commands;
mod socket_cursor;
mod socket_cursor_model;
mod socket_events;
mod socket_resume;
mod socket_slow;
mod socket_subscriptions;
mod status_by_hand;
mod stopping;
mod stream;
mod terminal_output;
mod told_as_text;
mod tui;
