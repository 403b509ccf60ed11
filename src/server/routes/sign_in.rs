//! Routes by which the page signs in.

use super::route::{READ, Route, now};
use crate::protocol::sign_in::{SignIn, SignInCode, SignedIn};
use crate::server::operation::{Credentials, Operation};
use crate::server::sign_in;
use hyper::{Method, StatusCode};

pub(super) fn routes() -> [Route; 2] {
    [
        Route::new(
            "/api/sign-in",
            [Operation::of(Method::POST, Credentials::Open, |call| {
                Box::pin(sign_in::sign_in(call))
            })
            .described(|d| {
                d.named("sign_in", "The token that a code stands for; a code is good once")
                    .takes::<SignIn>()
                    .answers::<SignedIn>(StatusCode::OK, "The token")
                    .error(401, "The code was used, is too old, or never was")
                    .error(403, "A page of another origin asks")
                    .error(429, "Too many wrong codes or tokens came from this address")
                    .error(503, "A limit is reached")
            })],
        ),
        Route::new(
            "/api/sign-in/code",
            [Operation::of(Method::POST, READ, |call| now(sign_in::make_code(&call))).described(
                |d| {
                    d.named(
                        "make_sign_in_code",
                        "A code by which the page signs in with this token",
                    )
                    .answers::<SignInCode>(StatusCode::CREATED, "The code, good for a minute")
                    .error(409, "No token of this server may read")
                },
            )],
        ),
    ]
}
