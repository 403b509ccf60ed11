//! A real disk that is full.

use crate::bench::{ANN, Bench};
use crate::server::{Home, eventually};
use crate::small_disk::SmallDisk;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;

#[test]
#[ignore = "needs to mount a file system: tests/run"]
fn a_login_on_a_full_disk_is_told_and_done_once_there_is_room() {
    let home = Arc::new(Home::new());
    let disk = SmallDisk::mount(&home);
    let bench = Bench::in_home(home, "", &["--db", &disk.db()]);
    let before = bench.log_in(ANN);
    let filler = disk.fill();
    let confirmed = bench.fake.new_bot(ANN);
    let account = confirmed["ilink_bot_id"].as_str().unwrap().to_owned();
    bench.fake.next_code(vec![confirmed]);
    let (status, login) = bench.server.ask("POST", "/api/login/wechat", None);
    assert_eq!(status, 201, "{login}");
    let path = format!("/api/login/wechat/{}", login["id"].as_str().unwrap());
    let told = eventually("it says why the login is not done", || {
        let (status, told) = bench.server.get(&path);
        assert_eq!(status, 200, "{told}");
        let is_told = told["reason"].as_str()?.contains("once it is on the disk");
        is_told.then_some(told)
    });
    assert_eq!(told["state"], "scanned", "{told}");
    assert_eq!(bench.server.ask("POST", "/api/login/wechat", None).0, 201, "it answers on");
    // The account before is there until its successor is on the disk.
    let platforms = bench.server.get("/api/platforms").1.to_string();
    assert!(platforms.contains(&before) && !platforms.contains(&account), "{platforms}");
    std::fs::remove_file(&filler).unwrap();
    bench.until_login(login["id"].as_str().unwrap(), "done");
    bench.until_account(&account, "Connected");
    let platforms = bench.server.get("/api/platforms").1.to_string();
    assert!(!platforms.contains(&before), "{platforms}");
}

/// A server that is logged in, on a disk that was full since then.
struct FullDisk {
    bench: Bench,
    account: String,
    filler: PathBuf,
    _disk: SmallDisk,
}

impl FullDisk {
    fn logged_in() -> Self {
        let home = Arc::new(Home::new());
        let disk = SmallDisk::mount(&home);
        let bench = Bench::in_home(home, "", &["--db", &disk.db()]);
        let account = bench.log_in(ANN);
        let filler = disk.fill();
        Self { bench, account, filler, _disk: disk }
    }

    /// Confirms another login of the same bot; gives its ID once it waits for the disk.
    fn confirm(&self) -> String {
        let mut confirmed = self.bench.fake.new_bot(ANN);
        confirmed["ilink_bot_id"] = json!(self.account);
        self.bench.fake.next_code(vec![confirmed]);
        let login = self.bench.server.ask("POST", "/api/login/wechat", None).1;
        let path = format!("/api/login/wechat/{}", login["id"].as_str().unwrap());
        eventually("the login waits for the disk", || {
            let told = self.bench.server.get(&path).1;
            told["reason"].as_str()?.contains("once it is on the disk").then_some(())
        });
        login["id"].as_str().unwrap().to_owned()
    }

    fn make_room(&self) {
        std::fs::remove_file(&self.filler).unwrap();
    }

    /// The notices of each bot that was given out.
    fn notices(&self) -> Vec<Vec<&'static str>> {
        self.bench.fake.state().bots.iter().map(|bot| bot.notices.clone()).collect()
    }
}

#[test]
#[ignore = "needs to mount a file system: tests/run"]
fn of_several_logins_that_wait_for_the_disk_the_last_one_counts() {
    let mut full = FullDisk::logged_in();
    let first = full.confirm();
    let last = full.confirm();
    let failed = full.bench.until_login(&first, "failed");
    assert!(failed["reason"].as_str().unwrap().contains("later login"), "{failed}");
    // The platform would take the first one, too.
    full.bench.fake.change(|state| state.bots[1].is_ended = false);
    full.make_room();
    full.bench.until_login(&last, "done");
    full.bench.until_account(&full.account, "Connected");
    full.bench.server.kill();
    full.bench.server.start_again();
    full.bench.until_account(&full.account, "Connected");
    let [_, first, last] = &full.notices()[..] else { panic!("{:?}", full.notices()) };
    assert_eq!((first.len(), &last[..]), (0, &["start", "start"][..]));
}

#[test]
#[ignore = "needs to mount a file system: tests/run"]
fn a_logout_ends_a_login_that_waits_for_the_disk() {
    let mut full = FullDisk::logged_in();
    let login = full.confirm();
    let (status, answer): (u16, Value) = std::thread::scope(|scope| {
        let ask = || full.bench.server.ask("DELETE", "/api/login/wechat", None);
        let asked = scope.spawn(ask);
        let failed = full.bench.until_login(&login, "failed");
        assert!(failed["reason"].as_str().unwrap().contains("logged out"), "{failed}");
        full.make_room();
        asked.join().unwrap()
    });
    assert_eq!((status, &answer["account"]), (200, &json!(full.account)));
    full.bench.server.kill();
    full.bench.server.start_again();
    let advice = "rechat login wechat";
    eventually("nobody is logged in", || {
        let platforms = full.bench.server.get("/api/platforms").1.to_string();
        assert!(!platforms.contains(&full.account), "{platforms}");
        platforms.contains(advice).then_some(())
    });
    assert_eq!(full.notices()[1].len(), 0);
}
