//! Readable text of what a platform has no form for (contract, item 24): nothing is left out.

use crate::model::content::{Content, Segment};
use crate::model::message::ReplyTo;

/// The text that a segment goes out as.
pub(in crate::adapter::onebot) fn full_text(segment: &Segment) -> String {
    match segment {
        // Apart from what follows.
        Segment::Mention { .. } | Segment::MentionAll {} => format!("{} ", readable(segment)),
        Segment::Location { latitude, longitude, title, address } => {
            let place = format!("{latitude},{longitude}");
            joined(&[title.as_deref(), address.as_deref(), Some(&place)], " ")
        }
        Segment::Card { title, text, url, image } => {
            let said = [title, text, url, image].map(Option::as_deref);
            Some(joined(&said, " ")).filter(is_shown).unwrap_or_else(|| readable(segment))
        }
        Segment::Forward { items, .. } if !items.is_empty() => {
            let said = items.iter().map(|item| {
                let text: String = item.segments.iter().map(full_text).collect();
                format!("{}: {}", item.sender.name, text.trim_end())
            });
            let lines: Vec<_> = std::iter::once(readable(segment)).chain(said).collect();
            lines.join("\n")
        }
        other => readable(other),
    }
}

/// The text that stands before an answer, where the platform cannot be told which message it
/// answers; `None` where nothing is known of that.
pub(in crate::adapter::onebot) fn quote(reply_to: &ReplyTo) -> Option<String> {
    let said = reply_to.content.as_deref().filter(|said| !said.is_empty())?;
    Some(match reply_to.sender.as_ref().filter(|sender| !sender.name.is_empty()) {
        Some(sender) => format!("> {}: {said}\n", sender.name),
        None => format!("> {said}\n"),
    })
}

#[allow(clippy::ptr_arg, reason = "a filter is given it so")]
fn is_shown(text: &String) -> bool {
    !text.trim().is_empty()
}

fn readable(segment: &Segment) -> String {
    Content::of(vec![segment.clone()]).readable().into_owned()
}

fn joined(texts: &[Option<&str>], between: &str) -> String {
    let texts = texts.iter().flatten().copied().filter(|word| !word.is_empty());
    texts.collect::<Vec<_>>().join(between)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::content::{ForwardItem, every_segment};
    use crate::model::message::Sender;

    #[test]
    fn every_segment_has_a_text() {
        for segment in every_segment() {
            assert!(!full_text(&segment).trim().is_empty(), "{segment:?}");
        }
    }

    #[test]
    fn a_card_of_a_picture_is_its_address_and_an_empty_one_says_that_it_is_one() {
        let card = |url: Option<&str>, image: Option<&str>| Segment::Card {
            title: None,
            text: None,
            url: url.map(str::to_owned),
            image: image.map(str::to_owned),
        };
        assert_eq!(full_text(&card(None, Some("http://x/y.png"))), "http://x/y.png");
        for empty in [card(None, None), card(Some(""), None), card(Some(" "), None)] {
            assert_eq!(full_text(&empty), "[card]");
        }
    }

    #[test]
    fn nothing_is_left_out() {
        let some = |text: &str| Some(text.to_owned());
        let (title, address) = (some("广场"), some("黄浦区"));
        let place = Segment::Location { latitude: 1.5, longitude: 2.0, title, address };
        assert_eq!(full_text(&place), "广场 黄浦区 1.5,2");
        let card = Segment::Card {
            title: some("百度"),
            text: some("搜索"),
            url: some("https://b"),
            image: None,
        };
        assert_eq!(full_text(&card), "百度 搜索 https://b");
        let said = |name: &str, segments| ForwardItem {
            sender: Sender { id: "1".into(), name: name.into() },
            created_at: 0,
            segments,
        };
        let items = vec![said("Ann", vec![card]), said("Bo", vec![Segment::MentionAll {}])];
        let forward = Segment::Forward { title: some("聊天"), items, id: None };
        assert_eq!(full_text(&forward), "聊天\nAnn: 百度 搜索 https://b\nBo: @all");
    }

    #[test]
    fn an_answer_quotes_what_it_answers() {
        let sender = Some(Sender { id: "1".into(), name: "Ann".into() });
        let reply_to = ReplyTo { sender, content: Some("早".into()), ..ReplyTo::default() };
        assert_eq!(quote(&reply_to).as_deref(), Some("> Ann: 早\n"));
        assert_eq!(quote(&ReplyTo::default()), None);
    }
}
