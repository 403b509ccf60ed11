//! Reactions to a message, and how they change (contract, item 27).

use crate::model::content::MAX_EMOJI_BYTES;
use serde::{Deserialize, Serialize};

/// The most people for each emoji of a message whose reaction is remembered.
pub const MAX_REACTORS: usize = 500;

/// Different emoji that a message may have; further ones are ignored.
pub const MAX_EMOJI: usize = 64;

/// The reactions to a message with one emoji.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reaction {
    /// The emoji, or the platform's ID of a face.
    pub emoji: String,
    /// How many people reacted with it.
    pub count: u32,
    /// One of your accounts reacted with it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mine: bool,
    /// Platform IDs of the people who are known, the first [`MAX_REACTORS`]; never shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<String>,
}

/// Checks the emoji of a reaction that a client asks for.
///
/// # Errors
///
/// It is empty, too long, or has control characters; the text says so.
pub fn check_emoji(emoji: &str) -> Result<(), String> {
    if emoji.is_empty() || emoji.len() > MAX_EMOJI_BYTES || emoji.chars().any(char::is_control) {
        return Err(format!(
            "the emoji is empty, longer than {MAX_EMOJI_BYTES} bytes, or has control characters"
        ));
    }
    Ok(())
}

/// A change of the reactions to a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReactionChange {
    /// A person reacted, or removed a reaction.
    Set {
        /// The emoji, or the ID of a platform's own one.
        emoji: String,
        /// The platform's ID of the person.
        user: String,
        /// The person is one of your accounts.
        mine: bool,
        /// True if the person reacted, false if the reaction was removed.
        on: bool,
    },
    /// The platform gave the number of people who reacted with it.
    Counted {
        /// The emoji, or the ID of a platform's own one.
        emoji: String,
        /// Number of people.
        count: u32,
    },
}

impl ReactionChange {
    /// The emoji, or the ID of a platform's own one.
    pub fn emoji(&self) -> &str {
        match self {
            Self::Set { emoji, .. } | Self::Counted { emoji, .. } => emoji,
        }
    }

    /// The reactions after the change; `None` if nothing changes, such as when it is reported
    /// twice.
    pub fn apply_to(&self, reactions: &[Reaction]) -> Option<Vec<Reaction>> {
        let mut after = reactions.to_vec();
        let known = after.iter().position(|reaction| is_same(&reaction.emoji, self.emoji()));
        let place = match known {
            Some(place) => place,
            None if after.len() == MAX_EMOJI => return None,
            None => {
                let emoji = self.emoji().to_owned();
                after.push(Reaction { emoji, count: 0, mine: false, users: Vec::new() });
                after.len() - 1
            }
        };
        let reaction = &mut after[place];
        match self {
            Self::Counted { count, .. } => {
                reaction.count = *count;
                reaction.mine &= *count > 0;
            }
            Self::Set { user, mine, on, .. } => reaction.set(user, *mine, *on),
        }
        if reaction.count == 0 {
            after.remove(place);
        }
        (after != reactions).then_some(after)
    }
}

impl Reaction {
    /// A person counts once, however often the reaction is reported. People beyond [`MAX_REACTORS`]
    /// are counted only if the platform gives the number.
    fn set(&mut self, user: &str, mine: bool, on: bool) {
        let known = self.users.iter().position(|known| known == user);
        match known {
            None if on && self.users.len() < MAX_REACTORS => {
                self.count += 1;
                self.users.push(user.to_owned());
            }
            Some(place) if !on => {
                self.users.remove(place);
                self.count = self.count.saturating_sub(1);
            }
            // One of the people of whom only the number is known.
            None if !on && self.count as usize > self.users.len() => self.count -= 1,
            _ => {}
        }
        if mine {
            self.mine = on;
        }
    }
}

/// Whether two texts are one emoji: U+FE0F only asks for its coloured form.
fn is_same(one: &str, other: &str) -> bool {
    let plain = |text: &'_ str| text.chars().filter(|c| *c != '\u{fe0f}').collect::<String>();
    one == other || plain(one) == plain(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(user: &str, on: bool) -> ReactionChange {
        let (emoji, user) = ("👍".to_owned(), user.to_owned());
        ReactionChange::Set { mine: user == "me", emoji, user, on }
    }

    fn after(changes: &[ReactionChange]) -> Vec<(String, u32, bool)> {
        let mut reactions = Vec::new();
        for change in changes {
            reactions = change.apply_to(&reactions).unwrap_or(reactions);
        }
        reactions.into_iter().map(|r| (r.emoji, r.count, r.mine)).collect()
    }

    #[test]
    fn each_person_counts_once() {
        assert_eq!(after(&[set("1", true), set("1", true)]), [("👍".into(), 1, false)]);
        assert_eq!(after(&[set("1", true), set("me", true)]), [("👍".into(), 2, true)]);
        let taken_back = [set("1", true), set("me", true), set("me", false), set("me", false)];
        assert_eq!(after(&taken_back), [("👍".into(), 1, false)]);
        assert_eq!(after(&[set("1", true), set("1", false)]), []);
        assert_eq!(set("1", false).apply_to(&[]), None);
    }

    #[test]
    fn the_platforms_count_is_taken_as_it_is() {
        let counted = |count| ReactionChange::Counted { emoji: "👍".into(), count };
        assert_eq!(after(&[set("1", true), counted(7)]), [("👍".into(), 7, false)]);
        assert_eq!(after(&[counted(7), set("2", false)]), [("👍".into(), 6, false)]);
        assert_eq!(after(&[set("me", true), counted(0)]), []);
    }

    #[test]
    fn a_crowd_that_is_told_twice_counts_once() {
        let all = |on| (0..800).map(move |user| set(&user.to_string(), on));
        let once: Vec<_> = all(true).collect();
        let twice: Vec<_> = all(true).chain(all(true)).collect();
        assert_eq!(after(&once), after(&twice));
        assert_eq!(after(&once.into_iter().chain(all(false)).collect::<Vec<_>>()), []);
    }

    #[test]
    fn forms_of_one_emoji_are_one() {
        let plain = ReactionChange::Counted { emoji: "❤".into(), count: 2 };
        let heart = ReactionChange::Counted { emoji: "❤\u{fe0f}".into(), count: 1 };
        assert_eq!(after(&[heart, plain]), [("❤\u{fe0f}".into(), 2, false)]);
    }

    #[test]
    fn a_flood_of_emoji_ends() {
        let mut reactions = Vec::new();
        for n in 0..1000 {
            let change = ReactionChange::Counted { emoji: n.to_string(), count: 1 };
            reactions = change.apply_to(&reactions).unwrap_or(reactions);
        }
        assert_eq!(reactions.len(), MAX_EMOJI);
    }
}
