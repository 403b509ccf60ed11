//! Terms: the parts of texts that the index stores.
//!
//! Each character of a normalised text gives one term: the character and the next one, and, if all
//! three belong to alphabets (below [`ALPHABETS`]), also the one after that. The reason is that pairs of
//! letters occur in half of all messages, and pairs of Chinese characters in few. Terms are ordered by
//! their characters, so the terms that begin with a character, or with two letters, are a range.

use super::normalise::normalise;
use crate::model::content::Segment;
use crate::model::message::{Message, MessageType};
use crate::store::record::{self, PlainText, Unreadable};
use siphasher::sip::SipHasher24;
use std::borrow::Cow;
use std::hash::Hasher;
use std::ops::Range;

/// A term as a number: 21 bits of the first character, 28 bits of the rest.
pub type SearchTerm = u64;

/// A range of terms; a text that contains the searched text has at least one of them.
pub type Terms = Range<SearchTerm>;

/// Characters from here on are ideographs, syllables and symbols.
const ALPHABETS: u32 = 0x2E80;

const REST_BITS: u32 = 28;
const THIRD_BITS: u32 = 14;

/// Second characters from [`ALPHABETS`] on are numbered from here.
const SECONDS_BASE: u64 = (ALPHABETS as u64) << THIRD_BITS;

/// First characters that no text has, for types of messages.
const TYPES: u64 = char::MAX as u64 + 1;

/// First character after those, for senders.
const SENDERS: u64 = TYPES + 16;

const _: () = assert!(MessageType::ALL.len() <= 16);
const _: () = assert!(ALPHABETS < 1 << THIRD_BITS);
const _: () = assert!(SECONDS_BASE + (char::MAX as u64) < 1 << REST_BITS);

fn is_letter(c: char) -> bool {
    u32::from(c) < ALPHABETS
}

/// The term of a character with the ones after it; 0 means the end of the text.
fn term(first: char, second: Option<char>, third: Option<char>) -> SearchTerm {
    let second = second.unwrap_or('\0');
    let rest = match third.filter(|&third| is_letter(first) && is_letter(third)) {
        _ if !is_letter(second) => SECONDS_BASE + u64::from(second),
        third => u64::from(second) << THIRD_BITS | third.map_or(0, u64::from),
    };
    u64::from(first) << REST_BITS | rest
}

/// Every term that begins with a character.
fn beginning_with(first: char) -> Terms {
    let start = u64::from(first) << REST_BITS;
    start..start + (1 << REST_BITS)
}

/// Every term that begins with two letters.
fn beginning_with_two(first: char, second: char) -> Terms {
    let start = term(first, Some(second), None);
    start..start + (1 << THIRD_BITS)
}

/// Adds the terms of a normalised text.
fn add_text(text: &str, terms: &mut Vec<SearchTerm>) {
    terms.reserve(text.len());
    // For three letters in a row the term follows directly; most texts have only such letters.
    let rest = if text.is_ascii() {
        let triples = text.as_bytes().windows(3);
        terms.extend(triples.map(|triple| {
            u64::from(triple[0]) << REST_BITS
                | u64::from(triple[1]) << THIRD_BITS
                | u64::from(triple[2])
        }));
        &text[text.len().saturating_sub(2)..]
    } else {
        text
    };
    let mut chars = rest.chars();
    let (mut first, mut second) = (chars.next(), chars.next());
    while let Some(character) = first {
        let third = chars.next();
        terms.push(term(character, second, third));
        (first, second) = (second, third);
    }
}

/// The two parts of a term: its first character, and the rest. Terms with the same first part
/// follow each other.
pub fn split(term: SearchTerm) -> (u32, u32) {
    ((term >> REST_BITS) as u32, (term & ((1 << REST_BITS) - 1)) as u32)
}

/// The term of two parts.
pub fn join(first: u32, rest: u32) -> SearchTerm {
    u64::from(first) << REST_BITS | u64::from(rest)
}

/// The term of a type.
fn of_type(message_type: MessageType) -> SearchTerm {
    (TYPES + message_type as u64) << REST_BITS
}

/// The term of a sender, by ID or name: a hash, which other senders may share.
fn of_sender(sender: &str) -> SearchTerm {
    let mut hasher = SipHasher24::new();
    hasher.write(sender.as_bytes());
    SENDERS << REST_BITS | hasher.finish() >> (u64::BITS - REST_BITS)
}

/// The texts of a message that are searched: its content, the sender's name, the names of files,
/// and the texts of cards, of which `content` has only the titles.
pub fn texts(message: &Message) -> impl Iterator<Item = Cow<'_, str>> {
    let sender = message.sender.as_ref().map(|sender| sender.name.as_str());
    let segments = message.content.segments().unwrap_or_default();
    let names = segments.iter().filter_map(|segment| match segment {
        Segment::Card { text, .. } => text.as_deref(),
        _ => segment.media()?.name.as_deref(),
    });
    let others = sender.into_iter().chain(names).map(Cow::Borrowed);
    std::iter::once(message.content.readable()).chain(others)
}

/// The terms of a message; some may be there several times.
pub fn of_message(message: &Message) -> Vec<SearchTerm> {
    let sender = message.sender.as_ref().map(|sender| (&*sender.id, &*sender.name));
    of_parts(message.message_type(), sender, texts(message))
}

/// The terms of the message whose record at `seq` this is.
///
/// # Errors
///
/// The bytes are damaged, or of a newer version.
pub fn of_record(seq: u64, bytes: &[u8]) -> Result<Vec<SearchTerm>, Unreadable> {
    let Some(PlainText { text, sender }) = record::plain_text(seq, bytes)? else {
        return record::decode(seq, bytes).map(|message| of_message(&message));
    };
    let texts = std::iter::once(text).chain(sender.map(|(_, name)| name));
    Ok(of_parts(MessageType::Text, sender, texts.map(Cow::Borrowed)))
}

/// The terms of a message of a type, by a sender (ID and name), with these texts.
fn of_parts<'a>(
    message_type: MessageType,
    sender: Option<(&str, &str)>,
    texts: impl Iterator<Item = Cow<'a, str>>,
) -> Vec<SearchTerm> {
    let mut terms = vec![of_type(message_type)];
    if let Some((id, name)) = sender {
        terms.extend([of_sender(id), of_sender(name)]);
    }
    for text in texts {
        add_text(&normalise(&text), &mut terms);
    }
    // Laughter and lines repeat one character.
    terms.dedup();
    terms
}

/// Ranges of terms for a normalised text, a type and a sender: every matching message has at least
/// one term of each range.
pub fn needed(text: &str, message_type: Option<MessageType>, sender: Option<&str>) -> Vec<Terms> {
    let chars: Vec<char> = text.chars().collect();
    let exactly = |term: SearchTerm| term..term + 1;
    let mut needed = Vec::new();
    if let [only] = chars[..] {
        needed.push(beginning_with(only));
    }
    for (i, pair) in chars.windows(2).enumerate() {
        let &[first, second] = pair else { continue };
        let third = chars.get(i + 2).copied();
        let are_letters = is_letter(first) && is_letter(second);
        match third {
            // The last two of three letters are covered by the term before.
            None if are_letters && i > 0 && is_letter(chars[i - 1]) => {}
            None if are_letters => needed.push(beginning_with_two(first, second)),
            _ => needed.push(exactly(term(first, Some(second), third))),
        }
    }
    // Ideographs before letters, letters before digits and spaces: rarer terms are looked up first,
    // and often they are enough.
    needed.sort_by_key(|terms| std::cmp::Reverse(terms.start));
    needed.dedup();
    needed.splice(0..0, sender.map(of_sender).map(exactly));
    needed.extend(message_type.map(of_type).map(exactly));
    needed
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_text_has_what_each_part_of_it_needs(
            before in "[ab\\x00é你好😀]{0,4}",
            part in "[ab\\x00é你好😀]{1,6}",
            after in "[ab\\x00é你好😀]{0,4}",
        ) {
            let mut terms = Vec::new();
            add_text(&format!("{before}{part}{after}"), &mut terms);
            for needed in needed(&part, None, None) {
                prop_assert!(terms.iter().any(|term| needed.contains(term)), "{:?}", needed);
            }
        }

        #[test]
        fn up_to_two_characters_need_just_what_has_them(
            text in "[abé你好😀]{0,6}",
            part in "[abé你好😀]{1,2}",
        ) {
            let mut terms = Vec::new();
            add_text(&text, &mut terms);
            let is_met = |needed: &Terms| terms.iter().any(|term| needed.contains(term));
            prop_assert_eq!(needed(&part, None, None).iter().all(is_met), text.contains(&part));
        }
    }

    proptest! {
        #[test]
        fn letters_have_the_terms_that_the_rule_for_any_character_gives(text in "[ -~]{0,9}") {
            let mut found = Vec::new();
            add_text(&text, &mut found);
            let chars: Vec<_> = text.chars().collect();
            let behind = |i: usize| chars.get(i).copied();
            let expected = (0..chars.len()).map(|i| term(chars[i], behind(i + 1), behind(i + 2)));
            prop_assert_eq!(found, expected.collect::<Vec<_>>());
        }
    }

    #[test]
    fn types_and_senders_are_no_text() {
        let [of_image] = &needed("", Some(MessageType::Image), None)[..] else {
            panic!("one is needed")
        };
        let last = term(char::MAX, Some(char::MAX), Some(char::MAX));
        assert!(last < of_image.start);
        let [of_sender] = &needed("", None, Some("7"))[..] else { panic!("one is needed") };
        assert!(of_image.end <= of_sender.start);
    }
}
