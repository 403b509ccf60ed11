//! Events that a node holds in memory go to the leader of the cluster, which stores them.

use crate::cluster::{Answerer, LeaderRequests};
use crate::health::watched;
use crate::ingest::{LeaderHandover, decode_held, encode_held};
use crate::outbox::LateOutcomes;
use crate::store::{Answer, Command, Store};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How long the leader may take.
const STORED_TIMEOUT: Duration = Duration::from_secs(5);

/// Bytes of a message that are left for its head.
const HEAD_BYTES: usize = 1 << 10;

/// The answer to events that are stored.
const STORED: &[u8] = b"stored";

/// The answer where too many are given at one time.
pub(super) const BUSY: Bytes = Bytes::from_static(b"the leader takes other events");

/// The leader, whichever it is.
#[derive(Clone, Debug)]
pub(super) struct Leader(pub(super) LeaderRequests);

impl LeaderHandover for Leader {
    fn give(&self, events: Bytes) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async move {
            let answer = self.0.ask(events, STORED_TIMEOUT).await;
            let answer = answer.map_err(|error| format!("{error:?}"))?;
            if answer == STORED {
                return Ok(());
            }
            Err(String::from_utf8_lossy(&answer).into_owned())
        })
    }

    fn max_bytes(&self) -> usize {
        self.0.max_bytes().saturating_sub(HEAD_BYTES)
    }
}

/// How long the outcome of an attempt is offered to the leaders that follow, and the pause in between.
const LATE_TIMEOUT: Duration = Duration::from_mins(5);
const LATE_PAUSE: Duration = Duration::from_millis(500);

impl LateOutcomes for Leader {
    fn pass_on(&self, late: Command) {
        let Some((_, late)) = encode_held([&late].into_iter(), self.max_bytes()) else { return };
        let (leader, late) = (self.clone(), Bytes::from(late));
        tokio::spawn(watched("late outcomes", async move {
            let giving = async {
                while let Err(error) = leader.give(late.clone()).await {
                    tracing::debug!(
                        "cannot report an outcome, because there is no leader: {error}"
                    );
                    sleep(LATE_PAUSE).await;
                }
            };
            if timeout(LATE_TIMEOUT, giving).await.is_err() {
                tracing::warn!(
                    "cannot report to the leader that a message was sent; the leader looks it up"
                );
            }
        }));
    }
}

/// Stores events that other nodes give, while this one leads. An event that cannot be stored is set
/// aside.
pub(super) fn storing(store: Arc<Store>) -> Answerer {
    Arc::new(move |held| {
        let store = store.clone();
        Box::pin(async move {
            match store_held(&store, &held).await {
                Ok(()) => Bytes::from_static(STORED),
                Err(error) => error.into(),
            }
        })
    })
}

async fn store_held(store: &Store, held: &[u8]) -> Result<(), String> {
    let commands = decode_held(held).map_err(|error| {
        format!("the events cannot be read; are all nodes of one version? {error}")
    })?;
    let count = commands.len();
    let each = commands.into_iter().map(|command| match command {
        Command::Together(_) => command,
        command => Command::Together(vec![command]),
    });
    let answer = store.write(Command::InOrder(each.collect())).await;
    report_quarantine(answer.map_err(|error| error.to_string())?);
    tracing::info!(events = count, "stored the events of a former leader");
    Ok(())
}

fn report_quarantine(answer: Answer) {
    let Answer::Together(answers) = answer else { return };
    for answer in answers {
        match answer {
            Ok(answer) => report_quarantine(answer),
            Err(error) => {
                tracing::error!(
                    "an event of another node is quarantined; `rechat check` tells of it: {error}"
                );
            }
        }
    }
}
