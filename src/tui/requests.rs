//! Asking the server for what the model wants: one thing after the other, but for what may take long.

use super::files::{self, in_background};
use super::model::conversations::MAX_CONVERSATIONS;
use super::model::scope::ConversationKey;
use super::model::{NotSent, NumberedRequest, ServerReply, ServerRequest};
use super::pictures;
use crate::client::file::{OpenFile, segment};
use crate::client::{ConversationQuery, HistoryQuery, Server};
use crate::error::Result;
use crate::model::content::Media;
use crate::model::message::{Direction, Message, Sender, Status};
use crate::protocol::http::{GroupMember, NewMessage, ReadTo, RequestAnswer, SetConversation};
use crate::tui::language::{self, say};
use ratatui_image::picker::Picker;
use std::collections::VecDeque;
use std::path::PathBuf;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// Messages in which people are looked for, at once and how often.
const PEOPLE_PAGE: usize = 200;
const PEOPLE_PAGES: usize = 5;

/// Answers requests until nobody asks any more.
pub async fn answer(
    mut server: Server,
    picker: Option<Picker>,
    mut requests: mpsc::Receiver<NumberedRequest>,
    answers: mpsc::Sender<(u64, ServerReply)>,
) {
    let mut waiting = VecDeque::new();
    let mut page: Option<JoinHandle<()>> = None;
    while let Some(request) = requests.recv().await {
        waiting.push_back(request);
        while let Some(NumberedRequest { asked, request }) = waiting.pop_front() {
            while let Ok(more) = requests.try_recv() {
                waiting.push_back(more);
            }
            // Only the page that was asked for last is still wanted.
            let is_page = |request: &ServerRequest| matches!(request, ServerRequest::Page { .. });
            if is_page(&request) && waiting.iter().any(|later| is_page(&later.request)) {
                continue;
            }
            // Files, searches and long lists take their time, and nothing else waits for them.
            if matches!(
                request,
                ServerRequest::Fetch(..)
                    | ServerRequest::Picture(..)
                    | ServerRequest::SendFile(..)
                    | ServerRequest::People(..)
                    | ServerRequest::Page { .. }
            ) {
                let is_page = is_page(&request);
                if let Some(before) = page.take_if(|_| is_page) {
                    before.abort();
                }
                let (mut server, answers) = (server.clone(), answers.clone());
                let picker = picker.clone();
                let task = tokio::spawn(async move {
                    // The client may have ended; then the answer is dropped.
                    let answer = ask(&mut server, picker, request).await;
                    let _ = answers.send((asked, answer)).await;
                });
                if is_page {
                    page = Some(task);
                }
                continue;
            }
            let answer = ask(&mut server, None, request).await;
            if answers.send((asked, answer)).await.is_err() {
                return;
            }
        }
    }
}

async fn ask(server: &mut Server, picker: Option<Picker>, request: ServerRequest) -> ServerReply {
    match request {
        ServerRequest::Page { ticket, wanted } => match server.page(&wanted).await {
            Ok(found) => ServerReply::Page { ticket, found },
            Err(error) => ServerReply::NoPage { ticket, why: language::error(&error) },
        },
        ServerRequest::People(key) => match people(server, &key).await {
            Ok(people) => ServerReply::People(key, people),
            Err(error) => ServerReply::NoPeople(language::error(&error)),
        },
        ServerRequest::Send(message) => match send(server, &message).await {
            Ok(message) => ServerReply::Made(Box::new(message)),
            Err(error) => not_sent(message, None, language::error(&error)),
        },
        ServerRequest::SendFile(message, path) => {
            match send_file(server, message.clone(), path.clone()).await {
                Ok(message) => ServerReply::Made(Box::new(message)),
                Err(error) => not_sent(message, Some(path), language::error(&error)),
            }
        }
        ServerRequest::Edit(id, change) => match server.edit(id, &change).await {
            Ok(message) => ServerReply::Changed(Box::new(message), say!("edited")),
            Err(error) => ServerReply::Failed(say!(
                "not edited: {} (↑ brings it back)",
                language::error(&error)
            )),
        },
        ServerRequest::Read(key, id) => {
            let read_to = Some(ReadTo::Text(id.to_string()));
            let set = SetConversation { read_to, ..SetConversation::default() };
            set_conversation(server, &key, &set).await.unwrap_or(ServerReply::NotRead)
        }
        request => {
            let answer = try_ask(server, picker, request).await;
            answer.unwrap_or_else(|error| ServerReply::Failed(language::error(&error)))
        }
    }
}

fn not_sent(message: NewMessage, file: Option<PathBuf>, why: String) -> ServerReply {
    ServerReply::NotSent(Box::new(NotSent { message, file, why }))
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

/// Those who wrote one of the latest messages of a conversation, the latest first, then its silent
/// members, where its platform lists them.
async fn people(server: &mut Server, key: &ConversationKey) -> Result<Vec<GroupMember>> {
    let mut people = writers(server, key).await?;
    // Not every platform lists them; then the writers are all who are known.
    if let Ok(listed) = server.members(&key.platform, &key.conversation).await {
        for member in listed.members {
            match people.iter_mut().find(|known| known.id == member.id) {
                Some(known) => *known = member,
                None => people.push(member),
            }
        }
    }
    Ok(people)
}

async fn writers(server: &mut Server, key: &ConversationKey) -> Result<Vec<GroupMember>> {
    let mut people: Vec<GroupMember> = Vec::new();
    let mut wanted = HistoryQuery {
        platform: Some(key.platform.clone()),
        conversation: Some(key.conversation.clone()),
        limit: PEOPLE_PAGE,
        ..HistoryQuery::default()
    };
    for _ in 0..PEOPLE_PAGES {
        let found = server.page(&wanted).await?.messages;
        wanted.before = found.last().map(|message| message.id.to_string());
        let is_last = found.len() < PEOPLE_PAGE;
        for message in found.into_iter().filter(|m| m.direction == Direction::Inbound) {
            let is_new = |sender: &Sender| !people.iter().any(|known| known.id == sender.id);
            people.extend(message.sender.filter(is_new).map(GroupMember::from));
        }
        if is_last {
            break;
        }
    }
    Ok(people)
}

async fn set_conversation(
    server: &mut Server,
    key: &ConversationKey,
    set: &SetConversation,
) -> Result<ServerReply> {
    let known = server.set_conversation(&key.platform, &key.conversation, set).await?;
    Ok(ServerReply::Conversation(known.map(Box::new)))
}

async fn try_ask(
    server: &mut Server,
    picker: Option<Picker>,
    request: ServerRequest,
) -> Result<ServerReply> {
    let changed = |message, done| ServerReply::Changed(Box::new(message), done);
    Ok(match request {
        ServerRequest::Conversations => {
            let kept = ConversationQuery {
                limit: Some(MAX_CONVERSATIONS),
                ..ConversationQuery::default()
            };
            ServerReply::Conversations(server.conversations(&kept).await?)
        }
        ServerRequest::Platforms => ServerReply::Platforms(server.platforms().await?),
        ServerRequest::Stats => ServerReply::Stats(server.stats().await?),
        ServerRequest::Message(id) => match server.message(id).await? {
            Some(message) => ServerReply::Message(Box::new(message)),
            None => ServerReply::Deleted(id),
        },
        ServerRequest::ReadAll(key) => {
            let read_to = Some(ReadTo::latest());
            let set = SetConversation { read_to, ..SetConversation::default() };
            set_conversation(server, &key, &set).await?
        }
        ServerRequest::SetConversation(key, set) => set_conversation(server, &key, &set).await?,
        ServerRequest::Recall(id) => changed(server.recall(id).await?, say!("recalled")),
        ServerRequest::React(id, emoji, on) => {
            let done = if on { say!("reacted") } else { say!("reaction taken back") };
            changed(server.react(id, &emoji, on).await?, done)
        }
        ServerRequest::Cancel(id) => {
            let from = &Status::CANCELABLE;
            changed(server.move_status(id, from, Status::Canceled).await?, say!("canceled"))
        }
        ServerRequest::Retry(id) => {
            let from = &Status::REPEATABLE;
            changed(server.move_status(id, from, Status::Pending).await?, say!("it is sent again"))
        }
        ServerRequest::Delete(id) => {
            server.delete(id).await?;
            ServerReply::Deleted(id)
        }
        ServerRequest::Picture(attachment, size) => {
            let picture = pictures::fetch(server, picker, *attachment, size).await?;
            ServerReply::Picture(Box::new(picture))
        }
        ServerRequest::Fetch(attachment, fetching) => {
            let (path, fetching) = files::fetch(server, *attachment, fetching).await?;
            ServerReply::Fetched(path, fetching)
        }
        ServerRequest::Requests => ServerReply::Requests(server.requests().await?),
        ServerRequest::Answer(id, approve) => {
            let answer = RequestAnswer { approve, reason: None };
            ServerReply::RequestAnswered(Box::new(server.answer_request(id, &answer).await?))
        }
        ServerRequest::Page { .. }
        | ServerRequest::People(_)
        | ServerRequest::Send(_)
        | ServerRequest::SendFile(..)
        | ServerRequest::Edit(..)
        | ServerRequest::Read(..) => unreachable!("answered above"),
    })
}
