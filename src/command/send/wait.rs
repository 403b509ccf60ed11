//! `--wait`

use crate::backoff::Polls;
use crate::client::Client;
use crate::error::{Error, Result};
use crate::model::message::{Message, Status};
use crate::text::reason;
use std::time::Duration;

/// Asks until the message is sent or has failed; without a server it would never be sent.
pub(super) async fn wait(
    client: &mut Client,
    message: &mut Message,
    limit: Duration,
) -> Result<()> {
    if !client.is_served() {
        return Err(Error::failed("the message is stored, but no server runs to send it")
            .hint("start one with `rechat serve`; it sends pending messages"));
    }
    let mut polls = Polls::within(limit);
    loop {
        let why = message.last_error.as_deref().unwrap_or("no reason was given");
        match message.status {
            Status::Sent => return Ok(()),
            Status::Failed => return Err(Error::failed(format!("the message failed: {why}"))),
            Status::Canceled => return Err(Error::failed("the message was canceled")),
            Status::Pending | Status::Sending => {}
        }
        if !polls.pause().await {
            return Err(still_waits(client, message, limit).await?);
        }
        *message = client.get(message.id).await?;
    }
}

/// The error of a message that is not sent in time, with the reason where one is known.
async fn still_waits(client: &mut Client, message: &Message, limit: Duration) -> Result<Error> {
    let now = client.get(message.id).await?;
    let why = reason(&now).map(|why| format!(": {why}")).unwrap_or_default();
    let text = format!("the message is still {} after {} s{why}", message.status, limit.as_secs());
    Ok(Error::failed(text).hint(format!(
        "it stays stored; `rechat get {0}` shows its status, `rechat cancel {0}` cancels it",
        message.id
    )))
}
