//! Platforms in the form for models.

use crate::mcp::source::Chats;
use crate::protocol::http::AdapterStatus;
use schemars::JsonSchema;
use serde::Serialize;

/// Platforms, and how they are connected.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp) struct ShownPlatforms {
    platforms: Vec<ShownPlatform>,
    /// Whether a server runs; without one nothing is sent and nothing comes in.
    server: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ShownPlatform {
    platform: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    /// `Connecting`, `Connected`, `Disconnected` or `Error`.
    state: String,
    /// Why it is in this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl ShownPlatforms {
    pub(in crate::mcp) fn len(&self) -> usize {
        self.platforms.len()
    }

    pub(in crate::mcp) fn of(platforms: Vec<AdapterStatus>, chats: &impl Chats) -> Self {
        let platforms = platforms.into_iter().map(|one| ShownPlatform {
            platform: one.platform,
            account: one.account,
            state: format!("{:?}", one.state),
            reason: one.reason,
        });
        Self { platforms: platforms.collect(), server: chats.is_served() }
    }
}
