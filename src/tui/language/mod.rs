//! The terminal client's own texts in the reader's language. The code has them in English, and
//! [`say!`] looks the other language up. Texts of messages, platforms and the system stay as they are.

mod chinese;
mod reasons;

pub use reasons::{error, reason};

use crate::model::message::Status;
use jiff::civil::{Date, Weekday};
use std::fmt::Display;
use std::sync::atomic::{AtomicBool, Ordering};

/// The languages there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// As the code has them.
    English,
    /// Simplified Chinese.
    Chinese,
}

/// Whether the texts are Chinese; set once, before the first is shown.
static IS_CHINESE: AtomicBool = AtomicBool::new(false);

impl Language {
    /// The language of the environment, by the first of `LC_ALL`, `LC_MESSAGES` and `LANG` that is
    /// set.
    pub fn of_environment() -> Self {
        let names = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter();
        let set = names.filter_map(|name| std::env::var(name).ok()).find(|name| !name.is_empty());
        Self::of_locale(&set.unwrap_or_default())
    }

    /// The language of a locale such as `zh_CN.UTF-8`.
    fn of_locale(name: &str) -> Self {
        let is_chinese = name.split(['_', '-', '.', '@']).next() == Some("zh");
        if is_chinese { Self::Chinese } else { Self::English }
    }

    /// Shows all texts in this language from now on.
    pub fn choose(self) {
        IS_CHINESE.store(self == Self::Chinese, Ordering::Relaxed);
    }

    #[cfg(not(test))]
    fn chosen() -> Self {
        if IS_CHINESE.load(Ordering::Relaxed) { Self::Chinese } else { Self::English }
    }

    /// Each test has a thread, and a language of its own.
    #[cfg(test)]
    fn chosen() -> Self {
        tests::CHOSEN.get()
    }
}

/// A text of the terminal client, with values in place of `{}`.
macro_rules! say {
    ($text:literal) => {
        $crate::tui::language::text($text)
    };
    ($text:literal, $($value:expr),+ $(,)?) => {
        $crate::tui::language::filled($text, &[$(&$value as &dyn std::fmt::Display),+])
    };
}
pub(in crate::tui) use say;

/// A text in the chosen language.
pub fn text(english: &'static str) -> &'static str {
    match Language::chosen() {
        Language::English => english,
        Language::Chinese => chinese::of(english).unwrap_or(english),
    }
}

/// A text in the chosen language, with values in place of `{}`, in their order, or of `{0}`, `{1}`.
pub fn filled(english: &'static str, values: &[&dyn Display]) -> String {
    let mut filled = String::new();
    let mut rest = text(english);
    let mut next = 0;
    while let Some((before, behind)) = rest.split_once('{') {
        filled.push_str(before);
        let Some((place, behind)) = behind.split_once('}') else { break };
        let index = place.parse().unwrap_or(next);
        next = index + 1;
        if let Some(value) = values.get(index) {
            filled.push_str(&value.to_string());
        }
        rest = behind;
    }
    filled + rest
}

/// The state of a message in words.
pub fn status(status: Status) -> &'static str {
    text(status.as_str())
}

/// A day, with its name.
pub fn day(date: Date) -> String {
    if Language::chosen() == Language::English {
        return date.strftime("%A, %-d %B %Y").to_string();
    }
    let name = match date.weekday() {
        Weekday::Monday => "星期一",
        Weekday::Tuesday => "星期二",
        Weekday::Wednesday => "星期三",
        Weekday::Thursday => "星期四",
        Weekday::Friday => "星期五",
        Weekday::Saturday => "星期六",
        Weekday::Sunday => "星期日",
    };
    format!("{} {name}", date.strftime("%Y年%-m月%-d日"))
}

/// The form of a day of this year.
pub fn short_day() -> &'static str {
    match Language::chosen() {
        Language::English => "%-d %b",
        Language::Chinese => "%-m月%-d日",
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use std::cell::Cell;
    use std::collections::BTreeSet;

    thread_local! {
        pub(super) static CHOSEN: Cell<Language> = const { Cell::new(Language::English) };
    }

    /// Runs with Chinese texts.
    pub fn in_chinese<T>(run: impl FnOnce() -> T) -> T {
        CHOSEN.set(Language::Chinese);
        let done = run();
        // The next test may have the same thread.
        CHOSEN.set(Language::English);
        done
    }

    #[test]
    fn the_language_is_that_of_the_locale() {
        for (name, language) in [
            ("zh_CN.UTF-8", Language::Chinese),
            ("zh", Language::Chinese),
            ("zh-Hans", Language::Chinese),
            ("en_US.UTF-8", Language::English),
            ("C", Language::English),
            ("", Language::English),
        ] {
            assert_eq!(Language::of_locale(name), language, "{name}");
        }
    }

    #[test]
    fn values_stand_where_the_language_has_them() {
        assert_eq!(filled("{} of {}", &[&1, &"{}"]), "1 of {}");
        in_chinese(|| {
            assert_eq!(filled("{} unread", &[&3]), "3 条未读");
            assert_eq!(filled(" {} of {} ", &[&1, &"qq"]), " qq：1 个会话 ");
            assert_eq!(filled("no such {}", &[&"text"]), "no such text");
        });
    }

    /// All English texts that have a Chinese one.
    pub fn translated() -> BTreeSet<String> {
        chinese::all().map(str::to_owned).collect()
    }

    #[test]
    fn both_languages_have_the_same_number_of_values() {
        for english in chinese::all() {
            let chinese = chinese::of(english).unwrap();
            let count = |text: &str| text.matches('{').count();
            assert_eq!(count(english), count(chinese), "{english} {chinese}");
        }
    }
}
