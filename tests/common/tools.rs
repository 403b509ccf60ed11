//! Programs that some tests need in addition to Rust.
//!
//! A test that needs one is `#[ignore = "needs …: tests/run"]`: plain `cargo test` leaves it out, and
//! says so with the reason. `tests/run` installs all of them and leaves out nothing.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::path::PathBuf;

/// Folders of programs that are not always on the PATH of a user.
const SYSTEM_FOLDERS: [&str; 2] = ["/usr/sbin", "/sbin"];

/// Path of a program.
///
/// Fails the test where it is missing: without it the test would prove nothing.
pub fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(SYSTEM_FOLDERS.map(PathBuf::from));
    let found = folders.map(|folder| folder.join(name)).find(|file| file.is_file());
    found.unwrap_or_else(|| panic!("`{name}` is not installed; `tests/run` installs it"))
}

/// The `node_modules` folder with the packages of `tests/page/package.json`.
///
/// Fails the test where it is missing.
pub fn node_modules() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("page/node_modules");
    assert!(folder.is_dir(), "{} is missing; `tests/run` installs it", folder.display());
    folder
}
