//! Commands carried out in a transaction: decided one after the other, and their events applied.

use super::command::{Answer, Command};
use super::decide::decide;
use super::error::{Result, StoreError};
use super::transaction::Transaction;
use crate::log::LogRecord;
use crate::model::change::Change;
use crate::model::platform_event::PlatformEvent;

/// Decides commands one after the other, and applies their events. A damaged row refuses only the command
/// that needs it, before the command has changed anything.
pub(super) fn carry_out(
    state: &mut Transaction<'_>,
    commands: Vec<Command>,
    mut record: Option<&mut LogRecord>,
) -> Result<(Vec<Result<Answer>>, Vec<Change>)> {
    let mut answers = Vec::with_capacity(commands.len());
    let mut changes = Vec::with_capacity(commands.len());
    for command in commands {
        answers.push(carry_out_each(state, command, record.as_deref_mut(), &mut changes)?);
    }
    Ok((answers, changes))
}

/// Carries out a command, or the commands that it contains.
fn carry_out_each(
    state: &mut Transaction<'_>,
    command: Command,
    mut record: Option<&mut LogRecord>,
    changes: &mut Vec<Change>,
) -> Result<Result<Answer>> {
    let mut each = Vec::new();
    match command {
        Command::Together(commands) => {
            for command in commands {
                let aside = quarantine_for(&command);
                let mut answer = carry_out_one(state, command, record.as_deref_mut(), changes)?;
                if let (Err(error), Some(aside)) = (&answer, aside) {
                    let aside = aside(error.to_string(), state.at);
                    let kept = carry_out_one(state, aside, record.as_deref_mut(), changes)?;
                    if kept == Ok(Answer::NoRoom) {
                        answer = kept;
                    }
                }
                each.push(answer);
            }
        }
        Command::InOrder(commands) => {
            for command in commands {
                each.push(carry_out_each(state, command, record.as_deref_mut(), changes)?);
            }
        }
        command => return carry_out_one(state, command, record, changes),
    }
    Ok(Ok(Answer::Together(each)))
}

/// Decides one command and applies its events.
fn carry_out_one(
    state: &mut Transaction<'_>,
    command: Command,
    record: Option<&mut LogRecord>,
    changes: &mut Vec<Change>,
) -> Result<Result<Answer>> {
    let (mut events, first) = (Vec::new(), changes.len());
    let mut decided = decide(state, command, &mut events).and_then(|answer| {
        events.iter().try_for_each(|event| state.load(event))?;
        Ok(answer)
    });
    match &mut decided {
        Err(StoreError::Damaged(_)) => {}
        Err(_) => return decided.map(Ok),
        Ok(answer) => {
            state.write(events, record, changes)?;
            take_doubts(answer, &changes[first..]);
        }
    }
    Ok(decided)
}

/// Gives the messages of an answer the doubt that their events have led to. Both are in one order.
fn take_doubts(answer: &mut Answer, changes: &[Change]) {
    let messages = match answer {
        Answer::Message(message) | Answer::Repeated(message) => std::slice::from_mut(message),
        Answer::Claimed(messages) => messages,
        _ => return,
    };
    let mut applied = changes.iter().filter_map(|change| change.effect.message());
    for message in messages {
        if let Some(applied) = applied.find(|applied| applied.seq == message.seq) {
            message.doubt.clone_from(&applied.doubt);
        }
    }
}

/// The command that sets the event of a command aside, for a reason and at a time. `None` if the command
/// stores no event.
fn quarantine_for(command: &Command) -> Option<impl FnOnce(String, u64) -> Command + use<>> {
    let event = Box::new(PlatformEvent::of(command.clone())?.without_frame());
    Some(move |reason, at| Command::Quarantine { event, reason, at })
}
