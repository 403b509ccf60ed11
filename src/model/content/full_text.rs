//! Text of what a platform has no form for (contract, item 24): nothing is left out.

use super::{Content, Segment};

impl Segment {
    /// The text that a segment goes out as where the platform has no form for it.
    pub fn full_text(&self) -> String {
        match self {
            // Apart from what follows.
            Self::Mention { .. } | Self::MentionAll {} => format!("{} ", self.readable()),
            Self::Location { latitude, longitude, title, address } => {
                let place = format!("{latitude},{longitude}");
                joined(&[title.as_deref(), address.as_deref(), Some(&place)])
            }
            Self::Card { title, text, url, image } => {
                let said = joined(&[title, text, url, image].map(Option::as_deref));
                if said.trim().is_empty() { self.readable() } else { said }
            }
            Self::Forward { items, .. } if !items.is_empty() => {
                let said = items.iter().map(|item| {
                    let text: String = item.segments.iter().map(Self::full_text).collect();
                    format!("{}: {}", item.sender.name, text.trim_end())
                });
                let lines: Vec<_> = std::iter::once(self.readable()).chain(said).collect();
                lines.join("\n")
            }
            other => other.readable(),
        }
    }

    fn readable(&self) -> String {
        Content::of(vec![self.clone()]).readable().into_owned()
    }
}

fn joined(texts: &[Option<&str>]) -> String {
    let texts = texts.iter().flatten().copied().filter(|word| !word.is_empty());
    texts.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::content::{ForwardItem, every_segment};
    use crate::model::sender::Sender;

    #[test]
    fn every_segment_has_a_text() {
        for segment in every_segment() {
            assert!(!segment.full_text().trim().is_empty(), "{segment:?}");
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
        assert_eq!(card(None, Some("http://x/y.png")).full_text(), "http://x/y.png");
        for empty in [card(None, None), card(Some(""), None), card(Some(" "), None)] {
            assert_eq!(empty.full_text(), "[card]");
        }
    }

    #[test]
    fn nothing_is_left_out() {
        let some = |text: &str| Some(text.to_owned());
        let (title, address) = (some("广场"), some("黄浦区"));
        let place = Segment::Location { latitude: 1.5, longitude: 2.0, title, address };
        assert_eq!(place.full_text(), "广场 黄浦区 1.5,2");
        let card = Segment::Card {
            title: some("百度"),
            text: some("搜索"),
            url: some("https://b"),
            image: None,
        };
        assert_eq!(card.full_text(), "百度 搜索 https://b");
        let said = |name: &str, segments| ForwardItem {
            sender: Sender { id: "1".into(), name: name.into() },
            created_at: 0,
            segments,
        };
        let items = vec![said("Ann", vec![card]), said("Bo", vec![Segment::MentionAll {}])];
        let forward = Segment::Forward { title: some("聊天"), items, id: None };
        assert_eq!(forward.full_text(), "聊天\nAnn: 百度 搜索 https://b\nBo: @all");
    }
}
