//! The sum of all blobs stays right after any failure.

use super::*;
use crate::media::upload::Upload;
use proptest::prelude::*;

/// A step of the model; `n` names a blob of `n + 1` bytes.
#[derive(Clone, Copy, Debug)]
enum Step {
    Put {
        n: u8,
    },
    Remove {
        n: u8,
    },
    /// A folder blocks the name of the blob.
    PutInVain {
        n: u8,
    },
    RemoveInVain {
        n: u8,
    },
    /// A program truncates the file, and the same bytes are stored again.
    CutAndPut {
        n: u8,
    },
    /// All blobs are opened again, and counted only when their sum is needed.
    Open,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let n = 0..6_u8;
    let step = prop_oneof![
        4 => n.clone().prop_map(|n| Step::Put { n }),
        2 => n.clone().prop_map(|n| Step::Remove { n }),
        1 => n.clone().prop_map(|n| Step::PutInVain { n }),
        1 => n.clone().prop_map(|n| Step::RemoveInVain { n }),
        1 => n.prop_map(|n| Step::CutAndPut { n }),
        1 => Just(Step::Open),
    ];
    proptest::collection::vec(step, 1..40)
}

const BOUNDS: BlobBounds = BlobBounds { quota_bytes: 15, ..BlobBounds::NONE };

fn bytes(n: u8) -> Vec<u8> {
    vec![n; usize::from(n) + 1]
}

fn hash(n: u8) -> Hash {
    Hash::of(&mut &*bytes(n)).unwrap()
}

/// Runs something while a non-empty folder has the name of the blob.
fn in_vain(blobs: &Blobs, n: u8, act: impl FnOnce()) {
    let path = blobs.path(hash(n));
    let aside = blobs.root().join("aside");
    let was_there = fs::rename(&path, &aside).is_ok();
    fs::create_dir_all(path.join("x")).unwrap();
    act();
    fs::remove_dir_all(&path).unwrap();
    if was_there {
        fs::rename(aside, path).unwrap();
    }
}

fn step(blobs: &mut Blobs, step: Step) {
    match step {
        Step::Put { n } => drop(Upload::put(blobs, &bytes(n))),
        Step::Remove { n } => drop(blobs.remove(hash(n)).unwrap()),
        Step::PutInVain { n } => {
            in_vain(blobs, n, || assert!(Upload::put(blobs, &bytes(n)).is_err()));
        }
        Step::RemoveInVain { n } => in_vain(blobs, n, || assert!(blobs.remove(hash(n)).is_err())),
        Step::CutAndPut { n } => {
            if let Ok(file) = OpenOptions::new().write(true).open(blobs.path(hash(n))) {
                file.set_len(u64::from(n / 2)).unwrap();
                Upload::put(blobs, &bytes(n)).unwrap();
            }
        }
        Step::Open => *blobs = Blobs::open(blobs.root(), BOUNDS).unwrap(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn the_sum_is_that_of_the_files_whatever_failed(steps in steps()) {
        let folder = tempfile::tempdir().unwrap();
        let mut blobs = Blobs::open(folder.path().join("media"), BOUNDS).unwrap();
        for one in steps {
            step(&mut blobs, one);
            let there: u64 = blobs.all().unwrap().iter().map(|stored| stored.size).sum();
            prop_assert_eq!(blobs.used().unwrap(), there, "after {:?}", one);
            prop_assert!(there <= BOUNDS.quota_bytes);
        }
    }
}

#[test]
fn a_disk_that_is_full_is_told_apart_from_one_that_fails() {
    let full = BlobRefused::from(io::Error::from(io::ErrorKind::StorageFull));
    assert_eq!(full, BlobRefused::DiskFull { reserve_bytes: 0 });
    assert!(full.to_string().contains("full"), "{full}");
    let failed = BlobRefused::from(io::Error::other("broken"));
    assert!(matches!(failed, BlobRefused::Disk(_)), "{failed}");
}
