use super::*;
use proptest::prelude::*;

/// Any JSON, not deep.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|truth| truth.to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f32>()
            .prop_filter("no JSON", |number| number.is_finite())
            .prop_map(|n| n.to_string()),
        ".{0,8}".prop_map(|text| serde_json::to_string(&text).unwrap()),
        Just("{\"type\":\"text\",\"data\":{\"text\":\"[CQ:at,qq=1]\"}}".to_owned()),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let names = "[a-z_]{1,8}|type|data|text|url|raw";
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|list| format!("[{}]", list.join(","))),
            prop::collection::btree_map(names, inner, 0..4).prop_map(|map| object(&map)),
        ]
    })
}

fn object(fields: &std::collections::BTreeMap<String, String>) -> String {
    let fields: Vec<_> = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", fields.join(","))
}

proptest! {
    #[test]
    fn no_text_panics(text in ".*") {
        swallow(&text);
    }

    #[test]
    fn no_field_panics(
        fields in prop::collection::btree_map(
            "time|self_id|user_id|group_id|guild_id|channel_id|type|detail_type|group_name|target_id|message_id|message|raw_message|\
             sender|anonymous|interval|status|retcode|data|wording|echo|font",
            json(),
            0..10,
        ),
        kind in "message|message_sent|meta_event|notice|request",
        message_type in "group|private|guild|",
    ) {
        let fields = object(&fields);
        let sep = if fields == "{}" { "" } else { "," };
        swallow(&format!(
            "{{\"post_type\":\"{kind}\",\"message_type\":\"{message_type}\"{sep}{}", &fields[1..]
        ));
        swallow(&fields);
    }
}

/// Read in a release build: `cargo test --release -- --ignored --nocapture frames_a_second`.
#[test]
#[ignore = "a measurement"]
fn frames_a_second() {
    let frame = r#"{"time":1700000000,"self_id":1,"post_type":"message","message_type":"group",
        "sub_type":"normal","message_id":7,"group_id":77,"group_name":"Rust","user_id":5,
        "font":14,"raw_message":"看 [CQ:image,file=A.png,url=http://x/a]","message_format":"array",
        "message":[{"type":"at","data":{"qq":"5","name":"Nick"}},
        {"type":"text","data":{"text":" 看看这个，怎么样？"}},
        {"type":"image","data":{"file":"A.png","url":"http://x/a","file_size":"871157"}}],
        "sender":{"user_id":5,"nickname":"Nick","card":"Card","role":"member","title":""}}"#;
    let rounds = 200_000;
    let began = std::time::Instant::now();
    for _ in 0..rounds {
        swallow(frame);
    }
    let each = began.elapsed() / rounds;
    println!("{each:?} a frame, {:.0} frames a second", 1.0 / each.as_secs_f64());
}

#[test]
fn an_array_is_no_frame() {
    for length in 0..40 {
        let frame = format!("[{}]", vec!["null"; length].join(","));
        assert!(OneBot11Frame::parse(&frame).is_err(), "{length}");
    }
}
