//! Values of arguments: names in any case, IDs.

use crate::model::id_prefix::IdPrefix;
use crate::model::message::{Direction, MessageType, Status};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

/// Types of messages.
pub(super) fn types() -> impl TypedValueParser<Value = MessageType> {
    one_of(MessageType::ALL.map(|known| (PossibleValue::new(known.as_str()), known)))
}

/// States of messages.
pub(super) fn statuses() -> impl TypedValueParser<Value = Status> {
    one_of(Status::ALL.map(|status| {
        let help = match status {
            Status::Pending => "Stored, and waits to be sent",
            Status::Sending => "An attempt is under way",
            Status::Sent => "Confirmed by the platform, or received from it",
            Status::Failed => "Given up; `last_error` says why",
            Status::Canceled => "Taken back before it was sent",
        };
        (PossibleValue::new(status.as_str()).help(help), status)
    }))
}

/// Directions of messages.
pub(super) fn directions() -> impl TypedValueParser<Value = Direction> {
    one_of(Direction::ALL.map(|direction| {
        let short = match direction {
            Direction::Outbound => "out",
            Direction::Inbound => "in",
        };
        (PossibleValue::new(direction.as_str()).alias(short), direction)
    }))
}

/// One of these, in any case.
fn one_of<T, const N: usize>(all: [(PossibleValue, T); N]) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    let names = all.clone().map(|(name, _)| name);
    PossibleValuesParser::new(names).try_map(move |typed| {
        let found = all.iter().find(|(name, _)| name.matches(&typed, true));
        found.map(|(_, value)| *value).ok_or("unknown")
    })
}

/// Reads the ID of a message, or the beginning of one.
pub(super) fn id(text: &str) -> Result<IdPrefix, &'static str> {
    text.parse().map_err(|_| {
        "a message is named by its ID or the first 4 digits of it and more; `rechat list` shows them"
    })
}
