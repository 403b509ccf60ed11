//! Agreement: the events in the stores of all nodes, and in the stream.

use crate::nodes::Cluster;
use rechat::log::jetstream::EventStream;
use rechat::model::cursor::Epoch;
use rechat::model::message::Message;
use rechat::store::check::check;
use rechat::store::{Access, JournalEntry, Store, StoreOptions, View};
use std::collections::{BTreeMap, BTreeSet};
use tokio::runtime::Runtime;

/// The content of a store.
struct Content {
    events: Vec<(JournalEntry, Epoch)>,
    messages: Vec<Message>,
}

/// Checks that the stores of nodes that were stopped, and the stream, have the same events in the same
/// order; gives how many events they are, and in how many epochs.
pub fn check_stores(cluster: &Cluster) -> (usize, usize) {
    let runtime = Runtime::new().unwrap();
    let epochs = runtime.block_on(read_stream(cluster));
    let all: Vec<_> = cluster.nodes.iter().map(|node| content_of(node.home.db())).collect();
    for (node, content) in all.iter().enumerate() {
        for ((one, epoch), (other, other_epoch)) in all[0].events.iter().zip(&content.events) {
            assert_eq!((one, epoch), (other, other_epoch), "at node {node}");
        }
        assert_eq!(all[0].events.len(), content.events.len(), "events at node {node}");
        for (one, other) in all[0].messages.iter().zip(&content.messages) {
            assert_eq!(one, other, "at node {node}");
        }
        assert_eq!(all[0].messages.len(), content.messages.len(), "messages at node {node}");
        for (event, epoch) in &content.events {
            let range = epochs.range(..=event.offset).next_back();
            assert_eq!(range.map(|(_, of)| of), Some(epoch), "{event:?} of another epoch");
        }
    }
    (all[0].events.len(), epochs.len())
}

fn content_of(path: std::path::PathBuf) -> Content {
    let store = Store::open(&StoreOptions::new(path, Access::Read), Box::new(())).unwrap();
    let view = store.view().unwrap();
    let report = check(&view).unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
    let content = Content {
        events: events_of(&view),
        messages: view.after(0).unwrap().map(Result::unwrap).collect(),
    };
    store.close();
    content
}

fn events_of(view: &View) -> Vec<(JournalEntry, Epoch)> {
    let (mut found, mut after) = (Vec::new(), 0);
    loop {
        let page = view.journal(after, 1000).unwrap().expect("all events are kept");
        let Some(last) = page.last() else { return found };
        after = last.offset;
        for entry in page {
            let epoch = view.cursor_at(entry.offset).unwrap().epoch;
            found.push((entry, epoch));
        }
    }
}

/// Reads all of the stream, which may not have an epoch in two pieces, nor a gap; gives the first offset of
/// each epoch.
async fn read_stream(cluster: &Cluster) -> BTreeMap<u64, Epoch> {
    let (name, subject) = ("rechat-test-log".to_owned(), "rechat-test.log".to_owned());
    let runtime = tokio::runtime::Handle::current();
    let stream = EventStream::new(cluster.nats.stranger().await, name, subject, runtime);
    let end = stream.info().await.unwrap().state.last_sequence;
    let mut reader = stream.read_after(0).await.unwrap();
    let (mut epochs, mut ended) = (BTreeMap::new(), BTreeSet::new());
    let (mut offset, mut epoch) = (0, None::<Epoch>);
    while reader.read_to() < end {
        // Only parts of a batch that was left unfinished may come behind the last whole one.
        let next = tokio::time::timeout(crate::server::DEADLINE, reader.next());
        let Ok(batches) = next.await else { break };
        for shared in batches.unwrap() {
            let batch = shared.batch;
            if let Some(before) = epoch {
                assert!(batch.follows(offset, before), "{batch:?} after {offset} of {before}");
            }
            if epoch != Some(batch.epoch) {
                assert!(ended.insert(batch.epoch), "an epoch goes on after another began");
                epochs.insert(batch.first, batch.epoch);
                epoch = Some(batch.epoch);
            }
            offset = batch.end() - 1;
        }
    }
    epochs
}
