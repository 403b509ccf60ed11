//! Events that were quarantined: a note in the health, and trying again to store them.

use crate::health::HEALTH;
use crate::metrics::METRICS;
use crate::model::platform_event::{EventSummary, PlatformEvent};
use crate::store::{self, Answer, Command, Quarantined, Store};

/// Name of this part in the health.
const PART: &str = "quarantine";

/// Events, and their bytes, that are read at a time.
const AT_ONCE: usize = 64;
const BYTES_AT_ONCE: usize = 1 << 20;

/// Result of trying again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TriedAgain {
    /// Events that are stored now.
    pub stored: usize,
    /// Events that still cannot be stored, and stay in quarantine.
    pub left: usize,
}

/// Tries again to store the events that were quarantined; those that cannot be stored stay.
///
/// # Errors
///
/// The store cannot be read or written.
pub async fn try_again(store: &Store) -> store::Result<TriedAgain> {
    let (view, mut stored, mut after) = (store.view()?, 0, 0);
    loop {
        let some = view.quarantined_after(after, AT_ONCE, BYTES_AT_ONCE)?;
        let Some(last) = some.last() else { break };
        after = last.offset;
        for Quarantined { offset, event, .. } in some {
            if let Err(error) = store.write(event.into_command()).await {
                tracing::warn!("an event stays in quarantine: {error}");
                continue;
            }
            store.write(Command::Release { offset }).await?;
            stored += 1;
        }
    }
    Ok(TriedAgain { stored, left: store.view()?.quarantined()? as usize })
}

/// Notes in the health that there are such events, as long as there are any.
pub fn report_quarantine(store: &Store) {
    let counted =
        store.view().and_then(|view| Ok((view.quarantined()?, view.quarantine_is_full()?)));
    let (count, is_full) = counted.unwrap_or_default();
    let more = if is_full { "; there is no room for more, which are lost" } else { "" };
    match count {
        0 => HEALTH.recover(PART),
        count => HEALTH.degrade(
            PART,
            format!(
                "{count} received events could not be stored and are quarantined; `rechat check` tells which, and `rechat check --retry` tries again to store them{more}"
            ),
        ),
    }
}

/// Tells of events that were not kept, because there is no room for another that cannot be stored. The
/// content is not told, only where the platform has the message.
pub(super) fn tell_dropped(command: &Command, answer: &Answer) {
    match (command, answer) {
        (Command::Together(commands), Answer::Together(answers)) => {
            for (command, answer) in commands.iter().zip(answers) {
                if let Ok(answer) = answer {
                    tell_dropped(command, answer);
                }
            }
        }
        (command, Answer::NoRoom) => {
            METRICS.events_refused.inc();
            let event = PlatformEvent::of(command.clone());
            let summary = event.as_ref().map(|event| event.summary(0)).unwrap_or_default();
            let EventSummary { kind, platform, account, conversation, message, at, .. } = summary;
            tracing::error!(
                kind,
                platform,
                account,
                conversation,
                external_id = message,
                time = at,
                "an event could not be stored, and there is no room to set it aside: it is lost here. Mend the store with `rechat check --repair`, then store the others with `rechat check --retry`"
            );
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::content::Content;
    use crate::model::inbound::Inbound;
    use crate::model::message::Sender;
    use crate::model::platform_event::MessageTarget;
    use crate::store::{Access, StoreOptions};

    #[tokio::test]
    async fn what_can_be_stored_now_is_stored_and_no_longer_in_quarantine() {
        let folder = tempfile::tempdir().unwrap();
        let options = StoreOptions::new(folder.path().join("s"), Access::Write);
        let store = Store::open(&options, Box::new(())).unwrap();
        let inbound = Box::new(Inbound {
            platform: "qq".into(),
            account: "1".into(),
            conversation: "group_1".into(),
            sender: Sender { id: "2".into(), name: "Ann".into() },
            content: Content::text("kept"),
            external_id: "7".into(),
            time: 1,
            ..Inbound::default()
        });
        let target = MessageTarget::External {
            account: "1".into(),
            platform: "qq".into(),
            conversation: "group_1".into(),
            external_id: "7".into(),
        };
        let by = Some(Sender { id: "2".into(), name: "Ann".into() });
        let events = [
            PlatformEvent::Received { message: inbound, at: 2 },
            PlatformEvent::Edited { target: target.clone(), content: "new".into(), at: 3 },
            PlatformEvent::Recalled { target, by, at: 4 },
        ];
        for event in events {
            let (event, reason) = (Box::new(event), "a damaged row".to_owned());
            store.write(Command::Quarantine { event, reason, at: 2 }).await.unwrap();
        }
        assert_eq!(store.view().unwrap().quarantined(), Ok(3));
        assert_eq!(try_again(&store).await, Ok(TriedAgain { stored: 3, left: 0 }));
        let view = store.view().unwrap();
        assert_eq!((view.quarantined(), view.stats().total), (Ok(0), 1));
        let stored = view.by_seq(1).unwrap().unwrap();
        assert_eq!((&*stored.content.readable(), stored.recall.is_some()), ("new", true));
        assert_eq!(try_again(&store).await, Ok(TriedAgain { stored: 0, left: 0 }));
    }
}
