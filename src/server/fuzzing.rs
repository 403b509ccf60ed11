//! What the fuzz targets call (`tests/fuzz`).

use super::query::Query;
use crate::protocol::command::Parsed;
use crate::store::View;

/// Reads a command of a WebSocket session.
pub fn command(text: &str) {
    let _ = Parsed::read(text);
}

/// Reads the query of a list.
pub fn list_query(text: &str, view: &View) {
    let _ = Query::parse(text, view);
}
