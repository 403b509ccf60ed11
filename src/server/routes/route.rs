//! A path with its methods and their access.

use crate::config::RequiredScope;
use crate::server::body::HttpResponse;
use crate::server::error::Result;
use crate::server::operation::{Answering, Credentials, Operation};
use std::future::ready;

/// A path and its methods.
pub struct Route {
    /// The path, with `{name}` for each parameter.
    pub path: &'static str,
    /// The operations of the path, one for each method.
    pub operations: Vec<Operation>,
}

impl Route {
    pub(super) fn new(path: &'static str, operations: impl Into<Vec<Operation>>) -> Self {
        Self { path, operations: operations.into() }
    }

    /// The methods for `Allow`.
    pub fn allowed(&self) -> String {
        let mut methods = Vec::new();
        for operation in &self.operations {
            methods.push(operation.method.as_str());
            methods.extend(operation.also_head.then_some("HEAD"));
        }
        methods.join(", ")
    }
}

pub(super) const READ: Credentials = Credentials::Token(RequiredScope::Read);
pub(super) const SEND: Credentials = Credentials::Token(RequiredScope::Send);
pub(super) const ADMIN: Credentials = Credentials::Token(RequiredScope::Admin);
pub(super) const AGENT: Credentials = Credentials::Token(RequiredScope::Mcp);
/// The scope for reading opens a WebSocket; each command on it is checked separately.
pub(super) const WATCH: Credentials = Credentials::TokenInQuery(RequiredScope::Read);

/// An answer that is ready at once.
pub(super) fn now<'a>(answer: Result<HttpResponse>) -> Answering<'a> {
    Box::pin(ready(answer))
}
