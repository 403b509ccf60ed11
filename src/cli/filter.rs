//! Options by which commands choose messages.

use super::values::directions;
use crate::model::message::Direction;
use clap::Args;

/// Filters by platform, conversation and direction.
#[derive(Clone, Debug, Default, Args)]
pub struct FilterArgs {
    /// Only messages of this platform
    #[arg(short, long)]
    pub platform: Option<String>,

    /// Only messages of this conversation, given by its ID or its name
    #[arg(short, long, visible_short_alias = 'r', visible_alias = "recipient")]
    pub conversation: Option<String>,

    /// Only outbound messages, or only inbound ones
    #[arg(long, ignore_case = true, value_parser = directions())]
    pub direction: Option<Direction>,
}
