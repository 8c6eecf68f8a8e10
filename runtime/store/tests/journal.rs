//! What a journal has taken is there after its program was killed.
#![cfg(feature = "sqlite")]

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use vgdc_store::{Journal, JournalConfig};

const FILE: &str = "VGDC_TEST_JOURNAL";

fn record(position: u64) -> Vec<u8> {
    position.to_le_bytes().repeat(1 + position as usize % 300)
}

/// The program that is killed: this test, called by the other one.
#[test]
fn the_one_that_is_killed() {
    let Some(file) = std::env::var_os(FILE) else {
        return;
    };
    let mut journal = Journal::open(JournalConfig::new(file)).expect("it opens");
    loop {
        let first = journal.next();
        let records: Vec<_> = (first..first + 1 + first % 7).map(record).collect();
        journal.append(&records).expect("it is written");
        println!("has {}", journal.next());
        if first.is_multiple_of(50) {
            journal.truncate(first / 2).expect("it is written");
        }
    }
}

#[test]
fn nothing_that_was_taken_is_lost_when_the_program_is_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("j");
    let mut has = 0;
    for round in 1..=4 {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "the_one_that_is_killed", "--nocapture"])
            .env(FILE, &file)
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let said = lines.map_while(Result::ok);
        // (it is killed while it goes on)
        for line in said.filter_map(|line| line.rsplit_once("has ")?.1.parse().ok()) {
            has = line;
            if has > round * 150 {
                break;
            }
        }
        child.kill().expect("it is killed");
        child.wait().expect("it ends");
        let journal = Journal::open(JournalConfig::new(&file)).expect("it opens");
        assert!(journal.next() >= has, "{} of {has}", journal.next());
        let all = journal.read(0, usize::MAX).expect("it is read");
        assert_eq!(all.len() as u64, journal.next() - journal.first());
        for ((position, bytes), wanted) in all.into_iter().zip(journal.first()..) {
            assert_eq!((position, bytes), (wanted, record(wanted)));
        }
    }
    assert!(has > 600);
}
