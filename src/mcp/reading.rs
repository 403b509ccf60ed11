//! Tools that read: conversations, messages, platforms.

use super::arguments::{AskedPlace, ListConversations, ReadMessages, SearchMessages, cursor};
use super::context::{AgentContext, SeenMessage};
use super::shown::{
    ConversationPage, FoundMessages, MessagePage, ShownConversation, ShownPlatforms, fitting,
};
use super::source::{Chats, Source};
use crate::error::{Error, Result};
use crate::model::message::check_name;
use crate::store::{ConversationQuery, MessageFilter};

/// Pages that are read for one answer, where most of what is on them is hidden.
const MAX_PAGES: usize = 20;

/// Conversations or messages of one such page.
const PAGE: usize = 100;

/// `list_conversations`
pub(super) async fn list_conversations<S: Source>(
    context: &AgentContext<S>,
    arguments: ListConversations,
) -> Result<ConversationPage> {
    let mut query = ConversationQuery {
        platform: checked("platform", arguments.platform.as_deref())?,
        text: arguments.text.clone(),
        before: None,
        limit: Some(PAGE),
        is_brief: false,
    };
    if let Some(text) = &arguments.cursor {
        let place = text.parse().map_err(|_| Error::failed("`cursor` must be what `next` gave"))?;
        query.before = Some(place);
    }
    let is_wanted = |unread: u64| unread > 0 || arguments.unread != Some(true);
    let mut chats = context.read().await?;
    let mut found = Vec::new();
    for _ in 0..MAX_PAGES {
        let page = chats.conversations(&query).await?;
        for known in &page {
            query.before = Some(known.last_seq);
            let is_shown = context.bounds.shows(&known.platform, &known.conversation);
            found.extend(
                (is_shown && is_wanted(known.unread)).then(|| ShownConversation::of(known)),
            );
            if found.len() == arguments.limit() {
                return Ok(page_of(found, query.before));
            }
        }
        if page.len() < PAGE {
            return Ok(page_of(found, None));
        }
    }
    Ok(page_of(found, query.before))
}

fn page_of(conversations: Vec<ShownConversation>, next: Option<u64>) -> ConversationPage {
    ConversationPage { conversations, next: next.map(|seq| seq.to_string()) }
}

/// `read_messages`
pub(super) async fn read_messages<S: Source>(
    context: &AgentContext<S>,
    arguments: ReadMessages,
) -> Result<MessagePage> {
    let limit = arguments.limit();
    let mut chats = context.read().await?;
    let (platform, conversation) = (&*arguments.platform, &*arguments.conversation);
    context.conversation(&mut chats, platform, conversation).await?;
    let filter = MessageFilter {
        platform: Some(platform.to_owned()),
        conversation: Some(conversation.to_owned()),
        ..MessageFilter::default()
    };
    match arguments.place()? {
        AskedPlace::Before(place) => before(context, &mut chats, &filter, limit, place).await,
        AskedPlace::After(place) => after(context, &mut chats, &filter, limit, place).await,
        AskedPlace::Around(id) => {
            let target = context.message(&mut chats, id).await?;
            if !filter.matches(&target) {
                return Err(Error::failed(format!("message {id} is not in this conversation")));
            }
            around(context, &mut chats, &filter, limit, target).await
        }
    }
}

async fn before<S: Source>(
    context: &AgentContext<S>,
    chats: &mut S::Chats,
    filter: &MessageFilter,
    limit: usize,
    place: Option<&str>,
) -> Result<MessagePage> {
    let mut found = chats.list(filter, limit + 1, place).await?;
    let is_cut = found.len() > limit;
    found.truncate(limit);
    let (mut messages, is_all) = fitting(&context.seen(chats, found).await?, 1);
    messages.reverse();
    let first = messages.first().map(|message| message.id.clone());
    let last = messages.last().map(|message| message.id.clone());
    Ok(MessagePage {
        before: first.filter(|_| is_cut || !is_all),
        after: last.or(place.map(str::to_owned)),
        more_after: place.is_some(),
        messages,
    })
}

async fn after<S: Source>(
    context: &AgentContext<S>,
    chats: &mut S::Chats,
    filter: &MessageFilter,
    limit: usize,
    place: &str,
) -> Result<MessagePage> {
    let mut found = chats.list_after(filter, place, limit + 1).await?;
    let is_cut = found.len() > limit;
    found.truncate(limit);
    let (messages, is_all) = fitting(&context.seen(chats, found).await?, 1);
    let last = messages.last().map(|message| message.id.clone());
    Ok(MessagePage {
        before: messages.first().map(|message| message.id.clone()),
        after: last.or(Some(place.to_owned())),
        more_after: is_cut || !is_all,
        messages,
    })
}

async fn around<S: Source>(
    context: &AgentContext<S>,
    chats: &mut S::Chats,
    filter: &MessageFilter,
    limit: usize,
    target: SeenMessage,
) -> Result<MessagePage> {
    let id = target.id.to_string();
    let half = limit / 2;
    let mut older = chats.list(filter, half + 1, Some(&id)).await?;
    let mut newer = chats.list_after(filter, &id, limit - half).await?;
    let (has_older, has_newer) = (older.len() > half, newer.len() >= limit - half);
    older.truncate(half);
    newer.truncate(limit - half - 1);
    let (mut messages, is_all_older) = fitting(&context.seen(chats, older).await?, 2);
    messages.reverse();
    let mut target_and_newer = vec![target];
    target_and_newer.extend(context.seen(chats, newer).await?);
    let (later, is_all_newer) = fitting(&target_and_newer, 2);
    messages.extend(later);
    let first = messages.first().map(|message| message.id.clone());
    Ok(MessagePage {
        before: first.filter(|_| has_older || !is_all_older),
        after: messages.last().map(|message| message.id.clone()),
        more_after: has_newer || !is_all_newer,
        messages,
    })
}

/// The latest messages of a conversation, for its resource.
pub(super) async fn latest<S: Source>(
    context: &AgentContext<S>,
    platform: &str,
    conversation: &str,
    limit: usize,
) -> Result<MessagePage> {
    let mut chats = context.read().await?;
    context.conversation(&mut chats, platform, conversation).await?;
    let filter = MessageFilter {
        platform: Some(platform.to_owned()),
        conversation: Some(conversation.to_owned()),
        ..MessageFilter::default()
    };
    before(context, &mut chats, &filter, limit, None).await
}

/// `search_messages`
pub(super) async fn search_messages<S: Source>(
    context: &AgentContext<S>,
    arguments: SearchMessages,
) -> Result<FoundMessages> {
    let conditions = arguments.conditions()?;
    let filter =
        narrowed(context, arguments.platform.as_deref(), arguments.conversation.as_deref())?;
    let limit = arguments.limit();
    let place = arguments.cursor.as_deref().map(|at| cursor("cursor", at)).transpose()?;
    let mut place = place.map(str::to_owned);
    let mut chats = context.read().await?;
    let (mut found, mut has_more) = (Vec::new(), true);
    for _ in 0..MAX_PAGES {
        let page = chats.search(&conditions, &filter, PAGE, place.as_deref()).await?;
        has_more = page.len() == PAGE;
        place = page.last().map(|message| message.id.to_string()).or(place);
        found.extend(context.seen(&mut chats, page).await?);
        if found.len() >= limit || !has_more {
            break;
        }
    }
    let (messages, is_all) = fitting(&found[..found.len().min(limit)], 1);
    let is_cut = !is_all || found.len() > limit;
    let next = match messages.last().filter(|_| is_cut) {
        Some(message) => Some(message.id.clone()),
        None => place.filter(|_| has_more),
    };
    Ok(FoundMessages { messages, next })
}

/// `list_platforms`
pub(super) async fn list_platforms<S: Source>(context: &AgentContext<S>) -> Result<ShownPlatforms> {
    let mut chats = context.read().await?;
    let platforms = chats.platforms().await?;
    let platforms =
        platforms.into_iter().filter(|one| context.bounds.shows_platform(&one.platform));
    Ok(ShownPlatforms::of(platforms.collect(), &chats))
}

/// The filter of a platform or a conversation that agents see.
pub(super) fn narrowed<S: Source>(
    context: &AgentContext<S>,
    platform: Option<&str>,
    conversation: Option<&str>,
) -> Result<MessageFilter> {
    let platform = checked("platform", platform)?;
    let conversation = checked("conversation", conversation)?;
    if let Some(conversation) = &conversation {
        let platform = platform.as_deref().ok_or_else(|| {
            Error::failed("`conversation` needs `platform`; list_conversations gives both")
        })?;
        if !context.bounds.shows(platform, conversation) {
            let text = format!("there is no conversation {platform}/{conversation}");
            return Err(Error::failed(text));
        }
    }
    Ok(MessageFilter { platform, conversation, ..MessageFilter::default() })
}

fn checked(field: &str, name: Option<&str>) -> Result<Option<String>> {
    if let Some(name) = name {
        check_name(field, name).map_err(Error::failed)?;
    }
    Ok(name.map(str::to_owned))
}
