//! `rechat list`

use super::conversation::filter_of;
use super::ids::place;
use super::listing::{ListForm, Look, change_row, printed, watched_row};
use super::names::fill_names;
use super::open::reader;
use super::output::Output;
use crate::cli::{Column, Globals, ListArgs};
use crate::client::{Begin, CHANGES, Client, Followed};
use crate::clock::now;
use crate::error::{Result, tell};
use crate::model::message::{Message, Status};
use crate::search::Conditions;
use crate::store::{MessageFilter, Order, Page};

/// Said by `--follow` where the place it was at is unknown to the server.
pub(super) const STORE_REPLACED: &str = "the server's store is another one now, or an older copy: messages \
                              from before this line may be missing";

pub(super) async fn run(list: ListArgs, globals: &Globals) -> Result<()> {
    let mut client = reader(&list.source, globals).await?;
    let filter = filter_of(&mut client, list.status.clone(), &list.filter).await?;
    let page = Page { offset: list.offset, limit: list.limit, before: None };
    let before = match &list.before {
        Some(text) => Some(place(&mut client, text).await?),
        None => None,
    };
    let conditions = Conditions {
        text: list.search.clone(),
        message_type: list.message_type,
        sender: list.sender.clone(),
        since: list.since,
        until: list.until,
    };
    let mut messages = if conditions == Conditions::default() && list.order == Order::Seq {
        client.list(&filter, page, before.as_deref()).await?
    } else {
        client.search(&conditions, list.order, &filter, page, before.as_deref()).await?
    };
    let mut out = if list.follow { Output::new(globals) } else { Output::paged(globals) };
    let form = ListForm::of(&list.shape, &out);
    if form.has_names() {
        fill_names(&mut client, &mut messages).await?;
    }
    if list.follow {
        return follow(client, &filter, messages, list.limit, &form, out).await;
    }
    let form =
        if filter.conversation.is_some() { form.without(Column::Conversation) } else { form };
    form.print(&mut out, &messages)?;
    out.finish()
}

/// Prints what there is, the oldest first, and then whatever comes.
async fn follow(
    client: Client,
    filter: &MessageFilter,
    mut messages: Vec<Message>,
    limit: usize,
    form: &ListForm,
    mut out: Output,
) -> Result<()> {
    // Where nothing was listed, everything that comes is new; nothing was to be listed with 0.
    let newest = messages.first().map(|message| message.id.to_string());
    let since = newest.or((limit > 0).then(|| "0".to_owned()));
    messages.reverse();
    let print = |out: &mut Output, message: &Message| {
        if form.is_table() {
            out.line(printed(&watched_row(message), out.has_color))?;
        } else {
            form.print_one(out, message)?;
        }
        out.flush()
    };
    messages.iter().try_for_each(|message| print(&mut out, message))?;
    // Programs get each message once, as it was when it came.
    let events = if form.is_table() { &CHANGES[..] } else { &[] };
    let mut following = client.follow(filter, Begin::Since(since.as_deref()), events).await?;
    loop {
        let row = match following.next().await? {
            Followed::Message(mut message) => {
                if form.has_names() {
                    following.fill_name(&mut message).await;
                }
                print(&mut out, &message)?;
                continue;
            }
            Followed::StoreReplaced => {
                tell(STORE_REPLACED);
                continue;
            }
            // The end of the attempt tells more.
            Followed::Status(change) if change.status == Status::Sending => continue,
            Followed::Status(change) => {
                let why = change.last_error.map(|why| format!(" ({why})")).unwrap_or_default();
                let text = format!("{}{why}", change.status);
                change_row(change.id, change.updated_at, &text, Look::Status(change.status))
            }
            Followed::Updated(mut message) => {
                following.fill_name(&mut message).await;
                watched_row(&message)
            }
            Followed::Deleted(deleted) => change_row(deleted.id, now(), "deleted", Look::Quiet),
        };
        out.line(printed(&row, out.has_color))?;
        out.flush()?;
    }
}
