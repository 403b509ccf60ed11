//! `rechat open`: the page, signed in.

use super::output::Output;
use super::source::reader;
use crate::cli::{GlobalOptions, OpenArgs};
use crate::error::{Result, tell};
use crate::protocol::sign_in::SignInCode;
use std::env;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;
use tokio::time::timeout;

/// Time limit for the host's opener to fail. If it runs longer, it is the browser itself.
const OPENER_TIMEOUT: Duration = Duration::from_secs(3);

/// Variables of which a desktop sets one; without it an opener may start a browser of the terminal.
const DESKTOP: [&str; 4] = ["DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "WSL_DISTRO_NAME"];

pub(super) async fn run(open: OpenArgs, globals: &GlobalOptions) -> Result<()> {
    let made = reader(&open.source, globals).await?.make_sign_in_code().await?;
    let address = address(&made);
    let mut out = Output::new(globals);
    if !open.print && is_desktop() && open_browser(&address).await {
        out.line(format_args!("{} is open in the browser", made.page))?;
        return out.finish();
    }
    out.line(&address)?;
    out.finish()?;
    if let Some(seconds) = made.seconds {
        tell(format_args!("this address can be used once, within {seconds} s"));
    }
    Ok(())
}

/// The page's address; the code is in its fragment, which no server is sent.
fn address(made: &SignInCode) -> String {
    match &made.code {
        Some(code) => {
            let code: String = form_urlencoded::byte_serialize(code.as_bytes()).collect();
            format!("{}#sign-in={code}", made.page)
        }
        None => made.page.clone(),
    }
}

fn is_desktop() -> bool {
    cfg!(target_os = "macos") || DESKTOP.iter().any(|name| env::var_os(name).is_some())
}

/// Opens an address by the first opener of this host that does.
async fn open_browser(address: &str) -> bool {
    for command in ::open::commands(address) {
        let mut command = Command::from(command);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        let Ok(mut opener) = command.spawn() else { continue };
        match timeout(OPENER_TIMEOUT, opener.wait()).await {
            Ok(Ok(status)) if status.success() => return true,
            Ok(_) => {}
            Err(_) => return true,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_in_the_fragment() {
        let page = "http://127.0.0.1:8080/chat/".to_owned();
        let with = |code: Option<&str>| SignInCode {
            page: page.clone(),
            code: code.map(str::to_owned),
            seconds: None,
        };
        assert_eq!(address(&with(None)), page);
        assert_eq!(address(&with(Some("a-b_c"))), format!("{page}#sign-in=a-b_c"));
        assert_eq!(address(&with(Some("a b\n&"))), format!("{page}#sign-in=a+b%0A%26"));
    }
}
