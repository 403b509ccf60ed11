//! The shapes that go over the wire between a server and its clients. Each shape is defined once.

pub mod asyncapi;
pub mod bots;
pub mod command;
pub mod event;
pub mod http;
pub mod json;
pub mod json_text;
pub mod login;
pub mod message;
pub mod overview;
pub mod platform;
mod schema;
pub mod sign_in;
