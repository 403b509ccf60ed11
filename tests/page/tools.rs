//! What the tests need and Rust does not bring: Chromium and its driver from the system's packages,
//! and the checkers of JavaScript from npm. Whatever is missing is installed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use tempfile::TempDir;

/// What comes from npm; its licences stay with it, for nothing of it is part of rechat.
const FROM_NPM: [&str; 4] =
    ["typescript@7.0.2", "eslint@10.15.0", "@eslint/js@10.0.1", "axe-core@4.14.1"];

/// Chromium and its driver, by their names on `PATH`.
const BROWSER: [&str; 2] = ["chromium", "chromedriver"];

/// Sees to it that there is a browser.
pub fn need_browser() {
    static THERE: LazyLock<()> = LazyLock::new(|| {
        if BROWSER.iter().all(|name| is_there(name)) {
            return;
        }
        assert!(
            rustix::process::geteuid().is_root() && is_there("apt-get"),
            "the page's tests need Chromium: install `chromium` and `chromium-driver` (Debian) so \
             that `chromium` and `chromedriver` are on PATH"
        );
        run(Command::new("apt-get").args(["update", "--quiet"]));
        run(Command::new("apt-get").env("DEBIAN_FRONTEND", "noninteractive").args([
            "install",
            "--yes",
            "--quiet",
            "--no-install-recommends",
            "chromium",
            "chromium-driver",
        ]));
    });
    LazyLock::force(&THERE);
}

fn is_there(name: &str) -> bool {
    std::env::split_paths(&std::env::var_os("PATH").unwrap()).any(|dir| dir.join(name).exists())
}

/// The folder with `node_modules`, filled at the first need and kept for the next run.
pub fn from_npm() -> &'static Path {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        let names: String = FROM_NPM.join("-").replace(['/', '@'], "_");
        let folder = std::env::temp_dir().join(format!("rechat-{names}"));
        if !folder.exists() {
            let fresh = TempDir::new_in(std::env::temp_dir()).unwrap();
            run(Command::new("npm")
                .args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--save-exact"])
                .args(FROM_NPM)
                .current_dir(fresh.path()));
            // Whole or not at all; another test run may have been first.
            let _ = std::fs::rename(fresh.path(), &folder);
        }
        folder
    });
    &FOLDER
}

/// Runs a program of `node_modules`, and gives what it had to say where it was not content.
pub fn complaints(program: &str, arguments: &[&str], folder: &Path) -> Option<String> {
    let path = from_npm().join("node_modules/.bin").join(program);
    let output = Command::new(path).args(arguments).current_dir(folder).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    (!output.status.success()).then(|| said.into_owned())
}

fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}
