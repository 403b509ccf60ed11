//! Codes of the reasons why a message was not sent, waits, or has a file that is not here.
//!
//! A reason is kept as text. Its code, and what others said in it, are read from the form of that
//! text, so that messages which were stored earlier have them too.

/// A reason that programs can show in their own language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason<'a> {
    /// The code; lower case and stable.
    pub code: &'static str,
    /// Text of the platform, a host or the system, or a time, if the reason has any.
    pub detail: Option<&'a str>,
}

/// Forms of texts around another reason. `{}` stands for that reason, `*` for any text.
const WRAPPING: [&str; 7] = [
    "*; asked for it: {}",
    "the platform refused: {}",
    "part * of *: {}",
    "the file could not be uploaded: {}",
    "the conversation did not open ({}) within * s",
    "{}; the next attempt is at *",
    "{}; an earlier attempt may have sent it",
];

/// Codes, and the forms of texts that have them. `{}` stands for the detail, `*` for any text, such as the
/// name of a platform: a new adapter writes its reasons in these forms.
const FORMS: [(&str, &str); 58] = [
    ("refused", "refused with {}"),
    ("refused", "the platform refused: {}"),
    ("refused", "* refused it: {}"),
    ("refused", "* refused it with every new reply token: {}"),
    ("refused", "* refused it with every new reply token, and took others: {}"),
    ("refused", "* takes no files for this account ({})"),
    ("refused", "*'s file server refused the file: {}"),
    ("refused", "the implementation could not send it"),
    ("unknown", "outcome unknown"),
    ("unknown", "no answer came in time"),
    ("unknown", "no answer within * s"),
    ("unknown", "the connection was lost"),
    ("unknown", "the connection was lost before the answer came"),
    ("unknown", "rechat was stopped while it was being sent"),
    ("unknown", "it is unknown whether the platform did it: *"),
    ("not_connected", "no adapter of * is connected ({}); it is sent when one is"),
    ("not_connected", "no adapter of * is connected; it is sent when one is"),
    ("not_connected", "the account * of *, for which a bot sent it, is not connected ({}); *"),
    ("not_connected", "the account * of *, for which a bot sent it, is not connected; *"),
    ("not_connected", "the account * of * is not connected ({}); *"),
    ("not_connected", "the account * of * is not connected; *"),
    ("not_connected", "no adapter for * connected within * s"),
    ("not_connected", "the adapter is not connected"),
    ("not_connected", "the account is not connected*"),
    ("not_connected", "not sent: the connection was lost"),
    ("not_connected", "* cannot be reached ({})"),
    ("busy", "the adapter is busy: *"),
    ("busy", "not sent: the implementation does not read"),
    // As earlier versions stored it.
    ("busy", "not sent: the peer does not read"),
    ("logged_out", "the session of this account ended"),
    ("logged_out", "the session of this account ended ({})"),
    ("reply_only", "* lets a bot only answer, and this person has not written to it yet*"),
    ("reply_limit", "*'s limit is reached*({}); it goes out after they write again"),
    ("reply_limit", "* refused it ({}), though nothing was sent since this person wrote last*"),
    ("no_leader", "no node leads the cluster that this node can reach; *"),
    ("next_attempt", "the next attempt is at {}"),
    ("after_earlier", "an earlier message of the conversation is sent first"),
    ("no_platform", "no platform is named, and none is found for it*"),
    ("several_platforms", "no platform is named, and * know *"),
    ("unaddressable", "`*` is no conversation of *"),
    ("unaddressable", "`*` is not a person's conversation"),
    ("unaddressable", "`*` is known as a group and as a user*"),
    ("unaddressable", "nothing is known of `*`; write *"),
    ("empty", "there is nothing to send"),
    ("empty", "there is nothing in it"),
    ("too_large", "the implementation closed the connection: too large for it (1009)"),
    ("too_large", "its files are too large to be sent along*"),
    ("too_large", "the file has more than * bytes*"),
    ("media_full", "media take up all of their *"),
    ("media_full", "the disk is full"),
    ("media_full", "the disk has less than * bytes free*"),
    ("unknown_media", "its file `*` is not here any more"),
    ("no_address", "the platform tells no address of it"),
    ("private_host", "`{}` is in a private network*"),
    ("host_refused", "the host answered {}"),
    ("host_unreachable", "the host cannot be reached: {}"),
    ("host_slow", "it took too long"),
    ("not_a_picture", "the host sent {} where a picture should be"),
];

/// The same for the states of adapters and bots; some texts mean another thing there.
const CONNECTION_FORMS: [(&str, &str); 36] = [
    ("stopping", "rechat is stopping"),
    ("stopping", "rechat ended it*"),
    ("stopping", "the account was stopped"),
    ("silent", "the implementation fell silent"),
    ("silent", "the framework fell silent"),
    ("silent", "{} does not answer"),
    ("silent", "the implementation does not read"),
    ("silent", "the framework does not read"),
    (
        "too_large",
        "the implementation closed the connection: what was sent is too large for it (1009)",
    ),
    ("too_large", "a frame is far over `max_frame` (*): {}"),
    ("closed", "the implementation closed the connection: {}"),
    ("closed", "the implementation closed the connection ({})"),
    ("closed", "the implementation closed the connection"),
    ("closed", "the framework closed it: {}"),
    ("closed", "the framework closed it ({})"),
    ("closed", "the framework closed it"),
    ("lost", "the connection was lost: {}"),
    ("lost", "the connection was lost"),
    ("wrong_token", "{} refused the token (*); set `token` to its own"),
    ("wrong_token", "{}; set `token` of this adapter to the implementation's access token"),
    ("wrong_token", "{}: set `token` of this bot to the framework's own"),
    ("wrong_path", "{}: the path of `url` is another one there"),
    ("refused", "{}: the framework does not take it"),
    ("wrong_account", "the account `{}` may not connect here; *"),
    ("offline", "the account is off, says the implementation; log it in there"),
    ("offline", "the account was logged out: {}"),
    ("other_version", "the implementation speaks {} here; *"),
    ("no_account", "no account is logged in; *"),
    ("logged_out", "the session of this account ended ({}); *"),
    ("polled_elsewhere", "another rechat on this host polls this account; stop that one"),
    ("unreachable", "* cannot be reached: {}"),
    ("store", "the store cannot be read: {}"),
    ("bot_account", "a platform whose account it can speak for; none is known yet"),
    ("bot_dialled", "the framework, to which rechat connects"),
    ("bot_dials", "the framework, which has to connect to {}"),
    ("bot_event", "the first event that is posted"),
];

/// The same for a login.
const LOGIN_FORMS: [(&str, &str); 9] = [
    ("not_confirmed", "the code was not scanned and confirmed in time"),
    ("no_code", "* gives no code: {}"),
    ("no_code", "*'s answer has no code"),
    ("wrong_digits", "the digits were wrong"),
    ("foreign_host", "* sends the login on to `{}`, *"),
    ("foreign_host", "* confirmed the login for `{}`, *"),
    ("no_token", "* confirmed the login without a token"),
    ("no_token", "* confirmed the login with a token that no request can carry"),
    ("fault", "the login failed because of an error in rechat; start it again"),
];

/// How the text begins of a connection that did not come about.
const SCHEMES: [&str; 4] = ["ws://", "wss://", "http://", "https://"];

impl<'a> Reason<'a> {
    /// Reads the text of a reason; `None` if it has no known form.
    pub fn of(text: &'a str) -> Option<Self> {
        let inner = WRAPPING.iter().find_map(|form| Self::of(fit(form, text)?.detail?));
        inner.or_else(|| Self::of_forms(&FORMS, text))
    }

    /// The same for the state of an adapter or a bot.
    pub fn of_connection(text: &'a str) -> Option<Self> {
        // Which address it is belongs to what others said.
        let is_of_address = SCHEMES.iter().any(|scheme| text.starts_with(scheme));
        let unreachable = is_of_address.then_some(Self { code: "unreachable", detail: Some(text) });
        Self::of_forms(&CONNECTION_FORMS, text).or(unreachable).or_else(|| Self::of(text))
    }

    /// The same for a login.
    pub fn of_login(text: &'a str) -> Option<Self> {
        Self::of_forms(&LOGIN_FORMS, text).or_else(|| Self::of_connection(text))
    }

    fn of_forms(forms: &[(&'static str, &str)], text: &'a str) -> Option<Self> {
        let of_form = |(code, form): &(&'static str, &str)| {
            Some(Self { code, detail: fit(form, text)?.detail })
        };
        forms.iter().find_map(of_form)
    }
}

/// Match of a text with a form.
#[derive(Clone, Copy)]
struct Fit<'a> {
    /// The part of the text at `{}`.
    detail: Option<&'a str>,
}

/// Compares a text with a form; `None` if it does not match.
fn fit<'a>(form: &str, text: &'a str) -> Option<Fit<'a>> {
    // Most forms begin with another letter than the text.
    let first = form.as_bytes().first().filter(|first| !matches!(first, b'{' | b'*'));
    if first.is_some() && first != text.as_bytes().first() {
        return None;
    }
    let gap = form.find(['{', '*']).unwrap_or(form.len());
    let (before, rest_of_form) = form.split_at(gap);
    let rest = text.strip_prefix(before)?;
    let Some(after) = rest_of_form.strip_prefix("{}").or(rest_of_form.strip_prefix('*')) else {
        return rest.is_empty().then_some(Fit { detail: None });
    };
    let words = after.split(['{', '*']).next().unwrap_or_default();
    let end = match words {
        "" => rest.len(),
        // The last words of a form are those at the end of the text.
        words if words.len() == after.len() => rest.len().checked_sub(words.len())?,
        words => rest.find(words)?,
    };
    let behind = fit(after, rest.get(end..)?)?;
    let is_detail = rest_of_form.starts_with('{');
    Some(if is_detail { Fit { detail: rest.get(..end) } } else { behind })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code_of(text: &str) -> Option<(&'static str, Option<&str>)> {
        Reason::of(text).map(|reason| (reason.code, reason.detail))
    }

    #[test]
    fn a_reason_has_a_code_and_what_others_said() {
        for (text, code, detail) in [
            ("refused with retcode 1400: 群不存在", "refused", Some("retcode 1400: 群不存在")),
            (
                "refused with retcode 100; an earlier attempt may have sent it",
                "refused",
                Some("retcode 100"),
            ),
            ("no answer within 0.5 s", "unknown", None),
            ("no adapter of qq is connected; it is sent when one is", "not_connected", None),
            (
                "no adapter of qq is connected (kicked (by 9)); it is sent when one is",
                "not_connected",
                Some("kicked (by 9)"),
            ),
            ("no adapter for any platform connected within 86400 s", "not_connected", None),
            (
                "the next attempt is at 2026-01-02T03:04:05Z",
                "next_attempt",
                Some("2026-01-02T03:04:05Z"),
            ),
            (
                "no platform is named, and qq and tg know group_1; name one with `platform`",
                "several_platforms",
                None,
            ),
            (
                "`cdn.local` is in a private network; `[media] allow_private` can name it",
                "private_host",
                Some("cdn.local"),
            ),
        ] {
            assert_eq!(code_of(text), Some((code, detail)), "{text}");
        }
    }

    #[test]
    fn a_reason_inside_another_counts() {
        for (text, code, detail) in [
            ("part 2 of 3: refused with retcode 100", "refused", Some("retcode 100")),
            ("the file could not be uploaded: no answer within 15 s", "unknown", None),
            (
                "the conversation did not open (WeChat's limit is reached (ret -2); it goes out after they \
                 write again) within 9 s",
                "reply_limit",
                Some("ret -2"),
            ),
            (
                "WeChat cannot be reached (timed out); the next attempt is at 2026",
                "not_connected",
                Some("timed out"),
            ),
            (
                "the host answered 404 Not Found; asked for it: the platform refused: gone",
                "refused",
                Some("gone"),
            ),
            ("the platform refused: refused with retcode 1: no", "refused", Some("retcode 1: no")),
        ] {
            assert_eq!(code_of(text), Some((code, detail)), "{text}");
        }
    }

    #[test]
    fn a_text_of_no_known_form_has_no_code() {
        for text in ["", "gone", "the host answered", "the connection was lost: x", "part of", "早"]
        {
            assert_eq!(code_of(text), None, "{text}");
        }
    }

    #[test]
    fn codes_are_lower_case_and_every_form_is_its_own() {
        for (code, form) in FORMS {
            assert!(code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{code}");
            assert_eq!(code_of(form).map(|(code, _)| code), Some(code), "{form}");
        }
        for (code, form) in LOGIN_FORMS {
            assert!(code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{code}");
            assert_eq!(Reason::of_login(form).map(|reason| reason.code), Some(code), "{form}");
        }
        for (code, form) in CONNECTION_FORMS {
            assert!(code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{code}");
            let found = Reason::of_connection(form).map(|reason| reason.code);
            assert_eq!(found, Some(code), "{form}");
        }
    }

    #[test]
    fn the_state_of_a_connection_has_a_code() {
        for (text, code, detail) in [
            ("the connection was lost", "lost", None),
            (
                "ws://127.0.0.1:9/: IO error: Connection refused (os error 111)",
                "unreachable",
                Some("ws://127.0.0.1:9/: IO error: Connection refused (os error 111)"),
            ),
            (
                "http://127.0.0.1:9/bot answered 404 Not Found: the path of `url` is another one there",
                "wrong_path",
                Some("http://127.0.0.1:9/bot answered 404 Not Found"),
            ),
            ("the account was logged out: 被挤下线", "offline", Some("被挤下线")),
            (
                "the session of this account ended (ret -14); log in again with `rechat login wechat`",
                "logged_out",
                Some("ret -14"),
            ),
            ("refused with retcode 1400: no", "refused", Some("retcode 1400: no")),
        ] {
            let found = Reason::of_connection(text).map(|reason| (reason.code, reason.detail));
            assert_eq!(found, Some((code, detail)), "{text}");
        }
        assert_eq!(Reason::of_connection("早"), None);
    }
}
