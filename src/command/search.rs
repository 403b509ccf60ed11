//! `rechat search`

use super::list;
use crate::cli::{GlobalOptions, ListArgs, SearchArgs};
use crate::error::Result;

pub(super) async fn run(search: SearchArgs, globals: &GlobalOptions) -> Result<()> {
    let SearchArgs { text, list } = search;
    let text = if text.is_empty() { list.search.clone() } else { Some(text.join(" ")) };
    list::run(ListArgs { search: text, ..list }, globals).await
}
