//! Asking the server for what the model wants, one thing after the other.

use super::model::conversations::MOST;
use super::model::scope::{Key, Scope};
use super::model::{Reply, Request};
use crate::client::{HistoryPage, Server};
use crate::error::Result;
use crate::store::ConversationQuery;
use std::collections::VecDeque;
use tokio::sync::mpsc::{Receiver, Sender};
use uuid::Uuid;

/// Answers requests until nobody asks any more.
pub async fn answer(mut server: Server, mut requests: Receiver<Request>, answers: Sender<Reply>) {
    let mut waiting = VecDeque::new();
    while let Some(request) = requests.recv().await {
        waiting.push_back(request);
        while let Some(request) = waiting.pop_front() {
            while let Ok(more) = requests.try_recv() {
                waiting.push_back(more);
            }
            // Only the page that was asked for last is still wanted.
            let is_page = |request: &Request| matches!(request, Request::Page { .. });
            if is_page(&request) && waiting.iter().any(is_page) {
                continue;
            }
            if answers.send(ask(&mut server, request).await).await.is_err() {
                return;
            }
        }
    }
}

async fn ask(server: &mut Server, request: Request) -> Reply {
    if let Request::Page { ticket, wanted } = request {
        return match server.page(&wanted).await {
            Ok(found) => Reply::Page { ticket, found },
            Err(error) => Reply::NoPage { ticket, why: error.to_string() },
        };
    }
    if let Request::Send(message) = request {
        let key = Uuid::new_v4();
        let mut sent = server.create(&message, key).await;
        if sent.is_err() {
            // The connection may just have gone; the key sees to it that it is made once.
            sent = server.create(&message, key).await;
        }
        return match sent {
            Ok(message) => Reply::Made(Box::new(message)),
            Err(error) => Reply::NotSent { why: error.to_string() },
        };
    }
    try_ask(server, request).await.unwrap_or_else(|error| Reply::Failed(error.to_string()))
}

async fn try_ask(server: &mut Server, request: Request) -> Result<Reply> {
    Ok(match request {
        Request::Conversations => {
            let kept = ConversationQuery { limit: Some(MOST), ..ConversationQuery::default() };
            Reply::Conversations(server.conversations(&kept).await?)
        }
        Request::Platforms => Reply::Platforms(server.platforms().await?),
        Request::Stats => Reply::Stats(server.stats().await?),
        Request::LastOf(key) => Reply::LastOf(last_of(server, key).await?.map(Box::new)),
        Request::SetStatus(id, status) => {
            Reply::Changed(Box::new(server.set_status(id, status).await?))
        }
        Request::Delete(id) => {
            server.delete(id).await?;
            Reply::Deleted(id)
        }
        Request::Page { .. } | Request::Send(_) => unreachable!("answered above"),
    })
}

async fn last_of(server: &mut Server, key: Key) -> Result<Option<crate::model::message::Message>> {
    let scope = Scope { conversation: Some(key), ..Scope::default() };
    let HistoryPage { messages, .. } = server.page(&scope.page(u64::MAX.to_string(), 1)).await?;
    Ok(messages.into_iter().next())
}
