//! Errors and reasons in the reader's language, by their codes. The page has the words already.

use super::Language;
use crate::error::Error;
use crate::model::reason::Reason;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

/// The page's Chinese words, of which those of codes are taken.
const PAGE_WORDS: &str = include_str!("../../../spa/page/words/zh.js");

/// By code.
static CHINESE: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
    let word = |line: &'static str| {
        let (code, rest) = line.trim_start().strip_prefix("error_")?.split_once(": '")?;
        Some((code, rest.trim_end_matches(',').strip_suffix('\'')?))
    };
    PAGE_WORDS.lines().filter_map(word).collect()
});

/// Why a message waits or was not sent; the platform's own words stand behind it.
pub fn reason(text: &str) -> Cow<'_, str> {
    let known = Reason::of(text).and_then(|reason| worded(reason.code, reason.detail));
    known.map_or(Cow::Borrowed(text), Cow::Owned)
}

/// An error of the server; others are told as they are.
pub fn error(error: &Error) -> String {
    error.code().and_then(|code| worded(code, None)).unwrap_or_else(|| error.to_string())
}

fn worded(code: &str, detail: Option<&str>) -> Option<String> {
    if Language::chosen() == Language::English {
        return None;
    }
    let words = CHINESE.get(code)?;
    // The time of the next attempt is one for programs.
    Some(match detail.filter(|_| code != "next_attempt") {
        Some(detail) => format!("{}：{detail}", words.trim_end_matches('。')),
        None => (*words).to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::language::tests::in_chinese;

    #[test]
    fn reasons_and_errors_have_the_words_of_the_page() {
        let refused = "the platform refused: too long";
        let failed = Error::failed("the platform cannot do this").named(Some("unsupported".into()));
        assert_eq!((&*reason(refused), &*error(&failed)), (refused, "the platform cannot do this"));
        in_chinese(|| {
            assert_eq!(reason(refused), "平台拒绝：too long");
            assert_eq!(error(&failed), "该平台不支持此操作。");
            assert_eq!(reason("of no known form"), "of no known form");
            assert_eq!(error(&Error::failed("cannot connect")), "cannot connect");
        });
    }
}
