//! Cuts a graph into parts, one for each machine of a mesh.
//!
//! Operators that cannot be apart are a *unit* (`units.rs`); where a unit may run, rules say (`rules.rs`); what a cut and a load
//! cost is known from a profile or estimated ([`costs`]); and the cut that costs least is looked for (`solve.rs`). Then each machine gets
//! a graph of its own, with a sender or a receiver at each end of what was cut ([`split`]).
//!
//! A cut changes neither which messages arrive at an operator from one sender nor their order. What is no longer certain is the order
//! between messages of different senders, and that listeners are told at once; docs/mesh.md says so.

pub mod costs;
pub mod predict;
mod rules;
mod solve;
pub mod split;
mod units;

use std::collections::{BTreeMap, HashMap};

use vgdc_ir::{Graph, OpId};
use vgdc_syntax::{Diagnostics, FlowDoc, Mesh};

use crate::keys::ContextUse;
use crate::registry::Registry;
use costs::Costs;
pub use units::Reason;

/// Which operator runs on which machine.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Assignment {
    /// By operator the machine's number. Configuration nodes of which each machine has a copy are not in it.
    pub of: HashMap<OpId, usize>,
    /// Why operators are where they are: those for which a rule says it.
    pub ruled: HashMap<OpId, String>,
    /// Whether no other cut is cheaper: it was found by trying all.
    pub exact: bool,
    /// For each machine that has something to do, what is to be known by whoever moves that elsewhere.
    pub moves: BTreeMap<usize, Moves>,
}

/// Where all that a machine has to do may be done instead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moves {
    /// The machines that may, this one among them.
    pub on: Vec<usize>,
    /// Machines whose own may not be done by the same one.
    pub apart: Vec<usize>,
    /// At no time may two do it.
    pub single: bool,
}

/// Looks for the cheapest cut of a normalised graph. Nothing where some operator can run nowhere; the diagnostics say why then.
pub fn assign(
    graph: &Graph,
    doc: &FlowDoc,
    registry: &Registry,
    uses: &HashMap<OpId, ContextUse>,
    mesh: &Mesh,
    costs: &Costs,
    diagnostics: &mut Diagnostics,
) -> Option<Assignment> {
    let rules = rules::Rules::read(graph, doc, mesh, diagnostics);
    let units = units::find(graph, registry, uses, &rules.together, &mesh.shared);
    let problem = rules.problem(graph, doc, &units, mesh, costs, diagnostics)?;
    let (places, exact) = solve::solve(&problem);
    let mut of = HashMap::new();
    for (unit, place) in units.sets.iter().zip(&places) {
        of.extend(unit.iter().map(|op| (*op, *place)));
    }
    Some(Assignment {
        moves: moves(&rules, &problem.allowed, &places, &of),
        of,
        ruled: rules.words(mesh),
        exact,
    })
}

fn moves(
    rules: &rules::Rules,
    allowed: &[Vec<usize>],
    places: &[usize],
    of: &HashMap<OpId, usize>,
) -> BTreeMap<usize, Moves> {
    let mut moves: BTreeMap<usize, Moves> = BTreeMap::new();
    for (allowed, place) in allowed.iter().zip(places) {
        match moves.get_mut(place) {
            Some(there) => there.on.retain(|at| allowed.contains(at)),
            None => {
                let on = allowed.clone();
                moves.insert(
                    *place,
                    Moves {
                        on,
                        ..Moves::default()
                    },
                );
            }
        }
    }
    for (one, other) in &rules.apart {
        if let (Some(&a), Some(&b)) = (of.get(one), of.get(other)) {
            for (at, from) in [(a, b), (b, a)] {
                let there = &mut moves.entry(at).or_default().apart;
                if at != from && !there.contains(&from) {
                    there.push(from);
                }
            }
        }
    }
    for place in rules.single.iter().filter_map(|op| of.get(op)) {
        moves.entry(*place).or_default().single = true;
    }
    moves
}
