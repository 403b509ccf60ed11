//! Message that a client wants to send.

use super::content::{Content, Segment};
use super::message_type::MessageType;
use super::name::{LOCAL, check_name};
use std::fmt::{Display, Write};
use uuid::Uuid;

/// A message that a client wants to send: checked, without an ID yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    pub(super) content: Content,
    pub(super) recipient: String,
    pub(super) platform: Option<String>,
    /// The message it answers.
    reply_to: Option<Uuid>,
    pub(super) via: Option<String>,
    /// The only account that may send it, if it is limited to one.
    pub(super) account: Option<String>,
    /// The message as its author wrote it, in the form of the platform.
    pub(super) original: Option<String>,
}

impl Draft {
    /// Checks the parts as Part 1 of the contract has them; the error names the field and what would
    /// be right.
    ///
    /// The platform [`LOCAL`] means none, as it does in events.
    ///
    /// # Errors
    ///
    /// A field is wrong; the text names it and says what is right.
    pub fn new(
        message_type: MessageType,
        content: String,
        recipient: String,
        platform: Option<String>,
    ) -> Result<Self, String> {
        if content.is_empty() {
            return Err("`content` is empty; give the text or the URL to send".into());
        }
        let content = if message_type == MessageType::Text {
            content
        } else {
            check_address(&|| "content".into(), &message_type, content)?
        };
        Self::with(Content::of_type(message_type, content), recipient, platform)
    }

    /// Checks the parts of a message made of segments; the error names the field.
    ///
    /// # Errors
    ///
    /// A field is wrong; the text names it and says what is right.
    pub fn of_segments(
        segments: Vec<Segment>,
        recipient: String,
        platform: Option<String>,
    ) -> Result<Self, String> {
        Self::with(checked_segments(segments)?, recipient, platform)
    }

    fn with(content: Content, recipient: String, platform: Option<String>) -> Result<Self, String> {
        check_name("recipient", &recipient)?;
        if let Some(platform) = &platform {
            check_name("platform", platform)?;
        }
        Ok(Self::accepted(content, recipient, platform.filter(|name| name != LOCAL)))
    }

    /// A draft that was accepted earlier, by the rules of that time.
    pub(crate) fn accepted(content: Content, recipient: String, platform: Option<String>) -> Self {
        Self {
            content,
            recipient,
            platform,
            reply_to: None,
            via: None,
            account: None,
            original: None,
        }
    }

    /// The draft as an answer to a message.
    #[must_use]
    pub fn in_reply_to(self, id: Option<Uuid>) -> Self {
        Self { reply_to: id, ..self }
    }

    /// The draft, marked as made by a bot.
    #[must_use]
    pub fn made_by(self, bot: &str) -> Self {
        Self { via: Some(bot.to_owned()), ..self }
    }

    /// A message of a bot that uses an account. `original` is the message as the bot wrote it, if
    /// the platform accepts that form.
    ///
    /// # Errors
    ///
    /// A field is wrong; the text names it and says what is right.
    pub fn of_bot(
        bot: &str,
        account: String,
        content: Content,
        recipient: String,
        platform: String,
        original: Option<String>,
    ) -> Result<Self, String> {
        let draft = Self::with(content, recipient, Some(platform))?.made_by(bot);
        Ok(Self { account: Some(account), original, ..draft })
    }

    /// The content to send.
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// The draft with other content.
    #[must_use]
    pub fn with_content(self, content: Content) -> Self {
        Self { content, ..self }
    }

    /// The recipient as it was written.
    pub fn recipient(&self) -> &str {
        &self.recipient
    }

    /// The platform, where one is named.
    pub fn platform(&self) -> Option<&str> {
        self.platform.as_deref()
    }

    /// The message it answers, where there is one.
    pub fn reply_to(&self) -> Option<Uuid> {
        self.reply_to
    }

    /// The parts that make two drafts equal, as one text, for `Idempotency-Key`.
    pub fn fingerprint(&self) -> String {
        let platform = self.platform.as_deref().unwrap_or_default();
        let content = match self.content.segments() {
            None => self.content.readable(),
            Some(_) => self.content.to_json().into(),
        };
        let message_type = self.content.message_type().as_str();
        let mut parts = [message_type, platform, &self.recipient, &content].join("\u{0}");
        if let Some(id) = self.reply_to {
            // Writing to a text cannot fail.
            let _ = write!(parts, "\u{0}{id}");
        }
        parts
    }
}

/// The content of segments that a client sent; the error names the segment and what would be right.
///
/// # Errors
///
/// A field is wrong; the text names it and says what is right.
pub fn checked_segments(mut segments: Vec<Segment>) -> Result<Content, String> {
    Content::check(&segments)?;
    segments.iter_mut().for_each(Segment::forget_failures);
    for (place, segment) in segments.iter_mut().enumerate() {
        let field = || format!("segments[{place}]");
        if let Some((message_type, media)) = segment.media_mut()
            && media.url.is_none()
            && media.media.is_none()
        {
            let field = field();
            return Err(format!(
                "`{field}.url` is missing; give the address of the {message_type}"
            ));
        }
        check_addresses(&field, segment)?;
    }
    let content = Content::of(segments);
    if content.is_empty() {
        return Err("`segments` has no text in it".into());
    }
    Ok(content)
}

/// Checks the addresses in a segment, and in what it forwards; `field` names it.
fn check_addresses(field: &dyn Fn() -> String, segment: &mut Segment) -> Result<(), String> {
    match segment {
        Segment::Forward { items, .. } => {
            for (number, item) in items.iter_mut().enumerate() {
                for (place, segment) in item.segments.iter_mut().enumerate() {
                    let field = || format!("{}.items[{number}].segments[{place}]", field());
                    check_addresses(&field, segment)?;
                }
            }
        }
        Segment::Emoji { url: Some(url), .. } => {
            let field = || format!("{}.url", field());
            *url = check_address(&field, &"emoji", std::mem::take(url))?;
        }
        segment => {
            let Some((message_type, media)) = segment.media_mut() else { return Ok(()) };
            let Some(url) = media.url.take() else { return Ok(()) };
            let field = || format!("{}.url", field());
            media.url = match check_address(&field, &message_type, url) {
                // The file is here already, wherever it came from.
                Err(_) if media.media.is_some() => None,
                checked => Some(checked?),
            };
        }
    }
    Ok(())
}

/// Checks the content of a media type: an address that the platform fetches, or the bytes. A path
/// is refused, because it would name a file on the platform's host.
fn check_address(
    field: &dyn Fn() -> String,
    kind: &dyn Display,
    content: String,
) -> Result<String, String> {
    let address = content.trim();
    let has_scheme = |scheme: &str| {
        let start = address.get(..scheme.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
            && address.len() > scheme.len()
    };
    let is_data =
        || has_scheme("data:") && address.split_once(',').is_some_and(|(_, data)| !data.is_empty());
    if ["http://", "https://", "base64://"].into_iter().any(has_scheme) || is_data() {
        return Ok(if address.len() == content.len() { content } else { address.to_owned() });
    }
    let field = field();
    Err(format!(
        "`{field}` of type {kind} must be a URL (http:// or https://) or the bytes \
         (base64://…); a path of this host is not read: send the file's bytes"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::content::{ForwardItem, Media};
    use crate::model::sender::Sender;

    fn content(message_type: MessageType, content: &str) -> Result<String, String> {
        Draft::new(message_type, content.into(), "group_1".into(), None).map(|draft| {
            match draft.content.media() {
                Some((_, media)) => media.url.clone().unwrap(),
                None => draft.content.readable().into_owned(),
            }
        })
    }

    #[test]
    fn media_are_addresses_or_bytes() {
        for (given, kept) in [
            ("https://x/a.png", "https://x/a.png"),
            ("HTTPS://X/a.png", "HTTPS://X/a.png"),
            (" http://x/a.png\n", "http://x/a.png"),
            ("base64://aGk=", "base64://aGk="),
            ("data:image/png;base64,aGk=", "data:image/png;base64,aGk="),
        ] {
            assert_eq!(content(MessageType::Image, given), Ok(kept.to_owned()));
        }
    }

    #[test]
    fn no_segment_names_a_path_of_the_host() {
        let media = |url: &str| Media { url: Some(url.into()), ..Media::default() };
        let emoji = |url: &str| Segment::Emoji { name: None, id: None, url: Some(url.into()) };
        let forward = |segment| {
            let sender = Sender { id: "1".into(), name: "Ann".into() };
            let item = ForwardItem { sender, created_at: 0, segments: vec![segment] };
            Segment::Forward { title: None, items: vec![item], id: None }
        };
        for path in ["/etc/passwd", "file:///etc/shadow", "x.png"] {
            for (segment, field) in [
                (emoji(path), "`segments[0].url`"),
                (Segment::Image(media(path)), "`segments[0].url`"),
                (forward(emoji(path)), "`segments[0].items[0].segments[0].url`"),
                (forward(Segment::File(media(path))), "`segments[0].items[0].segments[0].url`"),
                (
                    forward(forward(emoji(path))),
                    "`segments[0].items[0].segments[0].items[0].segments[0].url`",
                ),
            ] {
                let refused = checked_segments(vec![segment]).unwrap_err();
                assert!(refused.contains(field) && refused.contains("https://"), "{refused}");
            }
        }
        let kept = Media { media: Some("a".repeat(64)), ..media("file:///etc/passwd") };
        let content = checked_segments(vec![Segment::Image(kept)]).unwrap();
        assert_eq!(content.media().unwrap().1.url, None);
        assert!(checked_segments(vec![emoji("https://x/a.gif")]).is_ok());
    }

    #[test]
    fn a_path_of_the_host_is_no_content_of_a_medium() {
        for given in [
            "/tmp/x.png",
            "file:///tmp/x.png",
            "C:\\x.png",
            "x.png",
            "~/x",
            "https://",
            "\u{1f600}",
        ] {
            for message_type in &MessageType::ALL[1..] {
                let refused = content(*message_type, given).unwrap_err();
                assert!(refused.contains("`content`") && refused.contains("https://"), "{refused}");
            }
        }
        assert_eq!(content(MessageType::Text, "/tmp/x.png"), Ok("/tmp/x.png".to_owned()));
    }
}
