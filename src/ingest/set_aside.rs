//! Events that were set aside: a note in the health, and trying again to store them.

use crate::clock::now;
use crate::health::HEALTH;
use crate::store::{self, Command, SetAside, Store};

/// Name of this part in the health.
const PART: &str = "set-aside";

/// Events, and their bytes, that are read at a time.
const AT_ONCE: usize = 64;
const BYTES_AT_ONCE: usize = 1 << 20;

/// Result of trying again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TriedAgain {
    /// Events that are stored now.
    pub stored: usize,
    /// Events that still cannot be stored, and stay set aside.
    pub left: usize,
}

/// Tries again to store the events that were set aside; those that cannot be stored stay.
///
/// # Errors
///
/// The store cannot be read or written.
pub async fn try_again(store: &Store) -> store::Result<TriedAgain> {
    let (view, mut stored, mut after) = (store.view()?, 0, 0);
    loop {
        let some = view.set_aside_after(after, AT_ONCE, BYTES_AT_ONCE)?;
        let Some(last) = some.last() else { break };
        after = last.offset;
        for SetAside { offset, inbound, .. } in some {
            let received = Box::new(inbound);
            let receive = Command::Receive { received, at: now(), can_wait: false };
            if let Err(error) = store.write(receive).await {
                tracing::warn!("an event stays set aside: {error}");
                continue;
            }
            store.write(Command::Release { offset }).await?;
            stored += 1;
        }
    }
    Ok(TriedAgain { stored, left: store.view()?.set_aside()? as usize })
}

/// Notes in the health that there are such events, as long as there are any.
pub fn tell_set_aside(store: &Store) {
    match store.view().and_then(|view| view.set_aside()).unwrap_or_default() {
        0 => HEALTH.recover(PART),
        count => HEALTH.degrade(
            PART,
            format!(
                "{count} received events could not be stored and are set aside; `rechat check` tells which, and `rechat check --retry` tries again to store them"
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::change::Inbound;
    use crate::model::content::Content;
    use crate::model::message::Sender;
    use crate::store::{Access, StoreOptions};

    #[tokio::test]
    async fn what_can_be_stored_now_is_stored_and_set_aside_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let options = StoreOptions::new(folder.path().join("s"), Access::Write);
        let store = Store::open(&options, Box::new(())).unwrap();
        let inbound = Box::new(Inbound {
            platform: "qq".into(),
            account: "1".into(),
            conversation: "group_1".into(),
            conversation_name: None,
            sender: Sender { id: "2".into(), name: "Ann".into() },
            content: Content::text("kept"),
            reply_to: None,
            external_id: "7".into(),
            time: 1,
            own: false,
            from_history: false,
            original: None,
            fingerprint: None,
        });
        let aside = Command::SetAside { inbound, reason: "a damaged row".into(), at: 2 };
        store.write(aside).await.unwrap();
        assert_eq!(store.view().unwrap().set_aside(), Ok(1));
        assert_eq!(try_again(&store).await, Ok(TriedAgain { stored: 1, left: 0 }));
        let view = store.view().unwrap();
        assert_eq!((view.set_aside(), view.stats().total), (Ok(0), 1));
        assert_eq!(try_again(&store).await, Ok(TriedAgain { stored: 0, left: 0 }));
    }
}
