//! The surroundings of a running adapter.

use super::api::{EventSink, ReadMedia};
use super::registry::Registry;
use crate::health::watched;
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The surroundings of a running adapter: the core, the registry, where to run and when to stop.
#[derive(Clone, Debug)]
pub(super) struct Context {
    /// The core.
    pub(super) events: EventSink,
    pub(super) registry: Registry,
    /// The media that are kept here.
    pub(super) media: Arc<dyn ReadMedia>,
    /// Ends this configuration's connections.
    pub(super) stop: CancellationToken,
    /// Where background work runs.
    pub(super) tracker: TaskTracker,
    /// Values that the connections of a kind share, by type.
    shared: Arc<Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>>,
}

impl Context {
    pub(super) fn new(
        events: EventSink,
        registry: Registry,
        media: Arc<dyn ReadMedia>,
        stop: CancellationToken,
        tracker: TaskTracker,
    ) -> Self {
        Self { events, registry, media, stop, tracker, shared: Arc::default() }
    }

    /// The same surroundings, up to an earlier end.
    pub(super) fn until(&self, stop: CancellationToken) -> Self {
        Self { stop, ..self.clone() }
    }

    /// Runs a question to an implementation beside its connection.
    pub(super) fn look_up(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.tracker.spawn(watched("look-ups", work));
    }

    /// A value that all connections of this configuration share, one of each type.
    pub(super) fn shared<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let value = shared.entry(TypeId::of::<T>()).or_insert_with(|| Arc::<T>::default());
        Arc::clone(value).downcast().unwrap_or_default()
    }
}
