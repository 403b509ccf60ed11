//! Logging in to a platform by a QR code, for adapters that can.

use crate::protocol::login::LoginStatus;
use tokio::sync::oneshot;

/// A request to an adapter that logs in.
#[derive(Debug)]
#[expect(missing_docs, reason = "`answer` gets the answer; `id` is that of `LoginStatus`")]
pub enum LoginRequest {
    /// Begin to log in.
    Begin { answer: oneshot::Sender<Result<LoginStatus, LoginError>> },
    /// Tell how it goes.
    Look { id: String, answer: oneshot::Sender<Result<LoginStatus, LoginError>> },
    /// Take the digits that the phone shows.
    Digits { id: String, digits: String, answer: oneshot::Sender<Result<LoginStatus, LoginError>> },
    /// Forget an account, or the only one; answers with the account.
    LogOut { account: Option<String>, answer: oneshot::Sender<Result<String, LoginError>> },
}

/// Why a request about a login has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoginError {
    /// There is no such login or account; the text says which.
    Unknown(String),
    /// It is not the time for it; the text says why.
    Conflict(String),
    /// The platform could not be asked, or refused; the text says why.
    Failed(String),
}
