//! A segment of ours as one of OneBot 11 (message/segment.md).

use super::wire::{Node, OneBot11Segment, joined};
use crate::adapter::onebot::common::media::ByteSource;
use crate::model::content::{ForwardItem, Media, Segment};
use std::borrow::Cow;

/// The segment of OneBot 11; where it has none that implementations take, text. Text is never read
/// as CQ codes.
pub(super) fn segment(segment: &Segment, is_private: bool) -> Result<OneBot11Segment<'_>, String> {
    let medium = |kind, media| -> Result<OneBot11Segment<'_>, String> {
        Ok(OneBot11Segment { kind, data: vec![("file", file(media)?.0)] })
    };
    Ok(match segment {
        Segment::Text { text } => OneBot11Segment::text(text),
        // The name is for those whom the implementation does not know (go-cqhttp, and others).
        Segment::Mention { user, name, .. } if !is_private => {
            let name = name.iter().map(|name| ("name", name.into()));
            OneBot11Segment {
                kind: "at",
                data: std::iter::once(("qq", user.into())).chain(name).collect(),
            }
        }
        Segment::MentionAll {} if !is_private => {
            OneBot11Segment { kind: "at", data: vec![("qq", "all".into())] }
        }
        Segment::Emoji { id: Some(id), .. } if is_number(id) => {
            OneBot11Segment { kind: "face", data: vec![("id", id.into())] }
        }
        Segment::Emoji { name, url: Some(url), .. } => match ByteSource::parse(url) {
            Ok(source) => {
                let summary = name.iter().map(|name| ("summary", name.into()));
                let data = std::iter::once(("file", parameter(source))).chain(summary).collect();
                OneBot11Segment { kind: "image", data }
            }
            // A path would be one of the implementation's host.
            Err(_) => OneBot11Segment::text(segment.full_text()),
        },
        Segment::Image(media) if media.url.is_some() => {
            let mut image = medium("image", media)?;
            image.data.extend(media.summary.iter().map(|summary| ("summary", summary.into())));
            image
        }
        Segment::Audio(media) if media.url.is_some() => medium("record", media)?,
        Segment::Video(media) if media.url.is_some() => medium("video", media)?,
        Segment::File(media) if media.url.is_some() => {
            let (file, name) = file(media)?;
            OneBot11Segment { kind: "file", data: vec![("file", file), ("name", name)] }
        }
        other => OneBot11Segment::text(other.full_text()),
    })
}

pub(super) fn node<'a>(item: &'a ForwardItem, account: &'a str) -> Result<Node<'a>, String> {
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
pub(super) fn file(media: &Media) -> Result<(Cow<'_, str>, Cow<'_, str>), String> {
    let source = ByteSource::of(media)?;
    let name = match &media.name {
        Some(name) => Cow::Borrowed(name.as_str()),
        None => Cow::Owned(source.name().into_owned()),
    };
    Ok((parameter(source), name))
}

/// The `file` parameter of a source.
fn parameter(source: ByteSource<'_>) -> Cow<'_, str> {
    match source {
        ByteSource::Url(url) => url,
        ByteSource::Path(path) => format!("file://{path}").into(),
        ByteSource::Data { base64, .. } => format!("base64://{base64}").into(),
    }
}

/// The path of a file in the folder of media that the implementation sees.
pub(super) fn path(media: &Media) -> Option<&str> {
    match ByteSource::of(media) {
        Ok(ByteSource::Path(path)) => Some(path),
        _ => None,
    }
}
