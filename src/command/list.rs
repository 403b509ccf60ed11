//! `rechat list`

use super::context::with_context;
use super::conversation::filter_of;
use super::ids::position;
use super::listing::{CellStyle, ListForm, StyledText, change_row, printed, watched_row};
use super::names::fill_names;
use super::output::Output;
use super::printed_messages::ListedMessages;
use super::source::reader;
use crate::cli::{Column, GlobalOptions, ListArgs};
use crate::client::{Begin, CHANGES, Client, Followed, MessageFollower};
use crate::clock::now;
use crate::error::{Result, tell};
use crate::model::message::{LOCAL, Message, Status};
use crate::search::Conditions;
use crate::store::{MessageFilter, Order, Page};

/// Said where the position to go on from is older than the events that are kept, and no message is known
/// to go on from.
pub(super) const EVENTS_GONE: &str = "the server does not keep the events any more that came before this \
                           line (`log.days`, `log.events`): messages may be missing; `rechat list` has all";

/// Said by `--follow` where only the messages of that time are known.
const CHANGES_GONE: &str = "the server does not keep the events any more that came before this line \
                            (`log.days`, `log.events`): changes of earlier messages may be missing, no \
                            message is";

/// Said by `--follow` where the position it was at is unknown to the server.
pub(super) const STORE_REPLACED: &str = "the server's store is another one now, or an older copy: messages \
                              from before this line may be missing";

pub(super) async fn run(list: ListArgs, globals: &GlobalOptions) -> Result<()> {
    list.check()?;
    let mut client = reader(&list.source, globals).await?;
    let filter = filter_of(&mut client, list.status.clone(), &list.filter).await?;
    let conditions = Conditions {
        text: list.search.clone(),
        message_type: list.message_type,
        sender: list.sender.clone(),
        since: list.since,
        until: list.until,
    };
    if list.follow {
        return follow(client, &list, &filter, &conditions, globals).await;
    }
    let before = match &list.before {
        Some(text) => Some(position(&mut client, text).await?),
        None => None,
    };
    let messages = page_of(&mut client, &list, &filter, &conditions, before.as_deref()).await?;
    let is_empty = messages.is_empty();
    let mut groups = match list.context {
        Some(count) => with_context(&mut client, messages, count).await?,
        None => vec![messages],
    };
    let mut out = Output::paged(globals);
    let form = ListForm::of(&list.shape, &out).marking(list.search.as_deref());
    if form.has_names() {
        for messages in &mut groups {
            fill_names(&mut client, messages).await?;
        }
    }
    let form =
        if filter.conversation.is_some() { form.without(Column::Conversation) } else { form };
    form.print_groups(&mut out, &groups.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
    out.finish()?;
    if let Some(platform) = list.filter.platform.as_deref().filter(|_| is_empty) {
        tell_unknown(&mut client, platform).await?;
    }
    Ok(())
}

/// Tells where a platform is named that has no message and is not known: it may be mistyped.
async fn tell_unknown(client: &mut Client, platform: &str) -> Result<()> {
    let known = client.known_platforms(None).await?;
    if platform != LOCAL && !known.contains(platform) {
        let names: Vec<_> = known.iter().map(String::as_str).collect();
        tell(format_args!(
            "the platform `{platform}` is not known; there are: {}",
            names.join(", ")
        ));
    }
    Ok(())
}

/// The messages that are asked for, the newest first.
async fn page_of(
    client: &mut Client,
    list: &ListArgs,
    filter: &MessageFilter,
    conditions: &Conditions,
    before: Option<&str>,
) -> Result<Vec<Message>> {
    let page = Page { offset: list.offset, limit: list.limit, before: None };
    let order = list.order.unwrap_or_else(|| usual_order(list, filter));
    if *conditions == Conditions::default() && order == Order::Seq {
        client.list(filter, page, before).await
    } else {
        client.search(conditions, order, filter, page, before).await
    }
}

/// The order of a list for which none is asked: a conversation is read as it was said. What is
/// followed goes on as messages come, and so its beginning is in that order too.
fn usual_order(list: &ListArgs, filter: &MessageFilter) -> Order {
    if filter.conversation.is_some() && !list.follow { Order::Time } else { Order::Seq }
}

/// Prints what there is, the oldest first, and then whatever comes.
async fn follow(
    mut client: Client,
    list: &ListArgs,
    filter: &MessageFilter,
    conditions: &Conditions,
    globals: &GlobalOptions,
) -> Result<()> {
    let mut out = Output::new(globals);
    let form = ListForm::of(&list.shape, &out).marking(list.search.as_deref());
    // Programs get each message once, as it was when it came.
    let events = if form.is_table() { &CHANGES[..] } else { &[] };
    // The list ends where the stream begins, however long ago the newest match was made. The stream
    // is open before the list is read, so that no change comes between them.
    let newest = client.newest().await?;
    let begin = newest.to_string();
    let begin = Begin::Since(Some(&begin));
    let mut following = client.follow(filter, conditions, begin, events).await?;
    let before = (newest + 1).to_string();
    let mut messages = page_of(&mut client, list, filter, conditions, Some(&before)).await?;
    if form.has_names() {
        fill_names(&mut client, &mut messages).await?;
    }
    messages.reverse();
    messages.iter().try_for_each(|message| print_message(&mut out, &form, message))?;
    following.remember(messages.iter().map(|message| message.id));
    let listed = ListedMessages::of(&messages);
    drop(messages);
    print_changes(following, listed, &form, &mut out).await
}

/// Prints what comes after the list, until the stream ends with an error.
async fn print_changes(
    mut following: MessageFollower,
    mut listed: ListedMessages,
    form: &ListForm,
    out: &mut Output,
) -> Result<()> {
    loop {
        let followed = following.next().await?;
        // The end of an attempt tells more than its beginning.
        let begins =
            matches!(&followed, Followed::Status(change) if change.status == Status::Sending);
        if begins || listed.has(&followed) {
            continue;
        }
        match followed {
            Followed::Message(mut message) => {
                if form.has_names() {
                    following.fill_name(&mut message).await;
                }
                print_message(out, form, &message)?;
            }
            Followed::Updated(mut message) => {
                following.fill_name(&mut message).await;
                print_row(out, &watched_row(&message, form.needle()))?;
            }
            Followed::Status(change) => {
                let why = change.last_error.map(|why| format!(" ({why})")).unwrap_or_default();
                let text = format!("{}{why}", change.status);
                let style = CellStyle::Status(change.status);
                print_row(out, &change_row(change.id, change.updated_at, &text, style))?;
            }
            Followed::Deleted(deleted) => {
                print_row(out, &change_row(deleted.id, now(), "deleted", CellStyle::Quiet))?;
            }
            Followed::StoreReplaced => tell(STORE_REPLACED),
            Followed::EventsGone { with_messages } => {
                tell(if with_messages { EVENTS_GONE } else { CHANGES_GONE });
            }
        }
    }
}

/// Prints a new message at once.
fn print_message(out: &mut Output, form: &ListForm, message: &Message) -> Result<()> {
    if form.is_table() {
        return print_row(out, &watched_row(message, form.needle()));
    }
    form.print_one(out, message)?;
    out.flush()
}

fn print_row(out: &mut Output, row: &[StyledText]) -> Result<()> {
    out.line(printed(row, out.has_color))?;
    out.flush()
}
