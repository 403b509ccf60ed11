//! A change that the registry publishes.

use crate::protocol::platform::State;

/// A change of one adapter's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusChange {
    #[allow(missing_docs)]
    pub platform: String,
    /// The account, where one is known.
    pub account: Option<String>,
    #[allow(missing_docs)]
    pub state: State,
    /// Why, where there is something to say.
    pub reason: Option<String>,
}
