//! The store of a log: what is written is read, what was acknowledged stays, what is damaged is said.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

const APPLICATION: i32 = 0x7465_7374;

fn open(file: &Path) -> LogStore {
    LogStore::open(file, APPLICATION).expect("it opens")
}

fn why(file: &Path) -> String {
    match LogStore::open(file, APPLICATION) {
        Ok(_) => panic!("{} opens", file.display()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn what_is_written_is_read_also_after_opening_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("new").join("log.sqlite");
    let parts = [
        Write::Entry {
            at: 1,
            bytes: b"one",
        },
        Write::Entry {
            at: 2,
            bytes: b"two",
        },
        Write::Entry { at: 3, bytes: b"" },
        Write::Cell {
            name: "vote",
            bytes: Some(b"me"),
        },
        Write::Snapshot {
            about: b"up to 1",
            bytes: b"all",
        },
    ];
    open(&file)
        .write(&parts, Durability::Synced)
        .expect("written");
    let store = open(&file);
    let all = store.entries(0, u64::MAX, usize::MAX).expect("entries");
    assert_eq!(
        all,
        [(1, b"one".to_vec()), (2, b"two".to_vec()), (3, Vec::new())]
    );
    assert_eq!(
        store.entries(1, 3, 4).expect("few").len(),
        1,
        "the limit of bytes"
    );
    assert_eq!(
        store.entries(1, 3, 0).expect("few").len(),
        1,
        "one is always there"
    );
    assert_eq!(store.last().expect("last"), Some((3, Vec::new())));
    assert_eq!(store.cell("vote").expect("cell"), Some(b"me".to_vec()));
    assert_eq!(
        store.snapshot().expect("snapshot"),
        Some((b"up to 1".to_vec(), b"all".to_vec()))
    );
    let parts = [
        Write::TruncateFrom(3),
        Write::PurgeTo(1),
        Write::Cell {
            name: "vote",
            bytes: None,
        },
    ];
    store.write(&parts, Durability::Relaxed).expect("written");
    assert_eq!(
        store.entries(0, 9, 99).expect("entries"),
        [(2, b"two".to_vec())]
    );
    assert_eq!(store.cell("vote").expect("cell"), None);
}

#[test]
fn a_write_that_fails_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(&folder.path().join("log.sqlite"));
    let parts = [
        Write::Entry {
            at: 1,
            bytes: b"one",
        },
        Write::Entry {
            at: u64::MAX,
            bytes: b"too far",
        },
    ];
    let error = store
        .write(&parts, Durability::Synced)
        .expect_err("refused");
    assert!(error.to_string().contains("past what"), "{error}");
    assert_eq!(store.last().expect("last"), None);
}

#[test]
fn what_cannot_be_read_is_said_with_a_way_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = folder.path().join("text");
    std::fs::write(
        &text,
        "no database at all, and long enough to be looked at as one",
    )
    .expect("written");
    assert!(why(&text).contains("damaged"), "{}", why(&text));

    let other = folder.path().join("other.sqlite");
    drop(LogStore::open(&other, 1).expect("another program's"));
    assert!(
        why(&other).contains("belongs to another program"),
        "{}",
        why(&other)
    );

    let newer = folder.path().join("newer.sqlite");
    drop(open(&newer));
    let set = |file: &Path, sql: &str| {
        Connection::open(file)
            .and_then(|d| d.execute_batch(sql))
            .expect(sql)
    };
    set(&newer, "PRAGMA user_version = 2");
    assert!(why(&newer).contains("form 2"), "{}", why(&newer));

    let changed = folder.path().join("changed.sqlite");
    let parts = [
        Write::Entry {
            at: 1,
            bytes: b"one",
        },
        Write::Cell {
            name: "vote",
            bytes: Some(b"me"),
        },
        Write::Snapshot {
            about: b"a",
            bytes: b"b",
        },
    ];
    open(&changed)
        .write(&parts, Durability::Synced)
        .expect("written");
    set(
        &changed,
        "UPDATE entries SET bytes = x'00'; UPDATE cells SET bytes = x'00'; UPDATE snapshot SET about = x'00'",
    );
    let store = open(&changed);
    let all = [
        store.entries(0, 9, 9).expect_err("an entry"),
        store.cell("vote").expect_err("a cell"),
        store.snapshot().expect_err("a snapshot"),
    ];
    for error in all {
        assert!(
            error.to_string().contains("not what was written"),
            "{error}"
        );
    }
}

#[test]
fn a_file_has_one_store_at_a_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("log.sqlite");
    let store = open(&file);
    assert!(why(&file).contains("in use"), "{}", why(&file));
    drop(store);
    open(&file);
}

#[test]
fn half_a_file_is_not_opened() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("log.sqlite");
    let store = open(&file);
    let long = vec![7; 100_000];
    for at in 0..8 {
        store
            .write(&[Write::Entry { at, bytes: &long }], Durability::Synced)
            .expect("written");
    }
    drop(store);
    let whole = std::fs::metadata(&file).expect("its size").len();
    std::fs::OpenOptions::new()
        .write(true)
        .open(&file)
        .and_then(|f| f.set_len(whole / 2))
        .expect("cut");
    assert!(why(&file).contains("damaged"), "{}", why(&file));
}

/// Not a test of its own: what [`what_was_acknowledged_survives_a_kill`] starts and kills.
#[test]
fn child() {
    let Some(file) = std::env::var_os("VGDC_TEST_LOG_STORE") else {
        return;
    };
    let store = open(Path::new(&file));
    for at in 0.. {
        let bytes = format!("entry {at}");
        let durability = if at % 3 == 0 {
            Durability::Relaxed
        } else {
            Durability::Synced
        };
        store
            .write(
                &[Write::Entry {
                    at,
                    bytes: bytes.as_bytes(),
                }],
                durability,
            )
            .expect("written");
        println!("acknowledged {at}");
    }
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("log.sqlite");
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args([
            "--exact",
            "log_store::tests::child",
            "--nocapture",
            "--test-threads=1",
        ])
        .env("VGDC_TEST_LOG_STORE", &file)
        .stdout(Stdio::piped())
        .spawn()
        .expect("a child");
    let mut said = BufReader::new(child.stdout.take().expect("its output")).lines();
    let acknowledged = |line: Option<std::io::Result<String>>| {
        let number = line?.ok()?.rsplit_once("acknowledged ")?.1.parse::<u64>();
        number.ok()
    };
    let mut last = None;
    while last.is_none_or(|n| n < 200) {
        last = acknowledged(said.next()).or(last);
    }
    child.kill().expect("killed");
    child.wait().expect("ended");
    // (what it said before it died and we had not read yet)
    for line in said {
        last = acknowledged(Some(line)).or(last);
    }
    let store = open(&file);
    let all = store.entries(0, u64::MAX, usize::MAX).expect("entries");
    assert!(
        all.len() as u64 > last.expect("some"),
        "{} of {last:?}",
        all.len()
    );
    for (place, (at, bytes)) in all.iter().enumerate() {
        assert_eq!(
            (*at, bytes.as_slice()),
            (place as u64, format!("entry {at}").as_bytes())
        );
    }
}

#[derive(Debug, Clone)]
enum Step {
    Append(Vec<Vec<u8>>),
    Truncate(u64),
    Purge(u64),
    Again,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..20), 1..5).prop_map(Step::Append),
        2 => (0..40u64).prop_map(Step::Truncate),
        2 => (0..40u64).prop_map(Step::Purge),
        1 => Just(Step::Again),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn it_is_a_map_of_positions(steps in proptest::collection::vec(step(), 1..20)) {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("log.sqlite");
        let (mut store, mut model, mut next) = (open(&file), BTreeMap::new(), 0u64);
        for step in steps {
            match step {
                Step::Append(all) => {
                    let parts: Vec<_> = all.iter().zip(next..).map(|(bytes, at)| Write::Entry { at, bytes }).collect();
                    store.write(&parts, Durability::Relaxed).expect("written");
                    for bytes in all {
                        model.insert(next, bytes);
                        next += 1;
                    }
                }
                Step::Truncate(at) => {
                    store.write(&[Write::TruncateFrom(at)], Durability::Relaxed).expect("written");
                    model.retain(|place, _| *place < at);
                    next = next.min(at);
                }
                Step::Purge(at) => {
                    store.write(&[Write::PurgeTo(at)], Durability::Relaxed).expect("written");
                    model.retain(|place, _| *place > at);
                    next = next.max(at + 1);
                }
                Step::Again => {
                    drop(store);
                    store = open(&file);
                }
            }
            let all: BTreeMap<_, _> = store.entries(0, u64::MAX, usize::MAX).expect("read").into_iter().collect();
            prop_assert_eq!(&all, &model);
            prop_assert_eq!(store.last().expect("last").map(|(at, _)| at), model.keys().next_back().copied());
        }
    }
}
