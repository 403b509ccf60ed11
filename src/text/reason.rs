//! Why a message waits or has failed, for people at a command line.

use crate::model::message::Message;
use std::borrow::Cow;

/// End of a reason that names a field of the API, which a command line does not have.
const NAME_PLATFORM: &str = "; name one with `platform`";

/// The reason why a message waits, or else why its last attempt failed, with advice.
pub fn reason(message: &Message) -> Option<Cow<'_, str>> {
    let why = message.waiting.as_deref().or(message.last_error.as_deref())?;
    Some(match why.split_once(NAME_PLATFORM) {
        Some((what, _)) => format!("{what}; cancel it, and send it again with -p PLATFORM").into(),
        None => why.into(),
    })
}

/// A reason without advice that is for programs.
pub fn without_field(why: &str) -> &str {
    why.split_once(NAME_PLATFORM).map_or(why, |(what, _)| what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::content::Content;

    #[test]
    fn a_reason_names_the_option_in_place_of_the_field() {
        let waits = |why: &str| Message {
            waiting: Some(why.into()),
            ..Message::new(0, uuid::Uuid::nil(), Content::text("x"), "group_1".into(), 0)
        };
        let several =
            waits("no platform is named, and qq and tg know group_1; name one with `platform`");
        let told = reason(&several).unwrap();
        assert!(
            told.ends_with("know group_1; cancel it, and send it again with -p PLATFORM"),
            "{told}"
        );
        assert_eq!(
            reason(&waits("the next attempt is at 12:00")).unwrap(),
            "the next attempt is at 12:00"
        );
        assert_eq!(without_field(&told), told);
    }
}
