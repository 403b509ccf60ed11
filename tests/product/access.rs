//! Access: scopes, wrong tokens, other origins, proxies, HTTPS.

use crate::onebot::Peer;
use crate::onebot11::{headers, willing};
use crate::server::{Home, TestServer, agent, eventually};
use crate::socket::{in_time, send_message};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

/// A token of each scope, named after it.
const TOKENS: &str = "
tokens = [
  { name = 'looks', scope = 'read', token = 'read-token' },
  { name = 'bot', scope = 'send', token = 'send-token' },
  { name = 'napcat', scope = 'adapter', token = 'adapter-token' },
  { name = 'me', scope = 'admin', token = 'admin-token' },
]
";

fn configured(text: &str) -> TestServer {
    let home = Arc::new(Home::new());
    home.configure(text);
    TestServer::start_in(home, &[])
}

/// A request with header fields; its status, its own fields and its text.
fn ask(
    server: &TestServer,
    method: &str,
    path: &str,
    fields: &[(&str, &str)],
) -> ureq::http::Response<String> {
    let mut request = ureq::http::Request::builder().method(method).uri(server.url(path));
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let body = if method == "POST" || method == "PATCH" {
        request = request.header("content-type", "application/json");
        json!({"message_type": "Text", "content": "x", "recipient": "group_1", "status": "Canceled"})
            .to_string()
    } else {
        String::new()
    };
    let mut answer = agent().run(request.body(body).unwrap()).unwrap();
    let text = answer.body_mut().read_to_string().unwrap();
    answer.map(|_| text)
}

fn with(server: &TestServer, token: &str, method: &str, path: &str) -> u16 {
    let bearer = format!("Bearer {token}");
    ask(server, method, path, &[("authorization", &bearer)]).status().as_u16()
}

#[test]
fn each_scope_lets_in_what_it_says() {
    let server = configured(TOKENS);
    let made = ask(&server, "POST", "/api/messages", &[("authorization", "Bearer admin-token")]);
    let made: Value = serde_json::from_str(made.body()).unwrap();
    let message = format!("/api/messages/{}", made["id"].as_str().unwrap());
    let requests = [
        ("GET", "/api/stats"),
        ("POST", "/api/messages"),
        ("PATCH", &message),
        ("DELETE", &message),
    ];
    for (token, wanted) in [
        ("read-token", [200, 403, 403, 403]),
        ("send-token", [200, 201, 200, 403]),
        ("adapter-token", [403, 403, 403, 403]),
        ("admin-token", [200, 201, 200, 200]),
    ] {
        let answered = requests.map(|(method, path)| with(&server, token, method, path));
        assert_eq!(answered, wanted, "{token}");
    }
    let refused = ask(&server, "POST", "/api/messages", &[("authorization", "Bearer read-token")]);
    assert!(refused.body().contains("`looks`") && refused.body().contains("`send`"), "{refused:?}");
    assert!(!server.log().contains("-token"), "{}", server.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reading_session_may_not_send_and_an_adapters_token_only_dials_in() {
    let server = configured(TOKENS);
    let url = |token: &str| format!("ws://{}/ws/client?access_token={token}", server.address);
    let (mut session, _) = connect_async(url("read-token")).await.unwrap();
    let text = send_message("qq", "group_1", "x").to_string();
    session.send(Message::text(text)).await.unwrap();
    let answer = in_time("an answer", session.next()).await.unwrap().unwrap();
    assert!(answer.to_text().unwrap().contains("`read`"), "{answer}");
    assert!(connect_async(url("adapter-token")).await.is_err());
    let dial = async |token: &str| {
        let url = format!("ws://{}/onebot/v11/ws?access_token={token}", server.address);
        Peer::dial(&url, &headers("1", "Universal"), willing()).await
    };
    assert!(dial("send-token").await.is_err());
    let _peer = dial("adapter-token").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_names_a_onebot_program_that_is_refused_and_why() {
    let bound = "[[adapter]]\nkind = 'onebot11'\naccount = '1'\n";
    for (config, reason) in [(TOKENS, "a token is needed"), (bound, "account")] {
        let server = configured(config);
        let url = format!("ws://{}/onebot/v11/ws", server.address);
        assert!(Peer::dial(&url, &headers("2", "Universal"), willing()).await.is_err());
        eventually("the log tells of the refusal", || {
            let log = server.log();
            let mut lines =
                log.lines().filter(|line| line.contains("a program that connects was refused"));
            lines.any(|line| line.contains(reason)).then_some(())
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_refusal_is_logged_within_one_minute() {
    let server = configured(TOKENS);
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    let guess = [("authorization", "Bearer guess")];
    let right = [("authorization", "Bearer adapter-token")];
    assert!(Peer::dial(&url, &[], willing()).await.is_err());
    assert!(Peer::dial(&url, &guess, willing()).await.is_err());
    for path in ["", "/ws", "/onebot/v11/wrong"] {
        let url = format!("ws://{}{path}", server.address);
        let refused = Peer::dial(&url, &right, willing()).await;
        let refused = refused.err().unwrap().to_string();
        assert!(refused.contains("404"), "{path}: {refused}");
    }
    for reason in ["a token is needed", "is not known here", "/onebot/v11/ws or /onebot/v12/ws"] {
        eventually("the log tells of the refusal", || {
            let log = server.log();
            let mut lines =
                log.lines().filter(|line| line.contains("a program that connects was refused"));
            lines.any(|line| line.contains(reason)).then_some(())
        });
    }
}

#[test]
fn a_token_can_be_made_and_kept_in_a_file() {
    let home = Arc::new(Home::new());
    let token = home.ok(&["token"]);
    assert!(token.trim().len() >= 32 && token != home.ok(&["token"]));
    let file = home.path("token");
    std::fs::write(&file, &token).unwrap();
    let file = file.to_str().unwrap();
    let server = TestServer::start_in(home, &["--token-file", file]);
    assert_eq!(with(&server, token.trim(), "GET", "/api/stats"), 200);
    assert_eq!(with(&server, "another", "GET", "/api/stats"), 401);
    let error = server.home.fails(1, &["serve", "--token-file", "/nowhere/token"]);
    assert!(error.contains("/nowhere/token"), "{error}");
}

#[test]
fn wrong_tokens_are_limited_by_address_and_never_keep_the_right_one_out() {
    let proxy = "trusted_proxies = ['127.0.0.1']";
    let server = configured(&format!("{proxy}\n{TOKENS}[limits]\nwrong_tokens = 5\n"));
    let from = |client: &str, token: &str| {
        let bearer = format!("Bearer {token}");
        let fields = [("x-forwarded-for", client), ("authorization", bearer.as_str())];
        ask(&server, "GET", "/api/stats", &fields)
    };
    let guesses: Vec<_> =
        (0..7).map(|i| from("192.0.2.1", &format!("guess{i}")).status().as_u16()).collect();
    assert_eq!(guesses, [401, 401, 401, 401, 401, 429, 429]);
    let wrong = from("192.0.2.1", "another");
    assert!(wrong.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() <= 13);
    assert_eq!(from("192.0.2.2", "another").status(), 401, "another address has its own count");
    assert_eq!(from("192.0.2.1", "read-token").status(), 200, "the right token always passes");
    assert_eq!(ask(&server, "GET", "/api/stats", &[]).status(), 401);
    server.tells("192.0.2.1");
}

#[test]
fn forwarded_addresses_count_only_from_configured_proxies() {
    let server = configured(&format!("{TOKENS}[limits]\nwrong_tokens = 3\n"));
    let guess = |i: u8| {
        let (from, bearer) = (format!("192.0.2.{i}"), format!("Bearer guess{i}"));
        let fields = [("x-forwarded-for", from.as_str()), ("authorization", bearer.as_str())];
        ask(&server, "GET", "/api/stats", &fields).status().as_u16()
    };
    assert_eq!([1, 2, 3, 4].map(guess), [401, 401, 401, 429]);
    assert!(!server.log().contains("192.0.2."), "{}", server.log());
}

#[test]
fn requests_of_other_sites_are_refused_and_never_counted() {
    let server = configured(&format!("{TOKENS}[limits]\nwrong_tokens = 3\n"));
    for i in 0..10 {
        // As a browser sends it for an image of another site's page: without an `Origin`.
        let fields = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")];
        let path = format!("/api/stream?access_token=guess{i}");
        assert_eq!(ask(&server, "GET", &path, &fields).status(), 403);
        assert_eq!(ask(&server, "GET", "/onebot/v11/ws?access_token=x", &fields).status(), 403);
    }
    let wrong = [("authorization", "Bearer guess")];
    assert_eq!(ask(&server, "GET", "/api/stats", &wrong).status(), 401, "none of them counted");
}

#[test]
fn other_sites_read_nothing_where_no_token_is_set() {
    let server = TestServer::start();
    let status = |path: &str, site: &str, mode: &str| {
        let fields = [("sec-fetch-site", site), ("sec-fetch-mode", mode)];
        ask(&server, "GET", path, &fields).status().as_u16()
    };
    for path in ["/api/messages", "/api/export", "/api/health", "/metrics", "/api/nothing"] {
        assert_eq!(status(path, "cross-site", "no-cors"), 403, "{path}");
        assert_eq!(status(path, "cross-site", "navigate"), 403, "{path}");
        assert_eq!(status(path, "same-site", "no-cors"), 403, "{path}");
    }
    for site in ["same-origin", "none"] {
        assert_eq!(status("/api/messages", site, "cors"), 200, "{site}");
    }
    assert_eq!(status("/", "cross-site", "navigate"), 200, "a link leads to the page");
    assert_eq!(status("/", "cross-site", "no-cors"), 403);
}

#[test]
fn answers_of_the_api_are_kept_by_nobody_and_shown_to_no_other_page() {
    let server = configured(TOKENS);
    let token = ("authorization", "Bearer admin-token");
    for (path, fields) in [
        ("/api/stats", &[token][..]),
        ("/api/messages", &[token]),
        ("/api/export", &[token]),
        ("/metrics", &[token]),
        ("/api/nothing", &[token]),
        ("/api/stats", &[]),
        ("/api/health", &[]),
    ] {
        let answer = ask(&server, "GET", path, fields);
        let field = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap());
        assert_eq!(field("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(field("cross-origin-resource-policy"), Some("same-origin"), "{path}");
        assert_eq!(field("cache-control"), Some("no-store"), "{path}");
    }
    let page = ask(&server, "GET", "/", &[]);
    assert_eq!(page.headers()["cache-control"], "no-cache");
}

#[test]
fn weak_tokens_are_refused_where_strangers_can_try_them() {
    let home = Arc::new(Home::new());
    for token in ["short", "aaaaaaaaaaaaaaaaaaaaaaaa", "what rechat token printed"] {
        let error = home.fails(2, &["serve", "--listen", "0.0.0.0:0", "--token", token]);
        assert!(error.contains("can be guessed") && error.contains("rechat token"), "{error}");
        assert!(!error.contains("short") && !error.contains("aaaa"), "{error}");
    }
    let own = "[[adapter]]\nkind = 'onebot11'\ntoken = 'napcat'\n";
    home.configure(&format!(
        "listen = '0.0.0.0:0'\ntoken = '{}'\n{own}",
        home.ok(&["token"]).trim()
    ));
    let error = home.fails(2, &["serve"]);
    assert!(error.contains("adapter `onebot11` can be guessed"), "{error}");
    home.configure(&format!(
        "listen = '0.0.0.0:0'\ntoken = '{}'\n[[bot]]\nname = 'b'\nkind = 'satori'\ntoken = 'abc'\n",
        home.ok(&["token"]).trim()
    ));
    let error = home.fails(2, &["serve"]);
    assert!(error.contains("bot `b` can be guessed"), "{error}");
    let server = TestServer::start_with(&["--token", "short"]);
    assert_eq!(with(&server, "short", "GET", "/api/stats"), 200, "nobody else reaches it");
}

#[test]
fn pages_of_configured_origins_may_ask_and_no_others() {
    let server = configured("cors_origins = ['https://app.example']\n");
    let origin = ("origin", "https://app.example");
    let (_, described) = server.get("/api/openapi.json");
    for (path, operations) in described["paths"].as_object().unwrap() {
        // `OPTIONS` is asked by the browser itself.
        for method in operations.as_object().unwrap().keys().filter(|name| *name != "options") {
            let method = method.to_uppercase();
            let preflight = [
                origin,
                ("access-control-request-method", &*method),
                ("access-control-request-headers", "content-type"),
            ];
            let allowed = ask(&server, "OPTIONS", path, &preflight);
            assert_eq!(allowed.status(), 200);
            assert_eq!(allowed.headers()["access-control-allow-origin"], "https://app.example");
            let methods = allowed.headers()["access-control-allow-methods"].to_str().unwrap();
            assert!(methods.split(',').any(|one| one == method), "{method} {path}: {methods}");
        }
    }
    let answer = ask(&server, "GET", "/api/stats", &[origin]);
    assert_eq!(answer.headers()["access-control-allow-origin"], "https://app.example");
    let other = ask(&server, "POST", "/api/messages", &[("origin", "https://evil.example")]);
    assert_eq!(other.status(), 403);
    assert!(other.headers().get("access-control-allow-origin").is_none());
}

#[test]
fn a_proxy_may_show_us_below_a_path_and_under_another_name() {
    let server = configured("prefix = '/rechat/'\npublic_hosts = ['chat.example.com']\n");
    assert_eq!(server.get("/rechat/api/health").0, 200);
    assert_eq!(server.get("/api/stats").0, 200);
    let fields = [("host", "chat.example.com"), ("origin", "https://chat.example.com")];
    assert_eq!(ask(&server, "POST", "/rechat/api/messages", &fields).status(), 201);
    let other_port = [("host", "chat.example.com"), ("origin", "https://chat.example.com:3000")];
    assert_eq!(ask(&server, "POST", "/rechat/api/messages", &other_port).status(), 403);
    assert_eq!(server.get("/rechatty/api/health").0, 404);
    let (_, openapi) = server.get("/rechat/api/openapi.json");
    assert_eq!(openapi["servers"], json!([{"url": "/rechat"}]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_implementation_may_know_us_by_any_name_but_a_page_may_not() {
    let server = TestServer::start();
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    let dial = async |fields: &[(&str, &str)]| {
        let mut all = headers("1", "Universal");
        all.extend_from_slice(fields);
        Peer::dial(&url, &all, willing()).await
    };
    let _peer = dial(&[("host", "host.docker.internal:8080")]).await.unwrap();
    assert!(dial(&[("host", "evil.example"), ("origin", "http://evil.example")]).await.is_err());
}

/// A certificate for `localhost` in the home: the paths of it and of its key.
fn certify(home: &Home) -> (std::path::PathBuf, std::path::PathBuf) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (home.path("certificate.pem"), home.path("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    (certificate, key)
}

#[test]
fn https_is_served_and_a_new_certificate_is_taken_up() {
    let home = Arc::new(Home::new());
    let (certificate, key) = certify(&home);
    home.configure(&format!("[tls]\ncertificate = {certificate:?}\nkey = {key:?}\n"));
    let server = TestServer::start_in(home, &[]);
    let port = server.address.rsplit_once(':').unwrap().1.to_owned();
    let ask = |roots: &[u8]| {
        let root = ureq::tls::Certificate::from_pem(roots).unwrap();
        let config = ureq::tls::TlsConfig::builder()
            .root_certs(ureq::tls::RootCerts::new_with_certs(&[root]))
            .build();
        let agent: ureq::Agent = ureq::Agent::config_builder().tls_config(config).build().into();
        agent.get(format!("https://localhost:{port}/api/health")).call()
    };
    let first = std::fs::read(&certificate).unwrap();
    assert_eq!(ask(&first).unwrap().status(), 200);
    std::fs::write(&key, "no key").unwrap();
    eventually("the bad key is noticed", || {
        let _ = ask(&first);
        server.log().contains("stays in use").then_some(())
    });
    assert_eq!(ask(&first).unwrap().status(), 200, "the old one serves on");
    certify(&server.home);
    let second = std::fs::read(&certificate).unwrap();
    eventually("the new one serves", || ask(&second).ok());
    assert!(ask(&first).is_err());
}
