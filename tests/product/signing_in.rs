//! `rechat open`: the page is signed in by a code, and no address, process or log has the token.

use crate::server::{Home, TestServer, agent};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

const TOKEN: &str = "a-token-that-nobody-should-see";

fn server() -> TestServer {
    TestServer::start_with(&["--token", TOKEN])
}

/// Signs in by a code, as the page does.
fn sign_in(server: &TestServer, code: &str) -> (u16, Value) {
    let request = agent().post(server.url("/api/sign-in"));
    let mut answer = request.send_json(json!({"code": code})).unwrap();
    (answer.status().as_u16(), answer.body_mut().read_json().unwrap())
}

/// The address that is printed, and its code.
fn printed(home: &Home, more: &[&str]) -> (String, String) {
    let told = home.ok(&[&["open", "--print"], more].concat());
    let (page, code) = told.trim_end().split_once("#sign-in=").expect(&told);
    (page.to_owned(), code.to_owned())
}

#[test]
fn a_code_signs_in_once_and_the_token_is_in_no_address() {
    let server = server();
    let (page, code) = printed(&server.home, &[]);
    assert_eq!(page, server.url("/"));
    assert!(code.len() >= 40 && !code.contains(TOKEN), "{code}");
    assert_eq!(sign_in(&server, &code), (200, json!({"token": TOKEN})));
    let (status, again) = sign_in(&server, &code);
    assert_eq!((status, &again["code"]), (401, &json!("unauthorized")), "{again}");
    assert!(again["error"].as_str().unwrap().contains("rechat open"), "{again}");
    assert_eq!(sign_in(&server, "").0, 400);
    assert_eq!(sign_in(&server, "guessed").0, 401);
    assert!(!server.log().contains(TOKEN) && !server.log().contains(&code), "{}", server.log());
}

#[test]
fn a_code_stands_for_the_token_that_asked_for_it() {
    let home = Arc::new(Home::new());
    home.configure(
        "[[tokens]]\nname = 'all'\nscope = 'admin'\ntoken = 'admin-token'\n\
         [[tokens]]\nname = 'look'\nscope = 'read'\ntoken = 'read-token'\n\
         [[tokens]]\nname = 'dial'\nscope = 'adapter'\ntoken = 'adapter-token'\n",
    );
    let server = TestServer::start_in(home, &[]);
    let url = server.url("");
    let elsewhere = Home::new();
    let by = |token| ["--server", url.as_str(), "--token", token];
    let (page, code) = printed(&elsewhere, &by("read-token"));
    assert_eq!(page, server.url("/"), "the address by which it was asked");
    assert_eq!(sign_in(&server, &code).1["token"], "read-token");
    // The socket beside the store is the owner's.
    let (_, code) = printed(&server.home, &[]);
    assert_eq!(sign_in(&server, &code).1["token"], "admin-token");
    let [url, address, flag, token] = by("adapter-token");
    elsewhere.fails(1, &["open", url, address, flag, token]);
    assert!(elsewhere.fails(1, &["open", "--server", address]).contains("token"));
}

#[test]
fn the_hosts_opener_gets_the_address_where_there_is_a_desktop() {
    let server = server();
    let home = &server.home;
    let (folder, opened) = (home.path("bin"), home.path("opened"));
    fs::create_dir(&folder).unwrap();
    let opener = folder.join("xdg-open");
    let open = |script: &str, desktop: Option<&str>| {
        fs::write(&opener, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&opener, fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = home.command(&["open"]);
        // No other opener of this machine.
        command.env("PATH", format!("{}:/bin", folder.display()));
        for variable in ["DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "WSL_DISTRO_NAME"] {
            command.env_remove(variable);
        }
        command.envs(desktop.map(|name| (name, ":0")));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let keep = format!("printf %s \"$*\" > {}", opened.display());
    let told = open(&keep, Some("DISPLAY"));
    assert!(told.contains("is open in the browser") && !told.contains("sign-in"), "{told}");
    let address = fs::read_to_string(&opened).unwrap();
    let (_, code) = address.split_once("#sign-in=").expect(&address);
    assert_eq!(sign_in(&server, code).0, 200);
    fs::remove_file(&opened).unwrap();
    assert!(open(&keep, None).contains("#sign-in="), "it is printed");
    assert!(!opened.exists(), "without a desktop no browser is started");
    assert!(open("exit 3", Some("DISPLAY")).contains("#sign-in="), "the opener has no browser");
}

#[test]
fn a_server_without_a_token_needs_no_code_and_without_a_server_there_is_no_page() {
    let server = TestServer::start();
    assert_eq!(server.home.ok(&["open", "--print"]), format!("{}\n", server.url("/")));
    let made = server.ask("POST", "/api/sign-in/code", None);
    assert_eq!(made, (201, json!({"page": server.url("/")})));
    let home = Home::new();
    home.ok(&["send", "-p", "qq", "-r", "group_1", "x"]);
    let told = home.fails(1, &["open"]);
    assert!(told.contains("no server runs") && told.contains("rechat serve"), "{told}");
}
