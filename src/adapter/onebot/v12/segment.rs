//! Message segments (interface/message/segments.md), and how they read.

use crate::adapter::onebot::common::fragment::{self, Fragment};
use crate::adapter::onebot::common::scalar::Scalar;
use crate::model::message::MessageType;
use serde::Deserialize;
use serde_json::value::RawValue;

/// One segment of a message.
#[derive(Debug, Default)]
struct Segment<'a> {
    kind: Scalar<'a>,
    data: Data<'a>,
}

/// The parameters we read, of whatever segment they are.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Data<'a> {
    #[serde(borrow)]
    text: Scalar<'a>,
    user_id: Scalar<'a>,
    name: Scalar<'a>,
    file_id: Scalar<'a>,
    url: Scalar<'a>,
    title: Scalar<'a>,
    content: Scalar<'a>,
}

/// How a message reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) message_type: MessageType,
    pub(super) content: String,
    /// The message as it came, where the content does not hold all of it.
    pub(super) original: Option<String>,
}

/// Reads a message: segments, or one segment or a text from those who send such.
pub(super) fn read(message: &RawValue) -> Reading {
    let json = message.get();
    let segments = match json.as_bytes().first() {
        Some(b'[') => {
            let list: Vec<&RawValue> = serde_json::from_str(json).unwrap_or_default();
            list.into_iter().map(Segment::parse).collect()
        }
        Some(b'{') => vec![Segment::parse(message)],
        _ => vec![Segment {
            kind: Scalar::new("text"),
            data: Data { text: serde_json::from_str(json).unwrap_or_default(), ..Data::default() },
        }],
    };
    let is_plain = segments.iter().all(|segment| segment.kind.or_empty() == "text");
    let fragments: Vec<_> = segments.iter().filter_map(Segment::fragment).collect();
    let (message_type, content) = fragment::read(&fragments);
    Reading { message_type, content, original: (!is_plain).then(|| json.to_owned()) }
}

impl<'a> Segment<'a> {
    /// Reads a segment; one that is none has no kind.
    fn parse(json: &'a RawValue) -> Self {
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
    fn fragment(&self) -> Option<Fragment<'_>> {
        let data = &self.data;
        Some(match self.kind.text()? {
            "text" => Fragment::Text(data.text.or_empty().into()),
            "mention" => {
                let name = data.name.text().unwrap_or(data.user_id.or_empty());
                Fragment::Text(format!("@{name}").into())
            }
            "mention_all" => Fragment::label("@全体成员"),
            "reply" => Fragment::label("[回复] "),
            "image" => self.media(MessageType::Image, "[图片]"),
            "voice" | "audio" => self.media(MessageType::Audio, "[语音]"),
            "video" => self.media(MessageType::Video, "[视频]"),
            "file" => self.media(MessageType::File, "[文件]"),
            "location" => Fragment::labelled("位置", data.title.text().or(data.content.text())),
            "wx.emoji" | "qq.face" => Fragment::label("[表情]"),
            "wx.link" => Fragment::labelled("分享", self.link().as_deref()),
            "wx.app" => Fragment::labelled("小程序", data.title.text()),
            other => Fragment::labelled(other, None),
        })
    }

    fn link(&self) -> Option<String> {
        let parts: Vec<_> =
            [&self.data.title, &self.data.url].into_iter().filter_map(Scalar::text).collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    }

    /// A medium by its address, which is an extension, else by its file ID.
    fn media(&self, kind: MessageType, label: &'static str) -> Fragment<'_> {
        let data = &self.data;
        let address = data.url.text().or(data.file_id.text()).unwrap_or(label);
        Fragment::Media(kind, address.into())
    }
}
