//! Real disks that fail: one that is full, one that the system makes read-only, and one that does not answer.

use crate::account::{ACCOUNT, implementation, said};
use crate::media::upload;
use crate::onebot::Reply;
use crate::onebot11::{own_message, willing, willing_but};
use crate::parts::{make_two_parts, stored};
use crate::server::{Home, TestServer, eventually};
use crate::small_disk::{SmallDisk, run};
use crate::socket::{Client, send_message};
use crate::tools::program;
use serde_json::json;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;

#[test]
#[ignore = "needs to mount a file system: tests/run"]
fn a_full_disk_refuses_writers_alone_and_mends_itself() {
    let home = Arc::new(Home::new());
    let disk = SmallDisk::mount(&home);
    let server = TestServer::start_in(home.clone(), &["--db", &disk.db()]);
    let id = server.make_for(Some("nowhere"), "group_1", "before");
    let filler = disk.fill();
    let body =
        json!({"message_type": "Text", "content": "x", "recipient": "g", "platform": "nowhere"});
    let (status, error) = server.post(&body);
    assert_eq!(status, 500, "{error}");
    assert!(error["error"].as_str().unwrap().contains("full"), "{error}");
    assert_eq!(server.get(&format!("/api/messages/{id}")).0, 200);
    assert_eq!(server.get("/api/stats").1["total"], 1);
    assert_eq!(server.get("/api/health").0, 200);
    std::fs::remove_file(&filler).unwrap();
    eventually("it writes again", || (server.post(&body).0 == 201).then_some(()));
    assert_eq!(server.get("/api/stats").1["total"], 2);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs to mount a file system: tests/run"]
async fn the_echo_of_a_part_whose_process_was_killed_is_known_while_the_disk_is_full() {
    let home = Arc::new(Home::new());
    let disk = SmallDisk::mount(&home);
    home.configure("[[adapter]]\nkind = 'onebot11'\nhistory = 0\n");
    let mut server = TestServer::start_in(home.clone(), &["--db", &disk.db()]);
    let peer = implementation(&server, willing_but("send_group_msg", Reply::Silent)).await;
    let id = make_two_parts(&server);
    peer.action("send_group_msg").await;
    server.kill();
    let filler = disk.fill();
    server.start_again();
    let peer = implementation(&server, willing()).await;
    peer.push(&said(1, "it waits for the disk"));
    server.tells("events cannot be stored and wait");
    peer.push(&own_message(ACCOUNT, 77, 101, "see"));
    // It is logged once all that came before has been judged.
    peer.push_text("no JSON");
    server.tells("skipped");
    std::fs::remove_file(&filler).unwrap();
    server.until(&id, "Sent");
    assert_eq!(stored(&server, &peer).len(), 2);
    let actions = peer.actions();
    let sent = actions.iter().filter(|action| action["action"] == "send_group_msg");
    let types: Vec<_> = sent.map(|action| &action["params"]["message"][0]["type"]).collect();
    assert_eq!(types, ["file"], "the first part went out before");
}

/// Another user of this host, who may read the store and not write it.
fn run_as_reader(home: &Home, arguments: &[&str]) -> Output {
    let mut command = home.command(arguments);
    if rustix::process::geteuid().is_root() {
        command.uid(65_534).gid(65_534);
    }
    command.output().unwrap()
}

#[test]
fn a_store_that_was_not_closed_is_read_by_those_who_may_not_write_it() {
    let mut server = TestServer::start();
    server.make_for(Some("nowhere"), "group_1", "hello");
    server.kill();
    let home = &server.home;
    std::fs::remove_file(home.path("data/rechat/rechat.sock")).unwrap();
    for folder in ["", "data", "data/rechat"] {
        std::fs::set_permissions(home.path(folder), Permissions::from_mode(0o755)).unwrap();
    }
    for file in [home.db(), home.path("data/rechat/rechat.redb-wal")] {
        if file.exists() {
            std::fs::set_permissions(&file, Permissions::from_mode(0o444)).unwrap();
        }
    }
    let before = std::fs::read(home.db()).unwrap();
    for command in ["list", "stats"] {
        let output = run_as_reader(home, &[command]);
        let told = String::from_utf8(output.stdout).unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{errors}");
        assert!(told.contains("hello") || told.contains("Pending              1"), "{told}");
    }
    assert!(std::fs::read(home.db()).unwrap() == before, "the file is left as it is");
}

#[test]
#[ignore = "needs to mount a file system: tests/run"]
fn a_full_disk_refuses_files_and_keeps_nothing_of_them() {
    let home = Arc::new(Home::new());
    let disk = SmallDisk::mount(&home);
    home.configure("[media]\nreserve_bytes = 0\n");
    let server = TestServer::start_in(home.clone(), &["--db", &disk.db()]);
    let (status, refused) = upload(&server, "", &vec![7; 30 << 20]);
    assert_eq!((status, &refused["code"]), (507, &json!("media_full")), "{refused}");
    assert!(refused["error"].as_str().unwrap().contains("full"), "{refused}");
    let small = vec![8; 1 << 20];
    eventually("there is room again", || (upload(&server, "", &small).0 == 201).then_some(()));
    let (_, list) = server.get("/api/media");
    assert_eq!((&list["count"], &list["bytes"]), (&json!(1), &json!(1 << 20)));
}

/// A file system of its own in a file, which its system can take for broken.
struct FragileDisk {
    image: PathBuf,
    folder: PathBuf,
}

impl FragileDisk {
    /// Fails the test where this machine does not let us make or mount one.
    fn make(home: &Home) -> Self {
        let (image, folder) = (home.path("image"), home.path("fragile"));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::File::create(&image).unwrap().set_len(64 << 20).unwrap();
        run(Command::new(program("mkfs.ext4")).arg("-q").arg(&image));
        let disk = Self { image, folder };
        disk.mount();
        disk
    }

    fn mount(&self) {
        let mut mount = Command::new("mount");
        run(mount.args(["-o", "loop"]).arg(&self.image).arg(&self.folder));
    }

    /// Reaction of the kernel to a damaged file system: read-only from now on.
    fn fail(&self) {
        let mut mount = Command::new("mount");
        run(mount.args(["-o", "remount,abort"]).arg(&self.folder));
    }

    /// Lets all that writes to it wait until the result is dropped.
    fn freeze(&self) -> FrozenDisk<'_> {
        run(Command::new(program("fsfreeze")).arg("--freeze").arg(&self.folder));
        FrozenDisk(self)
    }

    /// Remedy of an administrator.
    fn mend(&self) {
        eventually("nobody has it open", || {
            let unmounted = Command::new("umount").arg(&self.folder).output().unwrap();
            unmounted.status.success().then_some(())
        });
        self.mount();
    }
}

impl Drop for FragileDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.folder).status();
    }
}

/// To be dropped before the server, which could not end otherwise.
struct FrozenDisk<'a>(&'a FragileDisk);

impl Drop for FrozenDisk<'_> {
    fn drop(&mut self) {
        let mut thaw = Command::new(program("fsfreeze"));
        let _ = thaw.arg("--unfreeze").arg(&self.0.folder).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs mkfs.ext4 and to mount a file system: tests/run"]
async fn clients_are_told_in_time_that_the_disk_does_not_answer() {
    let home = Arc::new(Home::new());
    home.configure("[limits]\nanswer_seconds = 1\n");
    let disk = FragileDisk::make(&home);
    let db = disk.folder.join("rechat.redb");
    let server = TestServer::start_in(home.clone(), &["--db", db.to_str().unwrap()]);
    let mut client = Client::connect(&server).await;
    client.send("nowhere", "group_1", "it answers").await;
    let frozen = disk.freeze();
    let late = "the disk did not answer within 1 s; whether it was stored is unknown";
    let answer = client.ask(&send_message("nowhere", "group_1", "by WebSocket")).await;
    assert_eq!((&answer["type"], &answer["error"]), (&json!("error"), &json!(late)));
    let body = json!({"message_type": "Text", "content": "by POST", "recipient": "g"});
    let (status, refused) = server.post(&body);
    assert_eq!((status, &refused["error"]), (503, &json!(late)));
    assert_eq!(server.get("/api/stats").1["total"], 1, "reading goes on");
    drop(frozen);
    eventually("both are stored", || (server.get("/api/stats").1["total"] == 3).then_some(()));
    client.send("nowhere", "group_1", "it answers again").await;
}

#[test]
#[ignore = "needs mkfs.ext4 and to mount a file system: tests/run"]
fn a_file_system_that_becomes_read_only_refuses_and_is_taken_up_again() {
    let home = Arc::new(Home::new());
    let disk = FragileDisk::make(&home);
    // The socket beside the store is not to hold the file system.
    let db = home.path("rechat.redb");
    std::os::unix::fs::symlink(disk.folder.join("rechat.redb"), &db).unwrap();
    let server = TestServer::start_in(home.clone(), &["--db", db.to_str().unwrap()]);
    let mut kept = Vec::new();
    for round in 0..3 {
        for n in 0..20 {
            kept.push(server.make_for(Some("nowhere"), "group_1", &format!("{round} {n}")));
        }
        disk.fail();
        let body = json!({"message_type": "Text", "content": "x", "recipient": "g", "platform": "nowhere"});
        let (status, error) = server.post(&body);
        assert_eq!(status, 500, "{error}");
        assert!(error["error"].as_str().unwrap().contains("Read-only file system"), "{error}");
        assert_eq!(server.get("/api/health").0, 200);
        for id in &kept {
            let (status, message) = server.get(&format!("/api/messages/{id}"));
            assert_eq!(status, 200, "reading goes on: {message}");
        }
        disk.mend();
        let made = eventually("it writes again", || {
            let (status, message) = server.post(&body);
            (status == 201).then_some(message)
        });
        kept.push(made["id"].as_str().unwrap().to_owned());
        assert_eq!(server.get("/api/stats").1["total"], kept.len(), "nothing is lost or doubled");
    }
    drop(server);
    home.ok(&["check", "--db", db.to_str().unwrap()]);
}
