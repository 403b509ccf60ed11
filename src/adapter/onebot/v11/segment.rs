//! Message segments (message/segment.md, message/array.md).

use crate::adapter::onebot::common::fragment::Fragment;
use crate::adapter::onebot::common::scalar::Scalar;
use crate::model::message::MessageType;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// One segment of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Segment<'a> {
    pub(super) kind: Scalar<'a>,
    pub(super) data: Data<'a>,
}

/// The parameters we read, of whatever segment they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[allow(clippy::struct_field_names, reason = "the specification names a parameter so")]
pub(super) struct Data<'a> {
    #[serde(borrow)]
    pub(super) text: Scalar<'a>,
    pub(super) qq: Scalar<'a>,
    pub(super) name: Scalar<'a>,
    pub(super) id: Scalar<'a>,
    pub(super) file: Scalar<'a>,
    pub(super) url: Scalar<'a>,
    pub(super) title: Scalar<'a>,
    pub(super) content: Scalar<'a>,
    pub(super) data: Scalar<'a>,
    pub(super) summary: Scalar<'a>,
    pub(super) result: Scalar<'a>,
    /// `raw.faceText`, where NapCat keeps the name of a face.
    #[serde(rename = "raw", deserialize_with = "face_text")]
    face_text: Scalar<'a>,
}

fn face_text<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Scalar<'a>, D::Error> {
    #[derive(Deserialize)]
    struct Raw<'a> {
        #[serde(rename = "faceText", borrow)]
        face_text: Scalar<'a>,
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
        *field = Scalar::new(value);
    }
}

impl<'a> Segment<'a> {
    pub(super) fn text(text: Cow<'a, str>) -> Self {
        let data = Data { text: Scalar::new(text), ..Data::default() };
        Self { kind: Scalar::new("text"), data }
    }

    /// Reads a segment; one that is none has no kind.
    pub(super) fn parse(json: &'a RawValue) -> Self {
        #[derive(Deserialize)]
        struct Parts<'a> {
            #[serde(rename = "type", borrow)]
            kind: Scalar<'a>,
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
    pub(super) fn fragment(&self) -> Option<Fragment<'_>> {
        let data = &self.data;
        Some(match self.kind.text()? {
            "text" => Fragment::Text(data.text.or_empty().into()),
            "at" => Fragment::Text(self.mention()),
            "reply" => Fragment::label("[回复] "),
            "face" => {
                let name = data.face_text.text().or(data.name.text());
                name.map_or(Fragment::label("[表情]"), |name| Fragment::Text(bracketed(name)))
            }
            "mface" | "bface" | "marketface" => {
                let name = data.summary.text();
                name.map_or(Fragment::label("[表情]"), |name| Fragment::Text(bracketed(name)))
            }
            "image" => self.media(MessageType::Image, "[图片]"),
            "record" => self.media(MessageType::Audio, "[语音]"),
            "video" => self.media(MessageType::Video, "[视频]"),
            "file" | "onlinefile" => self.media(MessageType::File, "[文件]"),
            "json" | "ark" | "miniapp" | "lightapp" => card(data.data.or_empty()),
            "xml" => Fragment::label("[卡片]"),
            "forward" | "node" => Fragment::label("[聊天记录]"),
            "markdown" => Fragment::Text(data.content.or_empty().into()),
            "share" => Fragment::labelled("分享", joined(&data.title, &data.url).as_deref()),
            "music" => Fragment::labelled("音乐", joined(&data.title, &data.url).as_deref()),
            "location" => Fragment::labelled("位置", joined(&data.title, &data.content).as_deref()),
            "contact" => Fragment::labelled("名片", data.id.text()),
            "dice" => Fragment::labelled("骰子", data.result.text()),
            "rps" => Fragment::labelled("猜拳", data.result.text()),
            "poke" => Fragment::labelled("戳一戳", data.name.text()),
            "shake" => Fragment::label("[窗口抖动]"),
            "anonymous" => return None,
            other => Fragment::labelled(other, None),
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
    fn media(&self, kind: MessageType, label: &'static str) -> Fragment<'_> {
        let is_address = |address: &&str| !address.starts_with("base64://");
        let address = self.data.url.text().or_else(|| self.data.file.text().filter(is_address));
        Fragment::Media(kind, address.or(self.data.name.text()).unwrap_or(label).into())
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
fn card(json: &str) -> Fragment<'static> {
    #[derive(Deserialize)]
    struct Card<'a> {
        #[serde(borrow)]
        prompt: Scalar<'a>,
    }
    let prompt = serde_json::from_str::<Card<'_>>(json).ok().map(|card| card.prompt);
    match prompt.as_ref().and_then(Scalar::text) {
        Some(prompt) => Fragment::Text(Cow::Owned(prompt.to_owned())),
        None => Fragment::label("[卡片]"),
    }
}

/// The parts that are there, with a space between.
fn joined(first: &Scalar<'_>, second: &Scalar<'_>) -> Option<String> {
    let parts: Vec<_> = [first, second].into_iter().filter_map(Scalar::text).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}
