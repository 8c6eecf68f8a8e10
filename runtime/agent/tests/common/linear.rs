//! Is a history of operations on a register linearizable? The search of Wing and Gong ("Testing and verifying concurrent objects",
//! 1993), with Lowe's memory of what was tried ("Testing for linearizability", 2017).
//!
//! (stateright's tester remembers nothing of what it tried, so it does not end on histories of this length, and it takes an operation
//! whose outcome is not known for the last of its thread.)

use std::collections::HashSet;

/// What was asked, and answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// It was read, and was this.
    Read(Option<u32>),
    /// It was set.
    Write(u32),
    /// It was set if it was this; and was it?
    Cas(Option<u32>, u32, bool),
    /// It was set if it was this; whether is not known.
    MaybeCas(Option<u32>, u32),
}

/// An operation with its times, on one clock. Without an end, nobody knows whether it was done, or when.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    pub op: Op,
    pub begin: u64,
    pub end: Option<u64>,
}

/// The register after an operation, if it may answer so.
fn step(state: Option<u32>, op: Op) -> Option<Option<u32>> {
    match op {
        Op::Read(value) => (value == state).then_some(state),
        Op::Write(value) => Some(Some(value)),
        Op::Cas(expected, value, true) => (expected == state).then_some(Some(value)),
        Op::Cas(expected, _, false) => (expected != state).then_some(state),
        Op::MaybeCas(expected, value) => Some(if expected == state {
            Some(value)
        } else {
            state
        }),
    }
}

/// Whether some order of the operations, each between its begin and its end, explains all answers. Begins with no value.
pub fn linearizable(history: &[Call]) -> bool {
    let mut calls = history.to_vec();
    calls.sort_by_key(|call| call.begin);
    let words = calls.len().div_ceil(64);
    let needed: Vec<usize> = (0..calls.len())
        .filter(|n| calls[*n].end.is_some())
        .collect();
    let has = |done: &[u64], n: usize| done[n / 64] >> (n % 64) & 1 == 1;
    let mut seen = HashSet::new();
    let mut todo = vec![(vec![0u64; words], None)];
    while let Some((done, state)) = todo.pop() {
        if !seen.insert((done.clone(), state)) {
            continue;
        }
        if needed.iter().all(|n| has(&done, *n)) {
            return true;
        }
        // What begins after another, that is not done yet, has ended, cannot come before it.
        let first_end = needed
            .iter()
            .filter(|n| !has(&done, **n))
            .filter_map(|n| calls[*n].end)
            .min();
        let first_end = first_end.unwrap_or(u64::MAX);
        for (n, call) in calls.iter().enumerate() {
            if call.begin > first_end {
                break;
            }
            if has(&done, n) {
                continue;
            }
            if let Some(after) = step(state, call.op) {
                let mut done = done.clone();
                done[n / 64] |= 1 << (n % 64);
                todo.push((done, after));
            }
        }
    }
    false
}

#[test]
fn it_tells_right_histories_from_wrong_ones() {
    let call = |op, begin, end| Call {
        op,
        begin,
        end: Some(end),
    };
    let lost = |op, begin| Call {
        op,
        begin,
        end: None,
    };
    let right: [&[Call]; 4] = [
        &[call(Op::Write(1), 0, 1), call(Op::Read(Some(1)), 2, 3)],
        // at the same time: either order
        &[
            call(Op::Write(1), 0, 9),
            call(Op::Read(None), 1, 2),
            call(Op::Read(Some(1)), 3, 4),
        ],
        // what nobody knows the outcome of may come late, or never
        &[
            lost(Op::Write(1), 0),
            call(Op::Read(None), 1, 2),
            call(Op::Read(Some(1)), 3, 4),
        ],
        &[
            call(Op::Write(1), 0, 1),
            lost(Op::MaybeCas(Some(1), 2), 2),
            call(Op::Cas(Some(1), 3, true), 3, 4),
        ],
    ];
    for history in right {
        assert!(linearizable(history), "{history:?}");
    }
    let wrong: [&[Call]; 5] = [
        // a stale read
        &[call(Op::Write(1), 0, 1), call(Op::Read(None), 2, 3)],
        // a value that goes back
        &[
            call(Op::Write(1), 0, 9),
            call(Op::Read(Some(1)), 1, 2),
            call(Op::Read(None), 3, 4),
        ],
        // two that both replaced the same value
        &[
            call(Op::Cas(None, 1, true), 0, 9),
            call(Op::Cas(None, 2, true), 0, 9),
        ],
        // a write that was done twice
        &[
            call(Op::Write(1), 0, 1),
            call(Op::Write(2), 2, 3),
            call(Op::Read(Some(1)), 4, 5),
        ],
        // a value from nowhere
        &[lost(Op::Write(1), 0), call(Op::Read(Some(2)), 1, 2)],
    ];
    for history in wrong {
        assert!(!linearizable(history), "{history:?}");
    }
}
