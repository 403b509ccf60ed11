//! The same bytes as `serde_json`, whatever the value.

use super::*;
use proptest::prelude::*;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

fn same<T: Serialize>(value: &T) {
    let mut text = b"before ".to_vec();
    append_json(&mut text, value).unwrap();
    let expected = serde_json::to_string(value).unwrap();
    assert_eq!(String::from_utf8(text).unwrap(), format!("before {expected}"));
}

#[derive(Serialize)]
struct Unit;

#[derive(Serialize)]
struct Newtype(f32);

#[derive(Serialize)]
struct Tuple(i8, u128);

#[derive(Serialize)]
enum Kind {
    Unit,
    Newtype(Option<Tuple>),
    Tuple(char, f64),
    Fields { one: Newtype, none: Option<u8>, unit: Unit, empty: (), list: [bool; 2] },
    Empty {},
}

#[derive(Serialize)]
struct Flattened {
    first: &'static str,
    #[serde(flatten)]
    others: BTreeMap<String, Kind>,
}

#[test]
fn each_kind_of_value_is_written_as_serde_json_does() {
    let fields =
        Kind::Fields { one: Newtype(1.5), none: None, unit: Unit, empty: (), list: [true, false] };
    let kinds = [
        Kind::Unit,
        Kind::Newtype(None),
        Kind::Newtype(Some(Tuple(-1, u128::MAX))),
        Kind::Tuple('"', f64::NAN),
        fields,
        Kind::Empty {},
    ];
    let others = kinds.into_iter().enumerate().map(|(n, kind)| (format!("{n}\n"), kind));
    same(&Flattened { first: "é\u{7f}", others: others.collect() });
    same(&Flattened { first: "", others: BTreeMap::new() });
    same(&BTreeMap::from([(1, "one"), (-2, "two")]));
    same(&BTreeMap::from([(true, i64::MIN), (false, i64::MAX)]));
    same(&BTreeMap::from([('"', 0)]));
    same(&Vec::<u8>::new());
}

#[test]
fn raw_json_stays_as_it_is() {
    let raw = |json: &str| RawValue::from_string(json.into()).unwrap();
    same(&[raw("[1,  2]"), raw(r#""\u0041""#)]);
}

fn value() -> impl Strategy<Value = Value> {
    let text = "[a-z\"\\\\\\x00-\\x20\\x7fé你😀]{0,20}";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((text, inner), 0..6)
                .prop_map(|fields| fields.into_iter().collect::<Value>()),
        ]
    })
}

proptest! {
    #[test]
    fn any_value_is_written_as_serde_json_does(value in value()) {
        same(&value);
    }

    #[test]
    fn a_byte_to_escape_is_found_wherever_it_is(
        before in "[ -!#-\\[\\]-~é你]{0,24}",
        escaped in "[\"\\\\\\x00-\\x1f]",
        after in "[ -~é你]{0,24}",
    ) {
        prop_assert!(is_plain(before.as_bytes()), "{:?}", before);
        let text = format!("{before}{escaped}{after}");
        prop_assert!(!is_plain(text.as_bytes()), "{:?}", text);
    }
}
