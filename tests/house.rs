//! The rules of the house: the style of the code, and the allowed dependencies between its parts.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

#[path = "common/paths.rs"]
mod paths;

use paths::{Crate, circle, sources};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

fn cargo(arguments: &[&str]) {
    let output = Command::new(env!("CARGO")).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {}:\n{said}", arguments.join(" "));
}

#[test]
fn the_code_is_formatted() {
    cargo(&["fmt", "--check"]);
}

#[test]
fn clippy_has_nothing_to_say() {
    cargo(&["clippy", "--all-targets", "--quiet", "--", "-D", "warnings"]);
}

/// The layers of the parts from the inside out. A part may use parts of its own and of inner
/// layers.
const LAYERS: [&[&str]; 14] = [
    &[
        "error",
        "allocator",
        "backoff",
        "clock",
        "metrics",
        "health",
        "shutdown",
        "low_priority",
        "model",
        "picture",
        "text",
        "raw_events",
    ],
    &["protocol"],
    &["adapter"],
    &["log"],
    &["store"],
    &["search", "media"],
    &["hub", "activity"],
    &["actions", "ingest", "outbox", "retention"],
    &["gateway"],
    &["config"],
    &["mcp", "cluster"],
    &["server", "cli", "client"],
    &["tui"],
    &["command"],
];

fn layer_of(part: &str) -> usize {
    let layer = LAYERS.iter().position(|parts| parts.contains(&part));
    layer.unwrap_or_else(|| panic!("`{part}` has no place in LAYERS"))
}

fn house() -> Crate {
    Crate::read(Path::new("src"))
}

/// The part of the crate that a file belongs to: `store` for `src/store/view.rs`.
fn part(file: &Path) -> String {
    let first = file.strip_prefix("src").unwrap().components().next().unwrap();
    first.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned()
}

/// Every file with the other parts it needs, and the file of each; in tests, too.
fn needs_of_files(house: &Crate) -> Vec<(&Path, String, &Path)> {
    let all = house.needs().into_iter();
    let pairs = all.flat_map(|(file, others)| others.into_iter().map(move |other| (file, other)));
    let pairs = pairs.filter(|(file, _)| part(file) != "lib");
    pairs.map(|(file, other)| (file, part(other), other)).collect()
}

#[test]
fn no_part_knows_one_that_is_further_out() {
    let house = house();
    for (file, other_part, other) in needs_of_files(&house) {
        let is_outward = layer_of(&other_part) > layer_of(&part(file));
        assert!(!is_outward, "{} must not need {}", file.display(), other.display());
    }
}

#[test]
fn no_files_of_a_part_need_each_other_in_a_circle() {
    let house = house();
    let mut rooms: BTreeMap<String, BTreeMap<&Path, BTreeSet<&Path>>> = BTreeMap::new();
    for (file, others) in house.needs() {
        let inside = others.into_iter().filter(|other| part(other) == part(file)).collect();
        rooms.entry(part(file)).or_default().insert(file, inside);
    }
    for needs in rooms.values() {
        let Some(circle) = circle(needs) else { continue };
        let names: Vec<_> = circle.iter().map(|file| file.display().to_string()).collect();
        panic!("these files need each other in a circle: {} → {}", names.join(" → "), names[0]);
    }
}

/// The files of a small crate, with their content.
fn crate_of(files: &[(&str, &str)]) -> (TempDir, Crate) {
    let folder = TempDir::new().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let read = Crate::read(folder.path());
    (folder, read)
}

#[test]
fn a_circle_is_found_however_it_is_written() {
    for (one, other) in [
        ("use crate::room::b::B;", "use super::a::A;"),
        ("use super::{\n    b::{B, C},\n};", "fn f() { crate::room::a::run() }"),
        ("use super::B;", "use super::A;"),
        ("fn f(b: super::b::B) {}", "#[cfg(test)]\nmod tests {\n    use super::super::a::A;\n}"),
    ] {
        let room = "mod a;\nmod b;\npub use a::A;\npub use b::B;\n";
        let files = [
            ("lib.rs", "mod room;"),
            ("room/mod.rs", room),
            ("room/a.rs", one),
            ("room/b.rs", other),
        ];
        let (folder, read) = crate_of(&files);
        let needs = read.needs();
        let found = circle(&needs).unwrap_or_else(|| panic!("{one} {other}"));
        let names: Vec<_> = found.iter().map(|f| f.strip_prefix(&folder).unwrap()).collect();
        assert_eq!(names, [Path::new("room/a.rs"), Path::new("room/b.rs")]);
    }
}

#[test]
fn comments_literals_and_own_names_make_no_circle() {
    let a = "use super::b::B; // and b\nstruct A<'a>(&'a str, char);";
    let b = "/// See `super::a::A`.\nconst TEXT: &str = \"super::a::A\";\nconst MARK: char = '\"';\n\
             const RAW: &str = r#\"crate::room::a\"#; pub(in crate::room::a) struct D; mod inner { pub struct C; use super::B; }";
    let files = [
        ("lib.rs", "mod room;"),
        ("room/mod.rs", "pub mod a;\nmod b;"),
        ("room/a.rs", a),
        ("room/b.rs", b),
    ];
    let (_folder, read) = crate_of(&files);
    assert_eq!(circle(&read.needs()), None);
}

#[test]
fn only_adapters_and_the_gateway_name_a_protocol() {
    let mut files = Vec::new();
    sources(Path::new("src"), &mut files);
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let names = text.to_lowercase().contains("onebot::") || text.contains("onebot11::");
        let speaks = ["adapter", "gateway"].contains(&part(&path).as_str());
        assert!(speaks || !names, "{} names a protocol", path.display());
        let is_test = path.iter().any(|part| part == "tests" || part == "tests.rs");
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        // Kinds of adapters that no kind of bot shares its name with.
        let kind = ["onebot12", "ilink"].into_iter().find(|kind| code.contains(kind));
        assert!(speaks || is_test || kind.is_none(), "{} names {kind:?}", path.display());
    }
}

/// Texts and comments about one protocol stand in its folder, so that adding an adapter touches that folder
/// and one line.
#[test]
fn general_code_names_no_single_platform() {
    let mut files = Vec::new();
    sources(Path::new("src"), &mut files);
    let names_them = |path: &Path| {
        // The list of adapters, and descriptions of bots, which are named by their protocols.
        let lists = ["src/adapter/mod.rs", "src/adapter/fuzzing.rs"].map(Path::new);
        ["gateway", "config", "command"].contains(&part(path).as_str())
            || ["src/adapter/onebot", "src/adapter/wechat"].iter().any(|it| path.starts_with(it))
            || lists.contains(&path)
            || path.iter().any(|part| part == "tests" || part == "tests.rs")
    };
    for path in files.iter().filter(|path| !names_them(path)) {
        let text = fs::read_to_string(path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for line in code.lines() {
            // A comment may say whose format a file has.
            let is_comment = line.trim_start().starts_with("//");
            let names_platform = line.contains("WeChat") && !is_comment;
            assert!(!names_platform && !line.contains("OneBot"), "{}: {line}", path.display());
        }
    }
}

/// Fails where a part needs another than these.
fn needs_only(name: &str, allowed: &[&str]) {
    let house = house();
    for (file, other, _) in needs_of_files(&house) {
        let is_allowed = part(file) != name || other == name || allowed.contains(&other.as_str());
        assert!(is_allowed, "{}: must not need `{other}`", file.display());
    }
}

#[test]
fn the_terminal_client_asks_the_client_alone() {
    needs_only(
        "tui",
        &["client", "protocol", "model", "picture", "search", "error", "clock", "text"],
    );
}

#[test]
fn agents_ask_by_types_of_the_core_alone() {
    let allowed = [
        "backoff", "config", "error", "health", "media", "metrics", "model", "protocol", "search",
        "store", "text",
    ];
    needs_only("mcp", &allowed);
}

#[test]
fn adapters_know_messages_and_errors_alone() {
    needs_only("adapter", &["protocol", "model", "error", "backoff", "clock", "health", "metrics"]);
}

/// Crates of the command line, of HTTP and of WebSockets.
const OF_THE_EDGE: [&str; 7] =
    ["clap", "utoipa", "axum", "hyper", "tungstenite", "tokio_tungstenite", "ratatui"];

#[test]
fn the_model_knows_nothing_of_the_command_line_and_the_network() {
    let mut files = Vec::new();
    sources(Path::new("src/model"), &mut files);
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        for name in OF_THE_EDGE {
            let is_used =
                text.contains(&format!("{name}::")) || text.contains(&format!("use {name}"));
            assert!(!is_used, "{} uses {name}", path.display());
        }
    }
}

#[test]
fn a_test_that_is_left_out_says_why() {
    let mut files = Vec::new();
    sources(Path::new("tests"), &mut files);
    sources(Path::new("src"), &mut files);
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        for line in text.lines().filter(|line| line.trim_start().starts_with("#[ignore")) {
            let needs = line.contains("= \"needs ") && line.ends_with(": tests/run\"]");
            let is_told = needs || line.ends_with("= \"a measurement\"]");
            assert!(is_told, "{}: {line}", path.display());
        }
    }
}

/// Names of types that a reader would have to look up; each part has a plain one instead.
const UNCLEAR_TYPES: [&str; 46] = [
    "Again",
    "Alone",
    "Arrival",
    "Arrivals",
    "Bell",
    "Board",
    "By",
    "Core",
    "Courier",
    "DialIn",
    "Done",
    "Ledger",
    "Link",
    "Medium",
    "Missed",
    "Mount",
    "News",
    "Notes",
    "Pace",
    "Pair",
    "Part",
    "Pauses",
    "Piece",
    "Place",
    "Prepared",
    "Problem",
    "Refusal",
    "Room",
    "Rope",
    "Row",
    "Said",
    "Seam",
    "Seat",
    "Standing",
    "Strikes",
    "Told",
    "Tools",
    "UnknownWord",
    "Untouched",
    "Wanted",
    "Watcher",
    "Way",
    "Wish",
    "Word",
    "Words",
    "Writable",
];

/// Names of functions that a reader would have to look up.
const UNCLEAR_FUNCTIONS: [&str; 17] = [
    "again",
    "beside",
    "briefly",
    "doomed",
    "ground",
    "hear",
    "mends",
    "obey",
    "owes",
    "plainly",
    "say",
    "settle",
    "spares",
    "steady",
    "strange",
    "surroundings",
    "tidy",
];

/// Names of constants that a reader would have to look up.
const UNCLEAR_CONSTANTS: [&str; 22] = [
    "ABSTAIN",
    "AHEAD",
    "ALIKE",
    "AROUND",
    "BEYOND",
    "DISORDER",
    "ELSEWHERE",
    "EVERY",
    "FEW",
    "FIRST",
    "FOR_GOOD",
    "HOLD",
    "HOWS",
    "LEAST",
    "LEAVE",
    "LESS",
    "MORE",
    "MOST",
    "NEAR",
    "OTHERS",
    "SETTLED",
    "TURN",
];

/// The name of a function that a line declares.
fn function(line: &str) -> Option<&str> {
    let (before, name) = line.split_once("fn ")?;
    let is_declared = before.split_whitespace().all(|word| {
        ["pub", "async", "const", "unsafe"].contains(&word)
            || word.starts_with("pub(")
            || word.ends_with(')')
    });
    name.split(|c: char| !c.is_alphanumeric() && c != '_').next().filter(|_| is_declared)
}

/// The name of a constant that a line declares.
fn constant(line: &str) -> Option<&str> {
    let (before, rest) = line.split_once("const ")?;
    let is_declared = before.is_empty() || before.starts_with("pub");
    rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().filter(|_| is_declared)
}

#[test]
fn no_declared_name_has_to_be_looked_up() {
    let mut files = Vec::new();
    sources(Path::new("src"), &mut files);
    for file in files {
        for line in fs::read_to_string(&file).unwrap().lines().map(str::trim) {
            let types = declared(line).filter(|(name, _)| UNCLEAR_TYPES.contains(name));
            let functions = function(line).filter(|name| UNCLEAR_FUNCTIONS.contains(name));
            let constants = constant(line).filter(|name| UNCLEAR_CONSTANTS.contains(name));
            let unclear = types.map(|(name, _)| name).or(functions).or(constants);
            assert!(unclear.is_none(), "{}: {unclear:?}", file.display());
        }
    }
}

/// Types of one name in several files, with the reason.
const SAME_NAMES: [(&str, &str); 1] =
    [("Result", "each part has its own `Error` in it, as `std::io` and `std::fmt` have")];

/// The name of a type that a line declares, and whether it can be named in other files.
fn declared(line: &str) -> Option<(&str, bool)> {
    let (item, is_visible) = match line.strip_prefix("pub") {
        Some(rest) if rest.starts_with('(') => (rest.split_once(") ")?.1, true),
        Some(rest) => (rest.trim_start(), true),
        None => (line, false),
    };
    let (kind, name) = item.split_once(' ')?;
    let is_type = ["struct", "enum", "trait", "type", "union"].contains(&kind);
    let name = name.split(|c: char| !c.is_alphanumeric()).next()?;
    is_type.then_some((name, is_visible))
}

#[test]
fn a_type_of_several_files_has_a_name_of_its_own() {
    let mut files = Vec::new();
    sources(Path::new("src"), &mut files);
    let mut places: BTreeMap<String, BTreeSet<PathBuf>> = BTreeMap::new();
    let mut visible = BTreeSet::new();
    for file in files.iter().filter(|file| !file.iter().any(|p| p == "tests" || p == "tests.rs")) {
        let text = fs::read_to_string(file).unwrap();
        for (name, is_visible) in text.lines().filter_map(declared) {
            places.entry(name.to_owned()).or_default().insert(file.clone());
            if is_visible {
                visible.insert(name.to_owned());
            }
        }
    }
    assert!(visible.len() > 500, "{}", visible.len());
    let twice = |name: &str| places.get(name).is_some_and(|files| files.len() > 1);
    for name in &visible {
        let is_allowed = SAME_NAMES.iter().any(|(allowed, _)| allowed == name);
        assert!(is_allowed || !twice(name), "`{name}` is in {:?}", places[name]);
    }
    for (name, why) in SAME_NAMES {
        assert!(twice(name), "`{name}` is there once: remove it from SAME_NAMES ({why})");
    }
}

/// A public item has docs. Where the names of its fields say everything, an `expect` gives the reason.
#[test]
fn an_item_without_docs_says_why() {
    let mut files = Vec::new();
    sources(Path::new("src"), &mut files);
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        assert!(!text.contains("allow(missing_docs)"), "{}", file.display());
        let reasons = text.matches("expect(missing_docs, reason = ").count();
        assert_eq!(text.matches("(missing_docs").count(), reasons, "{}", file.display());
    }
}

/// The words in code font of a text.
fn coded(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The table of folders in `docs/architecture.md` names folders and files that there are.
#[test]
fn the_map_of_the_folders_is_true() {
    let text = fs::read_to_string("docs/architecture.md").unwrap();
    let rows = text.lines().skip_while(|line| !line.starts_with("| `main.rs`"));
    let mut known = BTreeSet::new();
    for row in rows.take_while(|line| line.starts_with('|')) {
        let (places, about) = row.trim_matches('|').split_once('|').unwrap();
        let mut below = Vec::new();
        for place in coded(places) {
            let name = place.trim_end_matches('/').trim_end_matches(".rs");
            let (folder, file) = (format!("src/{name}"), PathBuf::from(format!("src/{name}.rs")));
            assert!(Path::new(&folder).is_dir() || file.is_file(), "there is no src/{name}");
            known.insert(name.to_owned());
            if Path::new(&folder).is_dir() {
                sources(Path::new(&folder), &mut below);
            }
        }
        for word in coded(about).into_iter().filter(|word| *word != "spa/") {
            let name = word.trim_end_matches('/');
            let is_module =
                name.bytes().all(|b| b.is_ascii_lowercase() || b"_/0123456789".contains(&b));
            let is_there = |file: &PathBuf| {
                file.with_extension("").ends_with(name)
                    || file.parent().is_some_and(|it| it.ends_with(name))
            };
            assert!(!is_module || below.iter().any(is_there), "{places}: there is no `{name}`");
        }
    }
    for entry in fs::read_dir("src").unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let is_root = ["lib", "build"].contains(&name);
        assert!(is_root || known.contains(name), "{} is not in the map", path.display());
    }
}

/// Words that a comment does not begin with.
const RIDDLES: [&str; 7] = ["What", "Who", "Whom", "Whose", "Nobody", "Whatever", "Whoever"];

/// The first word of each comment of a text; lines of one comment follow each other.
fn beginnings(text: &str) -> Vec<&str> {
    let (mut found, mut is_inside, mut is_block) = (Vec::new(), false, false);
    for line in text.lines().map(str::trim) {
        let begins = ["//", "/*"].iter().any(|mark| line.starts_with(mark));
        is_block |= line.starts_with("/*");
        let words = line.trim_start_matches(['/', '!', '*']).split_whitespace();
        let first = words.into_iter().next().filter(|_| begins || is_block);
        is_block &= !line.contains("*/");
        found.extend(first.filter(|_| !is_inside));
        is_inside = first.is_some();
    }
    found
}

/// A comment begins with its subject: "The reason, for people", not "What happened, for people".
#[test]
fn comments_begin_with_what_they_are_about() {
    let mut files = Vec::new();
    for folder in ["src", "tests"] {
        sources(Path::new(folder), &mut files);
    }
    files.extend(files_below(Path::new("spa")));
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for first in beginnings(&text) {
            assert!(!RIDDLES.contains(&first), "{}: {first} …", file.display());
        }
    }
}

#[test]
fn a_comment_begins_once_however_many_lines_it_has() {
    let text = "/** One. */\nlet x;\n/**\n * Two, and\n * What follows.\n */\n// Three\n// What\n";
    assert_eq!(beginnings(text), ["One.", "Two,", "Three"]);
}

/// All files of a folder and of those in it.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// The documents for people.
fn documents() -> Vec<PathBuf> {
    let folders = [".", "docs", ".github"].map(|folder| fs::read_dir(folder).unwrap());
    let paths = folders.into_iter().flatten().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect()
}

/// The anchor of a heading, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn links_of_documents_lead_somewhere() {
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        let links = text.split("](").skip(1).map(|rest| rest.split([')', ' ']).next().unwrap());
        for link in links.filter(|link| !link.contains("://")) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                document.clone()
            } else {
                document.parent().unwrap().join(file)
            };
            assert!(target.exists(), "{}: {link} is not there", document.display());
            if !heading.is_empty() {
                let text = fs::read_to_string(&target).unwrap();
                let mut headings = text.lines().filter(|line| line.starts_with('#'));
                let is_there = headings.any(|line| anchor(line) == heading);
                assert!(is_there, "{}: {link} is no heading", document.display());
            }
        }
    }
}

/// A document in the other language.
fn translated(document: &Path) -> PathBuf {
    let name = document.file_name().unwrap().to_str().unwrap();
    let other = match name.strip_suffix(".zh-CN.md") {
        Some(bare) => format!("{bare}.md"),
        None => name.replace(".md", ".zh-CN.md"),
    };
    document.with_file_name(other)
}

#[test]
fn links_of_documents_stay_in_their_language() {
    let is_chinese = |path: &Path| path.to_str().unwrap().ends_with(".zh-CN.md");
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        let links =
            text.split("](").skip(1).map(|rest| rest.split([')', ' ', '#']).next().unwrap());
        let is_document = |link: &&str| Path::new(link).extension().is_some_and(|end| end == "md");
        for link in links.filter(is_document).filter(|link| !link.contains("://")) {
            let target = document.parent().unwrap().join(link);
            let is_other = is_chinese(&target) != is_chinese(&document);
            let is_own = target.file_name() == translated(&document).file_name();
            let has_both = translated(&target).exists();
            assert!(is_own || !is_other || !has_both, "{}: {link}", document.display());
        }
    }
}

#[test]
fn the_example_of_the_documents_is_the_one_that_is_compiled() {
    let document = fs::read_to_string("docs/architecture.md").unwrap();
    let source = fs::read_to_string("src/adapter/example.rs").unwrap();
    let (code, _tests) = source.split_once("\n#[cfg(test)]").unwrap();
    let block = document.split("```rust\n").nth(1).and_then(|rest| rest.split("```").next());
    assert_eq!(block.map(str::trim_end), Some(code.trim_end()), "copy src/adapter/example.rs");
}
