//! The check of platforms and conversations.

use super::report::StoreReport;
use crate::store::conversation::ConversationRow;
use crate::store::error::{Result, StoreError};
use crate::store::tables::{PostingKey, platform_term, unpack};
use crate::store::view::View;
use redb::{ReadableTable, ReadableTableMetadata};
use std::collections::HashMap;

/// Checks that the term of a name was given out, and to no other name.
fn check_term(term: PostingKey, what: &str, view: &View, report: &mut StoreReport) {
    let given = PostingKey::FIRST_NAMED..PostingKey::FIRST_NAMED + view.counters().named_terms;
    if !given.contains(&term.0) {
        report.find(format!("{what} has the number {}, which was never given", term.0));
    }
}

pub(super) fn check_platforms(view: &View, report: &mut StoreReport) -> Result<()> {
    for row in view.platforms_table()?.iter()? {
        let (name, term) = row?;
        check_term(
            PostingKey(term.value()),
            &format!("the platform {}", name.value()),
            view,
            report,
        );
        if let Err(error) = platform_term(view.platforms_table()?, view.meta_table()?, name.value())
        {
            report.find(error.to_string());
        }
    }
    Ok(())
}

pub(super) fn check_conversations(
    view: &View,
    messages: &HashMap<u32, (u64, u64)>,
    report: &mut StoreReport,
) -> Result<()> {
    for row in view.conversations_table()?.iter()? {
        let (key, bytes) = row?;
        let (platform, name) = key.value();
        let what = format!("the conversation {platform}/{name}");
        let row: ConversationRow =
            match unpack("the conversation", &[platform, name], bytes.value()) {
                Ok(row) => row,
                Err(error) => {
                    report.find(error.to_string());
                    continue;
                }
            };
        check_term(row.term, &what, view, report);
        let (counted, newest) = messages.get(&row.term.0).copied().unwrap_or_default();
        if (counted, newest) != (row.messages, row.last_seq) {
            report.find(format!(
                "{what} has {counted} messages up to {newest}, not {} up to {}",
                row.messages, row.last_seq
            ));
        }
        let listed = view.newest_table()?.get((platform, row.last_seq))?;
        let is_listed = listed.is_some_and(|listed| listed.value() == name);
        if is_listed != (counted > 0) {
            report.find(format!("{what} is {}listed", if is_listed { "" } else { "not " }));
        }
    }
    Ok(())
}

pub(super) fn check_newest(view: &View, report: &mut StoreReport) -> Result<()> {
    for row in view.newest_table()?.iter()? {
        let (key, name) = row?;
        let ((platform, newest), name) = (key.value(), name.value());
        let row = match view.conversation_row(platform, name) {
            // The check of conversations reports it.
            Err(StoreError::Damaged(_)) => continue,
            row => row?,
        };
        if row.and_then(|row| row.listed_at()) != Some(newest) {
            report
                .find(format!("the conversation {platform}/{name} is listed at {newest}, wrongly"));
        }
    }
    Ok(())
}

pub(super) fn check_late(view: &View, wanted: u64, report: &mut StoreReport) -> Result<()> {
    let rows = view.late_table()?.len()?;
    if rows != wanted {
        report.find(format!("{rows} places are kept of late messages, not {wanted}"));
    }
    Ok(())
}
