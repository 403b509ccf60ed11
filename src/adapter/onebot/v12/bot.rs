//! One account of a connection, which may have several.

use super::action::{OneBot12Segment, SendMessageParameters, delivery};
use super::address::OneBot12Address;
use super::event::BotId;
use crate::adapter::api::{
    Action, ActionError, AdapterEvent, Delivery, EventSink, ForwardOf, Found, MediaOf, MediaSource,
    Outbound,
};
use crate::adapter::onebot::common::answer::ActionResponse;
use crate::adapter::onebot::common::call::{BotSelf as SelfParameter, Calls, NoAnswer};
use crate::adapter::onebot::common::lookups::Lookups;
use crate::adapter::onebot::common::members::members_in;
use crate::adapter::onebot::common::names::Names;
use crate::adapter::onebot::common::requests::{RequestHandler, done, name_in};
use crate::model::content::{ForwardItem, Segment};
use crate::protocol::http::GroupMembers;
use serde::Serialize;
use std::sync::Arc;

/// An account, and what it is reached by.
#[derive(Debug)]
pub(super) struct ConnectedBot {
    /// The ID that the implementation uses.
    pub(super) id: BotId,
    /// The platform its messages belong to, here.
    pub(super) platform: String,
    pub(super) calls: Calls,
    pub(super) events: EventSink,
    /// Names of conversations, and of senders in them.
    pub(super) names: Names,
    /// Questions that the implementation is asked now.
    pub(super) lookups: Lookups,
    /// The folder of media as the implementation sees it.
    pub(super) media_folder: Option<String>,
}

impl ConnectedBot {
    pub(super) async fn call(
        &self,
        action: &str,
        params: impl Serialize,
    ) -> Result<ActionResponse, NoAnswer> {
        let Self { id: BotId { platform, user_id }, calls, .. } = self;
        calls.call(action, params, Some(SelfParameter { platform, user_id })).await
    }

    /// Sends one message; media are uploaded first.
    async fn deliver(&self, message: &Outbound) -> Delivery {
        let Some(address) = OneBot12Address::parse(&message.conversation) else {
            let reason = format!(
                "`{}` is no conversation of OneBot 12; write group_<id>, private_<id> or \
                 channel_<guild>_<channel>",
                message.conversation
            );
            return Delivery::Refused { reason, retryable: false };
        };
        let segments = match message.content.segments() {
            Some(segments) => self.segments(segments).await,
            None => Ok(vec![OneBot12Segment::Text { text: message.content.readable() }]),
        };
        let mut segments = match segments {
            Ok(segments) => segments,
            Err(failed) => return failed,
        };
        if let Some(reply_to) = &message.reply_to {
            let head = match &reply_to.external_id {
                Some(message_id) => Some(OneBot12Segment::Reply { message_id }),
                None => reply_to.quote().map(|text| OneBot12Segment::Text { text: text.into() }),
            };
            segments.splice(0..0, head);
        }
        let params = SendMessageParameters { address, message: segments };
        let Self { id: BotId { platform, user_id }, calls, .. } = self;
        let itself = Some(SelfParameter { platform, user_id });
        delivery(calls.send(message.id, "send_message", params, itself).await)
    }

    /// The segments as they are sent; files are uploaded.
    async fn segments<'a>(
        &self,
        segments: &'a [Segment],
    ) -> Result<Vec<OneBot12Segment<'a>>, Delivery> {
        let mut out = Vec::with_capacity(segments.len());
        for segment in segments {
            out.push(match segment.media().filter(|media| media.url.is_some()) {
                Some(media) => OneBot12Segment::file(segment, self.upload(media).await?),
                None => OneBot12Segment::new(segment),
            });
        }
        Ok(out)
    }

    /// Asks for a conversation's name (interface/group, guild and user: actions.md).
    pub(super) async fn look_up_conversation(&self, conversation: &str) {
        let Some(address) = OneBot12Address::parse(conversation) else { return };
        let (action, field) = match address {
            OneBot12Address::Group { .. } => ("get_group_info", "group_name"),
            OneBot12Address::Private { .. } => ("get_user_info", "user_name"),
            OneBot12Address::Channel { .. } => ("get_channel_info", "channel_name"),
        };
        let question = async {
            let name = name_in(self.call(action, address).await, &[field], is_unknown_action)?;
            self.names.keep(conversation, name.as_deref());
            Ok::<_, ActionError>(name)
        };
        let (Ok(Some(name)), _) = self.lookups.ask(conversation, question).await else { return };
        let (platform, conversation) = (self.platform.clone(), conversation.to_owned());
        self.events.report(AdapterEvent::Named { platform, conversation, name }).await;
    }

    /// Asks for the name of somebody in a conversation, and tells the messages that wait for it.
    pub(super) async fn look_up_person(&self, conversation: &str, user: &str, key: &str) {
        let question = async {
            let name = self.person(conversation, user).await?;
            self.names.keep(key, name.as_deref());
            Ok::<_, ActionError>(name)
        };
        let (Ok(Some(name)), waiting) = self.lookups.ask(key, question).await else { return };
        for message in waiting {
            let (user, name) = (user.to_owned(), name.clone());
            self.events.report(AdapterEvent::MentionNamed { message, user, name }).await;
        }
    }

    /// The name of somebody, or that there is none; after an error it can be asked for again.
    async fn person(
        &self,
        conversation: &str,
        user_id: &str,
    ) -> Result<Option<String>, ActionError> {
        #[derive(Serialize)]
        struct Member<'a> {
            #[serde(flatten)]
            address: OneBot12Address<'a>,
            user_id: &'a str,
        }
        let Some(address) = OneBot12Address::parse(conversation) else { return Ok(None) };
        let action = match address {
            OneBot12Address::Group { .. } => "get_group_member_info",
            OneBot12Address::Channel { .. } => "get_channel_member_info",
            // The one other person of the conversation gives it its name.
            OneBot12Address::Private { .. } => return Ok(None),
        };
        let answer = self.call(action, Member { address, user_id }).await;
        name_in(answer, &["user_displayname", "user_name"], is_unknown_action)
    }
}

/// Whether an implementation says by this retcode that it has no such action
/// (connect/data-protocol/action-response.md).
fn is_unknown_action(retcode: i64) -> bool {
    retcode == 10_002
}

impl RequestHandler for Arc<ConnectedBot> {
    fn media_folder(&self) -> Option<&str> {
        self.media_folder.as_deref()
    }

    async fn send(&self, message: Outbound) -> Delivery {
        self.deliver(&message).await
    }

    /// The specification has no history to ask.
    async fn find(&self, _: Outbound) -> Found {
        Found::CannotTell
    }

    /// The specification has no forwards.
    async fn open_forward(&self, _: ForwardOf) -> Result<Vec<ForwardItem>, ActionError> {
        Err(ActionError::Unsupported)
    }

    async fn find_media(&self, media: MediaOf) -> Result<MediaSource, ActionError> {
        self.find_file(&media).await
    }

    /// `get_group_member_list` and `get_channel_member_list` (interface/group and guild: actions.md).
    async fn members(&self, conversation: String) -> Result<GroupMembers, ActionError> {
        let (address, action) = match OneBot12Address::parse(&conversation) {
            Some(group @ OneBot12Address::Group { .. }) => (group, "get_group_member_list"),
            Some(channel @ OneBot12Address::Channel { .. }) => (channel, "get_channel_member_list"),
            _ => return Err(ActionError::Unsupported),
        };
        let answer = self.call(action, address).await;
        members_in(answer, is_unknown_action, &["user_displayname", "user_name"])
    }

    /// `delete_message` (interface/message/actions.md); the specification has nothing else of these.
    async fn act(&self, action: Action) -> Result<(), ActionError> {
        let Action::Recall { external_id, .. } = action else {
            return Err(ActionError::Unsupported);
        };
        let params = serde_json::json!({"message_id": external_id});
        let answer = self.call("delete_message", params).await;
        done(answer, is_unknown_action)
    }
}
