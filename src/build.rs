//! Puts the commit into the version, where there is one.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=src/build.rs");
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok()?;
        let said = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| said.trim().to_owned())
    };
    // A package's own version is enough where it was unpacked inside another repository.
    let is_ours = git(&["ls-files", "--error-unmatch", "src/build.rs"]).is_some();
    let commit = is_ours.then(|| git(&["rev-parse", "--short=12", "HEAD"])).flatten();
    if let Some(head) = is_ours.then(|| git(&["rev-parse", "--git-path", "logs/HEAD"])).flatten() {
        println!("cargo::rerun-if-changed={head}");
    }
    let version = env!("CARGO_PKG_VERSION");
    let shown = commit.map_or_else(|| version.to_owned(), |commit| format!("{version} ({commit})"));
    println!("cargo::rustc-env=RECHAT_VERSION={shown}");
}
