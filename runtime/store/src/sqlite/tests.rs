//! The database as others see it: what is read again, what cannot be read, what another program keeps.

use super::*;
use std::time::Instant;

fn config(file: &Path, cache: bool, seconds: u64) -> SqliteConfig {
    SqliteConfig {
        file: file.to_owned(),
        cache,
        flush_interval: Duration::from_secs(seconds),
    }
}

fn open(file: &Path, cache: bool) -> Sqlite {
    Sqlite::open(config(file, cache, 3600), Log::default()).expect("opens")
}

fn refused(file: &Path) -> String {
    match Sqlite::open(config(file, true, 0), Log::default()) {
        Ok(_) => panic!("{} was opened", file.display()),
        Err(error) => error.message,
    }
}

fn rows(file: &Path) -> Vec<(String, String, String)> {
    let database = Connection::open(file).expect("opens");
    let mut statement = database
        .prepare("SELECT scope, key, value FROM context ORDER BY rowid")
        .expect("a statement");
    let rows = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .expect("rows");
    rows.collect::<Result<_, _>>().expect("rows")
}

fn flow() -> Scope {
    Scope::Flow("f".into())
}

#[test]
fn what_was_set_is_read_again_in_its_order() {
    for cache in [true, false] {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("deep/er/c.sqlite");
        let store = open(&file, cache);
        for (key, value) in [
            ("z", r#"{"b":[1,{"c":null}]}"#),
            ("a", "\"grüße \\u0000\""),
            ("z.b[1].d", "-0"),
            ("gone", "1"),
            ("two[\"a b\"].x", "true"),
            ("7", "7"),
        ] {
            store
                .set(&flow(), key, json::parse(value).expect("JSON"))
                .expect("sets");
        }
        let buffer = Value::from(vec![1u8, 2]);
        store
            .set(&Scope::Node("n".into()), "buf", buffer)
            .expect("sets");
        store.set(&flow(), "gone", Value::Undefined).expect("sets");
        store
            .set(&flow(), "a.b", Value::from(1))
            .expect("leads nowhere");
        store.close().expect("closes");
        let again = open(&file, cache);
        assert_eq!(
            again.keys(&flow()).expect("keys"),
            ["7", "z", "a", "two"],
            "cache {cache}"
        );
        let text = |key: &str| {
            let value = again.get(&flow(), key).expect("gets");
            json::stringify(&value, 0).expect("JSON")
        };
        assert_eq!(text("z").as_deref(), Some(r#"{"b":[1,{"c":null,"d":0}]}"#));
        assert_eq!(text("z.b[1].c").as_deref(), Some("null"));
        assert_eq!(text("a").as_deref(), Some("\"grüße \\u0000\""));
        assert_eq!(text("two['a b'].x").as_deref(), Some("true"));
        assert_eq!(text("nothing.here"), None);
        assert!(again.get(&flow(), "a[").is_err(), "a malformed key");
        assert!(again.set(&flow(), "a[", Value::Null).is_err());
        // as the files have it: a buffer is what JSON says of one
        let node = Scope::Node("n".into());
        assert_eq!(
            again.get(&node, "buf.type").expect("gets"),
            Value::from("Buffer")
        );
        again.retain(&|scope| *scope != node).expect("retains");
        assert_eq!(again.keys(&node).expect("keys"), [""; 0]);
        again.delete(&flow()).expect("deletes");
        again.close().expect("closes");
        assert_eq!(rows(&file), []);
    }
}

#[test]
fn only_rows_that_changed_are_written() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("c.sqlite");
    let store = open(&file, true);
    for key in ["a", "b"] {
        store.set(&flow(), key, Value::from(1)).expect("sets");
    }
    store.flush().expect("writes");
    // somebody else's change of another row is left alone
    Connection::open(&file)
        .expect("opens")
        .execute("UPDATE context SET value = '5' WHERE key = 'b'", [])
        .expect("updates");
    store.set(&flow(), "a.x", Value::from(2)).expect("sets");
    store.set(&flow(), "a", Value::from(2)).expect("sets");
    store.close().expect("closes");
    let row = |key: &str, value: &str| ("flow:f".to_owned(), key.to_owned(), value.to_owned());
    assert_eq!(rows(&file), [row("a", "2"), row("b", "5")]);
}

#[test]
fn what_changed_is_written_after_the_interval() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("c.sqlite");
    let store = Sqlite::open(config(&file, true, 0), Log::default()).expect("opens");
    for n in ["1", "2"] {
        store
            .set(&Scope::Global, "a", json::parse(n).expect("JSON"))
            .expect("sets");
        let end = Instant::now() + Duration::from_secs(20);
        while rows(&file).first().map(|row| row.2.clone()).as_deref() != Some(n) {
            assert!(Instant::now() < end, "it was never written");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

#[test]
fn what_is_no_database_of_ours_is_refused_and_left_as_it_was() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("c.sqlite");
    let text = "this is a text, and by no means a database. ".repeat(100);
    std::fs::write(&file, &text).expect("writes");
    let why = refused(&file);
    assert!(
        why.contains("c.sqlite' is damaged, or no SQLite database") && why.contains("move it away"),
        "{why}"
    );
    assert_eq!(std::fs::read_to_string(&file).expect("reads"), text);

    let other = dir.path().join("other.sqlite");
    let database = Connection::open(&other).expect("opens");
    database
        .execute_batch("CREATE TABLE context (x); PRAGMA user_version = 7")
        .expect("makes");
    let why = refused(&other);
    assert!(why.contains("is no context store"), "{why}");
    database
        .pragma_update(None, "application_id", APPLICATION)
        .expect("sets");
    let why = refused(&other);
    assert!(why.contains("is of form 7"), "{why}");

    std::fs::create_dir(dir.path().join("folder")).expect("makes");
    let why = refused(&dir.path().join("folder"));
    assert!(why.contains("cannot be opened for writing"), "{why}");
    let why = refused(&file.join("below/x.sqlite"));
    assert!(why.contains("cannot make the folder"), "{why}");
}

#[test]
fn a_damaged_database_is_told_and_nothing_panics() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("c.sqlite");
    let store = open(&file, true);
    for n in 0..2000 {
        let value = Value::from("x".repeat(100));
        store.set(&flow(), &format!("k{n}"), value).expect("sets");
    }
    store.close().expect("closes");
    drop(store);
    let whole = std::fs::read(&file).expect("reads");
    assert!(whole.len() > 100_000);
    // each page in turn is overwritten; whatever happens, it is an answer
    for page in 0..whole.len() / 4096 {
        let mut bytes = whole.clone();
        bytes[page * 4096..(page + 1) * 4096].fill(0xa5);
        std::fs::write(&file, &bytes).expect("writes");
        let why = refused(&file);
        assert!(why.contains("damaged"), "page {page}: {why}");
        assert_eq!(std::fs::read(&file).expect("reads"), bytes);
    }
    let cut = &whole[..whole.len() / 2];
    std::fs::write(&file, cut).expect("writes");
    assert!(refused(&file).contains("damaged"));
    std::fs::write(&file, &whole).expect("writes");
    let mut row = Connection::open(&file).expect("opens");
    let change = row.transaction().expect("a transaction");
    change
        .execute("UPDATE context SET value = '{' WHERE key = 'k3'", [])
        .expect("updates");
    change.commit().expect("commits");
    let why = refused(&file);
    assert!(why.ends_with("scope flow:f, key \"k3\""), "{why}");
}

#[test]
fn a_locked_database_loses_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("c.sqlite");
    let store = open(&file, true);
    lock(&store.inner.database)
        .busy_timeout(Duration::from_millis(20))
        .expect("sets");
    store.set(&flow(), "a", Value::from(1)).expect("sets");
    let other = Connection::open(&file).expect("opens");
    other.execute_batch("BEGIN IMMEDIATE").expect("locks");
    let why = store.flush().expect_err("it is locked").message;
    assert!(why.contains("is locked by another program"), "{why}");
    assert_eq!(store.get(&flow(), "a").expect("gets"), Value::from(1));
    other.execute_batch("ROLLBACK").expect("unlocks");
    store.flush().expect("it is written now");
    assert_eq!(rows(&file).len(), 1);
    // a reader is in nobody's way
    other
        .execute_batch("BEGIN; SELECT * FROM context")
        .expect("reads");
    store.set(&flow(), "b", Value::from(1)).expect("sets");
    store.flush().expect("writes");
}

#[test]
fn settings_say_where_it_is() {
    let from = |config: &str, settings: &str| {
        let value = |text: &str| json::parse(text).expect("JSON");
        SqliteConfig::from_settings(&value(config), &value(settings))
    };
    let got = from("{}", r#"{"userDir":"/u"}"#);
    assert_eq!(got, config(Path::new("/u/context.sqlite"), true, 30));
    let got = from(
        r#"{"dir":"/d","file":"x/y.db","cache":false,"flushInterval":2}"#,
        r#"{"userDir":"/u"}"#,
    );
    assert_eq!(got, config(Path::new("/d/x/y.db"), false, 2));
    assert_eq!(
        from(r#"{"file":"/abs.db"}"#, "{}").file,
        Path::new("/abs.db")
    );
}
