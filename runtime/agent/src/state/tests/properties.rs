//! What holds after any commands, drawn by lot.

use super::*;
use proptest::prelude::*;

fn stage() -> impl Strategy<Value = Stage> {
    prop::sample::select(vec![
        Stage::Preparing,
        Stage::Switching,
        Stage::Active,
        Stage::Retired,
        Stage::RolledBack,
        Stage::Stored,
    ])
}

fn version() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["v1", "v2", "v3"])
}

fn command() -> impl Strategy<Value = Command> {
    let key = || prop::sample::select(vec!["k", "l", ""]);
    let part = prop::sample::select(vec!["a", "b", "c"]);
    prop_oneof![
        3 => (1..5u8).prop_map(|n| admit(n, None)),
        1 => (0..5u8).prop_map(|n| admit(n, Some("t"))),
        1 => (1..5u8).prop_map(|n| Command::Node(NodeCommand::Remove { id: node(n) })),
        1 => (1..5u8, any::<bool>()).prop_map(|(n, drain)| {
            let id = node(n);
            Command::Node(if drain { NodeCommand::Drain { id } } else { NodeCommand::Undrain { id } })
        }),
        3 => version().prop_map(put),
        1 => version().prop_map(|v| Command::Flow(FlowCommand::RemoveVersion { flow: "f".into(), version: v.into() })),
        1 => Just(Command::Flow(FlowCommand::Remove { flow: "f".into() })),
        8 => (version(), stage(), stage()).prop_map(|(v, from, to)| roll(v, from, to)),
        8 => (version(), part, prop::option::of(1..5u8), 0..6u64).prop_map(|(v, p, to, replaces)| assign(v, p, to, replaces)),
        3 => (key(), "[a-z]{0,3}").prop_map(|(k, v)| set(k, &v)),
        2 => (key(), 0..9u64, prop::option::of("[a-z]")).prop_map(|(k, r, v)| {
            let value = v.map(Blob::from);
            Command::Context(ContextCommand::CompareAndSet { place: place(k), expected: Expected::Revision(r), value })
        }),
        1 => Just(Command::Context(ContextCommand::Clear { scope: vgdc_store::Scope::Global, store: "default".into() })),
        1 => (1..3u32).prop_map(|uses| Command::Token(TokenCommand::Issue { id: "t".into(), expires_at: 5_000, uses })),
        1 => Just(Command::Token(TokenCommand::Revoke { id: "t".into() })),
    ]
}

/// The state without what it remembers of requests.
fn of_note(state: &State) -> State {
    State {
        sessions: sessions::Sessions::default(),
        ..state.clone()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn whatever_is_asked(commands in proptest::collection::vec(command(), 1..80)) {
        let (mut mesh, mut twin) = (Mesh::new(), State::default());
        let mut epochs: BTreeMap<(String, String, String), u64> = BTreeMap::new();
        for command in commands {
            let before = of_note(&mesh.state);
            let proposal = mesh.proposal(command);
            let (answer, change) = mesh.state.apply(&proposal);
            mesh.state.check().map_err(TestCaseError::fail)?;
            if answer.is_err() {
                prop_assert_eq!(&of_note(&mesh.state), &before, "a refused command changes nothing");
            }
            prop_assert_eq!(mesh.state.revision, before.revision + u64::from(change.is_some()));
            if change.is_none() {
                prop_assert_eq!(&of_note(&mesh.state), &before, "what is not recorded changes nothing");
            }
            for (flow, version, part, owner) in mesh.state.flows.owned() {
                let last = epochs.entry((flow.into(), version.into(), part.into())).or_default();
                // (a flow that was removed and put again begins without an owner)
                prop_assert!(owner.epoch >= *last || owner.epoch == 0, "epochs only grow");
                *last = owner.epoch.max(*last);
            }
            if let Ok(Reply::Assigned { epoch }) = answer {
                prop_assert!(epoch > before.epoch, "an epoch is given once");
            }
            // (a second time, as after a lost answer)
            let again = mesh.state.clone().apply(&proposal);
            prop_assert_eq!(&again.0, &answer);
            prop_assert_eq!(again.1, None);
            prop_assert_eq!(twin.apply(&proposal).0, answer);
        }
        let snapshot = format::write_snapshot(&mesh.state).map_err(TestCaseError::fail)?;
        prop_assert_eq!(&snapshot, &format::write_snapshot(&twin).map_err(TestCaseError::fail)?, "the same commands, the same bytes");
        let restored = format::read_snapshot(&snapshot).map_err(TestCaseError::fail)?;
        prop_assert_eq!(&restored, &mesh.state);
        let backup = format::write_backup(&mesh.state).map_err(TestCaseError::fail)?;
        let restored = format::read_backup(&backup).map_err(TestCaseError::fail)?;
        prop_assert_eq!(restored, of_note(&mesh.state));
    }
}
