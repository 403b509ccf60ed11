//! State that the lanes share.

use super::attempts::NextAttempts;
use super::outcomes::Outcomes;
use super::rate_limit::RateLimits;
use super::retry::RetryPolicy;
use crate::adapter::Registry;
use crate::clock::Clock;
use crate::store::Store;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// State shared by the lanes.
#[derive(Clone)]
pub(super) struct OutboxContext {
    pub(super) store: Arc<Store>,
    pub(super) registry: Registry,
    pub(super) policy: RetryPolicy,
    pub(super) default_platform: Option<String>,
    pub(super) limits: Arc<RateLimits>,
    pub(super) attempts: Arc<NextAttempts>,
    pub(super) outcomes: Arc<Outcomes>,
    pub(super) clock: Arc<Clock>,
    pub(super) stop: CancellationToken,
}
