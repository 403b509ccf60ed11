//! The state that is kept over restarts (logins, cursors, reply tokens), and its encoding.

use super::reply::{PartProgress, RepeatedRefusal, ReplyState};
use crate::model::event::AdapterState;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// The adapter's name for what it keeps.
pub(super) const ADAPTER: &str = "ilink";

/// A login: one bot of one person. Its `Debug` leaves out the token.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Login {
    /// The bot's ID.
    pub(super) account: String,
    /// The person who scanned the code.
    pub(super) user: String,
    /// The address of the interface from now on.
    pub(super) base: String,
    pub(super) token: String,
    /// Unix seconds of the login.
    pub(super) at: u64,
}

impl Login {
    /// Whether it takes the place of another one: it is of the same bot, or of another bot of the same person.
    pub(super) fn replaces(&self, other: &Self) -> bool {
        self.account == other.account || (self.user == other.user && !self.user.is_empty())
    }
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("account", &self.account).finish_non_exhaustive()
    }
}

/// Everything that is kept for an account.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct KeptLogin {
    pub(super) login: Login,
    /// The cursor of the next poll; empty where there is none.
    pub(super) cursor: String,
    /// By conversation.
    pub(super) replies: HashMap<String, ReplyState>,
}

/// A value as it is encoded: one arm for each kind and version. Arms are only added, at the end.
#[derive(Serialize, Deserialize)]
enum Encoded {
    LoginV1 {
        user: String,
        base: String,
        token: String,
        at: u64,
    },
    CursorV1(String),
    ReplyV1(ReplyStateV1),
    /// The fields of [`ReplyState`] are its encoding: a change to them is a new version.
    ReplyV2(ReplyState),
}

#[derive(Serialize, Deserialize)]
struct ReplyStateV1 {
    token: String,
    received_ms: u64,
    taken: u32,
    refusals: u32,
    next_try: Option<u64>,
    refusal: String,
    stuck: Option<RepeatedRefusalV1>,
    progress: Option<PartProgressV1>,
}

/// The message, how often it was refused as the first one, and when last.
#[derive(Serialize, Deserialize)]
struct RepeatedRefusalV1(Uuid, u32, u64);

/// The message, its parts that went out, its ID, and whether one of them is unproved.
#[derive(Serialize, Deserialize)]
struct PartProgressV1(Uuid, u32, Option<String>, bool);

impl From<ReplyStateV1> for ReplyState {
    fn from(reply: ReplyStateV1) -> Self {
        let ReplyStateV1 { token, received_ms, taken, refusals, next_try, refusal, .. } = reply;
        let stuck = reply.stuck.map(|RepeatedRefusalV1(message, count, at)| RepeatedRefusal {
            message,
            count,
            at,
            has_other_passed: false,
        });
        let progress =
            reply.progress.map(|PartProgressV1(message, parts, external_id, is_unproved)| {
                PartProgress { message, parts, print: None, restarts: 0, external_id, is_unproved }
            });
        Self { token, received_ms, taken, refusals, next_try, refusal, stuck, progress }
    }
}

/// The names of what is kept, one a line: platform, kind of value, account, conversation. The last may have
/// line feeds in it.
fn key(platform: &str, kind: &str, account: &str, conversation: &str) -> String {
    [platform, kind, account, conversation].join("\n")
}

fn state(key: String, value: Option<&Encoded>) -> AdapterState {
    // Only a value without a known length cannot be written, and none is such.
    let value = value.map(|value| postcard::to_stdvec(value).unwrap_or_default());
    AdapterState { adapter: ADAPTER.to_owned(), key, value }
}

/// Keeps a login.
pub(super) fn keep_login(platform: &str, login: &Login) -> AdapterState {
    let Login { account, user, base, token, at } = login.clone();
    state(key(platform, "login", &account, ""), Some(&Encoded::LoginV1 { user, base, token, at }))
}

/// Keeps a cursor; an empty one removes it.
pub(super) fn keep_cursor(platform: &str, account: &str, cursor: &str) -> AdapterState {
    let value = (!cursor.is_empty()).then(|| Encoded::CursorV1(cursor.to_owned()));
    state(key(platform, "cursor", account, ""), value.as_ref())
}

/// Keeps what is known of a conversation.
pub(super) fn keep_reply(
    platform: &str,
    account: &str,
    conversation: &str,
    reply: ReplyState,
) -> AdapterState {
    let value = Encoded::ReplyV2(reply);
    state(key(platform, "reply", account, conversation), Some(&value))
}

/// Forgets an account and all that belongs to it.
pub(super) fn forget<'a>(
    platform: &str,
    account: &str,
    conversations: impl IntoIterator<Item = &'a str>,
) -> Vec<AdapterState> {
    let replies = conversations.into_iter().map(|name| key(platform, "reply", account, name));
    let others = ["login", "cursor"].map(|kind| key(platform, kind, account, ""));
    replies.chain(others).map(|key| state(key, None)).collect()
}

/// Reads what was kept for a platform, by account. What cannot be read is told and left out.
pub(super) fn read(platform: &str, kept: Vec<(String, Vec<u8>)>) -> BTreeMap<String, KeptLogin> {
    let mut logins = BTreeMap::new();
    let mut others = Vec::new();
    for (key, value) in kept {
        let mut names = key.splitn(4, '\n');
        let [Some(of), Some(_), Some(account), Some(conversation)] =
            std::array::from_fn(|_| names.next())
        else {
            continue;
        };
        if of != platform {
            continue;
        }
        match postcard::from_bytes(&value) {
            Ok(Encoded::LoginV1 { user, base, token, at }) => {
                let account = account.to_owned();
                let login = Login { account: account.clone(), user, base, token, at };
                let kept = KeptLogin { login, cursor: String::new(), replies: HashMap::new() };
                logins.insert(account, kept);
            }
            Ok(other) => others.push((account.to_owned(), conversation.to_owned(), other)),
            Err(error) => {
                tracing::error!(account, "cannot read the stored state of the account: {error}")
            }
        }
    }
    for (account, conversation, other) in others {
        let Some(kept) = logins.get_mut(&account) else { continue };
        let reply = match other {
            Encoded::CursorV1(cursor) => {
                kept.cursor = cursor;
                continue;
            }
            Encoded::ReplyV1(reply) => reply.into(),
            Encoded::ReplyV2(reply) => reply,
            Encoded::LoginV1 { .. } => continue,
        };
        kept.replies.insert(conversation, reply);
    }
    logins
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER;

    fn everything() -> (Login, ReplyState) {
        let login = Login {
            account: "a@im.bot".into(),
            user: "u@im.wechat".into(),
            base: "https://h".into(),
            token: "t".into(),
            at: 5,
        };
        let message = Uuid::from_u128(7);
        let reply = ReplyState {
            token: "c".into(),
            received_ms: 300,
            taken: 1,
            refusals: 2,
            next_try: Some(3),
            refusal: "w".into(),
            stuck: Some(RepeatedRefusal { message, count: 1, at: 9, has_other_passed: true }),
            progress: Some(PartProgress {
                message,
                parts: 2,
                print: Some([7; 16]),
                restarts: 1,
                external_id: Some("e".into()),
                is_unproved: true,
            }),
        };
        (login, reply)
    }

    fn kept(states: Vec<AdapterState>) -> Vec<(String, Vec<u8>)> {
        states.into_iter().map(|state| (state.key, state.value.unwrap())).collect()
    }

    #[test]
    fn what_is_kept_reads_back() {
        let (login, reply) = everything();
        let states = vec![
            keep_reply("wechat", "a@im.bot", "private_u", reply.clone()),
            keep_cursor("wechat", "a@im.bot", "next"),
            keep_login("wechat", &login),
            keep_cursor("wechat", "gone@im.bot", "next"),
            keep_login("other", &login),
        ];
        let read = read("wechat", kept(states));
        let replies = HashMap::from([("private_u".to_owned(), reply)]);
        let wanted = KeptLogin { login, cursor: "next".into(), replies };
        assert_eq!(read, BTreeMap::from([("a@im.bot".to_owned(), wanted)]));
    }

    #[test]
    fn a_person_whose_id_has_a_line_feed_changes_nothing_of_another() {
        let (login, reply) = everything();
        let of = |token: &str| ReplyState { token: token.into(), ..reply.clone() };
        let both = [("private_u", "one"), ("private_u\nx", "two")];
        let keep = |(conversation, token)| keep_reply("w", "a@im.bot", conversation, of(token));
        let states = [keep_login("w", &login)].into_iter().chain(both.map(keep)).collect();
        let read = read("w", kept(states));
        for (conversation, token) in both {
            assert_eq!(read["a@im.bot"].replies[conversation].token, token);
        }
    }

    #[test]
    fn what_is_written_stays_readable() {
        let (login, reply) = everything();
        let bytes = |state: AdapterState| HEXLOWER.encode(&state.value.unwrap());
        assert_eq!(
            bytes(keep_login("w", &login)),
            "000b7540696d2e7765636861740968747470733a2f2f68017405"
        );
        assert_eq!(bytes(keep_cursor("w", "a", "n")), "01016e");
        let id = format!("10{}", HEXLOWER.encode(Uuid::from_u128(7).as_bytes()));
        let print = "07".repeat(16);
        let wanted = format!("030163ac02010201030177 01{id}010901 01{id}0201{print}0101016501");
        assert_eq!(bytes(keep_reply("w", "a", "c", reply)), wanted.replace(' ', ""));
    }

    #[test]
    fn a_reply_of_an_earlier_version_is_read() {
        let (login, mut reply) = everything();
        let id = format!("10{}", HEXLOWER.encode(Uuid::from_u128(7).as_bytes()));
        let earlier = format!("020163ac02010201030177 01{id}0109 01{id}0201016501");
        let earlier = HEXLOWER.decode(earlier.replace(' ', "").as_bytes()).unwrap();
        let mut all = kept(vec![keep_login("w", &login)]);
        all.push((key("w", "reply", "a@im.bot", "c"), earlier));
        if let Some(stuck) = &mut reply.stuck {
            stuck.has_other_passed = false;
        }
        if let Some(progress) = &mut reply.progress {
            (progress.print, progress.restarts) = (None, 0);
        }
        assert_eq!(read("w", all)["a@im.bot"].replies["c"], reply);
    }

    #[test]
    fn a_token_is_not_shown() {
        let (mut login, _) = everything();
        login.token = "secret".into();
        assert!(!format!("{login:?}").contains("secret"));
    }
}
