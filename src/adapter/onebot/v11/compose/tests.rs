use super::*;
use crate::adapter::onebot::common::parts::MessageReading;
use crate::adapter::onebot::v11::options::MessageFormat;
use crate::adapter::onebot::v11::{faces, reading};
use crate::model::content::{ForwardItem, Media, every_segment};
use crate::model::message::{MessageType, Sender};
use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

fn outbound(content: Content, reply_to: Option<ReplyTo>) -> Outbound {
    Outbound { reply_to: reply_to.map(Box::new), ..Outbound::new(Uuid::nil(), "group_1", content) }
}

fn written_as(message: &Outbound, conversation: &str, options: &OneBot11Options) -> Vec<Value> {
    let address = OneBot11Address::parse(conversation).unwrap();
    let steps = steps(message, &address, "1", options).unwrap();
    let write = |step: &SendStep<'_>| match &step.body {
        StepBody::Message(run) => serde_json::to_value(write(run, options.message_format)).unwrap(),
        StepBody::Upload { file, name } => json!({"file": file, "name": name}),
        StepBody::Forward(nodes) => json!({"messages": nodes}),
    };
    steps.iter().map(write).collect()
}

fn written(segments: Vec<Segment>, reply_to: Option<ReplyTo>) -> Vec<Value> {
    let message = outbound(Content::of(segments), reply_to);
    written_as(&message, "group_1", &OneBot11Options::default())
}

fn text(text: &str) -> Segment {
    Segment::Text { text: text.into() }
}

fn at(url: &str) -> Media {
    Media { url: Some(url.into()), ..Media::default() }
}

#[allow(clippy::needless_pass_by_value, reason = "it reads better")]
fn wire(kind: &str, data: Value) -> Value {
    json!({"type": kind, "data": data})
}

#[test]
fn text_goes_as_it_was_typed() {
    let all = written(vec![text("[CQ:at,qq=all] & <b>")], None);
    let segment = wire("text", json!({"text": "[CQ:at,qq=all] & <b>"}));
    assert_eq!(all, [json!({"message": [segment]})]);
}

#[test]
fn an_emoji_whose_address_is_a_path_goes_as_words() {
    let emoji =
        |url: &str| Segment::Emoji { name: Some("笑".into()), id: None, url: Some(url.into()) };
    for path in ["/etc/passwd", "file:///etc/passwd"] {
        let all = written(vec![emoji(path)], None);
        assert_eq!(all, [json!({"message": [wire("text", json!({"text": "[笑]"}))]})]);
    }
    let image = wire("image", json!({"file": "https://x/a.gif", "summary": "笑"}));
    assert_eq!(written(vec![emoji("https://x/a.gif")], None), [json!({"message": [image]})]);
}

#[test]
fn an_answer_with_a_mention_and_a_picture_is_one_message() {
    let mention = Segment::Mention { user: "5".into(), name: Some("Ann".into()), me: false };
    let image = Segment::Image(at("https://x/a.png"));
    let reply_to = ReplyTo { external_id: Some("-9".into()), ..ReplyTo::default() };
    let all = written(vec![mention, text(" 看"), image], Some(reply_to));
    let message = json!([
        wire("reply", json!({"id": "-9"})),
        wire("at", json!({"qq": "5", "name": "Ann"})),
        wire("text", json!({"text": " 看"})),
        wire("image", json!({"file": "https://x/a.png"})),
    ]);
    assert_eq!(all, [json!({ "message": message })]);
}

#[test]
fn what_goes_alone_goes_alone() {
    let file = Media { name: Some("季度.pdf".into()), ..at("https://x/a") };
    let video = Segment::Video(at("data:video/mp4;base64,aGk="));
    let segments = vec![text("a"), Segment::File(file), text(" "), video, text("b")];
    let file = wire("file", json!({"file": "https://x/a", "name": "季度.pdf"}));
    let video = wire("video", json!({"file": "base64://aGk="}));
    let said = |said| json!({"message": [wire("text", json!({"text": said}))]});
    let files = [json!({"message": [file]}), json!({"message": [video]})];
    let [first, second] = files;
    assert_eq!(written(segments.clone(), None), [said("a"), first, second.clone(), said("b")]);
    let upload = OneBot11Options { group_file: GroupFile::Upload, ..OneBot11Options::default() };
    let all = written_as(&outbound(Content::of(segments), None), "group_1", &upload);
    let file = json!({"file": "https://x/a", "name": "季度.pdf"});
    assert_eq!(all, [said("a"), file, second, said("b")]);
}

#[test]
fn what_has_no_form_goes_as_its_words() {
    for segment in every_segment() {
        let plain = match &segment {
            Segment::Location { .. } | Segment::Card { .. } | Segment::Other { .. } => {
                segment.full_text()
            }
            _ => continue,
        };
        let expected = json!({"message": [wire("text", json!({ "text": plain }))]});
        assert_eq!(written(vec![segment], None), [expected]);
    }
    let mention = Segment::Mention { user: "5".into(), name: Some("Ann".into()), me: false };
    let message = outbound(Content::of(vec![mention, text("hi")]), None);
    let all = written_as(&message, "private_5", &OneBot11Options::default());
    assert_eq!(all, [json!({"message": [wire("text", json!({"text": "@Ann hi"}))]})]);
    let missing = Segment::Image(Media { name: Some("a.png".into()), ..Media::default() });
    let said = wire("text", json!({"text": "看a.png"}));
    assert_eq!(written(vec![text("看"), missing], None), [json!({"message": [said]})]);
}

#[test]
fn an_answer_to_what_the_platform_does_not_know_quotes_it() {
    let sender = Some(Sender { id: "5".into(), name: "Ann".into() });
    let unknown = ReplyTo { sender, content: Some("早".into()), ..ReplyTo::default() };
    let said = wire("text", json!({"text": "> Ann: 早\n好"}));
    let all = written(vec![text("好")], Some(unknown.clone()));
    assert_eq!(all, [json!({"message": [said]})]);
    // A file alone is no answer on QQ.
    let known = ReplyTo { external_id: Some("7".into()), ..unknown };
    let all = written(vec![Segment::Audio(at("https://x/a"))], Some(known));
    let reply = wire("reply", json!({"id": "7"}));
    let said = wire("text", json!({"text": "> Ann: 早"}));
    assert_eq!(all[0], json!({"message": [reply, said]}));
    assert_eq!(all[1]["message"][0]["type"], "record");
}

#[test]
fn what_is_sent_is_recognized_when_it_is_told() {
    let quoted = ReplyTo { content: Some("早".into()), ..ReplyTo::default() };
    let options = OneBot11Options::default();
    for (conversation, reply_to) in [
        ("group_1", None),
        ("private_1", None),
        ("group_1", Some(quoted.clone())),
        ("private_1", Some(quoted)),
    ] {
        for segment in every_segment() {
            let is_forward = matches!(segment, Segment::Forward { .. });
            let message = outbound(Content::of(vec![text("x"), segment]), reply_to.clone());
            let address = OneBot11Address::parse(conversation).unwrap();
            let steps = steps(&message, &address, "1", &options).unwrap();
            let written = written_as(&message, conversation, &options);
            for (step, written) in steps.iter().zip(written).take(1 + usize::from(!is_forward)) {
                let (told, _) = read_back(&[written]);
                assert!(told.is_told_of(&step.content), "{told:?} of {:?}", step.content);
                if steps.len() == 1 {
                    let quote = message.reply_to.as_ref().and_then(|answered| answered.quote());
                    let sent = &message.content;
                    let is_quoted = |quote| told.is_told_of(&sent.behind_quote(quote));
                    assert!(told.is_told_of(sent) || quote.is_some_and(is_quoted), "{told:?}");
                }
            }
        }
    }
}

#[test]
fn the_contents_are_known_without_the_files_and_the_insides_of_forwards() {
    let file = |url: Option<&str>| {
        let media = Some("00".repeat(32));
        let name = Some("a.pdf".to_owned());
        Segment::File(Media { url: url.map(str::to_owned), media, name, ..Media::default() })
    };
    let item = ForwardItem { segments: vec![text("inside")], ..ForwardItem::default() };
    let forward =
        |items: Vec<ForwardItem>| Segment::Forward { title: None, items, id: Some("f".into()) };
    let of = |segments| outbound(Content::of(segments), None);
    let at_hand = of(vec![text("see"), file(Some("data:;base64,aGk=")), forward(vec![item])]);
    let stored = of(vec![text("see"), file(None), forward(Vec::new())]);
    let kept = |contents: Vec<Content>| -> Vec<_> {
        contents.iter().map(Content::without_addresses).collect()
    };
    let known = kept(contents_without_files(&stored, "1"));
    assert_eq!(known.len(), 3);
    assert_eq!(known, kept(contents(&at_hand, "1", &OneBot11Options::default())));
}

#[test]
fn a_forward_is_made_of_nodes() {
    let item = |id: &str, name: &str, segment| ForwardItem {
        sender: Sender { id: id.into(), name: name.into() },
        created_at: 0,
        segments: vec![segment],
    };
    let items =
        vec![item("5", "Ann", text("早")), item("wxid_x", "Bo", Segment::Image(at("https://x/a")))];
    let all = written(vec![Segment::Forward { title: None, items, id: None }], None);
    let node = |id: &str, name: &str, content| {
        let data = json!({
            "user_id": id, "nickname": name, "uin": id, "name": name, "content": [content]
        });
        wire("node", data)
    };
    let nodes = [
        node("5", "Ann", wire("text", json!({"text": "早"}))),
        node("1", "Bo", wire("image", json!({"file": "https://x/a"}))),
    ];
    assert_eq!(all, [json!({ "messages": nodes })]);
}

#[test]
fn a_string_is_for_implementations_that_know_nothing_else() {
    let string =
        OneBot11Options { message_format: MessageFormat::String, ..OneBot11Options::default() };
    let write =
        |segments| written_as(&outbound(Content::of(segments), None), "group_1", &string).remove(0);
    let plain = write(vec![text("[CQ:face]")]);
    assert_eq!(plain, json!({"message": "[CQ:face]", "auto_escape": true}));
    let mixed = write(vec![text("[a],&"), Segment::Image(at("http://x/?a,b"))]);
    let message = "&#91;a&#93;,&amp;[CQ:image,file=http://x/?a&#44;b]";
    assert_eq!(mixed, json!({"message": message, "auto_escape": false}));
}

#[test]
fn a_path_is_refused() {
    let content = Content::of_type(MessageType::File, "/etc/passwd".into());
    let address = OneBot11Address::parse("group_1").unwrap();
    let Some(Segment::File(media)) = content.segments().map(|segments| segments[0].clone()) else {
        panic!()
    };
    let media = Media { url: media.name, ..Media::default() };
    let message = outbound(Content::of(vec![Segment::File(media)]), None);
    let refused = steps(&message, &address, "1", &OneBot11Options::default()).unwrap_err();
    assert!(refused.contains("not read"), "{refused}");
}

/// Segments that OneBot 11 has a form for.
fn sayable() -> impl Strategy<Value = Segment> {
    let face = prop::sample::select(vec!["14", "178", "9999"]).prop_map(|id| Segment::Emoji {
        name: faces::name(id).map(str::to_owned),
        id: Some(id.into()),
        url: None,
    });
    let url = "https://x/[a-z,&=\\[\\]]{1,6}";
    let image = (url, prop::option::of("\\[[a-z]{1,4}\\]"))
        .prop_map(|(url, summary)| Segment::Image(Media { summary, ..at(&url) }));
    let file = (url, "[a-z]{1,6}\\.pdf")
        .prop_map(|(url, name)| Segment::File(Media { name: Some(name), ..at(&url) }));
    prop_oneof![
        "(.|\\[CQ:at,qq=1\\]|&amp;|&#91;){0,6}x".prop_map(|words| text(&words)),
        ("[1-9][0-9]{4,9}", prop::option::of("[a-z,&\\[\\]]{1,6}"))
            .prop_map(|(user, name)| Segment::Mention { user, name, me: false }),
        Just(Segment::MentionAll {}),
        face,
        image,
        file,
        url.prop_map(|url| Segment::Audio(at(&url))),
        url.prop_map(|url| Segment::Video(at(&url))),
    ]
}

/// Reads what was written, as if it came in.
fn read_back(written: &[Value]) -> (Content, Option<String>) {
    let (mut segments, mut answered) = (Vec::new(), None);
    for message in written {
        let json = message["message"].to_string();
        let read = if message["auto_escape"] == true {
            let text = message["message"].as_str().unwrap();
            segments.push(Segment::Text { text: text.into() });
            continue;
        } else {
            reading::read(serde_json::from_str(&json).unwrap(), &|_| false)
        };
        let MessageReading { content, reply_to, .. } = read;
        segments.extend(content.to_segments());
        answered = answered.or(reply_to.and_then(|reply_to| reply_to.external_id));
    }
    (Content::of(segments), answered)
}

proptest! {
    #[test]
    fn what_the_protocol_can_say_comes_back(
        segments in prop::collection::vec(sayable(), 1..8),
        id in prop::option::of("-?[1-9][0-9]{0,8}"),
        is_string in any::<bool>(),
    ) {
        let format = if is_string { MessageFormat::String } else { MessageFormat::Array };
        let options = OneBot11Options { message_format: format, ..OneBot11Options::default() };
        // An answer needs words; a file alone gets the words of what it answers.
        let segments: Vec<_> = segments.into_iter().chain([text("x")]).collect();
        let reply_to = id.clone().map(|id| ReplyTo { external_id: Some(id), ..ReplyTo::default() });
        let message = outbound(Content::of(segments.clone()), reply_to);
        let back = read_back(&written_as(&message, "group_1", &options));
        prop_assert_eq!(back, (Content::of(segments), id));
    }
}
