//! Numbers for people and groups of platforms whose IDs are not numbers. Both directions are
//! remembered.

use super::saved_state::{self, NUMBER};
use crate::store::{Result, Store};
use lru::LruCache;
use siphasher::sip::SipHasher13;
use std::collections::HashMap;
use std::hash::Hasher;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Numbers are made from here on, below [`END`]. A platform's own numbers are unlikely to be in
/// this range, and every language can represent them.
const FIRST_NUMBER: i64 = 1 << 52;

/// From here on, some languages cannot distinguish neighbouring numbers.
const END: i64 = 1 << 53;

/// The most numbers that are remembered. The least recently used one is forgotten first; its name
/// gets the same number again when it is needed.
const MAX_NUMBERS: usize = 50_000;

/// Kind of the name that a number stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// A person, or an account.
    Person,
    /// A group or a channel.
    Conversation,
}

/// The numbers that were given out.
pub struct IdNumbers {
    store: Arc<Store>,
    known: Mutex<KnownIds>,
    /// Held while a number is added or removed, so that memory and store change in the same order.
    changing: tokio::sync::Mutex<()>,
    max: usize,
}

struct KnownIds {
    numbers: HashMap<Arc<str>, i64>,
    /// The names, in the form of [`name`], the most recently used first.
    names: LruCache<i64, Arc<str>>,
}

impl KnownIds {
    /// The number of a name, which is marked as used now.
    fn used(&mut self, name: &str) -> Option<i64> {
        let number = self.numbers.get(name).copied()?;
        self.names.promote(&number);
        Some(number)
    }

    fn add(&mut self, number: i64, name: &str) {
        let name: Arc<str> = name.into();
        self.names.put(number, name.clone());
        self.numbers.insert(name, number);
    }

    /// Removes the numbers that are too many, and returns them.
    fn forget(&mut self, max: usize) -> Vec<i64> {
        let mut forgotten = Vec::new();
        while self.names.len() > max
            && let Some((number, name)) = self.names.pop_lru()
        {
            self.numbers.remove(&name);
            forgotten.push(number);
        }
        forgotten
    }
}

/// The key of a name.
fn name(what: Named, platform: &str, id: &str) -> String {
    let what = match what {
        Named::Person => 'p',
        Named::Conversation => 'c',
    };
    format!("{what}/{platform}/{id}")
}

impl IdNumbers {
    /// The numbers that the store has.
    pub(super) fn new(store: Arc<Store>, kept: &[(String, Vec<u8>)]) -> Self {
        Self::with_room(store, kept, MAX_NUMBERS)
    }

    fn with_room(store: Arc<Store>, kept: &[(String, Vec<u8>)], max: usize) -> Self {
        let mut known = KnownIds { numbers: HashMap::new(), names: LruCache::unbounded() };
        for (key, value) in kept {
            let number = key.strip_prefix(NUMBER).and_then(|number| number.parse().ok());
            let name = std::str::from_utf8(value).ok();
            if let (Some(number), Some(name)) = (number, name) {
                known.add(number, name);
            }
        }
        Self { store, known: Mutex::new(known), changing: tokio::sync::Mutex::default(), max }
    }

    /// The number of a person or a conversation: the ID itself if it is a number, else a number
    /// that never changes, and that is on disk when this returns.
    pub async fn number(&self, what: Named, platform: &str, id: &str) -> Result<i64> {
        if let Some(number) = own_number(id) {
            return Ok(number);
        }
        let name = name(what, platform, id);
        if let Some(number) = self.lock().used(&name) {
            return Ok(number);
        }
        let _changing = self.changing.lock().await;
        let number = {
            let mut known = self.lock();
            if let Some(number) = known.used(&name) {
                return Ok(number);
            }
            let is_free = |number: &i64| !known.names.contains(number);
            candidates(&name).find(is_free).unwrap_or(FIRST_NUMBER)
        };
        let key = format!("{NUMBER}{number}");
        saved_state::keep(&self.store, key, Some(name.clone().into_bytes())).await?;
        let forgotten = {
            let mut known = self.lock();
            known.add(number, &name);
            known.forget(self.max)
        };
        for number in forgotten {
            let removed = saved_state::keep(&self.store, format!("{NUMBER}{number}"), None).await;
            if let Err(error) = removed {
                tracing::warn!(number, "a forgotten number is still in the store: {error}");
            }
        }
        Ok(number)
    }

    /// The ID that a number stands for.
    pub fn id(&self, what: Named, platform: &str, number: &str) -> String {
        let mut known = self.lock();
        let name_of = number.parse().ok().and_then(|number: i64| known.names.get(&number));
        let id = name_of.and_then(|known| known.strip_prefix(&name(what, platform, "")));
        id.unwrap_or(number).to_owned()
    }

    fn lock(&self) -> MutexGuard<'_, KnownIds> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An ID that is a number, in the usual form.
fn own_number(id: &str) -> Option<i64> {
    let number: i64 = id.parse().ok()?;
    ((1..FIRST_NUMBER).contains(&number) && number.to_string() == id).then_some(number)
}

/// The numbers that a name may get, the same in every store.
fn candidates(name: &str) -> impl Iterator<Item = i64> {
    (0_u64..).map(move |attempt| {
        let mut hasher = SipHasher13::new();
        hasher.write(name.as_bytes());
        hasher.write_u64(attempt);
        FIRST_NUMBER + (hasher.finish() % (END - FIRST_NUMBER).cast_unsigned()).cast_signed()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Access, StoreOptions};

    fn store(folder: &tempfile::TempDir) -> Arc<Store> {
        let options = StoreOptions::new(folder.path().join("s"), Access::Write);
        Arc::new(Store::open(&options, Box::new(())).unwrap())
    }

    #[tokio::test]
    async fn a_name_has_one_number_for_good() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder);
        let ids = IdNumbers::new(store.clone(), &[]);
        let ann = ids.number(Named::Person, "wechat", "wxid_ann").await.unwrap();
        assert!((FIRST_NUMBER..END).contains(&ann));
        assert_eq!(ids.number(Named::Person, "wechat", "wxid_ann").await, Ok(ann));
        assert_ne!(ids.number(Named::Conversation, "wechat", "wxid_ann").await, Ok(ann));
        assert_ne!(ids.number(Named::Person, "other", "wxid_ann").await, Ok(ann));
        assert_eq!(ids.id(Named::Person, "wechat", &ann.to_string()), "wxid_ann");
        let kept = store.view().unwrap().adapter_state(saved_state::OWNER).unwrap();
        let again = IdNumbers::new(store, &kept);
        assert_eq!(again.number(Named::Person, "wechat", "wxid_ann").await, Ok(ann));
        assert_eq!(again.id(Named::Person, "wechat", &ann.to_string()), "wxid_ann");
    }

    #[tokio::test]
    async fn the_number_that_was_used_longest_ago_is_forgotten_and_comes_back_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder);
        let ids = IdNumbers::with_room(store.clone(), &[], 2);
        let number = async |id: &str| ids.number(Named::Person, "wechat", id).await.unwrap();
        let (ann, bob) = (number("ann").await, number("bob").await);
        assert_eq!(ids.id(Named::Person, "wechat", &ann.to_string()), "ann", "it is used");
        let cid = number("cid").await;
        let kept = || store.view().unwrap().adapter_state(saved_state::OWNER).unwrap();
        assert_eq!(kept().len(), 2, "{:?}", kept());
        let named = |number: i64| ids.id(Named::Person, "wechat", &number.to_string());
        assert_eq!((&*named(ann), &*named(cid)), ("ann", "cid"));
        assert_eq!(named(bob), bob.to_string());
        assert_eq!(number("bob").await, bob);
        assert_eq!(kept().len(), 2);
        // A store with too many numbers forgets some with the next new one.
        let fewer = IdNumbers::with_room(store.clone(), &kept(), 1);
        fewer.number(Named::Person, "wechat", "dan").await.unwrap();
        assert_eq!(kept().len(), 1);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_number_that_is_forgotten_and_given_at_once_is_in_the_store_where_it_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder);
        let ids = Arc::new(IdNumbers::with_room(store.clone(), &[], 1));
        for _ in 0..50 {
            let asked = ["ann", "bob", "ann"].map(|id| {
                let ids = ids.clone();
                tokio::spawn(async move { ids.number(Named::Person, "wechat", id).await.unwrap() })
            });
            for number in asked {
                number.await.unwrap();
            }
            let kept = store.view().unwrap().adapter_state(saved_state::OWNER).unwrap();
            let again = IdNumbers::new(store.clone(), &kept);
            assert_eq!(again.lock().numbers, ids.lock().numbers);
        }
    }

    #[tokio::test]
    async fn a_number_is_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let ids = IdNumbers::new(store(&folder), &[]);
        assert_eq!(ids.number(Named::Person, "qq", "10001").await, Ok(10_001));
        assert_eq!(ids.id(Named::Person, "qq", "10001"), "10001");
        // Some languages would read it as another number.
        let large = ids.number(Named::Person, "x", "9007199254740993").await.unwrap();
        assert!((FIRST_NUMBER..END).contains(&large));
        assert_eq!(ids.id(Named::Person, "x", &large.to_string()), "9007199254740993");
    }
}
