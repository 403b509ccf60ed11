//! One operation of the API: the method of a path, its access, its handler, and its description.

use super::access::AccessGrant;
use super::body::HttpResponse;
use super::connection_facts::ConnectionFacts;
use super::context::{Incoming, ServerContext};
use super::error::Result;
use crate::config::RequiredScope;
use bytes::Bytes;
use hyper::{Method, StatusCode};
use matchit::Params;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use utoipa::ToSchema;

/// A request that passed all checks.
pub struct Call<'a> {
    /// The surroundings of all requests.
    pub context: &'a Arc<ServerContext>,
    /// The connection on which it came.
    pub connection: &'a ConnectionFacts,
    /// The access of the request.
    pub granted: AccessGrant,
    /// The request; its body is not read yet.
    pub request: Incoming,
    /// The path's parameters.
    pub parameters: Params<'a, 'a>,
    /// The description of the API.
    pub openapi: &'a OpenApi,
}

/// The description of the API, made at its first request, together with a metric for each answer in
/// it.
pub type OpenApi = LazyLock<Bytes, Box<dyn FnOnce() -> Bytes + Send>>;

/// The future of an answer.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Result<HttpResponse>> + Send + 'a>>;

/// Credentials that an operation needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// None: the page's own files, and the health of the server.
    Open,
    /// A token in the headers, with this access.
    Token(RequiredScope),
    /// A token in the headers or the query, with this access.
    TokenInQuery(RequiredScope),
}

/// The node of a cluster that carries an operation out; without a cluster there is but one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExecutedAt {
    /// Each node, from its own store.
    Anywhere,
    /// The leader; the others pass the request on to it.
    ByLeader,
    /// The leader; the others refuse it, for it may be too large to be passed on.
    AtLeader,
}

/// A method of a path.
pub struct Operation {
    /// `GET` also answers `HEAD` if `also_head` is set.
    pub method: Method,
    /// Whether `HEAD` is answered like `GET`, without the body.
    pub also_head: bool,
    /// The credentials that a request needs.
    pub access: Credentials,
    /// Which node of a cluster carries it out.
    pub executed_at: ExecutedAt,
    /// Carries a request out.
    pub handler: for<'a> fn(Call<'a>) -> Answering<'a>,
    /// Its description in OpenAPI; `None` if it is not part of the HTTP API.
    pub description: Option<fn(Description) -> Description>,
}

/// The description of an operation in OpenAPI 3.1.
#[derive(Clone, Debug, Default)]
pub struct Description {
    id: &'static str,
    summary: &'static str,
    parameters: Vec<Value>,
    body: Option<Value>,
    responses: BTreeMap<u16, Value>,
    schemas: BTreeMap<String, Value>,
}

impl Operation {
    /// A `GET` that also answers `HEAD`.
    pub const fn get(access: Credentials, handler: for<'a> fn(Call<'a>) -> Answering<'a>) -> Self {
        let executed_at = ExecutedAt::Anywhere;
        let method = Method::GET;
        Self { method, also_head: true, access, executed_at, handler, description: None }
    }

    /// Any other method, or a `GET` whose answer is a stream.
    pub const fn of(
        method: Method,
        access: Credentials,
        handler: for<'a> fn(Call<'a>) -> Answering<'a>,
    ) -> Self {
        let executed_at = ExecutedAt::Anywhere;
        Self { method, also_head: false, access, executed_at, handler, description: None }
    }

    /// Has the leader of a cluster carry it out, wherever it is asked.
    pub const fn by_leader(mut self) -> Self {
        self.executed_at = ExecutedAt::ByLeader;
        self
    }

    /// Has it asked at the leader of a cluster only.
    pub const fn at_leader(mut self) -> Self {
        self.executed_at = ExecutedAt::AtLeader;
        self
    }

    /// Adds the description.
    pub const fn described(mut self, description: fn(Description) -> Description) -> Self {
        self.description = Some(description);
        self
    }

    /// Whether it handles a method.
    pub fn takes(&self, method: &Method) -> bool {
        self.method == *method || (self.also_head && *method == Method::HEAD)
    }

    /// The description, with the errors that follow from its access and body.
    pub fn describe(&self) -> Option<Description> {
        let mut description = self.description?(Description::default());
        let mut errors =
            vec![(421, "The `Host` is not served here"), (431, "The head is too large")];
        if self.access != Credentials::Open {
            errors.extend([
                (401, "A token is needed, and the right one"),
                (403, "The token, or the page's origin, may not do this"),
                (429, "Too many wrong tokens came from this address"),
                (500, "The store could not be read or written"),
                (503, "A limit is reached, or the disk does not answer in time"),
            ]);
        }
        if description.body.is_some() {
            errors.extend([
                (400, "A field is missing, or wrong"),
                (408, "The body did not arrive in time"),
                (413, "The body is too large"),
                (415, "The body has another media type"),
            ]);
        }
        for (status, text) in errors {
            if !description.responses.contains_key(&status) {
                description = description.error(status, text);
            }
        }
        Some(description)
    }
}

impl Description {
    /// Sets the ID and the summary.
    pub fn named(mut self, id: &'static str, summary: &'static str) -> Self {
        (self.id, self.summary) = (id, summary);
        self
    }

    /// Adds a parameter of the query.
    pub fn query(self, name: &str, schema: &Value, description: &str) -> Self {
        self.parameter("query", name, schema, description)
    }

    /// Adds a header field.
    pub fn header(self, name: &str, schema: &Value, description: &str) -> Self {
        self.parameter("header", name, schema, description)
    }

    /// Adds a required header field.
    pub fn needs_header(mut self, name: &str, schema: &Value, description: &str) -> Self {
        self = self.header(name, schema, description);
        if let Some(added) = self.parameters.last_mut() {
            added["required"] = true.into();
        }
        self
    }

    /// Adds a parameter of the path.
    pub fn path(self, name: &str, schema: &Value, description: &str) -> Self {
        self.parameter("path", name, schema, description)
    }

    fn parameter(mut self, location: &str, name: &str, schema: &Value, description: &str) -> Self {
        self.parameters.push(json!({
            "name": name, "in": location, "required": location == "path",
            "schema": schema, "description": description,
        }));
        self
    }

    /// A named schema, for a parameter.
    pub fn schema<T: ToSchema>(&mut self) -> Value {
        let mut all = Vec::new();
        T::schemas(&mut all);
        all.push((T::name().into_owned(), T::schema()));
        for (name, schema) in all {
            // Our own schemas always serialise.
            self.schemas.insert(name, serde_json::to_value(schema).unwrap_or_default());
        }
        json!({"$ref": format!("#/components/schemas/{}", T::name())})
    }

    /// Adds a parameter of the query with a named schema.
    pub fn query_of<T: ToSchema>(mut self, name: &str, description: &str) -> Self {
        let schema = self.schema::<T>();
        self.query(name, &schema, description)
    }

    /// Takes a JSON body.
    pub fn takes<T: ToSchema>(mut self) -> Self {
        let schema = self.schema::<T>();
        self.body = Some(content(&["application/json"], &schema));
        self
    }

    /// Adds rules to a named schema that its type cannot express.
    pub fn with_rule(mut self, name: &str, rule: Value) -> Self {
        if let (Some(Value::Object(schema)), Value::Object(rule)) =
            (self.schemas.get_mut(name), rule)
        {
            schema.extend(rule);
        }
        self
    }

    /// Takes a body of another media type.
    pub fn takes_text(mut self, media_type: &str) -> Self {
        self.body = Some(content(&[media_type], &json!({"type": "string"})));
        self
    }

    /// Answers JSON.
    pub fn answers<T: ToSchema>(mut self, status: StatusCode, description: &str) -> Self {
        let schema = self.schema::<T>();
        self.response(status.as_u16(), description, &content(&["application/json"], &schema))
    }

    /// Answers 200 with text of any of these media types.
    pub fn answers_text(self, media_types: &[&str], description: &str) -> Self {
        self.response(200, description, &content(media_types, &json!({"type": "string"})))
    }

    /// Answers 200 with a JSON object that another specification describes.
    pub fn answers_object(self, description: &str) -> Self {
        self.response(200, description, &content(&["application/json"], &json!({"type": "object"})))
    }

    /// Answers 204.
    pub fn answers_nothing(mut self, description: &str) -> Self {
        self.responses.insert(204, json!({"description": description}));
        self
    }

    /// Answers an error.
    pub fn error(mut self, status: u16, description: &str) -> Self {
        let schema = self.schema::<crate::protocol::http::ErrorBody>();
        self.response(status, description, &content(&["application/json"], &schema))
    }

    fn response(mut self, status: u16, description: &str, content: &Value) -> Self {
        let response = json!({"description": description, "content": content});
        self.responses.insert(status, response);
        self
    }

    /// The statuses in the description.
    pub fn statuses(&self) -> impl Iterator<Item = u16> {
        self.responses.keys().copied()
    }

    /// The operation in OpenAPI; its named schemas are added to `schemas`.
    pub fn write(self, access: Credentials, schemas: &mut Map<String, Value>) -> Value {
        schemas.extend(self.schemas);
        let responses: Map<_, _> = self
            .responses
            .into_iter()
            .map(|(status, response)| (status.to_string(), response))
            .collect();
        let mut operation = json!({
            "operationId": self.id, "summary": self.summary, "responses": responses,
        });
        if !self.parameters.is_empty() {
            operation["parameters"] = self.parameters.into();
        }
        if let Some(content) = self.body {
            operation["requestBody"] = json!({"required": true, "content": content});
        }
        operation["security"] = match access {
            Credentials::Open => json!([]),
            Credentials::Token(_) => json!([{}, {"token": []}]),
            Credentials::TokenInQuery(_) => json!([{}, {"token": []}, {"token_in_query": []}]),
        };
        if let Credentials::Token(need) | Credentials::TokenInQuery(need) = access {
            operation["x-scope"] = need.scope().as_str().into();
        }
        operation
    }
}

fn content(media_types: &[&str], schema: &Value) -> Value {
    let each = |media_type: &&str| ((*media_type).to_owned(), json!({"schema": schema}));
    Value::Object(media_types.iter().map(each).collect())
}
