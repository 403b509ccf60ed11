//! Tests of the terminal client's state: events go in, and what it wants done comes out.

mod any_order;
pub mod fixture;
mod late_answers;
mod leaving;
mod screen;
mod search;
mod server;
mod stream;
mod texts;
mod unread;
mod writing;
