//! Message segments (message/segment.md, message/array.md), and how they read.

use super::cq;
use crate::adapter::onebot::piece::{self, Piece};
use crate::adapter::onebot::word::Word;
use crate::model::message::MessageType;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// One segment of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Segment<'a> {
    pub(super) kind: Word<'a>,
    pub(super) data: Data<'a>,
}

/// The parameters we read, of whatever segment they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[allow(clippy::struct_field_names, reason = "the specification names a parameter so")]
pub(super) struct Data<'a> {
    #[serde(borrow)]
    pub(super) text: Word<'a>,
    pub(super) qq: Word<'a>,
    pub(super) name: Word<'a>,
    pub(super) id: Word<'a>,
    pub(super) file: Word<'a>,
    pub(super) url: Word<'a>,
    pub(super) title: Word<'a>,
    pub(super) content: Word<'a>,
    pub(super) data: Word<'a>,
    pub(super) summary: Word<'a>,
    pub(super) result: Word<'a>,
    /// `raw.faceText`, where NapCat keeps the name of a face.
    #[serde(rename = "raw", deserialize_with = "face_text")]
    face_text: Word<'a>,
}

fn face_text<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Word<'a>, D::Error> {
    #[derive(Deserialize)]
    struct Raw<'a> {
        #[serde(rename = "faceText", borrow)]
        face_text: Word<'a>,
    }
    let raw = <&RawValue>::deserialize(deserializer)?;
    Ok(serde_json::from_str::<Raw<'_>>(raw.get()).map(|raw| raw.face_text).unwrap_or_default())
}

impl<'a> Data<'a> {
    /// Sets a parameter of a CQ code.
    pub(super) fn set(&mut self, key: &str, value: Cow<'a, str>) {
        let field = match key {
            "text" => &mut self.text,
            "qq" => &mut self.qq,
            "name" => &mut self.name,
            "id" => &mut self.id,
            "file" => &mut self.file,
            "url" => &mut self.url,
            "title" => &mut self.title,
            "content" => &mut self.content,
            "data" => &mut self.data,
            "summary" => &mut self.summary,
            "result" => &mut self.result,
            _ => return,
        };
        *field = Word::new(value);
    }
}

/// How a message reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) message_type: MessageType,
    pub(super) content: String,
    /// The message as it came, where the content does not hold all of it.
    pub(super) original: Option<String>,
}

/// Reads a message: an array of segments, one segment, or a string of CQ codes.
pub(super) fn read(message: &RawValue) -> Reading {
    let json = message.get();
    let string: String;
    let segments = match json.as_bytes().first() {
        Some(b'[') => {
            let list: Vec<&RawValue> = serde_json::from_str(json).unwrap_or_default();
            list.into_iter().map(Segment::parse).collect()
        }
        Some(b'{') => vec![Segment::parse(message)],
        _ => {
            string = serde_json::from_str(json).unwrap_or_default();
            cq::parse(&string)
        }
    };
    let is_plain = segments.iter().all(|segment| segment.kind.or_empty() == "text");
    let pieces: Vec<_> = segments.iter().filter_map(Segment::piece).collect();
    let (message_type, content) = piece::read(&pieces);
    Reading { message_type, content, original: (!is_plain).then(|| json.to_owned()) }
}

impl<'a> Segment<'a> {
    pub(super) fn text(text: Cow<'a, str>) -> Self {
        let data = Data { text: Word::new(text), ..Data::default() };
        Self { kind: Word::new("text"), data }
    }

    /// Reads a segment; one that is none has no kind.
    fn parse(json: &'a RawValue) -> Self {
        #[derive(Deserialize)]
        struct Parts<'a> {
            #[serde(rename = "type", borrow)]
            kind: Word<'a>,
            #[serde(borrow)]
            data: Option<&'a RawValue>,
        }
        let Ok(parts) = serde_json::from_str::<Parts<'_>>(json.get()) else {
            return Self::default();
        };
        let data = parts.data.and_then(|data| serde_json::from_str(data.get()).ok());
        Self { kind: parts.kind, data: data.unwrap_or_default() }
    }

    /// What the segment is to a reader, if anything.
    fn piece(&self) -> Option<Piece<'_>> {
        let data = &self.data;
        Some(match self.kind.text()? {
            "text" => Piece::Text(data.text.or_empty().into()),
            "at" => Piece::Text(self.mention()),
            "reply" => Piece::label("[回复] "),
            "face" => {
                let name = data.face_text.text().or(data.name.text());
                name.map_or(Piece::label("[表情]"), |name| Piece::Text(bracketed(name)))
            }
            "mface" | "bface" | "marketface" => {
                let name = data.summary.text();
                name.map_or(Piece::label("[表情]"), |name| Piece::Text(bracketed(name)))
            }
            "image" => self.media(MessageType::Image, "[图片]"),
            "record" => self.media(MessageType::Audio, "[语音]"),
            "video" => self.media(MessageType::Video, "[视频]"),
            "file" | "onlinefile" => self.media(MessageType::File, "[文件]"),
            "json" | "ark" | "miniapp" | "lightapp" => card(data.data.or_empty()),
            "xml" => Piece::label("[卡片]"),
            "forward" | "node" => Piece::label("[聊天记录]"),
            "markdown" => Piece::Text(data.content.or_empty().into()),
            "share" => Piece::labelled("分享", joined(&data.title, &data.url).as_deref()),
            "music" => Piece::labelled("音乐", joined(&data.title, &data.url).as_deref()),
            "location" => Piece::labelled("位置", joined(&data.title, &data.content).as_deref()),
            "contact" => Piece::labelled("名片", data.id.text()),
            "dice" => Piece::labelled("骰子", data.result.text()),
            "rps" => Piece::labelled("猜拳", data.result.text()),
            "poke" => Piece::labelled("戳一戳", data.name.text()),
            "shake" => Piece::label("[窗口抖动]"),
            "anonymous" => return None,
            other => Piece::labelled(other, None),
        })
    }

    fn mention(&self) -> Cow<'_, str> {
        match (self.data.name.text(), self.data.qq.or_empty()) {
            (_, "all") => Cow::Borrowed("@全体成员"),
            (Some(name), _) => Cow::Owned(format!("@{}", name.trim_start_matches('@'))),
            (None, qq) => Cow::Owned(format!("@{qq}")),
        }
    }

    /// A medium by its address, else by its name; what it is made of is no address.
    fn media(&self, kind: MessageType, label: &'static str) -> Piece<'_> {
        let is_address = |address: &&str| !address.starts_with("base64://");
        let address = self.data.url.text().or_else(|| self.data.file.text().filter(is_address));
        Piece::Media(kind, address.or(self.data.name.text()).unwrap_or(label).into())
    }
}

/// A name in brackets, unless it brings its own.
fn bracketed(name: &str) -> Cow<'_, str> {
    if name.starts_with('[') {
        return Cow::Borrowed(name);
    }
    Cow::Owned(format!("[{}]", name.trim_start_matches('/')))
}

/// A card by the line it would show in a list of chats.
fn card(json: &str) -> Piece<'static> {
    #[derive(Deserialize)]
    struct Card<'a> {
        #[serde(borrow)]
        prompt: Word<'a>,
    }
    let prompt = serde_json::from_str::<Card<'_>>(json).ok().map(|card| card.prompt);
    match prompt.as_ref().and_then(Word::text) {
        Some(prompt) => Piece::Text(Cow::Owned(prompt.to_owned())),
        None => Piece::label("[卡片]"),
    }
}

/// The parts that are there, with a space between.
fn joined(first: &Word<'_>, second: &Word<'_>) -> Option<String> {
    let parts: Vec<_> = [first, second].into_iter().filter_map(Word::text).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}
