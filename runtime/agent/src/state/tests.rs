//! What holds of the state, whatever is asked of it.

mod properties;

use super::context::{ContextCommand, Entry, Expected, LONGEST_VALUE, Place};
use super::flows::{FlowCommand, Stage};
use super::nodes::{Capacity, NodeCommand};
use super::restore::{LONGEST_PIECE, RestoreCommand};
use super::tokens::TokenCommand;
use super::*;
use crate::id::{Blob, NodeId, RequestId};
use crate::manifest::Manifest;
use serde_json::json;
use std::collections::BTreeMap;

fn node(number: u8) -> NodeId {
    NodeId::from_key([number; 32])
}

fn place(key: &str) -> Place {
    Place {
        scope: vgdc_store::Scope::Global,
        store: "default".into(),
        key: key.into(),
    }
}

fn manifest(parts: &[&str]) -> Manifest {
    let parts: Vec<_> = parts
        .iter()
        .map(|name| json!({"name": name, "cost": 0.1}))
        .collect();
    Manifest::new(&json!({"parts": parts, "links": []})).expect("a manifest")
}

/// Gives commands, one after the other, at a time.
struct Mesh {
    state: State,
    number: u64,
    at: u64,
}

impl Mesh {
    fn new() -> Mesh {
        Mesh {
            state: State::default(),
            number: 0,
            at: 1_000,
        }
    }

    fn proposal(&mut self, command: Command) -> Proposal {
        self.number += 1;
        let id = RequestId {
            session: 7,
            number: self.number,
            settled: self.number,
        };
        Proposal {
            id,
            by: "tester".into(),
            at: self.at,
            command,
        }
    }

    fn ask(&mut self, command: Command) -> Result<Reply, Refusal> {
        let proposal = self.proposal(command);
        self.state.apply(&proposal).0
    }

    fn done(&mut self, command: Command) -> Reply {
        self.ask(command).expect("accepted")
    }

    fn no(&mut self, command: Command) -> Refusal {
        self.ask(command).expect_err("refused")
    }

    fn admit(&mut self, number: u8) {
        self.done(admit(number, None));
    }

    fn assign(&mut self, part: &str, to: Option<u8>, replaces: u64) -> Result<Reply, Refusal> {
        self.ask(assign("v1", part, to, replaces))
    }
}

fn admit(number: u8, token: Option<&str>) -> Command {
    Command::Node(NodeCommand::Admit {
        id: node(number),
        name: format!("machine {number}"),
        labels: BTreeMap::from([("zone".into(), "hall".into())]),
        addresses: vec!["here:1".into()],
        capacity: Capacity::default(),
        token: token.map(str::to_owned),
    })
}

fn assign(version: &str, part: &str, to: Option<u8>, replaces: u64) -> Command {
    Command::Flow(FlowCommand::Assign {
        flow: "f".into(),
        version: version.into(),
        part: part.into(),
        node: to.map(node),
        replaces,
    })
}

fn put(version: &str) -> Command {
    Command::Flow(FlowCommand::PutVersion {
        flow: "f".into(),
        version: version.into(),
        manifest: manifest(&["a", "b"]),
    })
}

fn roll(version: &str, from: Stage, to: Stage) -> Command {
    Command::Flow(FlowCommand::Rollout {
        flow: "f".into(),
        version: version.into(),
        from,
        to,
        share: 10,
    })
}

fn set(key: &str, value: &str) -> Command {
    Command::Context(ContextCommand::Set {
        place: place(key),
        value: value.to_owned().into(),
    })
}

#[test]
fn a_part_has_one_owner_and_stale_deciders_are_refused() {
    let mut mesh = Mesh::new();
    mesh.admit(1);
    mesh.admit(2);
    mesh.done(put("v1"));
    assert_eq!(
        mesh.assign("a", Some(1), 0).expect_err("not prepared").why,
        Why::Conflict
    );
    mesh.done(roll("v1", Stage::Stored, Stage::Preparing));
    assert_eq!(
        mesh.assign("a", Some(1), 0),
        Ok(Reply::Assigned { epoch: 1 })
    );
    let stale = mesh
        .assign("a", Some(2), 0)
        .expect_err("somebody was first");
    assert_eq!(
        (stale.why, stale.message.contains("epoch 1")),
        (Why::Stale, true)
    );
    assert_eq!(
        mesh.assign("a", Some(2), 1),
        Ok(Reply::Assigned { epoch: 2 })
    );
    assert_eq!(
        mesh.assign("b", Some(9), 0).expect_err("no such node").why,
        Why::Unknown
    );
    assert_eq!(
        mesh.assign("c", Some(1), 0).expect_err("no such part").why,
        Why::Unknown
    );
    assert!(
        mesh.no(Command::Node(NodeCommand::Remove { id: node(2) }))
            .message
            .contains("owns part \"a\"")
    );
    mesh.done(Command::Node(NodeCommand::Drain { id: node(1) }));
    assert!(
        mesh.assign("b", Some(1), 0)
            .expect_err("draining")
            .message
            .contains("draining")
    );
    mesh.done(Command::Node(NodeCommand::Undrain { id: node(1) }));
    assert_eq!(mesh.assign("a", None, 2), Ok(Reply::Assigned { epoch: 3 }));
    mesh.done(Command::Node(NodeCommand::Remove { id: node(2) }));
    mesh.done(roll("v1", Stage::Preparing, Stage::RolledBack));
    mesh.done(Command::Flow(FlowCommand::Remove { flow: "f".into() }));
    // An epoch never comes back, also not with a flow of the same name.
    mesh.done(put("v1"));
    mesh.done(roll("v1", Stage::Stored, Stage::Preparing));
    assert_eq!(
        mesh.assign("a", Some(1), 0),
        Ok(Reply::Assigned { epoch: 4 })
    );
    mesh.state.check().expect("sound");
}

#[test]
fn a_rollout_goes_forward_and_back() {
    let mut mesh = Mesh::new();
    let stages = |mesh: &Mesh| {
        let flow = mesh.state.flows.get("f").expect("it is there");
        flow.versions
            .values()
            .map(|v| (v.stage, v.share))
            .collect::<Vec<_>>()
    };
    mesh.done(put("v1"));
    mesh.done(put("v2"));
    mesh.done(put("v3"));
    assert!(
        matches!(mesh.done(put("v1")), Reply::Done { revision: 3 }),
        "the same again is no change"
    );
    let other = Command::Flow(FlowCommand::PutVersion {
        flow: "f".into(),
        version: "v1".into(),
        manifest: manifest(&["x"]),
    });
    assert_eq!(mesh.no(other).why, Why::Exists);
    for (from, to) in [
        (Stage::Stored, Stage::Preparing),
        (Stage::Preparing, Stage::Switching),
        (Stage::Switching, Stage::Active),
    ] {
        mesh.done(roll("v1", from, to));
    }
    mesh.done(roll("v2", Stage::Stored, Stage::Preparing));
    assert!(
        mesh.no(roll("v3", Stage::Stored, Stage::Preparing))
            .message
            .contains("v2")
    );
    mesh.done(roll("v2", Stage::Preparing, Stage::Switching));
    assert_eq!(
        stages(&mesh),
        [
            (Stage::Active, 100),
            (Stage::Switching, 10),
            (Stage::Stored, 0)
        ]
    );
    assert_eq!(
        mesh.no(roll("v2", Stage::Preparing, Stage::Active)).why,
        Why::Stale
    );
    mesh.done(roll("v2", Stage::Switching, Stage::Active));
    assert_eq!(
        stages(&mesh),
        [
            (Stage::Retired, 0),
            (Stage::Active, 100),
            (Stage::Stored, 0)
        ]
    );
    let remove = |version: &str| {
        Command::Flow(FlowCommand::RemoveVersion {
            flow: "f".into(),
            version: version.into(),
        })
    };
    assert_eq!(mesh.no(remove("v2")).why, Why::Conflict);
    mesh.done(roll("v2", Stage::Active, Stage::RolledBack));
    assert_eq!(
        stages(&mesh),
        [
            (Stage::Active, 100),
            (Stage::RolledBack, 0),
            (Stage::Stored, 0)
        ]
    );
    assert_eq!(
        mesh.no(roll("v3", Stage::Stored, Stage::Active)).why,
        Why::Conflict
    );
    mesh.done(remove("v2"));
    mesh.state.check().expect("sound");
}

#[test]
fn context_is_compared_set_limited_and_cleared() {
    let mut mesh = Mesh::new();
    let cas = |expected, value: Option<&str>| {
        let value = value.map(|v| Blob::from(v.to_owned()));
        Command::Context(ContextCommand::CompareAndSet {
            place: place("k"),
            expected,
            value,
        })
    };
    mesh.done(cas(Expected::Absent, Some("1")));
    assert_eq!(mesh.no(cas(Expected::Absent, Some("2"))).why, Why::Stale);
    mesh.done(cas(Expected::Value("1".to_owned().into()), Some("2")));
    mesh.done(cas(Expected::Revision(2), Some("3")));
    assert_eq!(
        mesh.state.context.get(&place("k")),
        Some(&Entry {
            value: "3".to_owned().into(),
            revision: 3
        })
    );
    assert_eq!(mesh.state.context.bytes(), 1 + 1 + context::ENTRY_COST);
    mesh.done(cas(Expected::Revision(3), None));
    assert!(mesh.state.context.is_empty() && mesh.state.context.bytes() == 0);
    let long = Command::Context(ContextCommand::Set {
        place: place("k"),
        value: vec![0; LONGEST_VALUE + 1].into(),
    });
    assert_eq!(mesh.no(long).why, Why::Limit);
    assert_eq!(
        mesh.no(set(&"k".repeat(context::LONGEST_KEY + 1), "")).why,
        Why::Invalid
    );
    let full = vec![0u8; LONGEST_VALUE];
    let refused = (0..1_000).find_map(|n| {
        let value = Blob::from(bytes::Bytes::copy_from_slice(&full));
        mesh.ask(Command::Context(ContextCommand::Set {
            place: place(&n.to_string()),
            value,
        }))
        .err()
    });
    assert_eq!(refused.expect("all together are limited").why, Why::Limit);
    assert!(mesh.state.context.bytes() <= context::MOST_BYTES);
    mesh.done(Command::Context(ContextCommand::Clear {
        scope: vgdc_store::Scope::Global,
        store: "default".into(),
    }));
    assert!(mesh.state.context.is_empty() && mesh.state.context.bytes() == 0);
}

#[test]
fn tokens_are_counted_and_expire() {
    let mut mesh = Mesh::new();
    let issue = Command::Token(TokenCommand::Issue {
        id: "t".into(),
        expires_at: 2_000,
        uses: 2,
    });
    mesh.done(issue.clone());
    assert_eq!(mesh.no(issue).why, Why::Exists);
    mesh.done(admit(1, Some("t")));
    assert_eq!(mesh.no(admit(1, Some("t"))).why, Why::Exists);
    mesh.at = 2_000;
    assert!(mesh.no(admit(2, Some("t"))).message.contains("expired"));
    mesh.at = 1_500;
    mesh.done(admit(2, Some("t")));
    assert!(
        mesh.no(admit(3, Some("t")))
            .message
            .contains("no uses left")
    );
    mesh.done(Command::Token(TokenCommand::Issue {
        id: "u".into(),
        expires_at: 2_000,
        uses: 2,
    }));
    mesh.done(Command::Token(TokenCommand::Revoke { id: "u".into() }));
    assert!(mesh.no(admit(3, Some("u"))).message.contains("revoked"));
    assert_eq!(mesh.no(admit(3, Some("x"))).why, Why::Unknown);
}

#[test]
fn a_request_that_comes_twice_is_done_once() {
    let mut mesh = Mesh::new();
    let first = mesh.proposal(set("k", "1"));
    let answer = mesh.state.apply(&first);
    let before = mesh.state.clone();
    assert_eq!(mesh.state.apply(&first), (answer.0, None));
    assert_eq!(mesh.state, before);
    let mut late = mesh.proposal(set("k", "2"));
    late.id = RequestId {
        number: 9,
        settled: 9,
        ..late.id
    };
    mesh.state.apply(&late).0.expect("done");
    assert_eq!(
        mesh.state.apply(&first).0.expect_err("settled").why,
        Why::Settled
    );
    assert_eq!(mesh.state.revision, 2);
}

#[test]
fn the_audit_log_says_who_and_has_an_end() {
    let mut mesh = Mesh::new();
    mesh.admit(1);
    for n in 0..audit::KEPT_OF_CONTEXT + 10 {
        mesh.done(set("k", &n.to_string()));
    }
    let all = mesh.state.audit.after(0, usize::MAX);
    assert_eq!(
        all.len(),
        audit::KEPT_OF_CONTEXT + 1,
        "shared values do not push out who was admitted"
    );
    assert_eq!(
        (all[0].by.as_str(), all[0].at, all[0].revision),
        ("tester", 1_000, 1)
    );
    assert!(all[0].event.to_string().contains("machine 1"));
    assert_eq!(mesh.state.audit.after(mesh.state.revision - 2, 9).len(), 2);
}

fn restore(mesh: &mut Mesh, backup: &[u8], force: bool) -> Result<Reply, Refusal> {
    let id = "r".to_owned();
    let ask = |mesh: &mut Mesh, command| mesh.ask(Command::Restore(command));
    ask(
        mesh,
        RestoreCommand::Begin {
            id: id.clone(),
            bytes: backup.len() as u64,
            force,
        },
    )?;
    for (number, piece) in backup.chunks(LONGEST_PIECE).enumerate() {
        let offset = (number * LONGEST_PIECE) as u64;
        ask(
            mesh,
            RestoreCommand::Piece {
                id: id.clone(),
                offset,
                bytes: piece.to_vec().into(),
            },
        )?;
    }
    ask(mesh, RestoreCommand::Finish { id })
}

fn some_mesh() -> Mesh {
    let mut mesh = Mesh::new();
    mesh.admit(1);
    mesh.done(put("v1"));
    mesh.done(roll("v1", Stage::Stored, Stage::Preparing));
    mesh.assign("a", Some(1), 0).expect("assigned");
    mesh.done(set("k", "value"));
    mesh
}

#[test]
fn a_backup_is_restored_whole_and_only_where_it_may() {
    let old = some_mesh();
    let backup = format::write_backup(&old.state).expect("a backup");
    assert!(
        String::from_utf8_lossy(&backup).contains("\"dmFsdWU=\""),
        "it can be read"
    );
    let mut new = Mesh::new();
    new.done(admit(1, None));
    new.done(admit(2, None));
    restore(&mut new, &backup, false).expect("restored");
    assert_eq!(new.state.flows, old.state.flows);
    assert_eq!(new.state.context, old.state.context);
    assert_eq!(new.state.nodes.len(), 2, "who is here stays");
    assert_eq!(
        (new.state.epoch, new.state.revision),
        (1, old.state.revision + 1)
    );
    new.state.check().expect("sound");
    let words: Vec<_> = new
        .state
        .audit
        .after(0, 99)
        .iter()
        .map(|c| c.event.to_string())
        .collect();
    for word in [
        "admitted node \"machine 2\"",
        "put version v1",
        "restored a backup",
    ] {
        assert!(words.iter().any(|w| w.contains(word)), "{word}: {words:?}");
    }
    assert_eq!(
        new.no(assign("v1", "a", Some(2), 0)).why,
        Why::Stale,
        "fencing goes on"
    );
    assert_eq!(
        restore(&mut new, &backup, false)
            .expect_err("not empty")
            .why,
        Why::Conflict
    );
    restore(&mut new, &backup, true).expect("forced");
    assert!(
        new.no(Command::Restore(RestoreCommand::Finish { id: "r".into() }))
            .message
            .contains("begin again")
    );
}

#[test]
fn a_backup_or_snapshot_that_is_not_right_is_refused_with_the_reason() {
    let state = some_mesh().state;
    let backup = format::write_backup(&state).expect("a backup");
    let why = |bytes: &[u8]| format::read_backup(bytes).expect_err("refused");
    assert!(why(b"{}").contains("no backup"));
    assert!(why(b"hello\nworld").contains("no backup"));
    assert!(why(&backup[..backup.len() - 9]).contains("cut off"));
    let text = String::from_utf8(backup).expect("text");
    assert!(why(text.replace("dmFsdWU=", "dmFsdWX=").as_bytes()).contains("checksum"));
    assert!(why(text.replacen(":1,", ":2,", 1).as_bytes()).contains("format 2"));
    let snapshot = format::write_snapshot(&state).expect("a snapshot");
    let why = |bytes: &[u8]| format::read_snapshot(bytes).expect_err("refused");
    assert!(why(&snapshot[..9]).contains("cut off"));
    assert!(why(&[0; 40]).contains("no snapshot"));
    let changed = |at: usize| {
        let mut bytes = snapshot.clone();
        bytes[at] ^= 1;
        why(&bytes)
    };
    assert!(changed(9).contains("format 0"));
    assert!(changed(snapshot.len() - 1).contains("damaged"));
}
