//! The page's files: sound, small, and served as browsers like them.

use crate::server::{TestServer, agent};
use crate::tools;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;
use ureq::http::Response;

/// Bytes of the first load at most, compressed, with everything.
const FIRST_LOAD: usize = 75_000;

/// The same for browsers that take no brotli: those that come by plain HTTP from another host.
const FIRST_LOAD_BY_GZIP: usize = 85_000;

fn fetch(url: &str, headers: &[(&str, &str)]) -> (Response<()>, Vec<u8>) {
    let mut request = ureq::http::Request::get(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = agent().run(request.body(()).unwrap()).unwrap();
    let (parts, mut body) = answer.into_parts();
    (Response::from_parts(parts, ()), body.read_to_vec().unwrap())
}

fn header<'a>(answer: &'a Response<()>, name: &str) -> &'a str {
    answer.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

/// The files that the page names.
fn parts(index: &str) -> BTreeSet<String> {
    let named = index.split(['"', '\'']).filter(|word| word.starts_with("page/"));
    named.map(str::to_owned).collect()
}

#[test]
#[ignore = "needs TypeScript: tests/run"]
fn types_are_sound() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let said = complaints("tsc", &["--project", "tests/page/tsconfig.json"], folder);
    assert_eq!(said, None);
}

#[test]
#[ignore = "needs ESLint: tests/run"]
fn the_linter_has_nothing_to_say() {
    let here = TempDir::new().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = "eslint.config.mjs";
    std::fs::copy(root.join("tests/page").join(config), here.path().join(config)).unwrap();
    std::os::unix::fs::symlink(tools::node_modules(), here.path().join("node_modules")).unwrap();
    copy_folder(&root.join("spa/page"), &here.path().join("page"));
    let arguments = ["--config", config, "--max-warnings", "0", "page"];
    assert_eq!(complaints("eslint", &arguments, here.path()), None);
}

/// Output of a program of `node_modules` that finds a fault.
fn complaints(program: &str, arguments: &[&str], folder: &Path) -> Option<String> {
    let path = tools::node_modules().join(".bin").join(program);
    let output = Command::new(path).args(arguments).current_dir(folder).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    (!output.status.success()).then(|| printed.into_owned())
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn the_first_load_is_small() {
    let server = TestServer::start();
    let (_, index) = fetch(&server.url("/"), &[]);
    let named = parts(&String::from_utf8(index).unwrap());
    let app = named.iter().find(|part| part.ends_with("/app.js")).unwrap();
    let words =
        ["en", "zh"].map(|name| format!("/{}", app.replace("app.js", &format!("words/{name}.js"))));
    let paths: Vec<_> = named.iter().map(|part| format!("/{part}")).chain(["/".into()]).collect();
    for (coding, most) in [("br", FIRST_LOAD), ("gzip", FIRST_LOAD_BY_GZIP)] {
        let common: usize = paths.iter().map(|path| wire_bytes(&server, path, coding)).sum();
        let of_words = words.iter().map(|path| wire_bytes(&server, path, coding));
        let sum = common + of_words.max().unwrap_or_default();
        assert!(sum < most, "{sum} bytes by {coding}");
        eprintln!("the first load weighs {sum} bytes by {coding}");
    }
}

/// Bytes of a file on its way to a browser that takes this coding.
fn wire_bytes(server: &TestServer, path: &str, coding: &str) -> usize {
    let (answer, body) = fetch(&server.url(path), &[("accept-encoding", coding)]);
    assert_eq!(header(&answer, "content-encoding"), coding, "{path}");
    body.len()
}

#[test]
fn files_are_kept_by_version_and_the_page_is_asked_for_anew() {
    let server = TestServer::start_with(&["--token", "secret"]);
    let (page, index) = fetch(&server.url("/"), &[]);
    assert_eq!((page.status().as_u16(), header(&page, "cache-control")), (200, "no-cache"));
    assert_eq!(header(&page, "content-type"), "text/html; charset=utf-8");
    let (again, body) = fetch(&server.url("/"), &[("if-none-match", header(&page, "etag"))]);
    assert_eq!((again.status().as_u16(), body.len()), (304, 0));
    assert_eq!(header(&again, "etag"), header(&page, "etag"));
    let named = parts(&String::from_utf8(index).unwrap());
    let app = named.iter().find(|part| part.ends_with("/app.js")).unwrap();
    let (kept, script) = fetch(&server.url(&format!("/{app}")), &[]);
    assert_eq!(header(&kept, "cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(header(&kept, "content-type"), "text/javascript; charset=utf-8");
    let (other, same) = fetch(&server.url("/page/0000/app.js"), &[]);
    assert_eq!((header(&other, "cache-control"), same == script), ("no-cache", true));
    for (method, path, status) in [
        ("HEAD", "/", 200),
        ("POST", "/", 405),
        ("GET", "/page/0/none.js", 404),
        ("GET", "/page/0/../Cargo.toml", 404),
    ] {
        assert_eq!(server.ask(method, path, None).0, status, "{method} {path}");
    }
    assert_eq!(server.get("/api/stats").0, 401);
}

#[test]
fn the_page_is_locked_down() {
    let server = TestServer::start();
    let (page, _) = fetch(&server.url("/"), &[]);
    let policy = header(&page, "content-security-policy");
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"));
    assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(header(&page, "x-content-type-options"), "nosniff");
    assert_eq!(header(&page, "referrer-policy"), "no-referrer");
}
