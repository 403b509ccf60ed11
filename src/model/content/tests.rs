use super::*;
use crate::model::sender::Sender;
use serde_json::json;

fn text(text: &str) -> Segment {
    Segment::Text { text: text.into() }
}

fn mention(user: &str, name: Option<&str>) -> Segment {
    Segment::Mention { user: user.into(), name: name.map(str::to_owned), me: false }
}

fn image(media: Media) -> Segment {
    Segment::Image(media)
}

fn shown(segments: Vec<Segment>) -> (MessageType, String) {
    let content = Content::of(segments);
    (content.message_type(), content.readable().into_owned())
}

#[test]
fn one_text_is_plain() {
    let content = Content::of(vec![text("a"), text(""), text("b")]);
    assert_eq!(content, Content::text("ab"));
    assert_eq!(content.segments(), None);
}

#[test]
fn mentions_read_as_names() {
    let all = vec![mention("7", Some("Ann")), text(" hi "), mention("8", None), text("!")];
    assert_eq!(shown(all).1, "@Ann hi @8 !");
    assert_eq!(shown(vec![Segment::MentionAll {}, text("come")]).1, "@all come");
}

#[test]
fn a_mention_is_named_later() {
    let content = Content::of(vec![mention("7", None), text("hi"), mention("8", Some("Bo"))]);
    let named = content.with_mention_named("7", "Ann").unwrap();
    assert_eq!(named.readable(), "@Ann hi @Bo");
    assert_eq!(content.with_mention_named("8", "Eve"), None);
    assert_eq!(Content::text("@7").with_mention_named("7", "Ann"), None);
}

#[test]
fn one_picture_is_its_address_else_its_name() {
    let url = Media { url: Some("HTTPS://a/b.png".into()), ..Media::default() };
    assert_eq!(shown(vec![image(url)]), (MessageType::Image, "HTTPS://a/b.png".into()));
    let named = Media { name: Some("b.png".into()), ..Media::default() };
    assert_eq!(shown(vec![Segment::File(named)]), (MessageType::File, "b.png".into()));
    assert_eq!(shown(vec![image(Media::default())]), (MessageType::Image, "[image]".into()));
}

#[test]
fn base64_is_never_shown() {
    for url in ["base64://AAAA", "data:image/png;base64,AAAA"] {
        let media = Media { url: Some(url.into()), ..Media::default() };
        assert_eq!(shown(vec![image(media)]).1, "[image]");
        let content = Content::of_type(MessageType::Image, url.into());
        assert_eq!(content.readable(), "[image]");
    }
}

#[test]
fn a_picture_with_text_is_a_text() {
    let media = Media { url: Some("https://a/b.png".into()), ..Media::default() };
    assert_eq!(shown(vec![text("look"), image(media)]), (MessageType::Text, "look [image]".into()));
}

#[test]
fn each_kind_has_a_word() {
    let none = None::<String>;
    let words = [
        (Segment::Emoji { name: Some("微笑".into()), id: none.clone(), url: None }, "[微笑]"),
        (Segment::Emoji { name: Some("😀".into()), id: None, url: None }, "😀"),
        (Segment::Emoji { name: None, id: Some("5".into()), url: None }, "[emoji]"),
        (
            Segment::Location { latitude: 1.5, longitude: 2.0, title: None, address: None },
            "1.50000,2.00000",
        ),
        (Segment::Forward { title: None, items: vec![], id: None }, "[forward]"),
        (Segment::Card { title: None, text: Some("x".into()), url: None, image: None }, "x"),
        (Segment::Other { name: "dice".into(), text: None }, "[dice]"),
        (Segment::Other { name: "dice".into(), text: Some("6".into()) }, "[dice] 6"),
    ];
    for (segment, word) in words {
        assert_eq!(shown(vec![segment]), (MessageType::Text, word.into()));
    }
}

#[test]
fn the_json_is_the_contracts() {
    let all = json!([
        {"type": "text", "text": "a"},
        {"type": "mention", "user": "7", "name": "Ann", "me": true},
        {"type": "mention_all"},
        {"type": "emoji", "id": "14"},
        {"type": "image", "url": "https://a", "width": 3, "height": 4},
        {"type": "location", "latitude": 1.0, "longitude": 2.5},
        {"type": "forward", "items": [
            {"sender": {"id": "1", "name": "B"}, "created_at": 5, "segments": [{"type": "text", "text": "x"}]}
        ]},
        {"type": "card", "title": "t"},
        {"type": "other", "name": "poke"},
    ]);
    let segments: Vec<Segment> = serde_json::from_value(all.clone()).unwrap();
    assert_eq!(serde_json::to_value(&segments).unwrap(), all);
    assert!(Content::of(segments).mentions_me());
}

#[test]
fn what_is_too_much_is_refused() {
    assert!(Content::check(&[]).is_err());
    assert!(Content::check(&vec![text("x"); MAX_SEGMENTS + 1]).is_err());
    let mut nested = text("x");
    for _ in 0..=MAX_FORWARD_DEPTH {
        let sender = Sender::default();
        let item = ForwardItem { sender, created_at: 0, segments: vec![nested] };
        nested = Segment::Forward { title: None, items: vec![item], id: None };
    }
    assert!(Content::check(&[nested]).unwrap_err().contains("deep"));
    let error = Content::check(&[text("a"), mention("", None)]).unwrap_err();
    assert_eq!(error, "`segments[1].user` is empty");
}

#[test]
fn a_text_alone_is_not_told_of_a_text_with_a_file() {
    let with = |media: Media| Content::of(vec![text("look"), Segment::File(media)]);
    let named = |name: &str| with(Media { name: Some(name.into()), ..Media::default() });
    let sent = named("a.pdf");
    assert!(!Content::text("look").is_told_of(&sent));
    assert!(!sent.is_told_of(&Content::text("look")));
    assert!(Content::text(" look").is_told_of(&Content::text("look")));
}

#[test]
fn a_file_keeps_its_name() {
    let media = |name: Option<&str>, size, url: Option<&str>| {
        let (name, url) = (name.map(str::to_owned), url.map(str::to_owned));
        Content::of(vec![Segment::File(Media { name, size, url, ..Media::default() })])
    };
    let told = |name: &str, size| media(Some(name), size, None);
    let sent = media(Some("季度: a.pdf"), Some(5), Some("https://x/1"));
    assert!(told("季度_ A.PDF", None).is_told_of(&sent), "with what the platform replaces");
    for other in ["b.pdf", "季度 b.pdf", "季度 a.pdf.zip"] {
        assert!(!told(other, Some(5)).is_told_of(&sent), "{other}");
    }
    // A hash or an ID, or nothing, stands in the place of the name.
    for hash in ["0123456789ABCDEF0123456789abcdef.pdf", "/1f0e3dad-9990-8345-f743-9f8ffabdffc4"] {
        assert!(told(hash, Some(5)).is_told_of(&sent), "{hash}");
        assert!(told(hash, None).is_told_of(&sent), "{hash}");
        assert!(!told(hash, Some(6)).is_told_of(&sent), "{hash}");
    }
    assert!(media(None, None, None).is_told_of(&sent));
    // Digits alone may be a name that a person gave.
    for digits in ["2026-1128-1234-5678.pdf", "1234567890123456.pdf"] {
        assert!(!told(digits, None).is_told_of(&sent), "{digits}");
        assert!(!told(digits, Some(6)).is_told_of(&sent), "{digits}");
        assert!(told(digits, Some(5)).is_told_of(&sent), "{digits}");
    }
    assert!(told("12345678-1234-1234-1234-123456789012", None).is_told_of(&sent));
    // An address and bytes tell the name, too, and it is kept without them.
    for url in ["https://x/a%201.pdf?b", "data:a/b;name=a%201.pdf;base64,aGk="] {
        let sent = media(None, None, Some(url));
        for sent in [sent.without_addresses(), sent] {
            assert!(told("a 1.pdf", None).is_told_of(&sent), "{url}");
            assert!(!told("b.pdf", None).is_told_of(&sent), "{url}");
        }
    }
    let nameless = media(None, None, Some("https://x/"));
    assert!(told("b.pdf", None).is_told_of(&nameless));
}

#[test]
fn what_a_platform_has_no_form_for_is_told_as_text() {
    let place = || Segment::Location { latitude: 1.5, longitude: 2.0, title: None, address: None };
    let sticker = |id: Option<&str>| Segment::Emoji {
        name: Some("x".into()),
        id: id.map(str::to_owned),
        url: Some("https://x/b.png".into()),
    };
    let face = || Segment::Emoji { name: None, id: Some("14".into()), url: None };
    let card =
        Segment::Card { title: Some("T".into()), text: None, url: Some("u".into()), image: None };
    let dice = Segment::Other { name: "dice".into(), text: Some("6".into()) };
    let emoji = Segment::Emoji { name: Some("😀".into()), id: None, url: None };
    for (sent, told) in [
        (vec![place()], "1.5,2"),
        (vec![text("at "), place()], "at 1.5,2"),
        (vec![card], "T u"),
        (vec![dice], "[dice] 6"),
        (vec![text("hi "), emoji], "hi 😀"),
        (vec![text("hi "), mention("5", Some("Ann"))], "hi @Ann"),
        (
            vec![text("see "), image(Media { name: Some("a.png".into()), ..Media::default() })],
            "see a.png",
        ),
        (vec![text("see "), sticker(None)], "see [x]"),
    ] {
        let sent = Content::of(sent);
        assert!(Content::text(told).is_told_of(&sent), "{told}");
        assert!(!Content::text(format!("{told}!")).is_told_of(&sent), "{told}");
        let quoted = Content::text(format!("> Bo: no\n{told}"));
        assert!(quoted.is_told_of(&sent.behind_quote("> Bo: no\n".into())), "{told}");
    }
    // A face beside a sticker that goes out as an image.
    let sent = Content::of(vec![sticker(Some("14")), sticker(None)]);
    assert!(Content::of(vec![face(), image(Media::default())]).is_told_of(&sent));
    assert!(!Content::of(vec![face()]).is_told_of(&sent));
}

#[test]
fn what_says_nothing_in_words_proves_only_itself() {
    let face = |id: &str| Segment::Emoji { name: None, id: Some(id.into()), url: None };
    let other = |name: &str| Segment::Other { name: name.into(), text: None };
    let of = |segment: &Segment| Content::of(vec![segment.clone()]);
    let all = [
        face("14"),
        face("15"),
        other("dice"),
        other("rps"),
        mention("5", None),
        mention("6", None),
    ];
    for sent in &all {
        for told in &all {
            assert_eq!(of(told).is_told_of(&of(sent)), told == sent, "{told:?} of {sent:?}");
        }
    }
}

#[test]
fn words_with_another_mention_or_face_are_another_message() {
    let face = |id: &str, name: &str| Segment::Emoji {
        name: Some(name.into()),
        id: Some(id.into()),
        url: None,
    };
    let to = |user: &str, name| Content::of(vec![mention(user, Some(name)), text(" hi")]);
    let with = |face| Content::of(vec![text("ok"), face]);
    assert!(to("7", "Robert").is_told_of(&to("7", "Bob")), "the card in the group");
    assert!(Content::text("@Bob  hi").is_told_of(&to("7", "Bob")));
    assert!(with(face("14", "x")).is_told_of(&with(face("14", "y"))));
    for (told, sent) in [
        (to("8", "Bob"), to("7", "Bob")),
        (Content::text("hi"), to("7", "Bob")),
        (to("7", "Bob"), Content::text("hi")),
        (Content::text("ok"), with(face("14", "x"))),
        (with(face("15", "x")), with(face("14", "x"))),
        (with(face("14", "x")), Content::text("ok")),
    ] {
        assert!(!told.is_told_of(&sent), "{told:?} of {sent:?}");
    }
}

#[test]
fn an_answer_may_be_told_behind_a_mention_of_the_author_it_answers() {
    let to = |user: &str, words: &str| {
        let mention = Segment::Mention { user: user.into(), name: None, me: false };
        Content::of(vec![mention, text(words)])
    };
    let sent = Content::text("ok");
    assert!(to("5", " ok").is_told_of_answer(&sent, Some("5")));
    assert!(sent.is_told_of_answer(&sent, Some("5")));
    assert!(!to("6", " ok").is_told_of_answer(&sent, Some("5")), "of somebody else");
    assert!(!to("5", " no").is_told_of_answer(&sent, Some("5")));
    assert!(!to("5", " ok").is_told_of_answer(&sent, None), "it answers nothing");
    let mentions = to("5", "ok");
    assert!(mentions.is_told_of_answer(&mentions, Some("5")));
}

#[test]
fn a_text_may_be_told_with_other_ends_of_lines() {
    for (told, sent) in [("a\nb", "a\r\nb"), ("a\r\nb", "a\nb"), ("a\nb", "a\rb")] {
        let (told, sent) = (Content::text(told), Content::text(sent));
        assert!(told.is_told_of(&sent) && told.is_same_text(&sent), "{told:?} of {sent:?}");
    }
    assert!(!Content::text("a b").is_told_of(&Content::text("a\r\nb")));
}

#[test]
fn an_array_is_no_segment() {
    let text = r#"{"type":"text","text":"x"}"#;
    let forward = |item: &str| format!(r#"{{"type":"forward","items":[{item}]}}"#);
    let person = r#"{"id":"1","name":"A"}"#;
    let read = |json: &str| serde_json::from_str::<Segment>(json);
    let item =
        format!(r#"{{"sender":{person},"created_at":5,"segments":[{text},{{"type":"image"}}]}}"#);
    for good in [text, r#"{"text":"x","type":"text"}"#, &forward(&item)] {
        read(good).unwrap();
    }
    for wrong in [
        r#"["text","x"]"#.to_owned(),
        r#"["image","a.png"]"#.to_owned(),
        forward(&format!(r"[{person},5,[]]")),
        forward(r#"{"sender":["1","A"],"created_at":5,"segments":[]}"#),
        forward(&format!(r#"{{"sender":{person},"created_at":5,"segments":[["text","x"]]}}"#)),
    ] {
        let told = read(&wrong).unwrap_err().to_string();
        assert!(told.contains("expected a map"), "{wrong}: {told}");
    }
}

#[test]
fn a_part_of_what_was_sent_is_not_told_of_the_whole() {
    let picture = || image(Media::default());
    let video = || Segment::Video(Media::default());
    let forward = |items: Vec<ForwardItem>| Segment::Forward { title: None, items, id: None };
    let content = |segments: &[Segment]| Content::of(segments.to_vec());
    let item = ForwardItem { sender: Sender::default(), created_at: 0, segments: Vec::new() };
    let sent = content(&[text("look"), picture(), video()]);
    assert!(sent.is_told_of(&sent));
    for told in [
        content(&[text("look")]),
        content(&[text("look"), picture()]),
        content(&[text("look"), video(), picture()]),
        content(&[picture(), video()]),
    ] {
        assert!(!told.is_told_of(&sent), "{told:?}");
        assert!(!sent.is_told_of(&told), "{told:?}");
    }
    let sent = content(&[text("look"), forward(vec![item.clone()])]);
    assert!(!Content::text("look").is_told_of(&sent));
    let card = |title: &str| Segment::Card {
        title: Some(title.into()),
        text: None,
        url: None,
        image: None,
    };
    assert!(!content(&[card("a")]).is_told_of(&content(&[card("b")])));
    for told in [forward(Vec::new()), card("a")] {
        assert!(content(&[told]).is_told_of(&content(&[forward(vec![item.clone()])])));
    }
}

#[test]
fn the_form_that_is_kept_for_an_echo_has_no_bytes_and_is_recognized() {
    let url = Some(format!("base64://{}", "A".repeat(1_000)));
    let picture = Segment::Image(Media { url, name: Some("a.png".into()), ..Media::default() });
    for sent in [Content::of(vec![picture.clone()]), Content::of(vec![text("look"), picture])] {
        let kept = sent.without_addresses();
        assert!(!format!("{kept:?}").contains("AAAA"));
        assert!(sent.is_told_of(&kept) && kept.is_told_of(&sent));
    }
    assert!(Content::text("a").is_told_of(&Content::text("a").without_addresses()));
    // Content that went out as a file or a forward is not told as text.
    let forward = |items| Segment::Forward { title: Some("t".into()), items, id: None };
    let file =
        Media { name: Some("a.pdf".into()), url: Some("https://x/1".into()), ..Media::default() };
    for (sent, text) in
        [(Segment::File(file), "a.pdf"), (forward(vec![ForwardItem::default()]), "t")]
    {
        let kept = Content::of(vec![sent]).without_addresses();
        assert!(!Content::text(text).is_told_of(&kept), "{kept:?}");
    }
    let closed = Content::of(vec![forward(Vec::new())]).without_addresses();
    assert!(Content::text("t").is_told_of(&closed), "a closed one goes out as its title");
}

#[test]
fn an_emoji_with_a_picture_may_be_told_as_an_image() {
    let emoji = |url: Option<&str>| {
        let url = url.map(str::to_owned);
        Content::of(vec![text("hi"), Segment::Emoji { name: None, id: Some("1".into()), url }])
    };
    let sent = emoji(Some("https://x/1.gif"));
    assert!(Content::of(vec![text("hi"), image(Media::default())]).is_told_of(&sent));
    assert!(emoji(None).is_told_of(&sent), "it may also be told as a face");
}
