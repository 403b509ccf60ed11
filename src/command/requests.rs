//! `rechat requests`

use super::listing::{short_time, utc};
use super::output::Output;
use super::rows::{Grid, cell, quiet};
use super::source::reader;
use crate::cli::{GlobalOptions, RequestsArgs};
use crate::clock::now;
use crate::error::{Error, Result};
use crate::model::notice::NoticeKind;
use crate::protocol::http::{Request, RequestAnswer};
use jiff::tz::TimeZone;

pub(super) async fn run(asked: RequestsArgs, globals: &GlobalOptions) -> Result<()> {
    let mut client = reader(&asked.source, globals).await?;
    let mut out = Output::paged(globals);
    let requests = match asked.id {
        None => client.requests().await?,
        Some(id) if asked.approve || asked.refuse => {
            let answer = RequestAnswer { approve: asked.approve, reason: asked.reason };
            vec![client.answer_request(id, &answer).await?]
        }
        Some(id) => {
            return Err(Error::usage(format!("the answer to request {id} is missing"))
                .hint("write --approve or --refuse"));
        }
    };
    if asked.json {
        requests.iter().try_for_each(|request| out.json(request))?;
        return out.finish();
    }
    let (now, zone) = (now(), TimeZone::system());
    let mut grid = Grid::new(["NUMBER", "TIME", "PLATFORM", "FROM", "TO", "STATE", "WORDS"]);
    for request in requests {
        let at = request.created_at;
        let at = if out.is_terminal { short_time(at, now, &zone) } else { utc(at) };
        let Request { id, platform, account, conversation, user, text, approved, kind, .. } =
            request;
        let user = user.map(|user| if user.name.is_empty() { user.id } else { user.name });
        let state = match approved {
            None => "waits",
            Some(true) => "approved",
            Some(false) => "refused",
        };
        grid.push([
            cell(id.to_string()),
            quiet(at),
            cell(platform),
            cell(user.unwrap_or_default()),
            cell(asked_of(kind, conversation, account)),
            cell(state),
            cell(text),
        ]);
    }
    grid.print(&mut out, "no requests")?;
    out.finish()
}

/// The group that somebody wants to join, or the account whose friend somebody wants to be.
fn asked_of(kind: NoticeKind, conversation: Option<String>, account: String) -> String {
    conversation.filter(|_| kind != NoticeKind::FriendRequest).unwrap_or(account)
}
