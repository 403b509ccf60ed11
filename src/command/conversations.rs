//! `rechat conversations`

use super::listing::{short_time, utc};
use super::output::Output;
use super::rows::{Grid, cell, quiet};
use super::source::reader;
use crate::cli::{ConversationsArgs, GlobalOptions};
use crate::clock::now;
use crate::error::Result;
use crate::protocol::http::Conversation;
use crate::store::ConversationQuery;
use crate::text::counted;
use jiff::tz::TimeZone;

pub(super) async fn run(which: ConversationsArgs, globals: &GlobalOptions) -> Result<()> {
    let query =
        ConversationQuery { platform: which.platform.clone(), ..ConversationQuery::default() };
    let mut all = reader(&which.source, globals).await?.conversations(&query).await?;
    all.retain(|one| is_wanted(one, &which));
    // Before the rest is cut off, and within both the latest stay first.
    all.sort_by_key(|one| one.unread == 0);
    all.truncate(which.limit);
    let mut out = Output::paged(globals);
    if which.json {
        all.iter().try_for_each(|one| out.json(one))?;
        return out.finish();
    }
    let (now, zone) = (now(), TimeZone::system());
    let mut grid = Grid::new(["NAME", "PLATFORM", "ID", "LAST MESSAGE", "UNREAD"]);
    for one in all {
        let at = one.last_at;
        let at = if out.is_terminal { short_time(at, now, &zone) } else { utc(at) };
        let unread = if out.is_terminal { unread_for_people(&one) } else { one.unread.to_string() };
        let name = cell(one.name.unwrap_or_default());
        let (platform, id) = (cell(one.platform), cell(one.conversation));
        grid.push([name, platform, id, quiet(at), cell(unread)]);
    }
    grid.print(&mut out, "no conversations")?;
    out.finish()
}

/// The unread messages and mentions, where there are some, and whether it is pinned or muted.
fn unread_for_people(one: &Conversation) -> String {
    let unread = (one.unread > 0).then(|| one.unread.to_string());
    let mentions = (one.mentions > 0).then(|| counted(one.mentions, "mention", "mentions"));
    let marks = [one.pinned.then(|| "pinned".to_owned()), one.muted.then(|| "muted".to_owned())];
    [unread, mentions].into_iter().chain(marks).flatten().collect::<Vec<_>>().join(", ")
}

fn is_wanted(one: &Conversation, which: &ConversationsArgs) -> bool {
    let has = |text: &str| {
        let text = text.to_lowercase();
        let names = [Some(&one.conversation), one.name.as_ref()];
        names.into_iter().flatten().any(|name| name.to_lowercase().contains(&text))
    };
    which.text.as_deref().is_none_or(has) && (!which.unread || one.unread > 0)
}
