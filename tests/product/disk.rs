//! A disk that is full, for real: a small file system in memory.

use crate::server::{Home, TestServer, eventually};
use serde_json::json;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

/// A small file system, gone with the test.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` where this machine does not let us mount.
    fn mount(home: &Home) -> Option<Self> {
        let folder = home.path("disk");
        std::fs::create_dir_all(&folder).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=24m", "tmpfs"])
            .arg(&folder)
            .output();
        mounted.is_ok_and(|output| output.status.success()).then_some(Self(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_refuses_writers_alone_and_mends_itself() {
    let home = Arc::new(Home::new());
    let Some(disk) = SmallDisk::mount(&home) else {
        eprintln!("left out: this machine lets nobody mount a small disk");
        return;
    };
    let db = disk.0.join("rechat.redb");
    let server = TestServer::start_in(home.clone(), &["--db", db.to_str().unwrap()]);
    let id = server.make_for(Some("nowhere"), "group_1", "before");
    let filler = disk.0.join("filler");
    // As much as there is room for; the error is the point.
    let _ = std::fs::write(&filler, vec![1; 32 << 20]);
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
