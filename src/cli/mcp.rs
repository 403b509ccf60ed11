//! Agents.

use super::source::SourceArgs;
use clap::Args;

/// `rechat mcp`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rechat mcp
  claude mcp add rechat -- rechat mcp

Programs with an agent start it and speak the Model Context Protocol on its standard input and \
output. It only reads, unless the configuration has `mcp.send = \"allow\"`; `mcp.conversations` and \
`mcp.hide` say which conversations it shows. Each call is a line on standard error.")]
pub struct McpArgs {
    /// The server or the store to use.
    #[command(flatten)]
    pub source: SourceArgs,
}
