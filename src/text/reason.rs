//! Why a message waits or has failed, for people at a command line.

use crate::model::message::Message;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::borrow::Cow;

/// End of a reason that names a field of the API, which a command line does not have.
const NAME_PLATFORM: &str = "; name one with `platform`";

/// The reason why a message waits, or else why its last attempt failed, with advice.
pub fn reason(message: &Message) -> Option<Cow<'_, str>> {
    if let (Some(time), Some(failed)) = (next_attempt(message), &message.last_error) {
        return Some(format!("{failed}; it is tried again at {time}").into());
    }
    let why = message.waiting.as_deref().or(message.last_error.as_deref())?;
    Some(match why.split_once(NAME_PLATFORM) {
        Some((what, _)) => format!("{what}; cancel it, and send it again with -p PLATFORM").into(),
        None => why.into(),
    })
}

/// The local time of the next attempt, if the message waits for that.
fn next_attempt(message: &Message) -> Option<String> {
    let waiting = message.waiting.as_ref().filter(|why| why.code() == Some("next_attempt"))?;
    let time: Timestamp = waiting.detail()?.parse().ok()?;
    Some(time.to_zoned(TimeZone::system()).strftime("%H:%M:%S").to_string())
}

/// A reason without advice that is for programs.
pub fn without_field(why: &str) -> &str {
    why.split_once(NAME_PLATFORM).map_or(why, |(what, _)| what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::content::Content;
    use crate::model::wait_reason::WaitReason;

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

    #[test]
    fn a_message_that_is_tried_again_tells_why_the_last_attempt_failed() {
        let mut message =
            Message::new(0, uuid::Uuid::nil(), Content::text("x"), "group_1".into(), 0);
        message.last_error = Some("refused with retcode 1200: muted".into());
        let time = "2026-01-02T03:04:05Z";
        let waiting = format!("the next attempt is at {time}");
        message.waiting = Some(WaitReason::new("next_attempt", waiting, Some(time.into())));
        let told = reason(&message).unwrap();
        assert!(
            told.starts_with("refused with retcode 1200: muted; it is tried again at "),
            "{told}"
        );
        assert!(told.ends_with(":05") && !told.contains('Z'), "{told}");
    }
}
