//! The supported methods (protocol/api.md), and the features of a login ("平台特性").

/// Methods for accounts of every platform.
const METHODS: [&str; 22] = [
    "channel.get",
    "channel.list",
    "friend.approve",
    "friend.list",
    "guild.approve",
    "guild.get",
    "guild.list",
    "guild.member.approve",
    "guild.member.get",
    "login.get",
    "message.create",
    "message.delete",
    "message.get",
    "message.list",
    "message.update",
    "reaction.clear",
    "reaction.create",
    "reaction.delete",
    "reaction.list",
    "upload.create",
    "user.channel.create",
    "user.get",
];

/// Methods that need a OneBot 11 program.
const METHODS_OF_ONEBOT11: [&str; 8] = [
    "channel.mute",
    "friend.delete",
    "guild.member.kick",
    "guild.member.list",
    "guild.member.mute",
    "guild.member.role.set",
    "guild.member.role.unset",
    "guild.role.list",
];

/// Other features: `message.list` accepts IDs of messages, and a guild has one channel.
const OTHER_FEATURES: [&str; 2] = ["message.list.from", "guild.plain"];

/// The method with this name, if there is one.
pub(super) fn find(name: &str) -> Option<&'static str> {
    METHODS.into_iter().chain(METHODS_OF_ONEBOT11).find(|method| *method == name)
}

/// Whether a call may change something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallKind {
    Reads,
    MayChange,
}

/// The kind of a method.
pub(super) fn kind(method: &str) -> CallKind {
    // An upload is kept here, and a private channel is a name.
    let reads = matches!(method.rsplit('.').next(), Some("get" | "list"));
    let only_reads = reads || matches!(method, "upload.create" | "user.channel.create");
    if only_reads { CallKind::Reads } else { CallKind::MayChange }
}

/// The features of a login.
pub(super) fn features(speaks_onebot11: bool) -> Vec<&'static str> {
    let more = METHODS_OF_ONEBOT11.into_iter().filter(|_| speaks_onebot11);
    METHODS.into_iter().chain(more).chain(OTHER_FEATURES).collect()
}
