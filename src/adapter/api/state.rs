//! The state of a connection.

/// The state of an adapter's connection, as the contract spells it (Part 2, item 11).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[allow(missing_docs)]
pub enum State {
    Connecting,
    Connected,
    Disconnected,
    Error,
}
