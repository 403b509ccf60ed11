//! Elements as a list of tokens (protocol/message.md). There is no recursion, and the work is
//! linear in the length of the text.

use std::borrow::Cow;
use std::collections::HashMap;

/// A token of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ElementToken<'a> {
    /// Text with its escapes decoded.
    Text(Cow<'a, str>),
    /// The beginning of an element that has an end.
    Open(ElementTag<'a>),
    /// The end of the innermost open element.
    Close,
    /// An element without content.
    Empty(ElementTag<'a>),
}

/// The name and the attributes of an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ElementTag<'a> {
    pub(super) name: &'a str,
    attributes: &'a str,
}

/// A token before its partner is known.
enum RawToken<'a> {
    Text(&'a str),
    Comment,
    Open { tag: ElementTag<'a>, source: &'a str, is_matched: bool },
    Close { name: &'a str, source: &'a str, is_matched: bool },
    Empty(ElementTag<'a>),
}

/// The most tags, comments and texts between them. More would take many times the memory of the
/// text, and would not be a message.
const MAX_TOKENS: usize = 50_000;

/// Reads a message; a tag without a partner is text. `None` if it has too many elements.
pub(super) fn tokens(source: &str) -> Option<Vec<ElementToken<'_>>> {
    let mut raw = scan(source)?;
    find_partners(&mut raw);
    let mut tokens = Vec::with_capacity(raw.len());
    // White space with a line break is removed next to an element and at both ends
    // (protocol/message.md, "元素").
    let is_tag = |raw: Option<&RawToken<'_>>| !matches!(raw, Some(RawToken::Text(_)));
    for (index, token) in raw.iter().enumerate() {
        match token {
            RawToken::Text(text) => {
                let before = index.checked_sub(1).and_then(|before| raw.get(before));
                let text = if is_tag(before) { trim_start(text) } else { text };
                let text = if is_tag(raw.get(index + 1)) { trim_end(text) } else { text };
                if !text.is_empty() {
                    tokens.push(ElementToken::Text(unescape(text)));
                }
            }
            RawToken::Comment => {}
            RawToken::Open { tag, is_matched: true, .. } => {
                tokens.push(ElementToken::Open(tag.clone()))
            }
            RawToken::Close { is_matched: true, .. } => tokens.push(ElementToken::Close),
            RawToken::Open { source, .. } | RawToken::Close { source, .. } => {
                tokens.push(ElementToken::Text(unescape(source)));
            }
            RawToken::Empty(tag) => tokens.push(ElementToken::Empty(tag.clone())),
        }
    }
    Some(tokens)
}

fn scan(source: &str) -> Option<Vec<RawToken<'_>>> {
    let mut raw = Vec::new();
    let (mut rest, mut text) = (source, 0);
    // Each is searched only once: if there is none now, there is none later.
    let (mut has_end, mut has_comment_end) = (true, true);
    // `rest` begins at the present position; the `text` bytes before it are text.
    let mut begin = source;
    loop {
        let Some(at) = rest.find('<') else {
            raw.extend((!begin.is_empty()).then_some(RawToken::Text(begin)));
            return Some(raw);
        };
        text += at;
        let here = &rest[at..];
        let found = if here.starts_with("<!--") {
            let end = if has_comment_end { here.find("-->") } else { None };
            has_comment_end = end.is_some();
            end.map(|end| (RawToken::Comment, end + "-->".len()))
        } else {
            tag(here, &mut has_end)
        };
        if let Some((token, length)) = found {
            (raw.len() < MAX_TOKENS).then_some(())?;
            raw.extend((text > 0).then_some(RawToken::Text(&begin[..text])));
            raw.push(token);
            rest = &here[length..];
            (begin, text) = (rest, 0);
        } else {
            rest = &here[1..];
            text += 1;
        }
    }
}

/// The tag at the beginning of a text, and its length.
fn tag<'a>(here: &'a str, has_end: &mut bool) -> Option<(RawToken<'a>, usize)> {
    let is_close = here.starts_with("</");
    let begin = 1 + usize::from(is_close);
    // The names of a platform's own elements have a colon (advanced/internal.md).
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | ':' | '_');
    let name = &here[begin..];
    let name = &name[..name.find(|c| !is_name(c)).unwrap_or(name.len())];
    name.starts_with(|c: char| c.is_ascii_alphabetic()).then_some(())?;
    let after = here[begin + name.len()..].chars().next()?;
    (after.is_whitespace() || matches!(after, '/' | '>')).then_some(())?;
    let end = if *has_end { here.find('>') } else { None };
    *has_end = end.is_some();
    let end = end?;
    let source = &here[..=end];
    let attributes = here[begin + name.len()..end].trim_end();
    let (attributes, is_empty) = match attributes.strip_suffix('/') {
        Some(attributes) => (attributes, true),
        None => (attributes, false),
    };
    let raw = match (is_close, is_empty) {
        (true, _) => RawToken::Close { name, source, is_matched: false },
        (false, true) => RawToken::Empty(ElementTag { name, attributes }),
        (false, false) => {
            RawToken::Open { tag: ElementTag { name, attributes }, source, is_matched: false }
        }
    };
    Some((raw, source.len()))
}

/// Finds the beginnings and ends that belong together.
fn find_partners(raw: &mut [RawToken<'_>]) {
    let mut open = Vec::new();
    // Number of open elements with each name, so that an end without a beginning costs nothing.
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for index in 0..raw.len() {
        match &raw[index] {
            RawToken::Open { tag, .. } => {
                *counts.entry(tag.name).or_default() += 1;
                open.push((tag.name, index));
            }
            RawToken::Close { name, .. } if counts.get(name).is_some_and(|count| *count > 0) => {
                let wanted = *name;
                // An element inside it that has no end is text.
                while let Some((name, begin)) = open.pop() {
                    if let Some(count) = counts.get_mut(name) {
                        *count -= 1;
                    }
                    if name == wanted {
                        for index in [begin, index] {
                            if let RawToken::Open { is_matched, .. }
                            | RawToken::Close { is_matched, .. } = &mut raw[index]
                            {
                                *is_matched = true;
                            }
                        }
                        break;
                    }
                }
            }
            _ => {}
        }
    }
}

impl<'a> ElementTag<'a> {
    /// The value of an attribute; empty if the attribute has none.
    pub(super) fn get(&self, wanted: &str) -> Option<Cow<'a, str>> {
        let mut rest = self.attributes;
        loop {
            rest = rest.trim_start();
            if rest.is_empty() {
                return None;
            }
            let is_key = |c: char| !c.is_whitespace() && c != '=';
            let end = rest.find(|c| !is_key(c)).unwrap_or(rest.len());
            let (key, after) = rest.split_at(end);
            let (value, after) = value(after);
            if key == wanted {
                return Some(unescape(value.unwrap_or_default()));
            }
            rest = after;
        }
    }

    /// A value that is not empty.
    pub(super) fn text(&self, wanted: &str) -> Option<String> {
        self.get(wanted).map(Cow::into_owned).filter(|value| !value.is_empty())
    }

    /// Whether an attribute is set, and not to `false`.
    pub(super) fn is_set(&self, wanted: &str) -> bool {
        self.get(wanted).is_some_and(|value| value != "false")
    }

    /// A value that is a number.
    pub(super) fn number<T: std::str::FromStr>(&self, wanted: &str) -> Option<T> {
        self.get(wanted)?.parse().ok()
    }
}

/// The value after the key of an attribute, and the text after it.
fn value(after: &str) -> (Option<&str>, &str) {
    let Some(written) = after.strip_prefix('=') else { return (None, after) };
    for quote in ['"', '\''] {
        if let Some((value, rest)) = written.strip_prefix(quote).and_then(|v| v.split_once(quote)) {
            return (Some(value), rest);
        }
    }
    // A text without quotes is not a value (protocol/message.md, "属性").
    let end = written.find(char::is_whitespace).unwrap_or(written.len());
    (None, &written[end..])
}

fn trim_start(text: &str) -> &str {
    let rest = text.trim_start();
    if text[..text.len() - rest.len()].contains('\n') { rest } else { text }
}

fn trim_end(text: &str) -> &str {
    let rest = text.trim_end();
    if text[rest.len()..].contains('\n') { rest } else { text }
}

/// The text with its escapes decoded once.
fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        plain.push_str(&rest[..at]);
        let here = &rest[at..];
        let (c, length) = escape(here).unwrap_or(('&', 1));
        plain.push(c);
        rest = &here[length..];
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

/// Bytes of the longest escape that is read: `&#x10ffff;` and some zeros.
const MAX_ESCAPE: usize = 16;

/// The character for an escape at the beginning of a text, and the length of the escape.
fn escape(here: &str) -> Option<(char, usize)> {
    let end = here.bytes().take(MAX_ESCAPE).position(|byte| byte == b';')?;
    let name = &here[1..end];
    let c = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let digits = name.strip_prefix('#')?;
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => digits.parse(),
            };
            char::from_u32(code.ok()?)?
        }
    };
    Some((c, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tokens as text: `T` text, `+` a beginning, `-` an end, `!` an element without content.
    fn shown(source: &str) -> Vec<String> {
        let shown = |token| match token {
            ElementToken::Text(text) => format!("T{text}"),
            ElementToken::Open(tag) => format!("+{}", tag.name),
            ElementToken::Close => "-".to_owned(),
            ElementToken::Empty(tag) => format!("!{}", tag.name),
        };
        tokens(source).unwrap().into_iter().map(shown).collect()
    }

    #[test]
    fn what_has_no_partner_is_text() {
        assert_eq!(shown("<b>hi</b>"), ["+b", "Thi", "-"]);
        assert_eq!(
            shown("<tag>\n  <foo> bar\n  <!-- c -->\n</tag>"),
            ["+tag", "T<foo>", "T bar", "-"]
        );
        assert_eq!(shown("a</b>"), ["Ta", "T</b>"]);
        assert_eq!(shown("<a><b></a></b>"), ["+a", "T<b>", "-", "T</b>"]);
        for text in ["1 < 2 > 0", "<", "<>", "</>", "a <", "<!-- x", "<3", "<a", "<a b=\"", "<é>"]
        {
            assert_eq!(shown(text).concat().replace('T', ""), text, "{text}");
        }
    }

    #[test]
    fn white_space_with_a_line_break_beside_elements_is_left_out() {
        assert_eq!(shown("\n a \n<br/>\n\n b c\n d "), ["Ta", "!br", "Tb c\n d "]);
        assert_eq!(shown("a <br/> b"), ["Ta ", "!br", "T b"]);
        assert_eq!(shown("a&#10;<br/>"), ["Ta\n", "!br"]);
    }

    #[test]
    fn escapes_are_read_once() {
        let all = "&amp;lt; &lt;&gt;&quot;&apos; &#39;&#x27;&#X1F600; &nope; &#xd800; & &;";
        assert_eq!(shown(all), ["T&lt; <>\"' ''😀 &nope; &#xd800; & &;"]);
    }

    #[test]
    fn attributes_are_read_as_programs_write_them() {
        let source = "<img src=\"a&amp;b\" title='x \"y\"' cache no=value width=\"5\"/>";
        let read = tokens(source).unwrap();
        let [ElementToken::Empty(tag)] = &read[..] else { panic!("{read:?}") };
        assert_eq!(tag.text("src").as_deref(), Some("a&b"));
        assert_eq!(tag.text("title").as_deref(), Some("x \"y\""));
        assert_eq!((tag.is_set("cache"), tag.text("cache")), (true, None));
        assert_eq!((tag.get("no").as_deref(), tag.get("value")), (Some(""), None));
        assert_eq!(tag.number("width"), Some(5_u32));
    }

    #[test]
    fn hostile_texts_cost_no_more_than_their_length() {
        for part in ["<a>", "</a>", "<", "<a ", "<!--", "<a b=\"", "&", "<a>&lt;", "<b/>", "\n "] {
            // Quadratic work would be 10^11 steps, so that the test would take minutes.
            let _ = tokens(&part.repeat(400_000));
        }
        let times = MAX_TOKENS / 3 - 1;
        let deep = "<a>".repeat(times) + &"</b>".repeat(times) + &"</a>".repeat(times);
        let read = tokens(&deep).unwrap();
        let closed = read.into_iter().filter(|token| *token == ElementToken::Close).count();
        assert_eq!(closed, times);
        assert_eq!(tokens(&"<a/>".repeat(MAX_TOKENS + 1)), None);
    }
}
