//! `rechat read`

use super::conversation::Known;
use super::open::writer;
use super::output::Output;
use crate::cli::{Globals, ReadArgs};
use crate::error::{Error, Result};
use crate::protocol::http::{ReadTo, SetConversation};
use crate::text::visible;

pub(super) async fn run(read: ReadArgs, globals: &Globals) -> Result<()> {
    let mut client = writer(&read.source, globals).await?;
    let mut known = Known::default();
    let mut places = Vec::new();
    for typed in &read.conversations {
        places.push(known.existing(&mut client, typed, read.platform.as_deref()).await?);
    }
    let set = SetConversation { read_to: Some(ReadTo::latest()), ..SetConversation::default() };
    let mut out = Output::new(globals);
    for (platform, conversation) in places {
        let one = client.set_conversation(&platform, &conversation, &set).await?;
        let one = one.ok_or_else(|| {
            Error::failed(format!("{conversation} on {platform} has no messages any more"))
        })?;
        if read.json {
            out.json(&one)?;
        } else {
            out.line(format_args!("{} {} read", visible(&platform), visible(&conversation)))?;
        }
    }
    out.finish()
}
