//! Descriptions of the API for programs: OpenAPI for HTTP, made from the table of routes, and
//! AsyncAPI for the WebSocket.

use super::body::{self, HttpResponse, JSON, whole};
use super::operation::{Call, Credentials, Operation};
use bytes::Bytes;
use hyper::StatusCode;
use serde_json::{Map, Value, json};

/// The description of all operations; `prefix` is the path below which a proxy serves rechat.
pub fn document<'a>(
    operations: impl Iterator<Item = (&'static str, &'a Operation)>,
    prefix: &str,
) -> Value {
    let (mut paths, mut schemas) = (Map::new(), Map::new());
    let mut has_query_token = false;
    for (path, operation) in operations {
        let Some(description) = operation.describe() else { continue };
        has_query_token |= matches!(operation.access, Credentials::TokenInQuery(_));
        let method = operation.method.as_str().to_lowercase();
        let written = description.write(operation.access, &mut schemas);
        let methods = paths.entry(path).or_insert_with(|| json!({}));
        methods[method] = written;
    }
    let mut schemes = json!({"token": {
        "type": "http", "scheme": "bearer",
        "description": "A token of the configuration; a server without tokens asks for none",
    }});
    if has_query_token {
        schemes["token_in_query"] =
            json!({"type": "apiKey", "in": "query", "name": "access_token"});
    }
    let server = if prefix.is_empty() { "/" } else { prefix };
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "rechat",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The chats of many platforms in one durable place. The WebSocket is described at /api/asyncapi.json.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": server}],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": schemes},
    })
}

/// `GET /api/openapi.json`
pub fn openapi(call: &Call<'_>) -> HttpResponse {
    whole(StatusCode::OK, JSON, Bytes::clone(call.openapi))
}

/// `GET /api/asyncapi.json`
pub fn asyncapi() -> HttpResponse {
    body::json(StatusCode::OK, &crate::protocol::asyncapi::description())
}
