//! A pager for what is longer than the screen.

use std::io::Write;
use std::process::{Child, Command, Stdio};
use tokio::signal::unix::{SignalKind, signal};

/// The pager where `PAGER` names none.
const PAGER: &str = "less";

/// How `less` shows it unless `LESS` says otherwise: as it is where it fits, with colors, and the
/// screen stays as it was left.
const LESS_OPTIONS: &str = "FRX";

/// Shows a text with the pager, and waits until that has ended; false where there is no pager.
pub(super) fn show(text: &[u8]) -> bool {
    let Some(mut pager) = start() else { return false };
    // Ctrl-C is the pager's while it runs.
    let _interrupts = signal(SignalKind::interrupt());
    if let Some(mut input) = pager.stdin.take() {
        // The reader may leave before the end.
        let _ = input.write_all(text);
    }
    // 127: the shell did not find it.
    pager.wait().is_ok_and(|status| status.code() != Some(127))
}

fn start() -> Option<Child> {
    let named = std::env::var("PAGER").unwrap_or_else(|_| PAGER.to_owned());
    if named.trim().is_empty() {
        return None;
    }
    let mut command = Command::new("sh");
    command.arg("-c").arg(&named).stdin(Stdio::piped());
    if std::env::var_os("LESS").is_none() {
        command.env("LESS", LESS_OPTIONS);
    }
    command.spawn().ok()
}
