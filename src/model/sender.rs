//! Person who wrote something.

use serde::{Deserialize, Serialize};

/// The author of a message, as the platform names them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    /// The platform's ID of the user.
    pub id: String,
    /// The name shown: the group card, else the nickname.
    pub name: String,
}
