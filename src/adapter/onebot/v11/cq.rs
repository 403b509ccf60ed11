//! CQ codes: a message as one string (message/string.md).

use crate::adapter::onebot::common::segment::WireSegment;
use std::borrow::Cow;

/// Reads a string of text and `[CQ:name,key=value]` codes. What is no whole code is text.
pub(super) fn parse(mut rest: &str) -> Vec<WireSegment<'_>> {
    let mut segments = Vec::new();
    while let Some((text, code, after)) = next_code(rest) {
        push_text(&mut segments, text);
        segments.push(read_code(code));
        rest = after;
    }
    push_text(&mut segments, rest);
    segments
}

/// The text before the first code, the code's inside, and what follows it.
fn next_code(text: &str) -> Option<(&str, &str, &str)> {
    let (before, inside) = text.split_once("[CQ:")?;
    let (code, after) = inside.split_once(']')?;
    Some((before, code, after))
}

fn push_text<'a>(segments: &mut Vec<WireSegment<'a>>, text: &'a str) {
    if !text.is_empty() {
        segments.push(WireSegment::text(unescape(text)));
    }
}

fn read_code(code: &str) -> WireSegment<'_> {
    let mut parts = code.split(',');
    let segment = WireSegment::new(parts.next().unwrap_or_default());
    let parameters = parts.filter_map(|part| part.split_once('='));
    parameters.fold(segment, |segment, (key, value)| segment.with(key, unescape(value)))
}

fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let plain = text.replace("&#91;", "[").replace("&#93;", "]").replace("&#44;", ",");
    // Last, so that an escaped `&` never makes a new escape.
    Cow::Owned(plain.replace("&amp;", "&"))
}

/// Writes text that is no code.
pub(super) fn text(text: &str) -> String {
    text.replace('&', "&amp;").replace('[', "&#91;").replace(']', "&#93;")
}

/// Writes a code of one name with these parameters.
pub(super) fn code<'p>(
    name: &str,
    parameters: impl IntoIterator<Item = (&'p str, &'p str)>,
) -> String {
    let mut code = format!("[CQ:{name}");
    for (key, value) in parameters {
        code.push(',');
        code.push_str(key);
        code.push('=');
        code.push_str(&escape(value));
    }
    code.push(']');
    code
}

fn escape(value: &str) -> String {
    text(value).replace(',', "&#44;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_and_codes_alternate() {
        let segments = parse("&#91;第一部分&#93;[CQ:image,file=123.jpg]之后，[CQ:face,id=123]");
        let [before, image, after, face] = &segments[..] else { panic!("{segments:?}") };
        assert_eq!(before, &WireSegment::text("[第一部分]"));
        assert_eq!((image.kind(), image.get("file")), (Some("image"), Some("123.jpg")));
        assert_eq!(after, &WireSegment::text("之后，"));
        assert_eq!((face.kind(), face.get("id")), (Some("face"), Some("123")));
    }

    #[test]
    fn values_keep_their_equals_signs_and_escapes() {
        let share = "[CQ:share,title=震惊&#44;标题=,url=http://baidu.com/?a=1&amp;b=2&amp;#44;]";
        let share = &parse(share)[0];
        assert_eq!(share.get("title"), Some("震惊,标题="));
        assert_eq!(share.get("url"), Some("http://baidu.com/?a=1&b=2&#44;"));
    }

    #[test]
    fn what_is_no_code_is_text() {
        for text in ["[CQ:image,file=1", "[CQ", "]", "[x]", "CQ:face]"] {
            assert_eq!(parse(text), [WireSegment::text(text)], "{text}");
        }
        assert_eq!(parse(""), []);
        assert_eq!(parse("[CQ:shake]")[0].kind(), Some("shake"));
    }

    proptest! {
        #[test]
        fn no_string_panics(text in ".*") {
            parse(&text);
        }

        #[test]
        fn codes_of_any_shape_are_read(text in r"(\[CQ:[a-z,=&#;\[\]]{0,8}|\]|&#9[13];|&amp;|.){0,12}") {
            parse(&text);
        }

        #[test]
        fn a_value_is_read_as_it_was_written(before in "[^\\[&]{1,8}", value in ".+") {
            let message = format!("{before}{}", code("image", [("file", value.as_str()), ("type", "flash")]));
            let segments = parse(&message);
            prop_assert_eq!(segments.len(), 2);
            let read = segments[1].get("file").unwrap_or_default();
            prop_assert!(read == value || value.trim().is_empty());
        }
    }
}
