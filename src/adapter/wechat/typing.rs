//! Showing that somebody types: only where it is asked for, since it may spend the reply token.

use super::account::RunningAccount;
use super::address::person;
use super::call_failure::CallFailure;
use crate::adapter::api::ActionError;

/// Shows in a conversation that the bot types, or that it does no more.
pub(super) async fn show_typing(
    account: &RunningAccount,
    conversation: &str,
    on: bool,
) -> Result<(), ActionError> {
    let Some(to) = person(conversation) else {
        let text = format!("`{conversation}` is not a person's conversation");
        return Err(ActionError::Refused(text));
    };
    let context_token = account.windows.token(conversation);
    let ticket = account.api.typing_ticket(&account.session, to, context_token.as_deref());
    let ticket = ticket.await.map_err(refused)?;
    account.api.send_typing(&account.session, to, &ticket, on).await.map_err(refused)
}

fn refused(failure: CallFailure) -> ActionError {
    match failure {
        CallFailure::Unknown(reason) | CallFailure::Unreadable(reason) => {
            ActionError::Unknown(reason)
        }
        CallFailure::Late => ActionError::Unknown(CallFailure::Late.reason().to_owned()),
        failure => ActionError::Refused(failure.reason().to_owned()),
    }
}
