//! `/api/sign-in`: sign-in of the page with a code, so that no address contains a token (contract,
//! item 21).

use super::access::CODE_LIFETIME;
use super::body::{HttpResponse, json};
use super::error::{ErrorResponse, Result};
use super::operation::Call;
use super::request::read_json;
use crate::protocol::sign_in::{SignIn, SignInCode, SignedIn};
use hyper::StatusCode;

/// `POST /api/sign-in/code`
pub fn make_code(call: &Call<'_>) -> Result<HttpResponse> {
    let code = call.context.access.make_code(&call.granted)?;
    let seconds = code.as_ref().map(|_| CODE_LIFETIME.as_secs());
    let made = SignInCode { page: call.context.page.clone(), code, seconds };
    Ok(json(StatusCode::CREATED, &made))
}

/// `POST /api/sign-in`
pub async fn sign_in(call: Call<'_>) -> Result<HttpResponse> {
    let (uri, headers) = (call.request.uri().clone(), call.request.headers().clone());
    let SignIn { code } = read_json(call.context, call.request).await?;
    if code.is_empty() {
        return Err(ErrorResponse::bad_request("`code` is empty"));
    }
    let token = call.context.access.redeem(call.connection.peer, &headers, &uri, &code)?;
    Ok(json(StatusCode::OK, &SignedIn { token }))
}
