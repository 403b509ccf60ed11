//! Routes by which an account logs in and out.

use super::route::{ADMIN, Route};
use super::schema::name;
use crate::protocol::login::{LoggedOut, LoginDigits, LoginStatus};
use crate::server::login;
use crate::server::operation::Operation;
use hyper::{Method, StatusCode};
use serde_json::json;

pub(super) fn routes() -> [Route; 2] {
    [
        Route::new(
            "/api/login/{platform}",
            [
                Operation::of(Method::POST, ADMIN, |call| Box::pin(login::begin(call))).by_leader().described(
                    |d| {
                        d.named("begin_login", "Begin to log in to a platform by a QR code")
                            .path("platform", &name(), "The platform, such as `wechat`")
                            .answers::<LoginStatus>(StatusCode::CREATED, "The code to be scanned")
                            .error(409, "No adapter logs in to this platform, or too many logins are under way")
                            .error(502, "The platform gives no code")
                    },
                ),
                Operation::of(Method::DELETE, ADMIN, |call| Box::pin(login::log_out(call))).by_leader()
                    .described(|d| {
                        d.named("log_out", "Log an account out, and forget its token")
                            .path("platform", &name(), "The platform")
                            .query(
                                "account",
                                &name(),
                                "The account; needed where there are several",
                            )
                            .answers::<LoggedOut>(StatusCode::OK, "It is logged out")
                            .error(404, "No such account is logged in")
                            .error(409, "No adapter logs in to this platform, or several accounts are logged in")
                    }),
            ],
        ),
        Route::new(
            "/api/login/{platform}/{id}",
            [
                Operation::get(ADMIN, |call| Box::pin(login::look(call))).by_leader().described(|d| {
                    d.named("get_login", "How a login goes, and its code, which is renewed")
                        .path("platform", &name(), "The platform")
                        .path("id", &json!({"type": "string"}), "The login's ID")
                        .answers::<LoginStatus>(StatusCode::OK, "How it goes")
                        .error(404, "There is no such login")
                        .error(409, "No adapter logs in to this platform")
                }),
                Operation::of(Method::POST, ADMIN, |call| Box::pin(login::digits(call))).by_leader().described(
                    |d| {
                        d.named("give_login_digits", "Give the digits that the phone shows")
                            .path("platform", &name(), "The platform")
                            .path("id", &json!({"type": "string"}), "The login's ID")
                            .takes::<LoginDigits>()
                            .answers::<LoginStatus>(StatusCode::OK, "How it goes")
                            .error(404, "There is no such login")
                            .error(409, "No digits are asked for")
                    },
                ),
            ],
        ),
    ]
}
