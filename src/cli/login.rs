//! Logging in and out.

use super::source::SourceArgs;
use clap::Args;
use clap::builder::NonEmptyStringValueParser;

/// `rechat login`
#[derive(Debug, Args)]
#[command(after_help = "Example:
  rechat login wechat

Scan the code with the phone and confirm. The server keeps the account, and uses it from then on; \
several accounts may be logged in.")]
pub struct LoginArgs {
    /// Platform to log in to
    #[arg(value_name = "PLATFORM", value_parser = NonEmptyStringValueParser::new())]
    pub platform: String,

    /// The server or the store to use.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// `rechat logout`
#[derive(Debug, Args)]
#[command(after_help = "Example:
  rechat logout wechat")]
pub struct Logout {
    /// Platform to log out of
    #[arg(value_name = "PLATFORM", value_parser = NonEmptyStringValueParser::new())]
    pub platform: String,

    /// Account to log out; needed where several are logged in
    #[arg(value_name = "ACCOUNT", value_parser = NonEmptyStringValueParser::new())]
    pub account: Option<String>,

    /// The server or the store to use.
    #[command(flatten)]
    pub source: SourceArgs,
}
