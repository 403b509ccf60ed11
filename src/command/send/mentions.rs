//! `--mention`: people by their ID, or by the name under which they wrote in the conversation.

use crate::client::Client;
use crate::command::suggestions::nearest;
use crate::error::{Error, Result};
use crate::model::content::Segment;
use crate::model::message::{Direction, Sender};
use crate::protocol::http::NewMessage;
use crate::search::Conditions;
use crate::store::{MessageFilter, Order, Page};

/// Messages of a person that are looked at: two people may have the same name.
const LOOKED_AT: usize = 100;

/// Gives the people whom a message mentions their ID and their name, as far as they are known in its
/// conversation.
pub(super) async fn name_mentions(client: &mut Client, message: &mut NewMessage) -> Result<()> {
    let filter = MessageFilter {
        platform: message.platform.clone(),
        conversation: Some(message.recipient.clone()),
        direction: Some(Direction::Inbound),
        ..MessageFilter::default()
    };
    for segment in message.segments.iter_mut().flatten() {
        if let Segment::Mention { user, name, .. } = segment {
            let person = person(client, &filter, user).await?;
            if !person.name.is_empty() {
                *name = Some(person.name);
            }
            *user = person.id;
        }
    }
    Ok(())
}

async fn person(client: &mut Client, filter: &MessageFilter, typed: &str) -> Result<Sender> {
    let typed = typed.strip_prefix('@').filter(|name| !name.is_empty()).unwrap_or(typed);
    let conditions = Conditions { sender: Some(typed.to_owned()), ..Conditions::default() };
    let page = Page { offset: 0, limit: LOOKED_AT, before: None };
    let mut found = client.search(&conditions, Order::Seq, filter, page, None).await?;
    if found.is_empty() && !is_id(typed) {
        // Perhaps it is written in another case, or not quite so.
        found = client.list(filter, page, None).await?;
    }
    one_of(found.into_iter().filter_map(|message| message.sender), typed)
}

/// The person who is meant, of senders from the newest to the oldest: the one with this ID, else the
/// only one with this name.
fn one_of(senders: impl Iterator<Item = Sender>, typed: &str) -> Result<Sender> {
    let mut people: Vec<Sender> = Vec::new();
    let mut others: Vec<Sender> = Vec::new();
    for sender in senders {
        let is_meant = sender.id == typed || sender.name.to_lowercase() == typed.to_lowercase();
        let people = if is_meant { &mut people } else { &mut others };
        if !people.iter().any(|known| known.id == sender.id) {
            people.push(sender);
        }
    }
    if let Some(person) = people.iter().find(|person| person.id == typed) {
        return Ok(person.clone());
    }
    match &people[..] {
        [only] => Ok(only.clone()),
        [] if is_id(typed) => Ok(Sender { id: typed.to_owned(), name: String::new() }),
        [] => {
            let near = nearest(typed, others.iter().map(|person| (&*person.name, &*person.name)));
            let hint = match &near[..] {
                [] => "give the platform's ID of the person to --mention".to_owned(),
                names => {
                    format!("did you mean {}? The ID of the person does, too", names.join(", or "))
                }
            };
            Err(Error::usage(format!("`{typed}` never wrote in this conversation")).hint(hint))
        }
        several => {
            let ids: Vec<_> = several.iter().map(|person| &*person.id).collect();
            Err(Error::usage(format!("several people here are called `{typed}`"))
                .hint(format!("give the ID of one: {}", ids.join(", "))))
        }
    }
}

/// Whether a text may be an ID: every platform's IDs are ASCII and have a digit.
fn is_id(typed: &str) -> bool {
    typed.chars().all(|c| c.is_ascii_graphic()) && typed.chars().any(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender(id: &str, name: &str) -> Sender {
        Sender { id: id.into(), name: name.into() }
    }

    #[test]
    fn a_person_is_found_by_id_or_by_the_only_one_of_a_name() {
        let find = |senders: &[Sender], typed| one_of(senders.iter().cloned(), typed);
        let ann = [sender("7", "Ann"), sender("7", "Anna")];
        assert_eq!(find(&ann, "Ann").unwrap(), ann[0], "the newest name of one person");
        assert_eq!(find(&ann, "7").unwrap(), ann[0]);
        assert_eq!(find(&[], "10002").unwrap(), sender("10002", ""));
        let unknown = find(&[], "Nobody").unwrap_err().to_string();
        assert!(unknown.contains("never wrote") && unknown.contains("ID"), "{unknown}");
        let near = find(&ann, "Anne").unwrap_err().to_string();
        assert!(near.contains("did you mean Ann"), "{near}");
        assert_eq!(find(&ann, "ANNA").unwrap().id, "7");
        let twins = [sender("7", "Ann"), sender("8", "Ann")];
        let error = find(&twins, "Ann").unwrap_err().to_string();
        assert!(error.contains("7, 8"), "{error}");
    }
}
