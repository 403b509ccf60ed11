//! `rechat search`

use super::list;
use crate::cli::{Globals, ListArgs, SearchArgs};
use crate::error::Result;

pub(super) async fn run(search: SearchArgs, globals: &Globals) -> Result<()> {
    list::run(ListArgs { search: Some(search.text.join(" ")), ..search.list }, globals).await
}
