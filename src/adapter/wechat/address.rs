//! How recipients name persons: `private_<id>`, the ID as it came. IDs are case-sensitive.

/// The end of a person's ID.
const PERSON: &str = "@im.wechat";

const PREFIX: &str = "private_";

/// The conversation with a person.
pub(super) fn conversation(person: &str) -> String {
    format!("{PREFIX}{person}")
}

/// The person of a conversation.
pub(super) fn person(conversation: &str) -> Option<&str> {
    conversation.strip_prefix(PREFIX).filter(|person| !person.is_empty())
}

/// Whether a recipient could be a person at all.
pub(super) fn addresses(recipient: &str) -> bool {
    person(recipient).unwrap_or(recipient).ends_with(PERSON)
}

/// Turns a recipient into a conversation.
pub(super) fn resolve(recipient: &str, _is_known: &dyn Fn(&str) -> bool) -> Result<String, String> {
    if person(recipient).is_some() {
        return Ok(recipient.to_owned());
    }
    if addresses(recipient) {
        return Ok(conversation(recipient));
    }
    Err(format!(
        "`{recipient}` is no person of WeChat's bot interface; give `{PREFIX}<ID>`, where the ID \
         ends with {PERSON}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_named_with_and_without_the_prefix() {
        let resolve = |recipient| resolve(recipient, &|_| false);
        assert_eq!(resolve("private_oA-b@im.wechat").unwrap(), "private_oA-b@im.wechat");
        assert_eq!(resolve("oA-b@im.wechat").unwrap(), "private_oA-b@im.wechat");
        assert_eq!(resolve("private_other").unwrap(), "private_other");
        assert!(resolve("group_1").unwrap_err().contains("private_<ID>"));
        assert!(addresses("oA-b@im.wechat") && !addresses("private_1") && !addresses("7"));
    }
}
