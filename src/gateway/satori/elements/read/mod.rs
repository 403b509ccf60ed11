//! Elements as messages of ours (protocol/elements.md).

use super::token::{ElementTag, ElementToken, tokens};
use crate::gateway::satori::media::{LinkedFile, SCHEME};
use crate::model::content::{Content, ForwardItem, MAX_FORWARD_DEPTH, Media, Segment};
use crate::model::message::{Message, Sender};

/// Messages that one text may make.
const MAX_MESSAGES: usize = 50;

/// Messages that one text may name to be forwarded.
const MAX_FORWARDED: usize = 100;

/// Bytes that these may have together.
const MAX_FORWARDED_BYTES: usize = 1 << 20;

/// A message that a text makes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::gateway::satori) struct OutgoingMessage {
    pub(in crate::gateway::satori) segments: Vec<Segment>,
    /// The ID of the message that it answers.
    pub(in crate::gateway::satori) quote: Option<String>,
}

/// The things that elements name and the bot may see.
pub(in crate::gateway::satori) struct ElementTargets<'a> {
    /// Gives a message by its ID.
    pub(in crate::gateway::satori) message: &'a dyn Fn(&str) -> Option<Message>,
    /// Gives a file that is kept here by its link.
    pub(in crate::gateway::satori) file: &'a dyn Fn(&str) -> Option<LinkedFile>,
}

/// Reads a text; the error says what cannot be sent.
pub(in crate::gateway::satori) fn read(
    text: &str,
    targets: &ElementTargets<'_>,
) -> Result<Vec<OutgoingMessage>, String> {
    let mut reader = ElementReader {
        targets,
        done: Vec::new(),
        current: OutgoingMessage::default(),
        forwards: Vec::new(),
        forwarded: 0,
        forwarded_bytes: 0,
        is_paragraph_over: false,
    };
    let mut open = Vec::new();
    // How many of the open elements have content that is not shown.
    let mut hidden = 0_usize;
    let tokens = tokens(text).ok_or("`content` has too many elements")?;
    for token in tokens {
        match token {
            ElementToken::Text(_) | ElementToken::Empty(_) if hidden > 0 => {}
            ElementToken::Open(_) if hidden > 0 => {
                hidden += 1;
                open.push(OpenElement::Hidden);
            }
            ElementToken::Text(text) => reader.text(&text),
            ElementToken::Empty(tag) => {
                let element = reader.open(&tag)?;
                reader.close(element);
            }
            ElementToken::Open(tag) => {
                let element = reader.open(&tag)?;
                hidden += usize::from(element == OpenElement::Hidden);
                open.push(element);
            }
            ElementToken::Close => match open.pop() {
                Some(OpenElement::Hidden) => hidden -= 1,
                Some(element) => reader.close(element),
                None => {}
            },
        }
    }
    reader.finish()
}

/// An element that was opened, as far as its end matters.
#[derive(Debug, PartialEq, Eq)]
enum OpenElement {
    /// Only its content matters.
    Plain,
    /// Not even that.
    Hidden,
    Paragraph,
    Link(String),
    Message,
    ForwardItem,
    Forward,
}

struct ElementReader<'a> {
    targets: &'a ElementTargets<'a>,
    done: Vec<OutgoingMessage>,
    current: OutgoingMessage,
    /// The forwards that are open, each inside the one before.
    forwards: Vec<ForwardInProgress>,
    /// Messages that were named to be forwarded, and the bytes of their texts.
    forwarded: usize,
    forwarded_bytes: usize,
    /// The next text stands on a line of its own.
    is_paragraph_over: bool,
}

#[derive(Default)]
struct ForwardInProgress {
    items: Vec<ForwardItem>,
    item: Vec<Segment>,
    sender: Sender,
}

impl ElementReader<'_> {
    fn segments(&mut self) -> &mut Vec<Segment> {
        match self.forwards.last_mut() {
            Some(forward) => &mut forward.item,
            None => &mut self.current.segments,
        }
    }

    fn push(&mut self, segment: Segment) {
        if std::mem::take(&mut self.is_paragraph_over) {
            self.end_line();
        }
        self.segments().push(segment);
    }

    fn text(&mut self, text: &str) {
        if !text.is_empty() {
            self.push(Segment::Text { text: text.to_owned() });
        }
    }

    /// Ends the line that has something on it.
    fn end_line(&mut self) {
        let segments = self.segments();
        let is_new = match segments.last() {
            None => true,
            Some(Segment::Text { text }) => text.ends_with('\n'),
            Some(_) => false,
        };
        if !is_new {
            segments.push(Segment::Text { text: "\n".into() });
        }
    }

    fn open(&mut self, tag: &ElementTag<'_>) -> Result<OpenElement, String> {
        match tag.name {
            "at" => self.mention(tag),
            "sharp" => {
                let shown = tag.text("name").or_else(|| tag.text("id")).unwrap_or_default();
                self.text(&format!("#{shown}"));
            }
            "emoji" => {
                let (id, name) = (tag.text("id"), tag.text("name"));
                self.push(Segment::Emoji { name, id, url: None });
            }
            "img" | "image" => self.media(tag, Segment::Image)?,
            "audio" => self.media(tag, Segment::Audio)?,
            "video" => self.media(tag, Segment::Video)?,
            "file" => self.media(tag, Segment::File)?,
            "br" => self.text("\n"),
            "p" => {
                self.end_line();
                return Ok(OpenElement::Paragraph);
            }
            "a" => return Ok(tag.text("href").map_or(OpenElement::Plain, OpenElement::Link)),
            "button" if tag.get("type").as_deref() == Some("link") => {
                return Ok(tag.text("href").map_or(OpenElement::Plain, OpenElement::Link));
            }
            "quote" => {
                let Some(id) = tag.text("id") else { return Ok(OpenElement::Plain) };
                if self.forwards.is_empty() {
                    self.current.quote = Some(id);
                }
                return Ok(OpenElement::Hidden);
            }
            "author" => {
                if let Some(forward) = self.forwards.last_mut() {
                    let id = tag.text("id").unwrap_or_default();
                    let name = tag.text("name").unwrap_or_else(|| id.clone());
                    forward.sender = Sender { id, name };
                }
                return Ok(OpenElement::Hidden);
            }
            "message" => return self.message(tag),
            _ => {}
        }
        Ok(OpenElement::Plain)
    }

    /// Adds the file that an element names: by its address, with its bytes, or kept here.
    fn media(&mut self, tag: &ElementTag<'_>, segment: fn(Media) -> Segment) -> Result<(), String> {
        let src = tag.text("src").or_else(|| tag.text("url")).unwrap_or_default();
        let src = src.trim();
        let kept = if src.starts_with(SCHEME) { (self.targets.file)(src) } else { None };
        if kept.is_none() && !is_address(src) {
            return Err(format!(
                "`src` of <{}> must be an address (http:// or https://), bytes (data:…), or a link \
                 that this server gave since it was started; a path of the bot's host is not read",
                tag.name
            ));
        }
        let url = kept.is_none().then(|| src.to_owned());
        let (hash, name) = kept.map(|kept| (kept.hash.to_string(), kept.name)).unzip();
        self.push(segment(Media {
            name: tag.text("title").or(name.flatten()),
            url,
            media: hash,
            width: tag.number("width"),
            height: tag.number("height"),
            duration: tag.number("duration").filter(|seconds: &f64| seconds.is_finite()),
            ..Media::default()
        }));
        Ok(())
    }

    fn mention(&mut self, tag: &ElementTag<'_>) {
        let name = tag.text("name");
        match (tag.text("id"), tag.text("type").as_deref()) {
            (Some(user), _) => self.push(Segment::Mention { user, name, me: false }),
            (None, Some("all")) => self.push(Segment::MentionAll {}),
            (None, kind) => {
                let shown = name.or_else(|| tag.text("role"));
                let shown = shown.or_else(|| kind.map(str::to_owned)).unwrap_or_default();
                self.text(&format!("@{shown}"));
            }
        }
    }

    fn message(&mut self, tag: &ElementTag<'_>) -> Result<OpenElement, String> {
        let (is_forward, id) = (tag.is_set("forward"), tag.text("id"));
        let is_inside = !self.forwards.is_empty();
        if is_inside {
            self.end_item();
        } else {
            self.flush();
        }
        if let Some(id) = id.filter(|_| is_inside || is_forward) {
            let found = self.forwarded(&id)?;
            let item = ForwardItem {
                sender: found.sender.clone().unwrap_or_default(),
                created_at: found.created_at,
                segments: found.content.to_segments(),
            };
            if let Some(forward) = self.forwards.last_mut() {
                forward.items.push(item);
            } else {
                self.push(Segment::Forward { title: None, items: vec![item], id: None });
                self.flush();
            }
            return Ok(OpenElement::Hidden);
        }
        if is_forward && self.forwards.len() < MAX_FORWARD_DEPTH {
            self.forwards.push(ForwardInProgress::default());
            return Ok(OpenElement::Forward);
        }
        Ok(if is_inside { OpenElement::ForwardItem } else { OpenElement::Message })
    }

    /// A message that is forwarded by its ID; an error where there are too many of them.
    fn forwarded(&mut self, id: &str) -> Result<Message, String> {
        self.forwarded += 1;
        if self.forwarded > MAX_FORWARDED {
            return Err(format!("`content` forwards more than {MAX_FORWARDED} messages"));
        }
        let found =
            (self.targets.message)(id).ok_or_else(|| format!("there is no message `{id}`"))?;
        self.forwarded_bytes += found.content.readable().len();
        if self.forwarded_bytes > MAX_FORWARDED_BYTES {
            return Err(format!(
                "the messages that `content` forwards have more than {MAX_FORWARDED_BYTES} bytes"
            ));
        }
        Ok(found)
    }

    fn close(&mut self, element: OpenElement) {
        match element {
            OpenElement::Plain | OpenElement::Hidden => {}
            OpenElement::Paragraph => self.is_paragraph_over = true,
            OpenElement::Link(href) => {
                let is_shown =
                    matches!(self.segments().last(), Some(Segment::Text { text }) if *text == href);
                if !is_shown {
                    let is_bare = self.segments().is_empty();
                    self.text(&if is_bare { href } else { format!(" ({href})") });
                }
            }
            OpenElement::Message => self.flush(),
            OpenElement::ForwardItem => self.end_item(),
            OpenElement::Forward => {
                self.end_item();
                let items = self.forwards.pop().map(|forward| forward.items).unwrap_or_default();
                if !items.is_empty() {
                    self.push(Segment::Forward { title: None, items, id: None });
                }
                if self.forwards.is_empty() {
                    self.flush();
                }
            }
        }
    }

    /// Ends the message that is being made.
    fn flush(&mut self) {
        self.is_paragraph_over = false;
        let made = std::mem::take(&mut self.current);
        if !Content::of(made.segments.clone()).is_empty() {
            self.done.push(made);
        }
    }

    /// Ends the message that is being made inside a forward.
    fn end_item(&mut self) {
        self.is_paragraph_over = false;
        let Some(forward) = self.forwards.last_mut() else { return };
        let segments = std::mem::take(&mut forward.item);
        let sender = std::mem::take(&mut forward.sender);
        if !segments.is_empty() {
            let segments = Content::of(segments).to_segments();
            forward.items.push(ForwardItem { sender, created_at: 0, segments });
        }
    }

    fn finish(mut self) -> Result<Vec<OutgoingMessage>, String> {
        self.flush();
        if self.done.is_empty() {
            return Err("`content` has nothing in it that could be sent".into());
        }
        if self.done.len() > MAX_MESSAGES {
            return Err(format!("`content` makes more than {MAX_MESSAGES} messages"));
        }
        for made in &mut self.done {
            made.segments = Content::of(std::mem::take(&mut made.segments)).to_segments();
            Content::check(&made.segments)?;
        }
        Ok(self.done)
    }
}

/// Whether an address is one of those that are read from here, or carries its bytes.
fn is_address(src: &str) -> bool {
    let schemes = ["http://", "https://", "data:", "base64://"];
    let is_it = |scheme: &&str| {
        src.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    schemes.iter().any(is_it)
}

#[cfg(test)]
mod tests {
    use super::*;
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
        assert_eq!(
            readable("<button type=\"link\" href=\"https://x\">go</button>"),
            "go (https://x)"
        );
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
        let made = one("<quote id=\"5\"><author id=\"1\"/>what <b>was</b></quote>answer");
        assert_eq!(made.quote.as_deref(), Some("5"));
        assert_eq!(Content::of(made.segments).readable(), "answer");
        assert_eq!(readable("<quote>said</quote> so"), "said so");
    }

    #[test]
    fn forwards_have_their_messages() {
        let made = one(
            "<message forward><message id=\"known\"/><message><author id=\"1\" name=\"B\"/>\
                        hello</message><message forward><message>deep</message></message></message>",
        );
        let [Segment::Forward { items, .. }] = &made.segments[..] else { panic!("{made:?}") };
        let shown: Vec<_> = items
            .iter()
            .map(|item| (&*item.sender.name, Content::of(item.segments.clone())))
            .collect();
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
            let deep =
                format!("<{name}>").repeat(10_000) + "x" + &format!("</{end}>").repeat(10_000);
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
}
