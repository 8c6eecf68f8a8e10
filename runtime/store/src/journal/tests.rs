//! What is appended is there, what cannot be is said.

use super::*;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn open(folder: &tempfile::TempDir) -> Journal {
    Journal::open(JournalConfig::new(folder.path().join("sub/j.sqlite"))).expect("it opens")
}

fn refused(config: JournalConfig) -> String {
    match Journal::open(config) {
        Ok(_) => panic!("it was opened"),
        Err(error) => error.message,
    }
}

#[test]
fn records_and_positions_survive() {
    let folder = folder();
    let mut journal = open(&folder);
    assert_eq!((journal.first(), journal.next()), (0, 0));
    assert_eq!(journal.append(&["a", "bc"]), Ok(0));
    assert_eq!(journal.append(&["d"]), Ok(2));
    journal.truncate(2).expect("it is written");
    journal.set_mark("m", b"x").expect("it is written");
    assert_eq!(
        (journal.first(), journal.next(), journal.bytes()),
        (2, 3, 1)
    );
    drop(journal);
    let mut journal = open(&folder);
    assert_eq!(
        (journal.first(), journal.next(), journal.bytes()),
        (2, 3, 1)
    );
    assert_eq!(
        journal.read(0, 9).expect("it is read"),
        [(2, b"d".to_vec())]
    );
    assert_eq!(
        journal.mark("m").expect("it is read").as_deref(),
        Some(&b"x"[..])
    );
    // positions go on, also where nothing is left
    journal.truncate(99).expect("it is written");
    drop(journal);
    let mut journal = open(&folder);
    assert_eq!(
        (journal.first(), journal.next(), journal.bytes()),
        (3, 3, 0)
    );
    assert_eq!(journal.append(&["e"]), Ok(3));
    assert_eq!(
        journal.read(3, 9).expect("it is read"),
        [(3, b"e".to_vec())]
    );
}

#[test]
fn limits_hold() {
    let folder = folder();
    let config = JournalConfig {
        max_records: 3,
        max_bytes: 10,
        ..JournalConfig::new(folder.path().join("j"))
    };
    let mut journal = Journal::open(config).expect("it opens");
    assert_eq!(journal.append(&["12345", "12345"]), Ok(0));
    for more in [&["1"][..], &["", ""]] {
        let error = journal.append(more).expect_err("it is full");
        assert!(matches!(&error, JournalError::Full(_)), "{error}");
        assert!(error.to_string().contains("raise the limits"), "{error}");
    }
    journal.truncate(1).expect("it is written");
    assert_eq!(journal.append(&["1"]), Ok(2));
    assert!(journal.set_mark("next", b"").is_err());
}

#[test]
fn a_full_disk_is_an_error_and_nothing_is_half_there() {
    let folder = folder();
    let mut journal = open(&folder);
    assert_eq!(journal.append(&["before"]), Ok(0));
    // (SQLite says of a database that may not grow what it says of a disk that is full)
    let pages: i64 = journal
        .database
        .pragma_query_value(None, "page_count", |row| row.get(0))
        .expect("a number");
    journal
        .database
        .pragma_update_and_check(None, "max_page_count", pages + 2, |row| {
            row.get::<_, i64>(0)
        })
        .expect("it is set");
    let large = vec![7_u8; 100_000];
    let error = journal
        .append(&[large.as_slice(), b"after"])
        .expect_err("it is full");
    assert!(matches!(&error, JournalError::Failed(_)), "{error}");
    let text = error.to_string();
    assert!(
        text.contains("the disk is full") && text.contains("j.sqlite"),
        "{text}"
    );
    assert_eq!((journal.next(), journal.append(&["small"])), (1, Ok(1)));
    drop(journal);
    let all = open(&folder).read(0, 9).expect("it is read");
    assert_eq!(all, [(0, b"before".to_vec()), (1, b"small".to_vec())]);
}

#[test]
fn files_that_are_no_journal_are_refused() {
    let folder = folder();
    let file = folder.path().join("j");
    std::fs::write(&file, "no database at all, but long enough to have a header of one hundred bytes, which this text nearly has")
        .expect("it is written");
    let text = refused(JournalConfig::new(&file));
    assert!(
        text.contains("is damaged, or no SQLite database") && text.contains("/j'"),
        "{text}"
    );
    let other = folder.path().join("other");
    Connection::open(&other)
        .and_then(|database| database.execute_batch("CREATE TABLE t (a)"))
        .expect("a database");
    let text = refused(JournalConfig::new(&other));
    assert!(text.contains("is no journal of this version"), "{text}");
    let text = refused(JournalConfig::new(folder.path().join("j/within")));
    assert!(text.contains("cannot make the folder"), "{text}");
}

#[test]
fn damage_inside_is_found() {
    let folder = folder();
    let file = folder.path().join("sub/j.sqlite");
    let mut journal = open(&folder);
    let records: Vec<Vec<u8>> = (0..2000).map(|n: u32| n.to_le_bytes().repeat(10)).collect();
    journal.append(&records).expect("they are written");
    drop(journal);
    let mut bytes = std::fs::read(&file).expect("a file");
    for at in (5000..bytes.len()).step_by(700) {
        bytes[at] ^= 0x5a;
    }
    std::fs::write(&file, bytes).expect("it is written");
    let text = refused(JournalConfig::new(&file));
    assert!(text.contains("damaged"), "{text}");
}

#[test]
fn it_has_one_owner() {
    let folder = folder();
    let journal = open(&folder);
    let text = refused(JournalConfig::new(folder.path().join("sub/j.sqlite")));
    assert!(text.contains("is locked by another program"), "{text}");
    drop(journal);
    open(&folder);
}
