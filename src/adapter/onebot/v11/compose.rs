//! Composing what is sent: segments to those of OneBot 11 (message/segment.md), and their division
//! into messages, for QQ takes voices, videos and files only alone.

use super::address::Address;
use super::cq;
use super::options::{GroupFile, MessageFormat, Options};
use crate::adapter::api::Outbound;
use crate::adapter::onebot::common::media::Source;
use crate::adapter::onebot::common::words::{quote, words};
use crate::model::content::{Content, ForwardItem, Media, Segment};
use crate::model::message::ReplyTo;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::borrow::Cow;

/// One message of those that an outbound message becomes.
#[derive(Debug, PartialEq)]
pub(super) struct Step<'a> {
    pub(super) body: Body<'a>,
    /// What of the outbound message it is, by which its echo is known.
    pub(super) content: Content,
}

#[derive(Debug, PartialEq)]
pub(super) enum Body<'a> {
    /// A message of segments.
    Message(Vec<SegmentOut<'a>>),
    /// A file, by an action of its own.
    Upload { file: Cow<'a, str>, name: Cow<'a, str> },
    /// A forward, by an action of its own.
    Forward(Vec<Node<'a>>),
}

/// A segment that is sent.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SegmentOut<'a> {
    kind: &'static str,
    data: Vec<(&'static str, Cow<'a, str>)>,
}

impl Serialize for SegmentOut<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Data<'s, 'a>(&'s [(&'static str, Cow<'a, str>)]);
        impl Serialize for Data<'_, '_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
            }
        }
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("type", self.kind)?;
        map.serialize_entry("data", &Data(&self.data))?;
        map.end()
    }
}

/// One message of a forward that is sent (message/segment.md, "合并转发自定义节点"); go-cqhttp has
/// other names for the person.
#[derive(Debug, PartialEq, Serialize)]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub(super) enum Node<'a> {
    Node {
        user_id: Cow<'a, str>,
        nickname: Cow<'a, str>,
        uin: Cow<'a, str>,
        name: Cow<'a, str>,
        content: Vec<SegmentOut<'a>>,
    },
}

/// A message as an action wants it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Written<'s, 'a> {
    Segments { message: &'s [SegmentOut<'a>] },
    String { message: Cow<'s, str>, auto_escape: bool },
}

/// Writes segments in a format; `auto_escape` keeps text from being read as CQ codes.
pub(super) fn write<'s, 'a>(
    segments: &'s [SegmentOut<'a>],
    format: MessageFormat,
) -> Written<'s, 'a> {
    match (format, segments) {
        (MessageFormat::Array, _) => Written::Segments { message: segments },
        (MessageFormat::String, [SegmentOut { kind: "text", data }]) => {
            Written::String { message: Cow::Borrowed(&data[0].1), auto_escape: true }
        }
        (MessageFormat::String, _) => {
            let code = |segment: &SegmentOut<'_>| match segment.kind {
                "text" => cq::text(&segment.data[0].1),
                kind => cq::code(kind, segment.data.iter().map(|(key, value)| (*key, &**value))),
            };
            let message: String = segments.iter().map(code).collect();
            Written::String { message: message.into(), auto_escape: false }
        }
    }
}

/// The messages that an outbound message becomes, in their order; the error says why it cannot be
/// sent. `account` stands for people of other platforms in forwards.
pub(super) fn steps<'a>(
    message: &'a Outbound,
    address: &Address<'_>,
    account: &'a str,
    options: &Options,
) -> Result<Vec<Step<'a>>, String> {
    let Some(segments) = message.content.segments() else {
        let text = SegmentOut::text(message.content.readable());
        let step = Step { body: Body::Message(vec![text]), content: message.content.clone() };
        return Ok(answering(vec![step], message.reply_to.as_deref()));
    };
    let is_private = matches!(address, Address::Private { .. });
    let is_channel = matches!(address, Address::Channel { .. });
    let mut steps = Vec::new();
    let (mut run, mut content) = (Vec::new(), Vec::new());
    for segment in segments {
        let alone = match segment {
            Segment::File(media) if media.url.is_some() => {
                Some(if options.group_file == GroupFile::Upload && !is_channel {
                    let (file, name) = file(media)?;
                    Body::Upload { file, name }
                } else {
                    Body::Message(vec![self::segment(segment, is_private)?])
                })
            }
            Segment::Audio(media) | Segment::Video(media) if media.url.is_some() => {
                Some(Body::Message(vec![self::segment(segment, is_private)?]))
            }
            Segment::Forward { items, .. } if !items.is_empty() && !is_channel => {
                let nodes =
                    items.iter().map(|item| node(item, account)).collect::<Result<_, _>>()?;
                Some(Body::Forward(nodes))
            }
            _ => None,
        };
        let Some(body) = alone else {
            run.push(self::segment(segment, is_private)?);
            content.push(segment.clone());
            continue;
        };
        end_run(&mut steps, &mut run, &mut content);
        steps.push(Step { body, content: Content::of(vec![segment.clone()]) });
    }
    end_run(&mut steps, &mut run, &mut content);
    Ok(answering(steps, message.reply_to.as_deref()))
}

/// Ends a run of segments that go together; blanks between files are no message.
fn end_run<'a>(
    steps: &mut Vec<Step<'a>>,
    run: &mut Vec<SegmentOut<'a>>,
    content: &mut Vec<Segment>,
) {
    let (run, content) = (joined(std::mem::take(run)), std::mem::take(content));
    if !run.iter().all(SegmentOut::is_blank) {
        steps.push(Step { body: Body::Message(run), content: Content::of(content) });
    }
}

/// Texts that follow each other, as one.
fn joined(segments: Vec<SegmentOut<'_>>) -> Vec<SegmentOut<'_>> {
    let mut joined: Vec<SegmentOut<'_>> = Vec::with_capacity(segments.len());
    for segment in segments {
        match joined.last_mut() {
            Some(last) if last.kind == "text" && segment.kind == "text" => {
                last.data[0].1.to_mut().push_str(&segment.data[0].1);
            }
            _ => joined.push(segment),
        }
    }
    joined
}

/// Puts the message that is answered before the first words: by its ID, else by its own words.
fn answering<'a>(mut steps: Vec<Step<'a>>, reply_to: Option<&'a ReplyTo>) -> Vec<Step<'a>> {
    let Some(reply_to) = reply_to else { return steps };
    let mut head = Vec::new();
    match &reply_to.external_id {
        Some(id) => head.push(SegmentOut { kind: "reply", data: vec![("id", id.into())] }),
        None => head.extend(quote(reply_to).map(SegmentOut::text)),
    }
    if head.is_empty() {
        return steps;
    }
    let takes_a_reply = |step: &&mut Step<'a>| match &step.body {
        Body::Message(run) => run.iter().all(|segment| !segment.goes_alone()),
        Body::Upload { .. } | Body::Forward(_) => false,
    };
    if let Some(Step { body: Body::Message(run), .. }) = steps.iter_mut().find(takes_a_reply) {
        run.splice(0..0, head);
        *run = joined(std::mem::take(run));
        return steps;
    }
    // A file alone cannot be an answer, so its words go before it.
    if reply_to.external_id.is_some() {
        head.push(SegmentOut::text(quote(reply_to).unwrap_or_else(|| "↩".into())));
    }
    let said: String = head
        .iter_mut()
        .filter(|segment| segment.kind == "text")
        .map(|text| {
            let words = text.data[0].1.to_mut();
            words.truncate(words.trim_end().len());
            words.clone()
        })
        .collect();
    steps.insert(0, Step { body: Body::Message(head), content: Content::text(said) });
    steps
}

impl<'a> SegmentOut<'a> {
    fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self { kind: "text", data: vec![("text", text.into())] }
    }

    fn is_blank(&self) -> bool {
        self.kind == "text" && self.data[0].1.trim().is_empty()
    }

    fn goes_alone(&self) -> bool {
        matches!(self.kind, "record" | "video" | "file")
    }
}

/// The segment of OneBot 11; where it has none that implementations take, text. Text is never read
/// as CQ codes.
fn segment(segment: &Segment, is_private: bool) -> Result<SegmentOut<'_>, String> {
    let medium = |kind, media| -> Result<SegmentOut<'_>, String> {
        Ok(SegmentOut { kind, data: vec![("file", file(media)?.0)] })
    };
    Ok(match segment {
        Segment::Text { text } => SegmentOut::text(text),
        // The name is for those whom the implementation does not know (go-cqhttp, and others).
        Segment::Mention { user, name, .. } if !is_private => {
            let name = name.iter().map(|name| ("name", name.into()));
            SegmentOut {
                kind: "at",
                data: std::iter::once(("qq", user.into())).chain(name).collect(),
            }
        }
        Segment::MentionAll {} if !is_private => {
            SegmentOut { kind: "at", data: vec![("qq", "all".into())] }
        }
        Segment::Emoji { id: Some(id), .. } if is_number(id) => {
            SegmentOut { kind: "face", data: vec![("id", id.into())] }
        }
        Segment::Emoji { name, url: Some(url), .. } => {
            let summary = name.iter().map(|name| ("summary", name.into()));
            let data = std::iter::once(("file", url.into())).chain(summary).collect();
            SegmentOut { kind: "image", data }
        }
        Segment::Image(media) if media.url.is_some() => {
            let mut image = medium("image", media)?;
            image.data.extend(media.summary.iter().map(|summary| ("summary", summary.into())));
            image
        }
        Segment::Audio(media) if media.url.is_some() => medium("record", media)?,
        Segment::Video(media) if media.url.is_some() => medium("video", media)?,
        Segment::File(media) if media.url.is_some() => {
            let (file, name) = file(media)?;
            SegmentOut { kind: "file", data: vec![("file", file), ("name", name)] }
        }
        other => SegmentOut::text(words(other)),
    })
}

fn node<'a>(item: &'a ForwardItem, account: &'a str) -> Result<Node<'a>, String> {
    let id = if is_number(&item.sender.id) { &item.sender.id } else { account };
    let content = item.segments.iter().map(|one| segment(one, true)).collect::<Result<_, _>>()?;
    Ok(Node::Node {
        user_id: id.into(),
        nickname: (&item.sender.name).into(),
        uin: id.into(),
        name: (&item.sender.name).into(),
        content: joined(content),
    })
}

fn is_number(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit())
}

/// The `file` parameter (message/segment.md, "图片"), and the file's name.
fn file(media: &Media) -> Result<(Cow<'_, str>, Cow<'_, str>), String> {
    let source = Source::parse(media.url.as_deref().unwrap_or_default())?;
    let name = match &media.name {
        Some(name) => Cow::Borrowed(name.as_str()),
        None => Cow::Owned(source.name().into_owned()),
    };
    let file = match source {
        Source::Url(url) => url,
        Source::Data { base64, .. } => format!("base64://{base64}").into(),
    };
    Ok((file, name))
}

#[cfg(test)]
mod tests {
    use super::super::{faces, reading};
    use super::*;
    use crate::adapter::onebot::common::parts::Reading;
    use crate::model::content::every_segment;
    use crate::model::message::{MessageType, Sender};
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use uuid::Uuid;

    fn outbound(content: Content, reply_to: Option<ReplyTo>) -> Outbound {
        let (id, conversation) = (Uuid::nil(), "group_1".into());
        let reply_to = reply_to.map(Box::new);
        Outbound { id, conversation, content, reply_to, created_at: 0, original: None }
    }

    fn written_as(message: &Outbound, conversation: &str, options: &Options) -> Vec<Value> {
        let address = Address::parse(conversation).unwrap();
        let steps = steps(message, &address, "1", options).unwrap();
        let write = |step: &Step<'_>| match &step.body {
            Body::Message(run) => serde_json::to_value(write(run, options.message_format)).unwrap(),
            Body::Upload { file, name } => json!({"file": file, "name": name}),
            Body::Forward(nodes) => json!({"messages": nodes}),
        };
        steps.iter().map(write).collect()
    }

    fn written(segments: Vec<Segment>, reply_to: Option<ReplyTo>) -> Vec<Value> {
        let message = outbound(Content::of(segments), reply_to);
        written_as(&message, "group_1", &Options::default())
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
        let upload = Options { group_file: GroupFile::Upload, ..Options::default() };
        let all = written_as(&outbound(Content::of(segments), None), "group_1", &upload);
        let file = json!({"file": "https://x/a", "name": "季度.pdf"});
        assert_eq!(all, [said("a"), file, second, said("b")]);
    }

    #[test]
    fn what_has_no_form_goes_as_its_words() {
        for segment in every_segment() {
            let plain = match &segment {
                Segment::Location { .. } | Segment::Card { .. } | Segment::Other { .. } => {
                    words(&segment)
                }
                _ => continue,
            };
            let expected = json!({"message": [wire("text", json!({ "text": plain }))]});
            assert_eq!(written(vec![segment], None), [expected]);
        }
        let mention = Segment::Mention { user: "5".into(), name: Some("Ann".into()), me: false };
        let message = outbound(Content::of(vec![mention, text("hi")]), None);
        let all = written_as(&message, "private_5", &Options::default());
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
    fn a_forward_is_made_of_nodes() {
        let item = |id: &str, name: &str, segment| ForwardItem {
            sender: Sender { id: id.into(), name: name.into() },
            created_at: 0,
            segments: vec![segment],
        };
        let items = vec![
            item("5", "Ann", text("早")),
            item("wxid_x", "Bo", Segment::Image(at("https://x/a"))),
        ];
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
        let string = Options { message_format: MessageFormat::String, ..Options::default() };
        let write = |segments| {
            written_as(&outbound(Content::of(segments), None), "group_1", &string).remove(0)
        };
        let plain = write(vec![text("[CQ:face]")]);
        assert_eq!(plain, json!({"message": "[CQ:face]", "auto_escape": true}));
        let mixed = write(vec![text("[a],&"), Segment::Image(at("http://x/?a,b"))]);
        let message = "&#91;a&#93;,&amp;[CQ:image,file=http://x/?a&#44;b]";
        assert_eq!(mixed, json!({"message": message, "auto_escape": false}));
    }

    #[test]
    fn a_path_is_refused() {
        let content = Content::of_type(MessageType::File, "/etc/passwd".into());
        let address = Address::parse("group_1").unwrap();
        let Some(Segment::File(media)) = content.segments().map(|segments| segments[0].clone())
        else {
            panic!()
        };
        let media = Media { url: media.name, ..Media::default() };
        let message = outbound(Content::of(vec![Segment::File(media)]), None);
        let refused = steps(&message, &address, "1", &Options::default()).unwrap_err();
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
            let Reading { content, reply_to, .. } = read;
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
            let options = Options { message_format: format, ..Options::default() };
            // An answer needs words; a file alone gets the words of what it answers.
            let segments: Vec<_> = segments.into_iter().chain([text("x")]).collect();
            let reply_to = id.clone().map(|id| ReplyTo { external_id: Some(id), ..ReplyTo::default() });
            let message = outbound(Content::of(segments.clone()), reply_to);
            let back = read_back(&written_as(&message, "group_1", &options));
            prop_assert_eq!(back, (Content::of(segments), id));
        }
    }
}
