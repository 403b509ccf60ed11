//! The served descriptions against what the server really answers.

use crate::account::{ACCOUNT, implementation, said, taken_back};
use crate::onebot11::{joined, willing};
use crate::server::TestServer;
use crate::socket::{Client, send_message};
use serde_json::{Value, json};

/// Whether a value fits a schema of a description.
fn check(description: &Value, schema: &Value, value: &Value) {
    let mut root = schema.clone();
    root["components"] = description["components"].clone();
    let validator = jsonschema::validator_for(&root).unwrap();
    let errors: Vec<_> = validator.iter_errors(value).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{value} does not fit {schema}: {errors:?}");
}

#[test]
fn every_operation_is_described_and_so_is_each_of_its_answers() {
    let server = TestServer::start();
    let (_, openapi) = server.get("/api/openapi.json");
    let paths = openapi["paths"].as_object().unwrap();
    for path in ["stream", "export", "import", "backup", "messages/{id}", "openapi.json"] {
        assert!(paths.contains_key(&format!("/api/{path}")), "{path}");
    }
    assert!(paths.contains_key("/metrics"));
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().unwrap() {
            for text in ["operationId", "summary"] {
                assert!(
                    operation[text].as_str().is_some_and(|text| !text.is_empty()),
                    "{method} {path}"
                );
            }
            let is_open = operation["security"] == json!([]);
            assert_eq!(operation["x-scope"].is_null(), is_open, "{method} {path}");
            for (status, response) in operation["responses"].as_object().unwrap() {
                let text = response["description"].as_str();
                assert!(text.is_some_and(|text| !text.is_empty()), "{method} {path} {status}");
            }
        }
    }
    let parameters = openapi["paths"]["/api/messages"]["get"]["parameters"].as_array().unwrap();
    let before = parameters.iter().find(|parameter| parameter["name"] == "before").unwrap();
    let types: Vec<_> =
        before["schema"]["oneOf"].as_array().unwrap().iter().map(|one| &one["type"]).collect();
    assert_eq!(types, ["string", "integer"]);
    let messages = &openapi["paths"]["/api/messages/{id}"];
    let scopes = ["get", "patch", "delete"].map(|method| &messages[method]["x-scope"]);
    assert_eq!(scopes, ["read", "send", "admin"]);
    assert_eq!(openapi["servers"], json!([{"url": "/"}]));
}

#[test]
fn a_path_allows_what_is_described_of_it() {
    let server = TestServer::start();
    let (_, openapi) = server.get("/api/openapi.json");
    for (path, methods) in openapi["paths"].as_object().unwrap() {
        let mut answer = crate::server::agent()
            .run(
                ureq::http::Request::builder()
                    .method("TRACE")
                    .uri(server.url(path))
                    .body(())
                    .unwrap(),
            )
            .unwrap();
        assert_eq!(answer.status(), 405, "{path}: {:?}", answer.body_mut().read_to_string());
        let allowed = answer.headers()["allow"].to_str().unwrap();
        let mut allowed: Vec<_> = allowed.split(", ").filter(|&name| name != "HEAD").collect();
        let mut described: Vec<_> =
            methods.as_object().unwrap().keys().map(|name| name.to_uppercase()).collect();
        allowed.sort_unstable();
        described.sort_unstable();
        assert_eq!(allowed, described, "{path}");
    }
}

const CONVERSATION: &str = "/api/conversations/{platform}/{conversation}";

#[test]
fn answers_fit_the_openapi_description() {
    let server = TestServer::start_with(&["--loopback"]);
    let (_, openapi) = server.get("/api/openapi.json");
    assert_eq!(openapi["openapi"], "3.1.0");
    let id = server.make_for(Some("loopback"), "group_1", "hello");
    server.until(&id, "Sent");
    let one = format!("/api/messages/{id}");
    let text = json!({"message_type": "Text", "content": "x", "recipient": "y"});
    let no_type = json!({"message_type": "None", "content": "x", "recipient": "y"});
    let canceled = json!({"status": "Canceled"});
    let muted = json!({"muted": true});
    for (method, path, at, body, status) in [
        ("POST", "/api/messages", "/api/messages", Some(&text), 201),
        ("POST", "/api/messages", "/api/messages", Some(&no_type), 400),
        ("GET", "/api/messages", "/api/messages?limit=5", None, 200),
        ("GET", "/api/messages", "/api/messages?limit=x", None, 400),
        ("GET", "/api/messages/{id}", &one, None, 200),
        ("GET", "/api/messages/{id}", "/api/messages/none", None, 404),
        ("PATCH", "/api/messages/{id}", &one, Some(&canceled), 200),
        ("GET", "/api/stats", "/api/stats", None, 200),
        ("GET", "/api/activity", "/api/activity", None, 200),
        ("GET", "/api/platforms", "/api/platforms", None, 200),
        ("GET", "/api/conversations", "/api/conversations", None, 200),
        ("GET", "/api/conversations", "/api/conversations?before=x", None, 400),
        ("GET", CONVERSATION, "/api/conversations/loopback/group_1", None, 200),
        ("GET", CONVERSATION, "/api/conversations/loopback/group_2", None, 404),
        ("PATCH", CONVERSATION, "/api/conversations/loopback/group_1", Some(&muted), 200),
        ("PATCH", CONVERSATION, "/api/conversations/loopback/group_1", Some(&text), 400),
        ("GET", "/api/health", "/api/health", None, 200),
        ("DELETE", "/api/messages/{id}", &one, None, 200),
    ] {
        let (answered, answer) = server.ask(method, at, body);
        assert_eq!(answered, status, "{method} {at}: {answer}");
        let operation = &openapi["paths"][path][method.to_lowercase()];
        let response = &operation["responses"][status.to_string()];
        let schema = &response["content"]["application/json"]["schema"];
        assert!(schema.is_object(), "{method} {path} {status} is not described");
        check(&openapi, schema, &answer);
    }
}

/// The description tells a generator of requests which content is taken, and nothing else.
#[test]
fn content_is_described_as_it_is_taken() {
    let server = TestServer::start();
    let (_, openapi) = server.get("/api/openapi.json");
    let mut schema = openapi["components"]["schemas"]["NewMessage"].clone();
    schema["components"] = openapi["components"].clone();
    let schema = jsonschema::validator_for(&schema).unwrap();
    for content in [
        "hello",
        "https://x/a.png",
        "HTTPS://X/a.png",
        " \t\u{3000}http://x/a.png\n",
        "https://",
        "https://  ",
        "xhttps://x",
        "ftp://x/a.png",
        "/tmp/x.png",
        "file:///tmp/x.png",
        "base64://aGk=",
        "Base64://\naGk=",
        "base64://",
        "data:image/png;base64,aGk=",
        "data:,x",
        "DATA:,x,",
        "data:x",
        "base64://!",
        "data:image/png;base64,aGk",
        "data:image/png;base64,a",
        "data:image/png, \u{2003}",
        "\u{1f600}",
    ] {
        for kind in ["Text", "Image", "File", "Video", "Audio"] {
            let body = json!({"message_type": kind, "content": content, "recipient": "group_1"});
            let (status, answer) = server.post(&body);
            assert_eq!(schema.is_valid(&body), status == 201, "{body}: {status} {answer}");
        }
    }
    let parts = openapi["components"]["schemas"]["AdapterStatus"]["allOf"].as_array().unwrap();
    let reasons = parts.iter().filter_map(|part| part["properties"].get("reason"));
    let types: Vec<_> = reasons.map(|reason| &reason["type"]).collect();
    assert_eq!(types, [&json!(["string", "null"])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_fit_the_asyncapi_description() {
    let server = TestServer::start_with(&["--loopback"]);
    let (_, asyncapi) = server.get("/api/asyncapi.json");
    let fits = |frame: &Value| {
        let schema = &asyncapi["components"]["schemas"][frame["type"].as_str().unwrap()];
        assert!(schema.is_object(), "{frame} is not described");
        check(&asyncapi, schema, frame);
    };
    let mut client = Client::connect(&server).await;
    let subscribe = json!({"type": "subscribe", "events": ["message_status"], "request_id": 1});
    let send = send_message("loopback", "group_1", "hello");
    let unsubscribe = json!({"type": "unsubscribe", "platforms": ["*"]});
    let everything = json!({"type": "subscribe", "events": "*"});
    let id = client.ask(&send).await["message_id"].clone();
    let mut segments = send.clone();
    segments["data"] = json!({
        "platform": "loopback", "conversation": "group_1", "reply_to": id,
        "segments": [{"type": "text", "text": "again"}],
    });
    for command in [&subscribe, &everything, &send, &segments, &unsubscribe] {
        assert_ne!(client.ask(command).await["type"], "error", "{command}");
    }
    for command in
        [&subscribe, &everything, &send, &segments, &json!({"type": "send_message"}), &unsubscribe]
    {
        if command.get("data").is_some() || command["type"] != "send_message" {
            fits(command);
        }
        fits(&client.ask(command).await);
    }
    let subscribe = json!({"type": "subscribe", "events": ["*"]});
    fits(&client.ask(&subscribe).await);
    let unknown = json!({"type": "subscribe", "cursor": "00000000000000aa-1"});
    let gone = client.ask(&unknown).await;
    assert_eq!(gone["code"], "cursor_gone");
    fits(&gone);
    let answer = client.ask(&send).await;
    let path = format!("/api/messages/{}", answer["message_id"].as_str().unwrap());
    assert_eq!(server.ask("DELETE", &path, None).0, 200);
    let peer = implementation(&server, willing()).await;
    peer.push(&said(1, "hello"));
    peer.push(&taken_back(1));
    peer.push(&joined(ACCOUNT, 77));
    let description = asyncapi["components"]["messages"].as_object().unwrap();
    let not_events = ["subscribe", "unsubscribe", "send_message", "ack", "error"];
    let mut missing: Vec<_> =
        description.keys().filter(|kind| !not_events.contains(&kind.as_str())).collect();
    assert_eq!(missing.len(), 7, "{missing:?}");
    while !missing.is_empty() {
        let frame = client.next().await;
        fits(&frame);
        missing.retain(|kind| frame["type"] != **kind);
    }
}
