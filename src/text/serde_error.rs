//! Errors of serde, for people who do not know Rust.

use serde_json::error::Category;

/// An error of serde without names of Rust types. `object` is the format's word for an object: "an
/// object" in JSON, "a table" in TOML.
pub fn without_type_names(error: &str, object: &str) -> String {
    if error.starts_with("data did not match any variant") {
        return "the value has none of the forms that are allowed".to_owned();
    }
    let Some((found, expected)) = error.rsplit_once(", expected ") else {
        return error.to_owned();
    };
    let (expected, place) = expected.split_at(expected.find(" at line ").unwrap_or(expected.len()));
    let is_type = ["struct ", "enum ", "tuple "].iter().any(|kind| expected.contains(kind));
    let expected = match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number that is not negative",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a sequence" => "a list",
        "a map" => object,
        _ if is_type => object,
        other => other,
    };
    let found = match found.strip_prefix("unknown variant ") {
        Some(name) => format!("unknown value {name}"),
        None => match found {
            "invalid type: sequence" => "invalid type: list".to_owned(),
            "invalid type: map" => "invalid type: object".to_owned(),
            other => other.to_owned(),
        },
    };
    format!("{found}, expected {expected}{place}")
}

/// The reason why a line of a file is not the expected JSON. The line is parsed alone, so only the
/// column of serde's position is useful.
pub fn error_of_line(error: &serde_json::Error) -> String {
    let text = without_type_names(&error.to_string(), "an object");
    let reason = text.rsplit_once(" at line ").map_or(&*text, |(reason, _)| reason);
    match error.classify() {
        Category::Eof => "its JSON is not complete".to_owned(),
        Category::Syntax => format!("it is no JSON from column {} on", error.column()),
        Category::Data | Category::Io => reason.to_owned(),
    }
}

/// The reason why a whole text is not the expected JSON.
pub fn error_of_json(error: &serde_json::Error) -> String {
    if error.is_syntax() && error.line() > 1 {
        let (line, column) = (error.line(), error.column());
        return format!("it is no JSON from line {line}, column {column} on");
    }
    error_of_line(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "only read")]
    struct Body {
        count: usize,
        part: Option<f64>,
        list: Option<Vec<Body>>,
        kind: Option<Kind>,
        form: Option<Form>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        One,
        Two,
    }

    #[derive(Debug, Deserialize)]
    #[serde(untagged)]
    #[allow(dead_code, reason = "only read")]
    enum Form {
        Number(u64),
        Text(String),
    }

    #[test]
    fn an_error_of_a_line_names_no_line_of_its_own() {
        let error = |json: &str| error_of_line(&serde_json::from_str::<Body>(json).unwrap_err());
        assert_eq!(error("{}"), "missing field `count`");
        assert_eq!(error("nonsense"), "it is no JSON from column 2 on");
        assert_eq!(error(r#"{"count""#), "its JSON is not complete");
    }

    #[test]
    fn errors_name_no_types_of_rust() {
        for (json, wanted) in [
            ("5", "invalid type: integer `5`, expected an object"),
            (r#"{"count": -1}"#, "expected a whole number that is not negative"),
            (r#"{"count": 1, "part": "x"}"#, "invalid type: string \"x\", expected a number"),
            (r#"{"count": 1, "list": {}}"#, "invalid type: object, expected a list"),
            (r#"{"count": 1, "kind": "x"}"#, "unknown value `x`, expected `one` or `two`"),
            (r#"{"count": 1, "form": []}"#, "none of the forms that are allowed"),
            (r#"{"part": 1}"#, "missing field `count`"),
        ] {
            let error = serde_json::from_str::<Body>(json).unwrap_err().to_string();
            let told = without_type_names(&error, "an object");
            assert!(told.contains(wanted), "{told}");
        }
    }
}
