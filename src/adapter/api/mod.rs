//! The types that adapters and the core exchange. They contain no protocol and no connection.

mod account_handle;
mod action;
mod config_key;
mod event;
mod event_sink;
mod kind;
mod login;
mod media;
mod media_source;
mod message;
mod settings;
mod shorten;
mod window;

pub use account_handle::{AccountHandle, AccountRequest, ForwardOf};
pub use action::{Action, ActionError};
pub use config_key::ConfigKey;
pub use event::{
    AccountConversation, AdapterEvent, MessageRef, PartNoted, PlatformRequest, RequestKind,
};
pub use event_sink::{EventSink, QueuedEvent};
pub use kind::{Kind, ResolveRecipient};
pub use login::{LoginError, LoginRequest};
pub use media::{FileTransfer, ReadMedia, with_media};
pub use media_source::{FragmentReading, Fragments, MediaOf, MediaSource, ReadFragments};
pub use message::{Delivery, Found, Outbound};
pub use settings::{OnUnknown, OwnSettings, RateLimit, Settings, SettingsEntry, Transport};
pub(in crate::adapter) use shorten::{cut, cut_to};
pub use window::{Window, WindowClosed};
