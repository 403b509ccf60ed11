//! The inbox: what adapters report, on its way to the store.
//!
//! An event is let go of only once it is on disk. While the disk refuses, it is tried again, the
//! adapters' queue fills, and their sockets wait: so nothing is lost, and memory stays bounded.

use crate::adapter::{Event, Registry};
use crate::clock::now;
use crate::model::message::Direction;
use crate::store::{Answer, Command, Store};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Events that share their way to the disk.
const BATCH: usize = 256;

/// How long to wait before the disk is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// Stores what comes until every adapter has let go of the queue.
pub async fn run(store: Arc<Store>, registry: Registry, mut events: mpsc::Receiver<Event>) {
    let mut batch = Vec::with_capacity(BATCH);
    while events.recv_many(&mut batch, BATCH).await > 0 {
        let commands = batch.drain(..).filter_map(|event| command(event, &store));
        store_all(&store, &registry, commands.collect()).await;
    }
}

fn command(event: Event, store: &Store) -> Option<Command> {
    match event {
        Event::Message(inbound) => Some(Command::Receive { received: inbound, at: now() }),
        Event::Named { platform, conversation, name } => {
            Some(Command::Name { platform, conversation, name })
        }
        Event::Conversations { platform, account, limit, answer } => {
            let known = store.view().and_then(|view| view.conversations()).unwrap_or_default();
            let its_own = known.into_iter().filter(|conversation| {
                conversation.platform == platform && conversation.account.as_ref() == Some(&account)
            });
            let _ = answer.send(its_own.take(limit).map(|found| found.conversation).collect());
            None
        }
    }
}

/// Has commands written in their order; those that fail are tried again, for their events would be
/// lost otherwise. Doubles do no harm: the store knows what it has.
async fn store_all(store: &Store, registry: &Registry, mut commands: Vec<Command>) {
    while !commands.is_empty() {
        let mut written = Vec::with_capacity(commands.len());
        for command in &commands {
            written.push(store.submit(command.clone()).await);
        }
        let mut failed = Vec::new();
        for (command, written) in commands.into_iter().zip(written) {
            let done = match written {
                Ok(answer) => answer.await,
                Err(error) => Err(error),
            };
            match done {
                Ok(answer) => count(registry, &answer),
                Err(error) => {
                    if failed.is_empty() {
                        tracing::error!("what came in waits: {error}");
                    }
                    failed.push(command);
                }
            }
        }
        commands = failed;
        if !commands.is_empty() {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Counts a message that came in, unless it was known already.
fn count(registry: &Registry, answer: &Answer) {
    if let Answer::Done(message) = answer
        && message.direction == Direction::Inbound
        && let Some(platform) = &message.platform
    {
        registry.count_received(platform, message.account.as_deref());
    }
}
