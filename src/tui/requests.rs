//! Asking the server for what the model wants, one thing after the other.

use super::files::{self, in_background};
use super::model::conversations::MOST;
use super::model::scope::Key;
use super::model::{Reply, Request};
use crate::client::file::{OpenFile, segment};
use crate::client::{ConversationQuery, Server};
use crate::error::Result;
use crate::model::content::Media;
use crate::model::message::{Message, Status};
use crate::protocol::http::{NewMessage, ReadTo, RequestAnswer, SetConversation};
use std::collections::VecDeque;
use std::path::PathBuf;
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
            // Files take their time, and nothing else waits for them.
            if matches!(request, Request::Fetch(..) | Request::SendFile(..)) {
                let (mut server, answers) = (server.clone(), answers.clone());
                tokio::spawn(async move {
                    // Nobody is there to be told where the client has ended.
                    let _ = answers.send(ask(&mut server, request).await).await;
                });
                continue;
            }
            if answers.send(ask(&mut server, request).await).await.is_err() {
                return;
            }
        }
    }
}

async fn ask(server: &mut Server, request: Request) -> Reply {
    match request {
        Request::Page { ticket, wanted } => match server.page(&wanted).await {
            Ok(found) => Reply::Page { ticket, found },
            Err(error) => Reply::NoPage { ticket, why: error.to_string() },
        },
        Request::Send(message) => match send(server, &message).await {
            Ok(message) => Reply::Made(Box::new(message)),
            Err(error) => Reply::NotSent { why: error.to_string() },
        },
        Request::SendFile(message, path) => match send_file(server, message, path).await {
            Ok(message) => Reply::Made(Box::new(message)),
            Err(error) => Reply::NotSent { why: error.to_string() },
        },
        Request::Edit(id, change) => match server.edit(id, &change).await {
            Ok(message) => Reply::Changed(Box::new(message), "edited"),
            Err(error) => Reply::Failed(format!("not edited: {error} (↑ brings it back)")),
        },
        Request::Read(key, id) => {
            let read_to = Some(ReadTo::Text(id.to_string()));
            let set = SetConversation { read_to, ..SetConversation::default() };
            set_conversation(server, &key, &set).await.unwrap_or(Reply::NotRead)
        }
        request => {
            try_ask(server, request).await.unwrap_or_else(|error| Reply::Failed(error.to_string()))
        }
    }
}

async fn send(server: &mut Server, message: &NewMessage) -> Result<Message> {
    let key = Uuid::new_v4();
    let sent = server.create(message, key).await;
    if sent.is_err() {
        // The connection may just have gone; the key sees to it that it is made once.
        return server.create(message, key).await;
    }
    sent
}

async fn send_file(server: &mut Server, message: NewMessage, path: PathBuf) -> Result<Message> {
    let opened = in_background(move || OpenFile::open(&path)).await?;
    let (name, message_type) = (opened.name.clone(), opened.message_type);
    let kept = server.upload(&name, opened.into_body(|_| {})).await?;
    let media = Media {
        name: Some(name),
        size: Some(kept.size),
        mime: Some(kept.mime),
        media: Some(kept.media),
        ..Media::default()
    };
    let segment = segment(message_type, media);
    send(server, &NewMessage { segments: Some(vec![segment]), ..message }).await
}

async fn set_conversation(server: &mut Server, key: &Key, set: &SetConversation) -> Result<Reply> {
    let known = server.set_conversation(&key.platform, &key.conversation, set).await?;
    Ok(Reply::Conversation(known.map(Box::new)))
}

async fn try_ask(server: &mut Server, request: Request) -> Result<Reply> {
    let changed = |message, done| Reply::Changed(Box::new(message), done);
    Ok(match request {
        Request::Conversations => {
            let kept = ConversationQuery { limit: Some(MOST), ..ConversationQuery::default() };
            Reply::Conversations(server.conversations(&kept).await?)
        }
        Request::Platforms => Reply::Platforms(server.platforms().await?),
        Request::Stats => Reply::Stats(server.stats().await?),
        Request::Message(id) => match server.message(id).await? {
            Some(message) => Reply::Message(Box::new(message)),
            None => Reply::Deleted(id),
        },
        Request::ReadAll(key) => {
            let read_to = Some(ReadTo::latest());
            let set = SetConversation { read_to, ..SetConversation::default() };
            set_conversation(server, &key, &set).await?
        }
        Request::SetConversation(key, set) => set_conversation(server, &key, &set).await?,
        Request::Recall(id) => changed(server.recall(id).await?, "taken back"),
        Request::React(id, emoji, on) => {
            let done = if on { "reacted" } else { "reaction taken back" };
            changed(server.react(id, &emoji, on).await?, done)
        }
        Request::SetStatus(id, status) => {
            let done = if status == Status::Canceled { "canceled" } else { "it is sent again" };
            changed(server.set_status(id, status).await?, done)
        }
        Request::Delete(id) => {
            server.delete(id).await?;
            Reply::Deleted(id)
        }
        Request::Fetch(attachment, fetching) => {
            let (path, fetching) = files::fetch(server, *attachment, fetching).await?;
            Reply::Fetched(path, fetching)
        }
        Request::Requests => Reply::Requests(server.requests().await?),
        Request::Answer(id, approve) => {
            let answer = RequestAnswer { approve, reason: None };
            Reply::RequestAnswered(Box::new(server.answer_request(id, &answer).await?))
        }
        Request::Page { .. }
        | Request::Send(_)
        | Request::SendFile(..)
        | Request::Edit(..)
        | Request::Read(..) => unreachable!("answered above"),
    })
}
