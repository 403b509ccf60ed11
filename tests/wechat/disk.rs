//! A real disk that is full.

use crate::bench::{ANN, Bench};
use crate::server::{Home, eventually};
use crate::small_disk::SmallDisk;
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
