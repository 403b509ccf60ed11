//! Limits of each account: its rate, and the number of messages that are being sent at once.

use crate::adapter::{AccountHandle, RateLimit};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The most messages that are being sent on one connection at once, so that a lane without an
/// answer does not block others.
const MAX_UNDER_WAY: usize = 64;

/// The limits of all accounts.
#[derive(Default)]
pub(super) struct RateLimits {
    accounts: Mutex<HashMap<(String, Option<String>), AccountRate>>,
}

struct AccountRate {
    rate_limit: Option<RateLimit>,
    limiter: Option<Arc<DefaultDirectRateLimiter>>,
    under_way: Arc<Semaphore>,
}

impl RateLimits {
    /// Waits until the account may send again, and has room for another message.
    pub(super) async fn permit(&self, account: &AccountHandle) -> Option<OwnedSemaphorePermit> {
        let (limiter, under_way) = self.of(account);
        let permit = under_way.acquire_owned().await.ok();
        if let Some(limiter) = limiter {
            limiter.until_ready().await;
        }
        permit
    }

    fn of(
        &self,
        handle: &AccountHandle,
    ) -> (Option<Arc<DefaultDirectRateLimiter>>, Arc<Semaphore>) {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (handle.platform.clone(), handle.account.clone());
        let account = accounts.entry(key).or_insert_with(|| AccountRate {
            rate_limit: None,
            limiter: None,
            under_way: Arc::new(Semaphore::new(MAX_UNDER_WAY)),
        });
        if account.rate_limit != handle.settings.rate_limit {
            account.rate_limit = handle.settings.rate_limit;
            account.limiter = handle.settings.rate_limit.and_then(limiter);
        }
        (account.limiter.clone(), account.under_way.clone())
    }
}

fn limiter(rate_limit: RateLimit) -> Option<Arc<DefaultDirectRateLimiter>> {
    let period = Duration::try_from_secs_f64(1.0 / rate_limit.per_second).ok()?;
    let quota = Quota::with_period(period)?.allow_burst(rate_limit.burst);
    Some(Arc::new(RateLimiter::direct(quota)))
}
