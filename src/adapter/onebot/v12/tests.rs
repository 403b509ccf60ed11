//! Messages that are sent read back as they were.

use super::action::OneBot12Segment;
use super::segment;
use crate::model::content::{Content, Media, Segment};
use proptest::prelude::*;
use serde_json::value::to_raw_value;

/// Segments that OneBot 12 has a form for. Files are sent by the ID of their upload.
fn sayable() -> impl Strategy<Value = Segment> {
    let words = || prop::option::of("[a-z\u{4e00}-\u{4eff}]{1,6}");
    let degrees = |most: i32| (-most * 1000..=most * 1000).prop_map(|n| f64::from(n) / 1000.0);
    let place = (degrees(90), degrees(180), words(), words()).prop_map(
        |(latitude, longitude, title, address)| Segment::Location {
            latitude,
            longitude,
            title,
            address,
        },
    );
    prop_oneof![
        ".{0,8}x".prop_map(|text| Segment::Text { text }),
        "[A-Za-z0-9_@.-]{1,12}".prop_map(|user| Segment::Mention { user, name: None, me: false }),
        Just(Segment::MentionAll {}),
        place,
    ]
}

proptest! {
    #[test]
    fn what_the_protocol_can_say_comes_back(
        segments in prop::collection::vec(sayable(), 1..8),
        answered in prop::option::of("[a-z0-9-]{1,12}"),
    ) {
        let reply = answered.as_deref().map(|message_id| OneBot12Segment::Reply { message_id });
        let message: Vec<_> =
            reply.into_iter().chain(segments.iter().map(OneBot12Segment::new)).collect();
        let read = segment::read(&to_raw_value(&message).unwrap(), &|_| false);
        prop_assert_eq!(read.content, Content::of(segments));
        prop_assert_eq!(read.reply_to.and_then(|reply_to| reply_to.external_id), answered);
    }

    #[test]
    fn a_file_comes_back_as_the_same_kind_of_file(
        kind in prop::sample::select(vec![
            Segment::Image as fn(Media) -> Segment, Segment::Audio, Segment::Video, Segment::File,
        ]),
        id in "[a-z0-9-]{1,12}",
    ) {
        let sent = OneBot12Segment::file(&kind(Media::default()), id.clone());
        let json = to_raw_value(&[sent]).unwrap();
        // The name of a file is not told along with its ID.
        let media = Media { name: Some(id.clone()), ..Media::default() };
        prop_assert_eq!(segment::read(&json, &|_| false).content, Content::of(vec![kind(media)]));
        prop_assert_eq!(segment::file_ids(&json), [Some(id)]);
    }
}
