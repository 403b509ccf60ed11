//! Encoded events: a variant for each kind and version.

use super::parts::{WireInbound, WireInboundV1, WireMark, WireReaction, WireReply, WireState};
use crate::log::record::WireContent;
use crate::model::event::{ChangeCause, Origin};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// An encoded event.
#[derive(Serialize, Deserialize)]
pub(super) enum WireEvent<'a> {
    OpenedV1 {
        epoch: u64,
        previous: u64,
    },
    CreatedV1 {
        seq: u64,
        /// The message in the versioned encoding of `log/record`.
        message: &'a [u8],
        origin: u8,
        marks: Vec<WireMark>,
    },
    ChangedV1 {
        seq: u64,
        cause: u8,
        #[serde(borrow)]
        state: WireState<'a>,
        marks: Vec<WireMark>,
    },
    RecognizedV1 {
        seq: u64,
        marks: Vec<WireMark>,
    },
    DeletedV1 {
        seq: u64,
    },
    ConversationNamedV1 {
        platform: &'a str,
        conversation: &'a str,
        name: &'a str,
    },
    QuarantinedV1 {
        #[serde(borrow)]
        inbound: WireInboundV1<'a>,
        reason: &'a str,
        at: u64,
    },
    ReleasedV1 {
        offset: u64,
    },
    ForgottenV1 {
        seen_before: u64,
        sent_before: u64,
        journal_before: u64,
        epochs_before: u64,
        #[serde(borrow)]
        conversations: Vec<(&'a str, &'a str)>,
    },
    RoutedV1 {
        seq: u64,
        platform: &'a str,
        conversation: &'a str,
        at: u64,
    },
    PlatformSeenV1 {
        platform: &'a str,
        kind: &'a str,
    },
    QuarantinedV2 {
        #[serde(borrow)]
        inbound: WireInbound<'a>,
        reason: &'a str,
        at: u64,
    },
    ContentSetV1 {
        seq: u64,
        #[serde(borrow)]
        content: WireContent<'a>,
        is_edit: bool,
        at: u64,
    },
    ReplyFoundV1 {
        seq: u64,
        #[serde(borrow)]
        reply_to: WireReply<'a>,
        at: u64,
    },
    RecalledV1 {
        seq: u64,
        by: Option<(&'a str, &'a str)>,
        hides: bool,
        at: u64,
    },
    ReactedV1 {
        seq: u64,
        #[serde(borrow)]
        reactions: Vec<WireReaction<'a>>,
        at: u64,
    },
    NoticedV1 {
        platform: &'a str,
        account: &'a str,
        conversation: Option<&'a str>,
        /// The name of the notice in the API.
        kind: &'a str,
        user: Option<(&'a str, &'a str)>,
        operator: Option<(&'a str, &'a str)>,
        text: &'a str,
        at: u64,
        request: Option<&'a str>,
    },
    RequestAnsweredV1 {
        id: u64,
        approved: bool,
        reason: &'a str,
        at: u64,
    },
    AdapterStateV1 {
        adapter: &'a str,
        key: &'a str,
        value: Option<&'a [u8]>,
    },
    ConversationReadV1 {
        platform: &'a str,
        conversation: &'a str,
        seq: u64,
    },
    ConversationSetV1 {
        platform: &'a str,
        conversation: &'a str,
        muted: bool,
        pinned: bool,
    },
    ToldV1 {
        platform: &'a str,
        account: &'a str,
        frame: &'a str,
        is_of_previous: bool,
        at: u64,
        forget_before: u64,
    },
    RecalledEarlyV1 {
        platform: &'a str,
        account: &'a str,
        conversation: &'a str,
        external_id: &'a str,
        by: Option<(&'a str, &'a str)>,
        at: u64,
    },
    RecallsLapsedV1 {
        keys: Vec<u128>,
    },
    PartSentV1 {
        seq: u64,
        external_id: &'a str,
        marks: Vec<WireMark>,
    },
    KeysLapsedV1 {
        keys: Vec<(u64, u128)>,
    },
    /// For events that are not messages.
    QuarantinedV3 {
        /// The event as JSON.
        event: Cow<'a, str>,
        reason: &'a str,
        at: u64,
    },
}

pub(super) const ORIGINS: [Origin; 3] = [Origin::Made, Origin::Received, Origin::Imported];
pub(super) const CAUSES: [ChangeCause; 4] = [
    ChangeCause::Claimed,
    ChangeCause::AttemptEnded,
    ChangeCause::StatusSet,
    ChangeCause::Completed,
];
