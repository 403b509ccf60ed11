//! Segments of rechat as elements (protocol/elements.md).

use crate::model::content::{Content, MAX_FORWARD_DEPTH, Media, Segment};
use std::fmt::Write;

/// Writes segments. `link` returns the address of a stored file by its SHA-256 and name.
pub(in crate::gateway::satori) fn write(
    segments: &[Segment],
    own_id: &str,
    link: &dyn Fn(&str, Option<&str>) -> String,
) -> String {
    let mut writer = ElementWriter { out: String::new(), own_id, link };
    writer.all(segments, 0);
    writer.out
}

struct ElementWriter<'a> {
    out: String,
    own_id: &'a str,
    link: &'a dyn Fn(&str, Option<&str>) -> String,
}

impl ElementWriter<'_> {
    fn all(&mut self, segments: &[Segment], depth: usize) {
        for segment in segments {
            self.one(segment, depth);
        }
    }

    fn one(&mut self, segment: &Segment, depth: usize) {
        match segment {
            Segment::Text { text } => self.text(text),
            Segment::Mention { user, name, me } => {
                let id = if *me { self.own_id } else { user };
                self.element("at", &[("id", Some(id)), ("name", name.as_deref())]);
            }
            Segment::MentionAll {} => self.element("at", &[("type", Some("all"))]),
            Segment::Emoji { id: Some(id), name, .. } => {
                self.element("emoji", &[("id", Some(id)), ("name", name.as_deref())]);
            }
            Segment::Image(media) => self.media("img", media),
            Segment::Audio(media) => self.media("audio", media),
            Segment::Video(media) => self.media("video", media),
            Segment::File(media) => self.media("file", media),
            Segment::Forward { id, items, .. } if depth < MAX_FORWARD_DEPTH => {
                let id = attribute("id", id.as_deref());
                let _ = write!(self.out, "<message{id} forward>");
                for item in items {
                    self.out.push_str("<message>");
                    let sender = &item.sender;
                    let name = Some(&*sender.name).filter(|name| !name.is_empty());
                    self.element("author", &[("id", Some(&sender.id)), ("name", name)]);
                    self.all(&item.segments, depth + 1);
                    self.out.push_str("</message>");
                }
                self.out.push_str("</message>");
            }
            Segment::Card { title, text, url: Some(url), .. } => {
                let shown = title.as_deref().or(text.as_deref()).unwrap_or(url);
                let href = attribute("href", Some(url));
                let _ = write!(self.out, "<a{href}>{}</a>", escape_text(shown));
            }
            other => {
                let words = Content::of(vec![other.clone()]).readable().into_owned();
                self.text(&words);
            }
        }
    }

    fn text(&mut self, text: &str) {
        self.out.push_str(&escape_text(text));
    }

    fn media(&mut self, name: &str, media: &Media) {
        let kept = media.media.as_deref().map(|hash| (self.link)(hash, media.name.as_deref()));
        // The platform's own address works for the framework, too.
        let src = media.url.as_deref().or(kept.as_deref()).unwrap_or_default();
        let [width, height] = [media.width, media.height].map(|size| size.map(|n| n.to_string()));
        let duration = media.duration.map(|seconds| seconds.to_string());
        self.element(
            name,
            &[
                ("src", Some(src)),
                ("title", media.name.as_deref()),
                ("width", width.as_deref()),
                ("height", height.as_deref()),
                ("duration", duration.as_deref()),
            ],
        );
    }

    fn element(&mut self, name: &str, attributes: &[(&str, Option<&str>)]) {
        let _ = write!(self.out, "<{name}");
        for (key, value) in attributes {
            self.out.push_str(&attribute(key, *value));
        }
        self.out.push_str("/>");
    }
}

fn attribute(key: &str, value: Option<&str>) -> String {
    value.map_or_else(String::new, |value| format!(" {key}=\"{}\"", escape_attribute(value)))
}

/// A text with escapes. `&apos;` is not used, because some frameworks cannot read it.
fn escape_text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The value of an attribute with its escapes.
pub(in crate::gateway::satori) fn escape_attribute(text: &str) -> String {
    escape_text(text).replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::super::read::{ElementTargets, read};
    use super::*;
    use crate::model::content::{ForwardItem, every_segment};
    use crate::model::message::Sender;
    use proptest::prelude::*;

    fn written(segments: &[Segment]) -> String {
        write(segments, "me", &|hash, _| format!("internal:{hash}"))
    }

    #[test]
    fn every_segment_has_a_form() {
        for segment in every_segment() {
            let text = written(std::slice::from_ref(&segment));
            assert!(!text.is_empty(), "{segment:?}");
        }
        let all = written(&every_segment());
        for part in [
            "a<at id=\"me\" name=\"Ann\"/><at type=\"all\"/><emoji id=\"14\" name=\"微笑\"/>",
            "<img src=\"https://a/b.png\" title=\"a.png\" width=\"4\" height=\"5\" duration=\"1.5\"/>",
            "<message id=\"f\" forward><message><author id=\"1\" name=\"B\"/>x</message></message>",
            "<a href=\"u\">t</a>",
        ] {
            assert!(all.contains(part), "{part} in {all}");
        }
    }

    #[test]
    fn nothing_in_a_text_becomes_an_element() {
        let evil = "<img src=\"x\"/> & &lt; \"'";
        let text = Segment::Text { text: evil.into() };
        assert_eq!(
            written(std::slice::from_ref(&text)),
            "&lt;img src=\"x\"/&gt; &amp; &amp;lt; \"'"
        );
        let mention = Segment::Mention { user: evil.into(), name: Some(evil.into()), me: false };
        let targets = ElementTargets { message: &|_| None, file: &|_| None };
        let back = read(&written(&[text.clone(), mention.clone()]), &targets).unwrap();
        assert_eq!(back[0].segments, [text, mention]);
    }

    #[test]
    fn forwards_inside_forwards_end() {
        let mut segments = vec![Segment::Text { text: "x".into() }];
        for _ in 0..50 {
            let item = ForwardItem { sender: Sender::default(), created_at: 0, segments };
            segments = vec![Segment::Forward { title: None, items: vec![item], id: None }];
        }
        assert_eq!(written(&segments).matches("forward").count(), MAX_FORWARD_DEPTH + 1);
    }

    /// Segments that Satori has a form for.
    fn sayable() -> impl Strategy<Value = Segment> {
        let words = || "(.|<|>|&amp;|\"){0,5}x";
        let media = ("https://x/[a-z,&=<\"]{1,6}", prop::option::of(words()), 1..9_u32).prop_map(
            |(url, name, width)| Media {
                url: Some(url),
                name,
                width: Some(width),
                ..Media::default()
            },
        );
        let file = (
            media,
            prop::sample::select(vec![
                Segment::Image as fn(Media) -> Segment,
                Segment::Audio,
                Segment::Video,
                Segment::File,
            ]),
        );
        prop_oneof![
            words().prop_map(|text| Segment::Text { text }),
            (words(), prop::option::of(words())).prop_map(|(user, name)| Segment::Mention {
                user,
                name,
                me: false
            }),
            Just(Segment::MentionAll {}),
            (words(), prop::option::of(words())).prop_map(|(id, name)| Segment::Emoji {
                name,
                id: Some(id),
                url: None
            }),
            file.prop_map(|(media, kind)| kind(media)),
        ]
    }

    proptest! {
        #[test]
        fn what_the_protocol_can_say_comes_back(
            segments in prop::collection::vec(sayable(), 1..8),
            forwarded in prop::collection::vec(sayable(), 1..4),
        ) {
            let targets = ElementTargets { message: &|_| None, file: &|_| None };
            let back = read(&written(&segments), &targets).unwrap();
            prop_assert_eq!(back.len(), 1);
            prop_assert_eq!(&back[0].segments, &Content::of(segments).to_segments());
            let sender = Sender { id: "5".into(), name: "Ann".into() };
            let segments = Content::of(forwarded).to_segments();
            let items = vec![ForwardItem { sender, created_at: 0, segments }];
            let forward = vec![Segment::Forward { title: None, items, id: None }];
            let back = read(&written(&forward), &targets).unwrap();
            prop_assert_eq!(&back[0].segments, &forward);
        }
    }
}
