//! `rechat read`

use super::conversation::Known;
use super::output::Output;
use super::source::writer;
use crate::cli::{GlobalOptions, ReadArgs};
use crate::client::Client;
use crate::error::{Error, Result};
use crate::protocol::http::{ReadTo, SetConversation};
use crate::store::ConversationQuery;
use crate::text::visible;

pub(super) async fn run(read: ReadArgs, globals: &GlobalOptions) -> Result<()> {
    let mut client = writer(&read.source, globals).await?;
    let conversations = if read.all {
        unread(&mut client, read.platform.as_deref()).await?
    } else {
        let mut known = Known::default();
        let mut conversations = Vec::new();
        for typed in read.conversations.iter().chain(&read.conversation) {
            conversations.push(known.existing(&mut client, typed, read.platform.as_deref()).await?);
        }
        conversations
    };
    let set = SetConversation { read_to: Some(ReadTo::latest()), ..SetConversation::default() };
    let mut out = Output::new(globals);
    for (platform, conversation) in conversations {
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

/// The platform and the ID of every conversation with unread messages.
async fn unread(client: &mut Client, platform: Option<&str>) -> Result<Vec<(String, String)>> {
    let platform = platform.map(str::to_owned);
    let all = ConversationQuery { platform, ..ConversationQuery::default() };
    let unread = client.conversations(&all).await?.into_iter().filter(|one| one.unread > 0);
    Ok(unread.map(|one| (one.platform, one.conversation)).collect())
}
