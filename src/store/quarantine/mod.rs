//! Events of platforms that could not be stored and are quarantined, so that people can look at them and try
//! again.

mod as_commands;
mod listing;
mod row;
mod space;

pub use row::Quarantined;
pub(super) use row::decode;
pub(super) use space::BYTES_KEY;
