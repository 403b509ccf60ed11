//! Composing what is sent: segments to those of OneBot 11 (message/segment.md), and their division
//! into messages, for QQ takes voices, videos and files only alone.

mod segment;
mod wire;

pub(super) use wire::{Node, OneBot11Segment, WireMessage, write};

use super::address::OneBot11Address;
use super::options::{GroupFile, OneBot11Options};
use crate::adapter::api::Outbound;
use crate::model::content::{Content, ForwardItem, Segment};
use crate::model::message::ReplyTo;
use segment::{file, node, path};
use std::borrow::Cow;
use wire::joined;

/// One message of those that an outbound message becomes.
#[derive(Debug, PartialEq)]
pub(super) struct SendStep<'a> {
    pub(super) body: StepBody<'a>,
    /// The part of the outbound message that it carries; its echo is recognized by this.
    pub(super) content: Content,
}

#[derive(Debug, PartialEq)]
pub(super) enum StepBody<'a> {
    /// A message of segments.
    Message(Vec<OneBot11Segment<'a>>),
    /// A file, by an action of its own.
    Upload { file: Cow<'a, str>, name: Cow<'a, str> },
    /// A forward, by an action of its own.
    Forward(Vec<Node<'a>>),
}

/// The messages that an outbound message becomes, in their order; the error says why it cannot be
/// sent. `account` stands for people of other platforms in forwards.
pub(super) fn steps<'a>(
    message: &'a Outbound,
    address: &OneBot11Address<'_>,
    account: &'a str,
    options: &OneBot11Options,
) -> Result<Vec<SendStep<'a>>, String> {
    let Some(segments) = message.content.segments() else {
        let text = OneBot11Segment::text(message.content.readable());
        let step =
            SendStep { body: StepBody::Message(vec![text]), content: message.content.clone() };
        return Ok(answering(vec![step], message.reply_to.as_deref()));
    };
    let is_private = matches!(address, OneBot11Address::Private { .. });
    let is_channel = matches!(address, OneBot11Address::Channel { .. });
    let mut steps = Vec::new();
    let (mut run, mut content) = (Vec::new(), Vec::new());
    for segment in segments {
        let alone = match segment {
            Segment::File(media) if media.url.is_some() => {
                Some(if options.group_file == GroupFile::Upload && !is_channel {
                    let (file, name) = file(media)?;
                    // The action takes a path as it is.
                    let file = path(media).map_or(file, Cow::Borrowed);
                    StepBody::Upload { file, name }
                } else {
                    StepBody::Message(vec![segment::segment(segment, is_private)?])
                })
            }
            Segment::Audio(media) | Segment::Video(media) if media.url.is_some() => {
                Some(StepBody::Message(vec![segment::segment(segment, is_private)?]))
            }
            Segment::Forward { items, .. } if !items.is_empty() && !is_channel => {
                let nodes =
                    items.iter().map(|item| node(item, account)).collect::<Result<_, _>>()?;
                Some(StepBody::Forward(nodes))
            }
            _ => None,
        };
        let Some(body) = alone else {
            run.push(segment::segment(segment, is_private)?);
            content.push(remembered(segment));
            continue;
        };
        end_run(&mut steps, &mut run, &mut content);
        steps.push(SendStep { body, content: Content::of(vec![remembered(segment)]) });
    }
    end_run(&mut steps, &mut run, &mut content);
    Ok(answering(steps, message.reply_to.as_deref()))
}

/// The contents of the messages that an outbound message becomes; none if it cannot be sent.
pub(super) fn contents(
    message: &Outbound,
    account: &str,
    options: &OneBot11Options,
) -> Vec<Content> {
    if message.original.is_some() {
        return vec![message.content.clone()];
    }
    let Some(address) = OneBot11Address::parse(&message.conversation) else { return Vec::new() };
    let steps = steps(message, &address, account, options).unwrap_or_default();
    steps.into_iter().map(|step| step.content).collect()
}

/// The same, of a message whose files are not at hand and whose forwards are closed.
pub(super) fn contents_without_files(message: &Outbound, account: &str) -> Vec<Content> {
    let mut segments = message.content.to_segments();
    for segment in &mut segments {
        if let Segment::Forward { items, id: Some(_), .. } = segment
            && items.is_empty()
        {
            items.push(ForwardItem::default());
        } else if let Some((_, media)) = segment.media_mut()
            && media.media.is_some()
        {
            media.url = Some("base64://".to_owned());
        }
    }
    let message = Outbound { content: Content::of(segments), ..message.clone() };
    // The options change what is written, and not what it says.
    contents(&message, account, &OneBot11Options::default())
}

/// The form by which the echo of a segment is recognized: without the bytes of media, which may be
/// large.
fn remembered(segment: &Segment) -> Segment {
    let mut segment = segment.clone();
    if let Some((_, media)) = segment.media_mut()
        && media.media.is_some()
    {
        media.url = None;
    }
    segment
}

/// Ends a run of segments that go together; blanks between files are no message.
fn end_run<'a>(
    steps: &mut Vec<SendStep<'a>>,
    run: &mut Vec<OneBot11Segment<'a>>,
    content: &mut Vec<Segment>,
) {
    let (run, content) = (joined(std::mem::take(run)), std::mem::take(content));
    if !run.iter().all(OneBot11Segment::is_blank) {
        steps.push(SendStep { body: StepBody::Message(run), content: Content::of(content) });
    }
}

/// Puts the message that is answered before the first words: by its ID, else by its own words.
fn answering<'a>(mut steps: Vec<SendStep<'a>>, reply_to: Option<&'a ReplyTo>) -> Vec<SendStep<'a>> {
    let Some(reply_to) = reply_to else { return steps };
    let mut head = Vec::new();
    match &reply_to.external_id {
        Some(id) => head.push(OneBot11Segment { kind: "reply", data: vec![("id", id.into())] }),
        None => head.extend(reply_to.quote().map(OneBot11Segment::text)),
    }
    if head.is_empty() {
        return steps;
    }
    let takes_a_reply = |step: &&mut SendStep<'a>| match &step.body {
        StepBody::Message(run) => run.iter().all(|segment| !segment.goes_alone()),
        StepBody::Upload { .. } | StepBody::Forward(_) => false,
    };
    if let Some(SendStep { body: StepBody::Message(run), content }) =
        steps.iter_mut().find(takes_a_reply)
    {
        let quote = reply_to.quote().filter(|_| reply_to.external_id.is_none());
        let quote = quote.map(|text| Segment::Text { text });
        *content = Content::of(quote.into_iter().chain(content.to_segments()).collect());
        run.splice(0..0, head);
        *run = joined(std::mem::take(run));
        return steps;
    }
    // A file alone cannot be an answer, so its words go before it.
    if reply_to.external_id.is_some() {
        head.push(OneBot11Segment::text(reply_to.quote().unwrap_or_else(|| "↩".into())));
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
    steps.insert(0, SendStep { body: StepBody::Message(head), content: Content::text(said) });
    steps
}

#[cfg(test)]
mod tests;
