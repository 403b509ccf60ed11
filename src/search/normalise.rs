//! The form in which texts are compared: NFKC, full case folding, and no invisible characters, as
//! `NFKC_Casefold` of Unicode (standard annex 15, and section 3.13 of the core specification).

use std::borrow::Cow;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

/// The form of a text for comparison. Texts have the same form if they differ only in case, in width, in how
/// accents are composed, or in invisible characters: keyboards put U+FE0F after an emoji, and platforms
/// remove it.
pub fn normalise(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || stays_in_place(text) {
        let has_capitals = text.bytes().any(|byte| byte.is_ascii_uppercase());
        return if has_capitals { text.to_ascii_lowercase().into() } else { text.into() };
    }
    let visible = text.chars().filter(|&c| !is_invisible(c)).collect();
    // Folding may take a composed character apart, and so the second pass.
    Cow::Owned(composed(fold(&composed(visible))))
}

/// Whether a character has no form of its own (`Default_Ignorable_Code_Point`, Unicode 17).
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{AD}'
            | '\u{34F}'
            | '\u{61C}'
            | '\u{115F}'..='\u{1160}'
            | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}'
            | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFF8}'
            | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}'
    )
}

/// Whether every character of a text stands in its form where it stands in the text.
pub(super) fn stays_in_place(text: &str) -> bool {
    text.chars().all(is_plain)
}

/// A character that changes by nothing but ASCII case: most of what people write.
fn is_plain(c: char) -> bool {
    c.is_ascii() || ('\u{4E00}'..='\u{9FFF}').contains(&c)
}

fn composed(text: String) -> String {
    match is_nfkc_quick(text.chars()) {
        IsNormalized::Yes => text,
        _ => text.nfkc().collect(),
    }
}

/// Full case folding. The way by capitals joins what lower case keeps apart: `ß` and `ss`, `ς` and
/// `σ`; the lower case before them is for the capital `ẞ`.
fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        let capitals = c.to_lowercase().flat_map(char::to_uppercase);
        folded.extend(capitals.flat_map(char::to_lowercase));
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn case_width_and_composition_do_not_matter() {
        for (one, other) in [
            ("Hello", "hELLO"),
            ("ＡＢＣ１２３", "abc123"),
            ("ｶﾞ", "ガ"),
            ("Straße", "STRASSE"),
            ("ΟΔΟΣ", "οδος"),
            ("e\u{301}", "É"),
            ("\u{390}", "\u{3AA}\u{301}"),
            ("你好，世界", "你好,世界"),
            ("①", "1"),
            ("❤\u{FE0F}", "❤"),
            ("re\u{AD}chat", "rechat"),
            ("你\u{200B}好", "你好"),
            ("👩\u{200D}💻", "👩💻"),
        ] {
            assert_eq!(normalise(one), normalise(other), "{one} {other}");
        }
        assert_ne!(normalise("ａ"), normalise("ｂ"));
    }

    #[test]
    fn a_plain_character_is_its_own_form_but_for_ascii_case() {
        for c in ('\0'..=char::MAX).filter(|&c| is_plain(c)) {
            let slow = composed(fold(&composed(c.to_string())));
            assert_eq!(slow, c.to_ascii_lowercase().to_string(), "{c:?}");
        }
    }

    #[test]
    fn every_character_has_a_form_that_stays() {
        for c in '\0'..=char::MAX {
            let once = normalise(&c.to_string()).into_owned();
            assert_eq!(normalise(&once), once, "{c:?} {:x}", u32::from(c));
        }
    }

    proptest! {
        #[test]
        fn the_form_of_a_text_stays(text in "\\PC{0,12}") {
            let once = normalise(&text).into_owned();
            prop_assert_eq!(normalise(&once), once.as_str());
        }
    }
}
