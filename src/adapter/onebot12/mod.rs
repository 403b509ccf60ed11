//! `OneBot` 12.

mod address;

use super::kind::{End, Kind, Run};

pub(super) static KIND: Kind = Kind {
    name: "onebot12",
    platform: "wechat",
    mounts: &[
        "/onebot/v12/ws",
        "/onebot/v12/ws/",
        "/onebot/v12",
        "/onebot/v12/",
    ],
    addresses: address::addresses,
    resolve: address::resolve,
    run: Run::Connection(|_| Box::pin(async { End::refused("not built yet") })),
};
