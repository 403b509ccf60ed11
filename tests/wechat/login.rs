//! Logging in and out, and the end of a session.

use crate::bench::{ANN, Bench, WITH_ANN, told};
use crate::fake::Fault;
use crate::server::{TestServer, eventually};
use serde_json::json;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::sync::Arc;

#[test]
fn a_code_that_is_scanned_and_confirmed_logs_in() {
    let bench = Bench::new("");
    let platforms = bench.server.get("/api/platforms").1;
    let reason = platforms["platforms"][0]["reason"].as_str().unwrap_or_default().to_owned();
    assert!(reason.contains("rechat login wechat"), "{platforms}");
    let confirmed = bench.fake.new_bot(ANN);
    bench.fake.next_code(vec![told("wait"), told("scaned")]);
    let (status, login) = bench.server.ask("POST", "/api/login/wechat", None);
    assert_eq!((status, &login["state"]), (201, &json!("wait")), "{login}");
    assert_eq!(login["qrcode"], "https://liteapp.weixin.qq.com/q/0");
    assert!(login["modules"][0].as_str().unwrap().starts_with("1111111"), "{login}");
    let id = login["id"].as_str().unwrap();
    bench.until_login(id, "scanned");
    bench.fake.change(|state| state.codes[0].states.push_back(confirmed.clone()));
    let done = bench.until_login(id, "done");
    let account = confirmed["ilink_bot_id"].as_str().unwrap();
    assert_eq!((&done["account"], done.get("qrcode")), (&json!(account), None));
    bench.until_account(account, "Connected");
    assert_eq!(bench.fake.state().bots[0].notices, ["start"]);
    bench.assert_no_complaints();
}

#[test]
fn a_code_that_expires_is_renewed_and_digits_are_asked_for() {
    let bench = Bench::new("");
    let confirmed = bench.fake.new_bot(ANN);
    let redirect = json!({"status": "scaned_but_redirect", "redirect_host": bench.fake.address});
    bench.fake.next_code(vec![json!({"ret": -1, "status": "expired"})]);
    bench.fake.next_code(vec![
        told("need_verifycode"),
        told("need_verifycode"),
        redirect,
        confirmed,
    ]);
    let (_, login) = bench.server.ask("POST", "/api/login/wechat", None);
    let path = format!("/api/login/wechat/{}", login["id"].as_str().unwrap());
    let asked = bench.until_login(login["id"].as_str().unwrap(), "digits");
    assert_eq!(asked["qrcode"], "https://liteapp.weixin.qq.com/q/1", "it is the second one");
    for wrong in [json!({}), json!({"digits": "12a"}), json!({"digits": ""})] {
        assert_eq!(bench.server.ask("POST", &path, Some(&wrong)).0, 400);
    }
    assert_eq!(bench.server.ask("POST", &path, Some(&json!({"digits": "1234"}))).0, 200);
    eventually("they were wrong", || {
        let login = bench.server.get(&path).1;
        login["reason"].as_str().is_some_and(|reason| reason.contains("wrong")).then_some(())
    });
    assert_eq!(bench.server.ask("POST", &path, Some(&json!({"digits": "5678"}))).0, 200);
    bench.until_login(login["id"].as_str().unwrap(), "done");
    assert_eq!(bench.server.ask("POST", &path, Some(&json!({"digits": "1"}))).0, 409);
    let looks = bench.fake.state().codes[1].looks.clone();
    let given: Vec<_> = looks.iter().flatten().cloned().collect();
    assert_eq!(given, ["1234", "5678"], "each is given once: {looks:?}");
}

#[test]
fn the_terminal_shows_the_code_and_ends_once_the_account_is_connected() {
    let bench = Bench::new("");
    let confirmed = bench.fake.new_bot(ANN);
    bench.fake.next_code(vec![told("wait"), told("need_verifycode"), confirmed]);
    let mut command = bench.server.home.command(&["login", "wechat"]);
    let mut process = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
    let shown: Vec<_> =
        lines.by_ref().take_while(|line| !line.contains("Type the digits")).collect();
    assert!(shown[0].chars().all(|c| c == '█'), "{shown:?}");
    assert!(shown.iter().any(|line| line == "https://liteapp.weixin.qq.com/q/0"), "{shown:?}");
    writeln!(process.stdin.take().unwrap(), "42").unwrap();
    let end: Vec<_> = lines.collect();
    assert!(process.wait().unwrap().success());
    assert!(end.last().unwrap().contains("connected"), "{end:?}");
    assert_eq!(bench.fake.state().codes[0].looks.last(), Some(&Some("42".to_owned())));
    let out = bench.server.home.ok(&["logout", "wechat"]);
    assert!(out.contains("@im.bot"), "{out}");
    eventually("polling ended", || {
        bench.fake.state().bots[0].notices.contains(&"stop").then_some(())
    });
    let error = bench.server.home.fails(1, &["logout", "wechat"]);
    assert!(error.contains("no account of wechat is logged in"), "{error}");
}

#[test]
fn only_platforms_that_log_in_take_a_login_and_only_a_server_does() {
    let bench = Bench::new("");
    let (status, body) = bench.server.ask("POST", "/api/login/qq", None);
    assert_eq!((status, &body["code"]), (409, &json!("unsupported")));
    assert_eq!(bench.server.get("/api/login/wechat/nothing").0, 404);
    let home = crate::server::Home::new();
    let error = home.fails(1, &["login", "wechat"]);
    assert!(error.contains("rechat serve"), "{error}");
}

#[test]
fn several_persons_are_served_side_by_side_and_one_who_scans_again_is_the_same() {
    let bench = Bench::logged_in("");
    let other = bench.log_in("oBob@im.wechat");
    bench.fake.write(0, "from Ann");
    bench.fake.write(1, "from Bob");
    bench.until_inbound(2);
    let to_bob = bench.server.make_for(Some("wechat"), "private_oBob@im.wechat", "to Bob");
    let to_ann = bench.make("to Ann");
    bench.server.until(&to_bob, "Sent");
    bench.server.until(&to_ann, "Sent");
    assert_eq!(
        (bench.fake.texts(0), bench.fake.texts(1)),
        (vec!["to Ann".into()], vec!["to Bob".into()])
    );
    assert_eq!(bench.server.ask("DELETE", "/api/login/wechat", None).0, 409, "which one?");
    let again = bench.log_in(ANN);
    let platforms = bench.server.get("/api/platforms").1;
    let accounts = platforms["platforms"].as_array().unwrap().iter();
    let mut accounts: Vec<_> =
        accounts.map(|one| one["account"].as_str().unwrap().to_owned()).collect();
    accounts.sort();
    let mut wanted = vec![other, again];
    wanted.sort();
    assert_eq!(accounts, wanted, "her old bot is forgotten");
    let held = bench.fake.state().held_tokens.last().unwrap().clone();
    assert_eq!(held.as_array().unwrap().len(), 2, "{held}");
    // The old token is of no use with the new bot.
    let waits = bench.make("to Ann again");
    bench.until_waiting(&waits, "written");
    bench.fake.write(2, "hello again");
    bench.server.until(&waits, "Sent");
    assert_eq!(bench.fake.texts(2), ["to Ann again"]);
}

#[test]
fn a_bot_that_is_bound_already_is_a_success() {
    let bench = Bench::logged_in("");
    bench.fake.next_code(vec![told("binded_redirect")]);
    let (_, login) = bench.server.ask("POST", "/api/login/wechat", None);
    let done = bench.until_login(login["id"].as_str().unwrap(), "done");
    assert!(done["account"].as_str().unwrap().ends_with("@im.bot"), "{done}");
}

#[test]
fn a_session_that_ended_is_an_error_with_advice_and_its_queue_stays() {
    let bench = Bench::logged_in("");
    bench.fake.write(0, "hello");
    bench.until_inbound(1);
    let account = bench.fake.state().bots[0].account.clone();
    bench.fake.change(|state| state.bots[0].is_ended = true);
    let shown = bench.until_account(&account, "Error");
    assert!(shown["reason"].as_str().unwrap().contains("rechat login wechat"), "{shown}");
    let id = bench.make("later");
    let waits = bench.until_waiting(&id, "log in again");
    assert_eq!((&waits["retry_count"], waits.get("last_error")), (&json!(0), None));
    bench.log_in(ANN);
    bench.until_waiting(&id, "written");
    bench.fake.write(1, "hello again");
    let sent = bench.server.until(&id, "Sent");
    assert_eq!(sent["retry_count"], 0);
    assert_eq!(bench.fake.texts(1), ["later"]);
}

#[test]
fn a_session_that_ended_is_told_also_where_the_platform_has_no_notices() {
    let bench = Bench::new("");
    bench.fake.change(|state| state.is_plain = true);
    let account = bench.log_in(ANN);
    bench.fake.write(0, "hello");
    bench.until_inbound(1);
    bench.fake.change(|state| state.bots[0].is_ended = true);
    let shown = bench.until_account(&account, "Error");
    assert!(shown["reason"].as_str().unwrap().contains("rechat login wechat"), "{shown}");
    let waits = bench.until_waiting(&bench.make("later"), "log in again");
    assert_eq!(waits["retry_count"], 0);
}

#[test]
fn an_answer_of_another_session_is_asked_about_before_it_is_believed() {
    let bench = Bench::logged_in("");
    bench.fake.write(0, "hello");
    bench.until_inbound(1);
    bench.fake.fail("sendmessage", &[Fault::Errcode(-14)]);
    let sent = bench.server.until(&bench.make("taken up"), "Sent");
    assert_eq!(sent["retry_count"], 0, "{sent}");
    bench.fake.fail("sendmessage", &[Fault::Errcode(-14)]);
    bench.fake.fail("notifystart", &[Fault::Status(502)]);
    let sent = bench.server.until(&bench.make("asked again"), "Sent");
    assert_eq!(sent["retry_count"], 0, "{sent}");
    assert_eq!(bench.fake.texts(0), ["taken up", "asked again"]);
    let account = bench.fake.state().bots[0].account.clone();
    bench.until_account(&account, "Connected");
}

#[test]
fn a_person_who_scans_again_wakes_an_account_whose_session_had_ended() {
    let bench = Bench::logged_in("");
    let account = bench.fake.state().bots[0].account.clone();
    bench.fake.change(|state| state.bots[0].is_ended = true);
    bench.until_account(&account, "Error");
    let scan = || {
        bench.fake.next_code(vec![told("binded_redirect")]);
        let (_, login) = bench.server.ask("POST", "/api/login/wechat", None);
        login["id"].as_str().unwrap().to_owned()
    };
    bench.fake.change(|state| state.bots[0].is_ended = false);
    let done = bench.until_login(&scan(), "done");
    assert_eq!(done["account"], json!(account));
    bench.until_account(&account, "Connected");
    // It does not help where the platform stays with it.
    bench.fake.change(|state| state.bots[0].is_ended = true);
    bench.until_account(&account, "Error");
    let failed = bench.until_login(&scan(), "failed");
    let reason = failed["reason"].as_str().unwrap();
    assert!(reason.contains(&account) && reason.contains("rechat logout wechat"), "{failed}");
}

#[test]
fn a_message_waits_for_its_own_account_and_says_why_that_does_not_work() {
    let mut bench = Bench::logged_in("");
    bench.log_in("oBob@im.wechat");
    bench.fake.write(0, "from Ann");
    bench.until_inbound(1);
    let ann = bench.fake.state().bots[0].account.clone();
    bench.fake.change(|state| state.bots[0].is_ended = true);
    bench.until_account(&ann, "Error");
    let id = bench.make("to Ann");
    let waits = bench.until_waiting(&id, "log in again");
    assert!(waits["waiting"].as_str().unwrap().contains(&ann), "{waits}");
    assert_eq!(waits["waiting_code"], "not_connected");
    bench.server.kill();
    bench.server.start_again();
    bench.until_account(&ann, "Error");
    bench.until_waiting(&id, "log in again");
    assert_eq!(bench.fake.state().bots[1].attempts, 0, "Bob's bot is no way to Ann");
    bench.log_in(ANN);
    bench.fake.write(2, "hello again");
    bench.server.until(&id, "Sent");
    assert_eq!(bench.fake.texts(2), ["to Ann"]);
}

#[test]
fn a_login_is_not_followed_to_a_private_host_that_is_not_configured() {
    let bench = Bench::new("");
    let redirect = json!({"status": "scaned_but_redirect", "redirect_host": "127.0.0.2:9"});
    bench.fake.next_code(vec![redirect]);
    let (_, login) = bench.server.ask("POST", "/api/login/wechat", None);
    let failed = bench.until_login(login["id"].as_str().unwrap(), "failed");
    assert!(failed["reason"].as_str().unwrap().contains("not asked there"), "{failed}");
}

#[test]
fn a_send_may_be_the_first_to_find_that_the_session_ended() {
    let bench = Bench::logged_in("");
    bench.fake.write(0, "hello");
    bench.until_inbound(1);
    bench.fake.change(|state| state.bots[0].is_ended = true);
    let id = bench.make("later");
    let account = bench.fake.state().bots[0].account.clone();
    bench.until_account(&account, "Error");
    let waits = bench.until_waiting(&id, "log in again");
    assert_eq!(waits["retry_count"], 0);
}

#[test]
fn a_login_outlives_a_restart_and_its_token_is_nowhere_to_be_seen() {
    let mut bench = Bench::logged_in("");
    bench.fake.write(0, "hello");
    bench.until_inbound(1);
    let token = bench.fake.state().bots[0].token.clone();
    assert_eq!(bench.server.stop(), Some(0));
    bench.server.start_again();
    let account = bench.fake.state().bots[0].account.clone();
    bench.until_account(&account, "Connected");
    let id = bench.make("after the restart");
    bench.server.until(&id, "Sent");
    let home = &bench.server.home;
    let backup = home.path("backup.redb");
    home.ok(&["backup", backup.to_str().unwrap()]);
    let context = "context ";
    for (what, bytes) in [
        ("the log", bench.server.log().into_bytes()),
        ("the export", home.ok(&["export"]).into_bytes()),
        ("the platforms", bench.server.get("/api/platforms").1.to_string().into_bytes()),
        ("a backup", std::fs::read(backup).unwrap()),
    ] {
        for secret in [token.as_bytes(), context.as_bytes()] {
            let is_there = bytes.windows(secret.len()).any(|window| window == secret);
            assert!(!is_there, "{what} holds {}", String::from_utf8_lossy(secret));
        }
    }
    assert!(crate::server::has_mode(&home.db(), 0o600), "the store is its owner's alone");
}

#[test]
fn an_account_has_one_poller_over_reloads_and_in_a_second_process() {
    let mut bench = Bench::logged_in("");
    let account = bench.fake.state().bots[0].account.clone();
    let config = format!(
        "{}\n[log]\nlevel = 'info'\n",
        bench.fake.entry("reconnect = 0.05\nrate_limit = 100")
    );
    for n in 0..3 {
        bench.server.home.configure(&format!("{config}# {n}\n").replace("100", &format!("10{n}")));
        bench.server.signal(rustix::process::Signal::HUP);
        eventually("it polls again", || {
            (bench.fake.state().bots[0].notices.len() >= 3 + 2 * n).then_some(())
        });
        bench.until_account(&account, "Connected");
    }
    bench.fake.change(|state| state.bots[0].has_settled = false);
    eventually("a poll goes on", || bench.fake.state().bots[0].has_settled.then_some(()));
    assert_eq!(bench.fake.state().bots[0].most_polls, 1);
    // A copy of the whole store, which a careless administrator starts too.
    bench.server.stop();
    let copy = Arc::new(crate::server::Home::new());
    copy.configure(&config);
    std::fs::create_dir_all(copy.db().parent().unwrap()).unwrap();
    std::fs::copy(bench.server.home.db(), copy.db()).unwrap();
    bench.server.start_again();
    bench.until_account(&account, "Connected");
    let second = TestServer::start_in(copy, &[]);
    eventually("the second one stands back", || {
        let shown = second.get("/api/platforms").1.to_string();
        shown.contains("another rechat").then_some(())
    });
    assert_eq!(bench.fake.state().bots[0].most_polls, 1);
    bench.server.kill();
    eventually("the second one takes over", || {
        let shown = second.get("/api/platforms").1.to_string();
        shown.contains("\"Connected\"").then_some(())
    });
    bench.fake.write(0, "hello");
    eventually("it came in there", || {
        let shown = second.get(&format!("/api/messages?conversation={WITH_ANN}")).1;
        (shown["messages"].as_array().unwrap().len() == 1).then_some(())
    });
}
