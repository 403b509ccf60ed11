//! Tests of reading elements.

use super::*;
use crate::gateway::satori::media::LinkedFile;
use crate::model::content::{Content, Media};
use crate::model::message::{Message, Sender};
use proptest::prelude::*;
use uuid::Uuid;

fn all(text: &str) -> Result<Vec<OutgoingMessage>, String> {
    let known = |id: &str| {
        (id == "known").then(|| {
            let made = Message::new(1, Uuid::nil(), "earlier".into(), "group_1".into(), 5);
            Message { sender: Some(Sender { id: "7".into(), name: "Ann".into() }), ..made }
        })
    };
    let hash = || "ab".repeat(32).parse().ok();
    let kept = |link: &str| {
        let name = Some("a.txt".to_owned());
        Some(LinkedFile { hash: link.ends_with("/signed/a.txt").then(hash)??, name })
    };
    read(text, &ElementTargets { message: &known, file: &kept })
}

/// The one message that a text makes.
fn one(text: &str) -> OutgoingMessage {
    let mut made = all(text).unwrap();
    assert_eq!(made.len(), 1, "{text}: {made:?}");
    made.remove(0)
}

fn readable(text: &str) -> String {
    Content::of(one(text).segments).readable().into_owned()
}

#[test]
fn elements_become_segments() {
    let made = one("回 &lt;x&gt; <at id=\"22\"/><at type=\"all\"/><emoji id='1' name='n'/>\
                    <img src=\"data:image/png;base64,aGk=\" title=\"a.png\"/>");
    let media = Media {
        name: Some("a.png".into()),
        url: Some("data:image/png;base64,aGk=".into()),
        ..Media::default()
    };
    let expected = [
        Segment::Text { text: "回 <x> ".into() },
        Segment::Mention { user: "22".into(), name: None, me: false },
        Segment::MentionAll {},
        Segment::Emoji { name: Some("n".into()), id: Some("1".into()), url: None },
        Segment::Image(media),
    ];
    assert_eq!(made.segments, expected);
}

#[test]
fn formats_are_dropped_and_their_content_stays() {
    assert_eq!(readable("<b>a <i>b</i></b><unknown x=\"1\">c</unknown>"), "a bc");
    assert_eq!(readable("a<br/>b<p>c</p><p>d</p>e"), "a\nb\nc\nd\ne");
    assert_eq!(readable("<a href=\"https://x\">see</a>"), "see (https://x)");
    assert_eq!(readable("<a href=\"https://x\"/>"), "https://x");
    assert_eq!(readable("<a href=\"https://x\">https://x</a>"), "https://x");
    assert_eq!(readable("<sharp id=\"1\" name=\"room\"/> <at role=\"mods\"/>"), "#room @mods");
    assert_eq!(readable("<button type=\"link\" href=\"https://x\">go</button>"), "go (https://x)");
}

#[test]
fn a_message_element_is_a_message_of_its_own() {
    for text in ["<message>a</message><message>b</message>", "a<message/>b"] {
        let texts: Vec<_> =
            all(text).unwrap().into_iter().map(|made| Content::of(made.segments)).collect();
        assert_eq!(texts, [Content::text("a"), Content::text("b")], "{text}");
    }
    assert!(all("<message/>").unwrap_err().contains("nothing"));
    assert!(all(&"<message>x</message>".repeat(51)).unwrap_err().contains("more than 50"));
}

#[test]
fn a_quote_names_the_message_that_is_answered() {
    let made = one("<quote id=\"known\"><author id=\"1\"/>what <b>was</b></quote>answer");
    assert_eq!(made.quote.as_deref(), Some("known"));
    assert_eq!(Content::of(made.segments).readable(), "answer");
    assert_eq!(readable("<quote>said</quote> so"), "said so");
}

#[test]
fn the_words_of_an_unknown_quote_stay() {
    let made = one("<quote id=\"5\"><author id=\"1\"/>what <b>was</b></quote>answer");
    assert_eq!(made.quote, None);
    assert_eq!(Content::of(made.segments).readable(), "what was\nanswer");
    assert_eq!(readable("<quote id=\"5\"/>answer"), "answer");
    let made =
        one("<message forward><message><quote id=\"known\">was</quote>is</message></message>");
    let [Segment::Forward { items, .. }] = &made.segments[..] else { panic!("{made:?}") };
    assert_eq!(Content::of(items[0].segments.clone()), Content::text("was\nis"));
    let many = "<quote id=\"5\">a</quote>".repeat(60) + "b";
    assert_eq!(readable(&many), "a\n".repeat(60) + "b");
}

#[test]
fn forwards_have_their_messages() {
    let made =
        one("<message forward><message id=\"known\"/><message><author id=\"1\" name=\"B\"/>\
                    hello</message><message forward><message>deep</message></message></message>");
    let [Segment::Forward { items, .. }] = &made.segments[..] else { panic!("{made:?}") };
    let shown: Vec<_> =
        items.iter().map(|item| (&*item.sender.name, Content::of(item.segments.clone()))).collect();
    assert_eq!(shown[0], ("Ann", Content::text("earlier")));
    assert_eq!(shown[1], ("B", Content::text("hello")));
    assert!(matches!(&items[2].segments[..], [Segment::Forward { .. }]));
    let made = one("<message id=\"known\" forward/>");
    assert!(matches!(&made.segments[..], [Segment::Forward { items, .. }] if items.len() == 1));
    assert!(all("<message id=\"9\" forward/>").unwrap_err().contains("`9`"));
}

#[test]
fn paths_of_the_host_are_not_read() {
    let unsigned = format!("internal:qq/1/media/{}/1/2/a.txt", "ab".repeat(32));
    for src in ["file:///etc/passwd", "/etc/passwd", "", "ftp://x", &unsigned] {
        let refused = all(&format!("<img src=\"{src}\"/>")).unwrap_err();
        assert!(refused.contains("<img>"), "{src}: {refused}");
    }
    let hash = "ab".repeat(32);
    let made = one(&format!("<file src=\"internal:qq/1/media/{hash}/1/signed/a.txt\"/>"));
    let media = made.segments[0].media().unwrap();
    assert_eq!((media.media.as_deref(), media.name.as_deref()), (Some(&*hash), Some("a.txt")));
}

#[test]
fn deep_and_many_elements_are_read_or_refused() {
    for name in ["b", "message", "message forward", "quote id=\"1\"", "p", "a href=\"x\""] {
        let end = name.split(' ').next().unwrap();
        let deep = format!("<{name}>").repeat(10_000) + "x" + &format!("</{end}>").repeat(10_000);
        let _ = all(&deep);
    }
    assert!(all(&"<at id=\"1\"/>".repeat(1_001)).unwrap_err().contains("1000"));
}

proptest! {
    #[test]
    fn any_text_is_read(text in "([<>/&;\"'= \n]|at|img|message|forward|quote|id|src|[a-z#0-9]){0,40}") {
        let _ = all(&text);
    }
}
