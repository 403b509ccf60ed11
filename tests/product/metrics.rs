//! Tests of `/metrics`.

use crate::onebot::{Peer, Reply, Script};
use crate::onebot11::{group_message, headers};
use crate::server::{TestServer, agent, eventually};
use std::sync::Arc;

fn value(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.rsplit_once(' ')?.1.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_tell_messages_attempts_adapters_and_requests() {
    let server = TestServer::start();
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    let refusing: Script = Arc::new(|_| Reply::refused(1404, "no"));
    let peer = Peer::dial(&url, &headers("1", "Universal"), refusing).await.unwrap();
    peer.push(&group_message(1, 7, 1, "hello"));
    peer.push_text("{garbage");
    server.until(&server.make_for(Some("qq"), "group_7", "x"), "Failed");
    server.make_for(Some("nowhere"), "group_7", "waits");
    assert_eq!(server.get("/api/nothing").0, 404);
    let wanted = [
        ("rechat_messages_total{direction=\"Inbound\",platform=\"qq\"}", 1.0),
        ("rechat_messages_total{direction=\"Outbound\",platform=\"nowhere\"}", 1.0),
        ("rechat_attempts_total{platform=\"qq\",outcome=\"refused\"}", 1.0),
        ("rechat_stored{status=\"failed\"}", 1.0),
        ("rechat_stored{status=\"pending\"}", 1.0),
        ("rechat_adapter_state{platform=\"qq\",account=\"1\",state=\"Connected\"}", 1.0),
        ("rechat_http_requests_total{route=\"other\",code=\"404\"}", 1.0),
        ("rechat_http_requests_total{route=\"/api/messages\",code=\"201\"}", 2.0),
        ("rechat_frames_skipped_total", 1.0),
        ("rechat_sessions_behind", 0.0),
    ];
    let text = eventually("all is counted", || {
        let (_, text) = server.get("/metrics");
        let text = text.as_str().unwrap().to_owned();
        wanted.iter().all(|(name, n)| value(&text, name) == Some(*n)).then_some(text)
    });
    assert!(value(&text, "rechat_commit_seconds_count").unwrap() >= 3.0, "{text}");
    assert!(text.ends_with("# EOF\n"), "{text}");
}

#[test]
fn series_are_there_before_anything_is_counted() {
    let server = TestServer::start_with(&["--loopback"]);
    let (_, text) = server.get("/metrics");
    let text = text.as_str().unwrap();
    let version = env!("CARGO_PKG_VERSION");
    for (name, wanted) in [
        ("rechat_limit_hits_total{limit=\"sessions\"}", 0.0),
        ("rechat_limit_hits_total{limit=\"memory_bytes\"}", 0.0),
        ("rechat_wrong_tokens_total", 0.0),
        ("rechat_task_panics_total", 0.0),
        ("rechat_http_requests_total{route=\"/api/messages\",code=\"500\"}", 0.0),
        ("rechat_http_requests_total{route=\"/api/stream\",code=\"401\"}", 0.0),
        ("rechat_messages_total{direction=\"Inbound\",platform=\"loopback\"}", 0.0),
        ("rechat_attempts_total{platform=\"loopback\",outcome=\"unknown\"}", 0.0),
        (&format!("rechat_build_info{{version=\"{version}\"}}"), 1.0),
    ] {
        assert_eq!(value(text, name), Some(wanted), "{name}: {text}");
    }
}

#[test]
fn the_process_is_told_of_as_other_programs_do() {
    let server = TestServer::start();
    let (_, text) = server.get("/metrics");
    let text = text.as_str().unwrap();
    let told = |name: &str| value(text, name).unwrap_or_else(|| panic!("{name}: {text}"));
    let boot = std::fs::read_to_string("/proc/stat").unwrap();
    let boot = boot.lines().find_map(|line| line.strip_prefix("btime ")).unwrap();
    assert!(told("process_start_time_seconds") > boot.parse().unwrap());
    assert!(told("process_resident_memory_bytes") > 1e6);
    assert!(told("process_virtual_memory_bytes") > told("process_resident_memory_bytes"));
    assert!(told("process_open_fds") >= 5.0 && told("process_open_fds") <= told("process_max_fds"));
    assert!(told("process_cpu_seconds_total") < 60.0);
}

#[test]
fn the_classic_format_is_given_where_it_is_asked_for() {
    let server = TestServer::start();
    let ask = |accept: &str| {
        let mut answer =
            agent().get(server.url("/metrics")).header("accept", accept).call().unwrap();
        let media_type = answer.headers()["content-type"].to_str().unwrap().to_owned();
        (media_type, answer.body_mut().read_to_string().unwrap())
    };
    let (media_type, text) = ask("text/plain");
    assert!(media_type.starts_with("text/plain; version=0.0.4"), "{media_type}");
    assert!(text.contains("# TYPE rechat_wrong_tokens_total counter\n"), "{text}");
    assert!(text.contains("# TYPE process_cpu_seconds_total counter\n"), "{text}");
    assert!(!text.contains("# EOF") && !text.contains("# UNIT"), "{text}");
    let (media_type, text) = ask("*/*");
    assert!(media_type.starts_with("application/openmetrics-text"), "{media_type}");
    assert!(text.ends_with("# EOF\n"), "{text}");
}
