//! Filter for the events of a bot (contract, item 35).

/// Filter of a bot; an empty list lets everything through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BotFilter {
    /// `<platform>/<conversation>`.
    pub conversations: Vec<String>,
    /// People whose messages pass: `<id>` or `<platform>/<id>`.
    pub senders: Vec<String>,
    /// Beginnings of messages. A message that mentions the account always passes.
    pub prefixes: Vec<String>,
    /// Conversations and people whose events do not pass, in the same forms.
    pub exclude: Vec<String>,
}

/// The facts of an event that a filter reads.
#[derive(Clone, Copy, Debug, Default)]
pub struct FilterInput<'a> {
    /// The platform of the event.
    pub platform: &'a str,
    /// The conversation of the event, if it is of one.
    pub conversation: Option<&'a str>,
    /// The person who did it.
    pub person: Option<&'a str>,
    /// The text of a message; `None` for an event that is not a message.
    pub text: Option<&'a str>,
    /// The event is a message that mentions the account.
    pub mentions_me: bool,
}

impl BotFilter {
    /// Whether the event passes.
    pub fn passes(&self, about: &FilterInput<'_>) -> bool {
        let has = |list: &[String], id: Option<&str>| {
            id.is_some_and(|id| list.iter().any(|written| is_written(written, about.platform, id)))
        };
        if has(&self.exclude, about.conversation) || has(&self.exclude, about.person) {
            return false;
        }
        let is_elsewhere =
            about.conversation.is_some() && !has(&self.conversations, about.conversation);
        if !self.conversations.is_empty() && is_elsewhere {
            return false;
        }
        let Some(text) = about.text else { return true };
        if !self.senders.is_empty() && !has(&self.senders, about.person) {
            return false;
        }
        let text = text.trim_start();
        let begins = |prefix: &String| text.starts_with(prefix.as_str());
        self.prefixes.is_empty() || about.mentions_me || self.prefixes.iter().any(begins)
    }
}

/// Whether a setting is `<platform>/<id>`, or the ID alone.
fn is_written(written: &str, platform: &str, id: &str) -> bool {
    let rest = written.strip_prefix(platform).and_then(|rest| rest.strip_prefix('/'));
    written == id || rest == Some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn said(text: &str) -> FilterInput<'_> {
        let (conversation, person) = (Some("group_1"), Some("5"));
        FilterInput { platform: "qq", conversation, person, text: Some(text), mentions_me: false }
    }

    #[test]
    fn an_empty_filter_lets_everything_through() {
        assert!(
            BotFilter::default().passes(&said("hi"))
                && BotFilter::default().passes(&FilterInput::default())
        );
    }

    #[test]
    fn a_mention_passes_prefixes_and_not_conversations() {
        let filter = BotFilter { prefixes: list(&["/", "。"]), ..BotFilter::default() };
        assert!(filter.passes(&said(" /echo")) && filter.passes(&said("。菜单")));
        assert!(!filter.passes(&said("hi")));
        let mention = FilterInput { mentions_me: true, ..said("hi") };
        assert!(filter.passes(&mention));
        let filter = BotFilter { conversations: list(&["qq/group_2"]), ..filter };
        assert!(!filter.passes(&mention));
    }

    #[test]
    fn prefixes_and_senders_are_about_messages_alone() {
        let filter =
            BotFilter { prefixes: list(&["/"]), senders: list(&["7"]), ..BotFilter::default() };
        assert!(filter.passes(&FilterInput { text: None, ..said("") }));
        assert!(!filter.passes(&said("/echo")));
        assert!(filter.passes(&FilterInput { person: Some("7"), ..said("/echo") }));
    }

    #[test]
    fn what_is_left_out_is_left_out_with_and_without_its_platform() {
        for written in ["qq/group_1", "group_1", "5", "qq/5"] {
            let filter = BotFilter { exclude: list(&[written]), ..BotFilter::default() };
            assert!(!filter.passes(&said("hi")), "{written}");
            let elsewhere =
                FilterInput { conversation: Some("group_2"), person: Some("6"), ..said("hi") };
            assert!(filter.passes(&elsewhere), "{written}");
        }
        let filter = BotFilter { conversations: list(&["qq/group_1"]), ..BotFilter::default() };
        assert!(filter.passes(&said("hi")));
        assert!(!filter.passes(&FilterInput { platform: "wechat", ..said("hi") }));
        // The event is about the account itself.
        assert!(filter.passes(&FilterInput { conversation: None, ..said("hi") }));
    }
}
