//! `rechat search`

use super::list;
use crate::cli::{Globals, List, Search};
use crate::error::Result;

pub(super) async fn run(search: Search, globals: &Globals) -> Result<()> {
    list::run(List { search: Some(search.text.join(" ")), ..search.list }, globals).await
}
