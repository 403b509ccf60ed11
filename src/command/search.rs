//! `rechat search`

use super::list;
use crate::cli::{List, Search};
use crate::error::Result;
use std::path::PathBuf;

pub(super) async fn run(search: Search, config: Option<PathBuf>) -> Result<()> {
    list::run(List { search: Some(search.text), ..search.list }, config).await
}
