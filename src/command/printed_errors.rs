//! Prints error events of the log to standard error, for commands that have no log.

use crate::error::tell;
use std::fmt::{Debug, Write as _};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, registry};

/// Tells each error of this program.
struct ErrorLayer;

/// The text of an event, and its other fields.
#[derive(Default)]
struct Sentence {
    text: String,
    fields: String,
}

impl Visit for Sentence {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // A string takes everything.
        let _ = match field.name() {
            "message" => write!(self.text, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}

impl<S: Subscriber> Layer<S> for ErrorLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut sentence = Sentence::default();
        event.record(&mut sentence);
        tell(format_args!("{}{}", sentence.text, sentence.fields));
    }
}

/// Tells people of errors from now on.
pub(super) fn print_errors() {
    let is_ours = filter_fn(|metadata| {
        *metadata.level() == Level::ERROR && metadata.target().starts_with("rechat")
    });
    // Set once for the process; a second time changes nothing.
    let _ = registry().with(ErrorLayer.with_filter(is_ours)).try_init();
}
