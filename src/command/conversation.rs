//! Conversations and platforms as people name them, so that a mistake is told at once and not by a
//! message that waits for ever.

use super::suggestions::nearest;
use crate::cli::FilterArgs;
use crate::client::{Client, is_fallback_platform, served_platform};
use crate::error::{Error, Result, tell};
use crate::model::message::{LOCAL, Status};
use crate::protocol::http::Conversation;
use crate::store::{ConversationQuery, MessageFilter};
use std::collections::BTreeSet;

/// Prefixes of conversations that need not be known (contract, item 7).
const PREFIXES: [&str; 3] = ["group_", "private_", "channel_"];

/// Where something goes, or is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ConversationTarget {
    /// The platform that was named, or that the conversation's name leads to.
    pub(super) platform: Option<String>,
    pub(super) conversation: String,
}

/// Names known to the place where messages are; asked for when one is first needed.
#[derive(Default)]
pub(super) struct Known {
    platforms: Option<BTreeSet<String>>,
    conversations: Option<Vec<Conversation>>,
}

/// The filter of a command's options, with the statuses that it names.
pub(super) async fn filter_of(
    client: &mut Client,
    statuses: Vec<Status>,
    options: &FilterArgs,
) -> Result<MessageFilter> {
    let mut filter = MessageFilter {
        statuses,
        platform: options.platform.clone(),
        conversation: None,
        direction: options.direction,
    };
    if let Some(typed) = &options.conversation {
        Known::default().narrow(client, &mut filter, typed).await?;
    }
    Ok(filter)
}

impl Known {
    /// Refuses a platform that is neither configured nor was ever seen.
    pub(super) async fn check_platform(
        &mut self,
        client: &mut Client,
        platform: &str,
    ) -> Result<()> {
        if [LOCAL, served_platform()].contains(&platform) {
            return Ok(());
        }
        let known = match self.platforms.take() {
            Some(known) => known,
            None => client.known_platforms(None).await?,
        };
        let known = self.platforms.insert(known);
        if known.contains(platform) {
            return Ok(());
        }
        let names: Vec<_> = known.iter().map(String::as_str).collect();
        Err(Error::usage(format!("the platform `{platform}` is not known")).hint(format!(
            "there are: {}; --new sends to a platform that will connect later",
            names.join(", ")
        )))
    }

    /// A conversation to send to: one that an account has seen, by its ID or name, or any in the
    /// form of item 7.
    pub(super) async fn destination(
        &mut self,
        client: &mut Client,
        typed: &str,
        platform: Option<&str>,
    ) -> Result<ConversationTarget> {
        if has_form(typed) || platform.is_some_and(is_fallback_platform) {
            return Ok(ConversationTarget::of(typed, platform));
        }
        // A conversation to which only we have written has no account yet.
        let known = self.conversations(client).await?.iter().filter(|one| one.account.is_some());
        let found = find(known.clone(), typed, platform)?;
        found.ok_or_else(|| {
            unknown(known, typed, platform, Some("--new sends to one that is not known yet"))
        })
    }

    /// Lets a filter through to one conversation that has messages, by its ID or name.
    pub(super) async fn narrow(
        &mut self,
        client: &mut Client,
        filter: &mut MessageFilter,
        typed: &str,
    ) -> Result<()> {
        let platform = filter.platform.as_deref();
        let target = if has_form(typed) {
            ConversationTarget::of(typed, platform)
        } else {
            let known = self.conversations(client).await?.iter();
            // A name comes before an ID that only we wrote to, which may be a name by mistake.
            let seen = known.clone().filter(|one| one.account.is_some());
            match find(seen, typed, platform)? {
                Some(target) => {
                    let is_shadowed = |one: &&Conversation| {
                        one.conversation == typed && target.conversation != typed
                    };
                    if let Some(one) = known.clone().find(is_shadowed) {
                        tell(format_args!(
                            "messages were also sent to the ID `{typed}`; -p {} shows them",
                            one.platform
                        ));
                    }
                    target
                }
                None => find(known.clone(), typed, platform)?
                    .ok_or_else(|| unknown(known, typed, platform, None))?,
            }
        };
        (filter.platform, filter.conversation) = (target.platform, Some(target.conversation));
        Ok(())
    }

    /// The platform and the ID of one conversation that has messages.
    pub(super) async fn existing(
        &mut self,
        client: &mut Client,
        typed: &str,
        platform: Option<&str>,
    ) -> Result<(String, String)> {
        let known = self.conversations(client).await?.iter();
        let is_meant = |one: &&Conversation| {
            one.conversation == typed && platform.is_none_or(|name| name == one.platform)
        };
        let of_id: Vec<_> = known.clone().filter(is_meant).collect();
        match &of_id[..] {
            [] => {}
            [only] => return Ok((only.platform.clone(), only.conversation.clone())),
            several => return Err(ambiguous(typed, several)),
        }
        match find(known.clone(), typed, platform)? {
            Some(ConversationTarget { platform: Some(platform), conversation }) => {
                Ok((platform, conversation))
            }
            _ => Err(unknown(known, typed, platform, None)),
        }
    }

    async fn conversations(&mut self, client: &mut Client) -> Result<&[Conversation]> {
        let known = if let Some(known) = self.conversations.take() {
            known
        } else {
            let brief = ConversationQuery { is_brief: true, ..ConversationQuery::default() };
            client.conversations(&brief).await?
        };
        Ok(self.conversations.insert(known))
    }
}

impl ConversationTarget {
    fn of(conversation: &str, platform: Option<&str>) -> Self {
        Self { platform: platform.map(str::to_owned), conversation: conversation.to_owned() }
    }
}

/// Whether a conversation is written as item 7 has it.
fn has_form(typed: &str) -> bool {
    let rests = PREFIXES.iter().filter_map(|prefix| typed.strip_prefix(prefix));
    rests.into_iter().any(|rest| !rest.is_empty())
}

/// The one that is meant: an ID first, then the number in one, then a name as it is shown, then a
/// name in another case.
fn find<'k>(
    known: impl Iterator<Item = &'k Conversation> + Clone,
    typed: &str,
    platform: Option<&str>,
) -> Result<Option<ConversationTarget>> {
    let known = known.filter(|one| platform.is_none_or(|name| name == one.platform));
    if known.clone().any(|one| one.conversation == typed) {
        return Ok(Some(ConversationTarget::of(typed, platform)));
    }
    let folded = typed.to_lowercase();
    let rules: [&dyn Fn(&Conversation) -> bool; 3] = [
        &|one| PREFIXES.iter().any(|prefix| one.conversation.strip_prefix(prefix) == Some(typed)),
        &|one| one.name.as_deref() == Some(typed),
        &|one| one.name.as_ref().is_some_and(|name| name.to_lowercase() == folded),
    ];
    for is_meant in rules {
        let meant: Vec<_> = known.clone().filter(|one| is_meant(one)).collect();
        match &meant[..] {
            [] => {}
            [only] => {
                return Ok(Some(ConversationTarget::of(&only.conversation, Some(&only.platform))));
            }
            several => {
                return Err(ambiguous(typed, several));
            }
        }
    }
    Ok(None)
}

fn ambiguous(typed: &str, several: &[&Conversation]) -> Error {
    let which: Vec<_> = several.iter().map(|one| shown(one)).collect();
    Error::usage(format!("several conversations are called `{typed}`"))
        .hint(format!("write the platform and the ID of one: {}", which.join("; ")))
}

/// The error for an unknown conversation, with similar names; `otherwise` is what else helps.
fn unknown<'k>(
    known: impl Iterator<Item = &'k Conversation> + Clone,
    typed: &str,
    platform: Option<&str>,
    otherwise: Option<&str>,
) -> Error {
    let known = known.filter(|one| platform.is_none_or(|name| name == one.platform));
    let names = known.map(|one| (one.name.as_deref().unwrap_or(&one.conversation), one));
    let near: Vec<_> = nearest(typed, names).into_iter().map(shown).collect();
    let mut hint = if !near.is_empty() {
        format!("did you mean {}?", near.join(", or "))
    } else if typed.bytes().all(|byte| byte.is_ascii_digit()) {
        format!("group_{typed} is a group, private_{typed} a person")
    } else {
        "`rechat conversations` lists them; a group is written group_<id>, a person private_<id>"
            .to_owned()
    };
    if let Some(otherwise) = otherwise {
        hint.push_str(if hint.ends_with('?') { " " } else { "; " });
        hint.push_str(otherwise);
    }
    Error::usage(format!("no conversation `{typed}` is known")).hint(hint)
}

fn shown(one: &Conversation) -> String {
    let Conversation { platform, conversation, .. } = one;
    match &one.name {
        Some(name) => format!("`{name}` (-p {platform}, {conversation})"),
        None => format!("{conversation} (-p {platform})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conversation(platform: &str, id: &str, name: Option<&str>) -> Conversation {
        Conversation {
            platform: platform.into(),
            conversation: id.into(),
            name: name.map(str::to_owned),
            account: Some("10".into()),
            ..Conversation::default()
        }
    }

    fn known() -> Vec<Conversation> {
        vec![
            conversation("qq", "group_1", Some("Family")),
            conversation("qq", "private_2", Some("周末爬山小队")),
            conversation("qq", "bare", None),
            conversation("other", "group_1", Some("Twins")),
            conversation("other", "group_5", Some("Twins")),
        ]
    }

    #[test]
    fn a_conversation_is_found_by_its_id_its_number_and_its_name() {
        let known = known();
        let found = |typed, platform| find(known.iter(), typed, platform).unwrap();
        let target = |platform: &str, id| Some(ConversationTarget::of(id, Some(platform)));
        assert_eq!(found("bare", None), Some(ConversationTarget::of("bare", None)));
        assert_eq!(found("2", None), target("qq", "private_2"));
        assert_eq!(found("Family", None), target("qq", "group_1"));
        assert_eq!(found("fAMILY", None), target("qq", "group_1"));
        assert_eq!(found("周末爬山小队", None), target("qq", "private_2"));
        assert_eq!(found("Family", Some("other")), None);
        assert_eq!(found("Nobody", None), None);
    }

    #[test]
    fn several_of_one_name_or_number_are_told() {
        let known = known();
        for (typed, ids) in [("Twins", ["group_1", "group_5"]), ("1", ["-p qq", "-p other"])] {
            let error = find(known.iter(), typed, None).unwrap_err().to_string();
            assert!(ids.iter().all(|id| error.contains(id)), "{error}");
        }
        assert_eq!(
            find(known.iter(), "1", Some("qq")).unwrap(),
            Some(ConversationTarget::of("group_1", Some("qq")))
        );
    }

    #[test]
    fn an_unknown_one_is_refused_with_the_nearest() {
        let known = known();
        let told = |typed| unknown(known.iter(), typed, None, Some("--new")).to_string();
        assert!(told("Famly").contains("did you mean `Family` (-p qq, group_1)? --new"));
        assert!(told("爬山小队").contains("周末爬山小队"));
        assert!(told("123").contains("group_123 is a group"));
        assert!(told("zzzzzz").contains("group_<id>"));
    }
}
