//! Tools that read: conversations, messages, platforms.

use super::answers::{
    ConversationPage, FoundMessages, MessagePage, ShownConversation, ShownPlatforms, fitting,
};
use super::arguments::{AskedPart, ListConversations, ReadMessages, SearchMessages};
use super::context::{AgentContext, SeenMessage};
use super::position::HistoryPosition;
use super::source::{Chats, Source};
use crate::error::{Error, Result};
use crate::model::message::check_name;
use crate::store::{ConversationQuery, MessageFilter};

/// The most pages that are read for one answer if most of their content is hidden.
pub(super) const MAX_PAGES: usize = 50;

/// Conversations or messages on such a page.
pub(super) const PAGE: usize = 100;

/// `list_conversations`
pub(super) async fn list_conversations<S: Source>(
    context: &AgentContext<S>,
    arguments: ListConversations,
) -> Result<ConversationPage> {
    let limit = arguments.limit();
    let mut query = ConversationQuery {
        platform: checked("platform", arguments.platform.as_deref())?,
        text: arguments.text.clone(),
        before: None,
        limit: Some(PAGE),
        is_brief: false,
    };
    let mut chats = context.read().await?;
    if let Some(given) = arguments.position()? {
        let HistoryPosition::Seq(seq) = context.position(&mut chats, given).await? else {
            return Err(Error::failed("`cursor` must be what `next` gave"));
        };
        query.before = Some(seq);
    }
    let is_wanted = |unread: u64| unread > 0 || arguments.unread != Some(true);
    let mut found: Vec<(u64, ShownConversation)> = Vec::new();
    for _ in 0..MAX_PAGES {
        let page = chats.conversations(&query).await?;
        for known in &page {
            query.before = Some(known.last_seq);
            let is_shown = context.bounds.shows(&known.platform, &known.conversation);
            if !is_shown || !is_wanted(known.unread) {
                continue;
            }
            if found.len() == limit {
                return page_of(context, found, None);
            }
            found.push((known.last_seq, ShownConversation::of(known)));
        }
        if page.len() < PAGE {
            let conversations = found.into_iter().map(|(_, shown)| shown).collect();
            return Ok(ConversationPage { conversations, next: None });
        }
    }
    page_of(context, found, query.before)
}

/// The next page: from `looked_to` on, or else after the last conversation.
fn page_of<S: Source>(
    context: &AgentContext<S>,
    found: Vec<(u64, ShownConversation)>,
    looked_to: Option<u64>,
) -> Result<ConversationPage> {
    let next = looked_to.or(found.last().map(|(last, _)| *last)).map(HistoryPosition::Seq);
    let next = next.map(|position| context.bounds.seal().seal(position)).transpose()?;
    let conversations = found.into_iter().map(|(_, shown)| shown).collect();
    Ok(ConversationPage { conversations, next })
}

/// `read_messages`
pub(super) async fn read_messages<S: Source>(
    context: &AgentContext<S>,
    arguments: ReadMessages,
) -> Result<MessagePage> {
    let (limit, part) = (arguments.limit(), arguments.part()?);
    let mut chats = context.read().await?;
    let (platform, conversation) = (&*arguments.platform, &*arguments.conversation);
    context.conversation(&mut chats, platform, conversation).await?;
    let filter = MessageFilter {
        platform: Some(platform.to_owned()),
        conversation: Some(conversation.to_owned()),
        ..MessageFilter::default()
    };
    let mut page = match part {
        AskedPart::Latest => before(context, &mut chats, &filter, limit, None).await?,
        AskedPart::Before(given) => {
            let position = context.position(&mut chats, given).await?;
            before(context, &mut chats, &filter, limit, Some(position)).await?
        }
        AskedPart::After(given) => {
            let position = context.position(&mut chats, given).await?;
            after(context, &mut chats, &filter, limit, position).await?
        }
        AskedPart::Around(id) => {
            let target = context.message(&mut chats, id).await?;
            if !filter.matches(&target) {
                return Err(Error::failed(format!("message {id} is not in this conversation")));
            }
            around(context, &mut chats, &filter, limit, target).await?
        }
    };
    page.after = page.after.or(arguments.before).or(arguments.after);
    Ok(page)
}

async fn before<S: Source>(
    context: &AgentContext<S>,
    chats: &mut S::Chats,
    filter: &MessageFilter,
    limit: usize,
    position: Option<HistoryPosition>,
) -> Result<MessagePage> {
    let at = position.map(|position| position.to_string());
    let mut found = chats.list(filter, limit + 1, at.as_deref()).await?;
    let is_cut = found.len() > limit;
    found.truncate(limit);
    let (mut messages, is_all) = fitting(&context.seen(chats, found).await?, 1);
    messages.reverse();
    let first = messages.first().map(|message| message.id.clone());
    Ok(MessagePage {
        before: first.filter(|_| is_cut || !is_all),
        after: messages.last().map(|message| message.id.clone()),
        more_after: position.is_some(),
        messages,
    })
}

async fn after<S: Source>(
    context: &AgentContext<S>,
    chats: &mut S::Chats,
    filter: &MessageFilter,
    limit: usize,
    position: HistoryPosition,
) -> Result<MessagePage> {
    let mut found = chats.list_after(filter, &position.to_string(), limit + 1).await?;
    let is_cut = found.len() > limit;
    found.truncate(limit);
    let (messages, is_all) = fitting(&context.seen(chats, found).await?, 1);
    Ok(MessagePage {
        before: messages.first().map(|message| message.id.clone()),
        after: messages.last().map(|message| message.id.clone()),
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
    let (conditions, limit) = (arguments.conditions()?, arguments.limit());
    let given = arguments.position()?;
    let mut chats = context.read().await?;
    let (platform, conversation) =
        (arguments.platform.as_deref(), arguments.conversation.as_deref());
    let filter = narrowed(context, &mut chats, platform, conversation).await?;
    let mut position = match given {
        Some(given) => Some(context.position(&mut chats, given).await?),
        None => None,
    };
    // One more than is shown, so that hidden messages have no influence on whether there is more.
    let (mut found, mut has_more, mut pages) = (Vec::new(), true, 0);
    while found.len() <= limit && has_more && pages < MAX_PAGES {
        let at = position.map(|position| position.to_string());
        let page = chats.search(&conditions, &filter, PAGE, at.as_deref()).await?;
        has_more = page.len() == PAGE;
        position = page.last().map(|message| HistoryPosition::Message(message.id)).or(position);
        found.extend(context.seen(&mut chats, page).await?);
        pages += 1;
    }
    let (messages, is_all) = fitting(&found[..found.len().min(limit)], 1);
    let is_cut = !is_all || found.len() > limit;
    let next = match (messages.last().filter(|_| is_cut), position.filter(|_| has_more)) {
        (Some(last), _) => Some(last.id.clone()),
        (None, Some(looked_to)) => Some(context.bounds.seal().seal(looked_to)?),
        (None, None) => None,
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

/// The filter for a platform or conversation that agents see.
pub(super) async fn narrowed<S: Source>(
    context: &AgentContext<S>,
    chats: &mut S::Chats,
    platform: Option<&str>,
    conversation: Option<&str>,
) -> Result<MessageFilter> {
    let platform = checked("platform", platform)?;
    let conversation = checked("conversation", conversation)?;
    if let Some(conversation) = &conversation {
        let platform = platform.as_deref().ok_or_else(|| {
            Error::failed("`conversation` needs `platform`; list_conversations gives both")
        })?;
        context.conversation(chats, platform, conversation).await?;
    }
    Ok(MessageFilter { platform, conversation, ..MessageFilter::default() })
}

fn checked(field: &str, name: Option<&str>) -> Result<Option<String>> {
    if let Some(name) = name {
        check_name(field, name).map_err(Error::failed)?;
    }
    Ok(name.map(str::to_owned))
}
