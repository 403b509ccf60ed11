//! `rechat login` and `rechat logout`

use super::output::Output;
use super::source::reader;
use crate::cli::{GlobalOptions, LoginArgs, Logout};
use crate::client::Client;
use crate::error::{Error, Result};
use crate::protocol::http::PlatformState;
use crate::protocol::login::{LoginState, LoginStatus};
use crate::text::visible;
use std::io::{self, BufRead};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::sleep;

/// Pause between two looks at a login.
const PAUSE: Duration = Duration::from_millis(500);

/// Looks at the platforms until an account that is logged in has to be connected.
const CONNECT_LOOKS: u32 = 60;

/// Light modules around a code, without which phones do not find it.
const QUIET_ZONE: usize = 2;

pub(super) async fn log_in(login: LoginArgs, globals: &GlobalOptions) -> Result<()> {
    let platform = &login.platform;
    let mut client = reader(&login.source, globals).await?;
    let mut status = client.begin_login(platform).await?;
    let id = status.id.clone();
    let (mut out, mut shown) =
        (Output::new(globals), LoginStatus { qrcode: None, ..status.clone() });
    shown.state = LoginState::Wait;
    let mut typed = None;
    loop {
        show(&mut out, &shown, &status)?;
        match status.state {
            LoginState::Done => break,
            LoginState::Failed => {
                let reason = status.reason.as_deref().unwrap_or("the platform tells no reason");
                return Err(Error::failed(format!("not logged in: {}", visible(reason))));
            }
            LoginState::Digits => {
                let lines = typed.get_or_insert_with(lines_of_input);
                let line = lines.recv().await;
                let digits = line.ok_or_else(|| {
                    Error::failed("not logged in: the digits that the phone shows are missing")
                        .hint("run this in a terminal, or give them on standard input")
                })?;
                client.give_login_digits(platform, &id, digits).await?;
            }
            LoginState::Wait | LoginState::Scanned | LoginState::Expired => sleep(PAUSE).await,
        }
        shown = status;
        status = client.login(platform, &id).await?.ok_or_else(|| {
            Error::failed("the server forgot this login: another one was started meanwhile")
        })?;
    }
    connected(&mut client, &mut out, platform, status.account.as_deref()).await?;
    out.finish()
}

/// Waits until an account that is logged in is connected.
async fn connected(
    client: &mut Client,
    out: &mut Output,
    platform: &str,
    account: Option<&str>,
) -> Result<()> {
    let name = account.map_or_else(String::new, |account| format!(" as {}", visible(account)));
    let mut reason = None;
    for _ in 0..CONNECT_LOOKS {
        let all = client.platforms().await?;
        let its = all.into_iter().filter(|one| {
            one.platform == platform && (account.is_none() || one.account.as_deref() == account)
        });
        for one in its {
            if one.state == PlatformState::Connected {
                return out.line(format_args!("Logged in{name}, and connected."));
            }
            reason = one.reason.or(reason);
        }
        sleep(PAUSE).await;
    }
    let reason = reason.unwrap_or_else(|| "it is not connected yet".into());
    Err(Error::failed(format!("logged in{name}, but: {}", visible(&reason)))
        .hint("the server goes on trying; `rechat doctor` tells more"))
}

/// Shows what is new.
fn show(out: &mut Output, before: &LoginStatus, now: &LoginStatus) -> Result<()> {
    if let Some(code) = now.qrcode.as_ref().filter(|_| now.qrcode != before.qrcode) {
        for line in drawn(&now.modules) {
            out.line(line)?;
        }
        out.line("Scan this with the phone, or open it there:")?;
        out.line(visible(code))?;
    }
    if (now.state, &now.reason) != (before.state, &before.reason) {
        match now.state {
            LoginState::Scanned => {
                let reason = now.reason.as_deref().map(visible);
                out.line(reason.unwrap_or_else(|| "Scanned. Confirm on the phone.".into()))?;
            }
            LoginState::Expired => out.line("The code expired; here comes a new one.")?,
            LoginState::Digits => {
                let reason = now.reason.as_deref().map(|reason| format!("{} ", visible(reason)));
                let reason = reason.unwrap_or_default();
                out.line(format_args!("{reason}Type the digits that the phone shows:"))?;
            }
            LoginState::Wait | LoginState::Done | LoginState::Failed => {}
        }
    }
    out.flush()
}

/// A code in characters that are two modules high; light modules are drawn, for most terminals are
/// dark.
fn drawn(modules: &[String]) -> Vec<String> {
    let size = modules.len() + 2 * QUIET_ZONE;
    let is_light = |row: usize, column: usize| {
        let line = row.checked_sub(QUIET_ZONE).and_then(|row| modules.get(row));
        let module = column.checked_sub(QUIET_ZONE);
        let module = line.zip(module).and_then(|(line, at)| line.as_bytes().get(at));
        row < size && module != Some(&b'1')
    };
    let character = |row, column| match (is_light(row, column), is_light(row + 1, column)) {
        (true, true) => '█',
        (true, false) => '▀',
        (false, true) => '▄',
        (false, false) => ' ',
    };
    let row = |row| (0..size).map(|column| character(row, column)).collect();
    (0..size).step_by(2).map(row).collect()
}

/// Lines of standard input, read on a thread of their own.
fn lines_of_input() -> mpsc::Receiver<String> {
    let (lines, read) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(std::result::Result::ok) {
            let line = line.trim().to_owned();
            if !line.is_empty() && lines.blocking_send(line).is_err() {
                return;
            }
        }
    });
    read
}

pub(super) async fn log_out(logout: Logout, globals: &GlobalOptions) -> Result<()> {
    let mut client = reader(&logout.source, globals).await?;
    let account = logout.account.as_deref();
    let done = client.log_out(&logout.platform, account).await?.ok_or_else(|| {
        Error::failed(match account {
            Some(name) => format!("not logged out: `{}` is not logged in", visible(name)),
            None => format!("no account of {} is logged in", visible(&logout.platform)),
        })
        .hint("`rechat platforms` shows the accounts")
    })?;
    let mut out = Output::new(globals);
    out.line(format_args!("Logged out {}.", visible(&done.account)))?;
    out.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_drawn_two_modules_high() {
        let modules = ["10", "11"].map(str::to_owned);
        assert_eq!(drawn(&modules), ["██████", "██ ▀██", "██████"].map(str::to_owned));
    }
}
