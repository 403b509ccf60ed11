//! Pictures of the page, for people: `cargo test --test page pictures -- --ignored`.
