//! The conversation of a channel: `channel_<guild>_<channel>` (contract, item 7).

use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// Writes the conversation of a channel of a guild.
pub(in crate::adapter::onebot) fn conversation(guild: &str, channel: &str) -> String {
    format!("channel_{}_{}", encode(guild), encode(channel))
}

/// The guild and the channel of what follows `channel_`.
pub(in crate::adapter::onebot) fn parse(ids: &str) -> Option<(Cow<'_, str>, Cow<'_, str>)> {
    let (guild, channel) = ids.split_once('_')?;
    let is_plain = |id: &str| !id.is_empty() && !id.contains('_');
    (is_plain(guild) && is_plain(channel)).then_some(())?;
    Some((decode(guild)?, decode(channel)?))
}

/// The two IDs are told apart by `_`, so inside them it is written `%5F`.
fn encode(id: &str) -> String {
    id.replace('%', "%25").replace('_', "%5F")
}

fn decode(id: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(id).decode_utf8().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_channel_has_two_ids() {
        assert_eq!(parse("1_2"), Some(("1".into(), "2".into())));
        for ids in ["1", "1_", "_2", "1_2_3", ""] {
            assert_eq!(parse(ids), None, "{ids}");
        }
    }

    proptest! {
        #[test]
        fn a_channel_is_read_as_it_was_written(guild in ".+", channel in ".+") {
            let conversation = conversation(&guild, &channel);
            let ids = conversation.strip_prefix("channel_").unwrap();
            prop_assert_eq!(parse(ids), Some((guild.as_str().into(), channel.as_str().into())));
        }
    }
}
