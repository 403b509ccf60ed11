//! `OneBot` 11.

mod address;

use super::kind::{End, Kind, Run};

pub(super) static KIND: Kind = Kind {
    name: "onebot11",
    platform: "qq",
    mounts: &[
        "/onebot/v11/ws",
        "/onebot/v11/ws/",
        "/onebot/v11",
        "/onebot/v11/",
        "/onebot/v11/ws/api",
        "/onebot/v11/ws/event",
    ],
    addresses: address::addresses,
    resolve: address::resolve,
    run: Run::Connection(|_| Box::pin(async { End::refused("not built yet") })),
};
