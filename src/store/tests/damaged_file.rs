//! Flipped bits and zeroed pages of the file.

use super::*;

#[test]
fn check_finds_every_flipped_bit_that_matters() {
    let (folder, mut file) = new();
    do_everything(&mut file);
    for n in 0..200 {
        made(&mut file, &format!("message {n} {}", "x".repeat(n)));
    }
    let wanted = dump(&file);
    file.close().unwrap();
    let whole = fs::read(folder.path().join("a.redb")).unwrap();
    let mut luck = 88_172_645_463_325_252_u64;
    let mut found = 0;
    for _ in 0..200 {
        luck ^= luck << 13;
        luck ^= luck >> 7;
        luck ^= luck << 17;
        let mut bytes = whole.clone();
        let used = bytes.iter().rposition(|byte| *byte != 0).unwrap() as u64;
        bytes[(luck >> 8) as usize % used as usize] ^= 1 << (luck % 8);
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("a.redb"), bytes).unwrap();
        match check::check_file(&options(folder.path(), Access::Read)) {
            Ok(report) if report.findings.is_empty() => {
                assert!(dump(&writable(folder.path())) == wanted, "a flipped bit was not found");
            }
            _ => found += 1,
        }
    }
    assert!(found > 20, "only {found} were found; too few to say anything");
}

#[test]
fn a_zeroed_page_is_an_error_and_the_rest_goes_on() {
    const PAGE: usize = 4096;
    let (folder, mut file) = new();
    do_everything(&mut file);
    file.close().unwrap();
    let whole = fs::read(folder.path().join("a.redb")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let pages = whole.chunks_exact(PAGE).enumerate().skip(1);
    let used = pages.filter(|(_, page)| page.iter().any(|byte| *byte != 0)).map(|(at, _)| at);
    let used: Vec<_> = used.collect();
    let (mut refused, mut taken) = (0, 0);
    for page in used {
        let mut bytes = whole.clone();
        bytes[page * PAGE..(page + 1) * PAGE].fill(0);
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("a.redb"), bytes).unwrap();
        let options = options(folder.path(), Access::Write);
        // None of it may hang or panic.
        let _ = check::check_file(&StoreOptions { access: Access::Read, ..options.clone() });
        let Ok(store) = Store::open(&options, Box::new(())) else {
            refused += 1;
            continue;
        };
        for command in [create("x"), receive("new", false), create("y")] {
            match runtime.block_on(store.write(command)) {
                Ok(_) => taken += 1,
                Err(_) => refused += 1,
            }
        }
        if let Ok(view) = store.view() {
            let page = Page { offset: 0, limit: 10, before: None };
            let _ = (
                view.list(&MessageFilter::default(), page),
                view.pending(Some("qq"), "group_1", 9),
            );
        }
        store.close();
    }
    assert!(refused > 0 && taken > 0, "{refused} refused, {taken} taken");
}

/// Changes the lowest bit of the value of every row.
pub(super) fn flip<K: redb::Key + 'static>(
    file: &StoreFile,
    table: redb::TableDefinition<'static, K, u64>,
) -> usize {
    use redb::ReadableTable as _;
    let txn = file.database.begin_write().unwrap();
    let mut flipped = 0;
    {
        let mut table = txn.open_table(table).unwrap();
        let rows: Vec<_> = table
            .iter()
            .unwrap()
            .map(|row| {
                let (key, value) = row.unwrap();
                (K::as_bytes(&key.value()).as_ref().to_vec(), value.value())
            })
            .collect();
        for (key, value) in rows {
            table.insert(K::from_bytes(&key), value ^ 1).unwrap();
            flipped += 1;
        }
    }
    txn.commit().unwrap();
    flipped
}

#[test]
fn a_flipped_bit_in_a_row_of_numbers_is_found_and_is_not_copied() {
    use redb::ReadableTable as _;
    type Damage = fn(&StoreFile) -> usize;
    let damages: [(&str, Damage); 6] = [
        ("seen", |file| flip(file, tables::SEEN)),
        ("sent", |file| flip(file, tables::SENT)),
        ("foreign IDs", |file| flip(file, tables::FOREIGN_IDS)),
        ("keys", |file| {
            let txn = file.database.begin_write().unwrap();
            {
                let mut keys = txn.open_table(tables::KEYS).unwrap();
                let (key, row) =
                    keys.first().unwrap().map(|(k, v)| (k.value(), v.value())).unwrap();
                keys.insert(key, (row.0 ^ 1, row.1, row.2)).unwrap();
            }
            txn.commit().unwrap();
            1
        }),
        ("epochs", |file| {
            let txn = file.database.begin_write().unwrap();
            {
                let mut epochs = txn.open_table(tables::EPOCHS).unwrap();
                let (at, row) =
                    epochs.first().unwrap().map(|(k, v)| (k.value(), v.value())).unwrap();
                epochs.insert(at, (row.0 ^ 1, row.1)).unwrap();
            }
            txn.commit().unwrap();
            1
        }),
        ("platforms", |file| {
            let txn = file.database.begin_write().unwrap();
            txn.open_table(tables::PLATFORMS).unwrap().insert("qq", 17).unwrap();
            txn.commit().unwrap();
            1
        }),
    ];
    for (what, damage) in damages {
        let (folder, mut file) = new();
        do_everything(&mut file);
        let imported = Message { id: uuid::Uuid::new_v4(), ..made(&mut file, "imported") };
        commit(&mut file, Command::Import { messages: vec![imported] }, Durability::Tables);
        assert_eq!(check::check(&file.view().unwrap()).unwrap().findings, [""; 0], "{what}");
        assert!(damage(&file) > 0, "{what}");
        let view = file.view().unwrap();
        let findings = check::check(&view).unwrap().findings;
        assert!(!findings.is_empty(), "{what}");
        let copied = view.copy_to(&folder.path().join("copy"));
        assert!(copied.is_err_and(|error| error.to_string().contains("damaged")), "{what}");
    }
}
