#![no_main]

use rechat::store::{Access, StoreOptions, Store, View};
use std::sync::{Arc, LazyLock};

/// An empty store, for a query may name a message.
static VIEW: LazyLock<Arc<View>> = LazyLock::new(|| {
    let file = std::env::temp_dir().join(format!("rechat-fuzz-{}.redb", std::process::id()));
    let store = Store::open(&StoreOptions::new(&file, Access::Write), Box::new(())).expect("a store");
    let view = store.view().expect("a view");
    let _ = std::fs::remove_file(file);
    view
});

libfuzzer_sys::fuzz_target!(|text: &str| {
    rechat::server::fuzzing::list_query(text, &VIEW);
});
