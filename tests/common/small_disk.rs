//! A small file system, which a test fills.

use crate::server::Home;
use std::path::PathBuf;
use std::process::Command;

/// A file system of 24 MiB in memory, gone with the test.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Fails the test where this machine does not let us mount.
    pub fn mount(home: &Home) -> Self {
        let folder = home.path("disk");
        std::fs::create_dir_all(&folder).unwrap();
        let mut mount = Command::new("mount");
        run(mount.args(["-t", "tmpfs", "-o", "size=24m", "tmpfs"]).arg(&folder));
        Self(folder)
    }

    /// The path of a store on it.
    pub fn db(&self) -> String {
        self.0.join("rechat.redb").to_str().unwrap().to_owned()
    }

    /// Writes a file as large as there is room for, and gives its path.
    pub fn fill(&self) -> PathBuf {
        let filler = self.0.join("filler");
        // The error is the point.
        let _ = std::fs::write(&filler, vec![1; 32 << 20]);
        filler
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Runs a command, which has to succeed.
pub fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
