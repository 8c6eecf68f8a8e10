//! Measuring, in a program that runs with `--profile`: what its nodes cost, and where.
//!
//! Turns of nodes are timed one inside the other: what a node hands on at once is handled within its own turn, so a turn has
//! a time in all and one of its own. Machine code and the engine are timed where they are called. A region is one function:
//! its time is measured for each stage that messages end in, and shared out among the stages on the way there. The shares
//! are measured too: one message in [`ALONE`] goes through the operators of a region one by one.
//!
//! Without `--profile` an island has no [`Profiler`], and all that is left of this is to see that there is none.

use crate::Cx;
use crate::island::{Counters, Island};
use std::collections::{HashMap, HashSet};
use std::time::Instant;
use vgdc_native::Native;
use vgdc_plan::profile::{self, Profile};
use vgdc_plan::{FlowIndex, Plan};

/// Of this many messages that come to a region, the last one goes through its operators one by one.
const ALONE: u64 = 64;

/// What is measured of an island.
#[derive(Default)]
pub(crate) struct Profiler {
    /// Turns that have begun and not ended, outermost first.
    open: Vec<Turn>,
    regions: Vec<RegionTimes>,
    largest_queue: usize,
}

struct Turn {
    slot: u32,
    begun: Instant,
    /// Nanoseconds of turns inside this one.
    inside: u64,
}

/// What is measured of an operator.
#[derive(Default)]
pub(crate) struct Measured {
    /// Turns with a message, and their own nanoseconds.
    alone: u64,
    alone_ns: u64,
    total_ns: u64,
    self_ns: u64,
    code: profile::Code,
    engine: profile::Engine,
    /// By block: nothing where it has no probe, else how many calls came by, and one.
    blocks: Vec<u64>,
    /// Messages that wait for it, and the most that ever did.
    waiting: u64,
    largest_queue: u64,
    /// How many of its turns are open.
    open: u32,
}

impl Measured {
    /// The queue has been emptied of what waited.
    pub(crate) fn nothing_waits(&mut self) {
        self.waiting = 0;
    }
}

/// What is measured of a region.
struct RegionTimes {
    nodes: Vec<String>,
    /// The stage before, for each stage.
    from: Vec<Option<u32>>,
    /// Of messages that came as far as each stage.
    ends: Vec<End>,
}

#[derive(Default, Clone, Copy)]
struct End {
    well: u64,
    bails: u64,
    /// Nanoseconds in the function.
    ns: u64,
    /// Nanoseconds in what was done then.
    after_ns: u64,
}

/// Whether a region's next message goes through its operators one by one.
#[derive(Default)]
pub(crate) struct Sampling {
    messages: u64,
}

impl Sampling {
    pub(crate) fn is_alone(&mut self) -> bool {
        self.messages += 1;
        self.messages.is_multiple_of(ALONE)
    }
}

/// A region's function has ended, and what it leads to is done.
pub(crate) struct Passed {
    region: usize,
    stage: u32,
    slot: u32,
    at: Instant,
    turn: Option<usize>,
}

fn nanos(from: Instant) -> u64 {
    from.elapsed().as_nanos() as u64
}

impl Island {
    /// The time, where it is measured.
    #[inline]
    pub(crate) fn clock(&self) -> Option<Instant> {
        self.profiler.as_ref().map(|_| Instant::now())
    }

    fn measured(&mut self, slot: u32) -> Option<&mut Measured> {
        self.slots.get_mut(slot as usize)?.measured.as_deref_mut()
    }

    /// A turn of an operator begins; to be ended with [`Island::leave`].
    #[inline]
    pub(crate) fn enter(&mut self, slot: u32) -> Option<usize> {
        let profiler = self.profiler.as_deref_mut()?;
        profiler.open.push(Turn {
            slot,
            begun: Instant::now(),
            inside: 0,
        });
        let number = profiler.open.len() - 1;
        if let Some(measured) = self.measured(slot) {
            measured.open += 1;
        }
        Some(number)
    }

    /// The turn ends. `is_message`: it was one with a message.
    #[inline]
    pub(crate) fn leave(&mut self, turn: Option<usize>, is_message: bool) {
        if let Some(turn) = turn {
            self.left(turn, is_message);
        }
    }

    fn left(&mut self, number: usize, is_message: bool) {
        let Some(profiler) = self.profiler.as_deref_mut() else {
            return;
        };
        // (turns inside that a panic has ended are over, too)
        profiler.open.truncate(number + 1);
        let Some(turn) = profiler.open.pop() else {
            return;
        };
        let total = nanos(turn.begun);
        if let Some(around) = profiler.open.last_mut() {
            around.inside += total;
        }
        let own = total.saturating_sub(turn.inside);
        if let Some(measured) = self.measured(turn.slot) {
            measured.open = measured.open.saturating_sub(1);
            measured.self_ns += own;
            // (a turn inside one of the same operator is in that one's time)
            if measured.open == 0 {
                measured.total_ns += total;
            }
            if is_message {
                measured.alone += 1;
                measured.alone_ns += own;
            }
        }
    }

    /// A message waits for an operator.
    #[inline]
    pub(crate) fn waits(&mut self, slot: u32) {
        if let Some(profiler) = self.profiler.as_deref_mut() {
            profiler.largest_queue = profiler.largest_queue.max(self.queue.len());
            if let Some(measured) = self.measured(slot) {
                measured.waiting += 1;
                measured.largest_queue = measured.largest_queue.max(measured.waiting);
            }
        }
    }

    /// A message that waited for an operator is handled.
    #[inline]
    pub(crate) fn waited(&mut self, slot: u32) {
        if self.profiler.is_some()
            && let Some(measured) = self.measured(slot)
        {
            measured.waiting = measured.waiting.saturating_sub(1);
        }
    }

    /// Machine code of an operator was called.
    #[inline]
    pub(crate) fn ran_code(&mut self, slot: u32, begun: Option<Instant>) {
        if let Some(begun) = begun
            && let Some(measured) = self.measured(slot)
        {
            measured.code.calls += 1;
            measured.code.ns += nanos(begun);
        }
    }

    /// The marks that a call has left, before its frame is cleared. `slot_of` gives the operator of a stage.
    #[inline]
    pub(crate) fn came_by(&mut self, native: &Native, slot_of: impl Fn(u32) -> Option<u32>) {
        if self.profiler.is_none() {
            return;
        }
        for probe in native.probes() {
            if let Some(slot) = slot_of(probe.stage)
                && let Some(measured) = self.measured(slot)
            {
                let at = probe.block as usize;
                if measured.blocks.len() <= at {
                    measured.blocks.resize(at + 1, 0);
                }
                let count = &mut measured.blocks[at];
                *count = (*count).max(1) + u64::from(native.came_by(*probe));
            }
        }
    }

    /// That call bailed out.
    #[inline]
    pub(crate) fn bailed_out(&mut self, slot: u32) {
        if self.profiler.is_some()
            && let Some(measured) = self.measured(slot)
        {
            measured.code.bails += 1;
        }
    }

    /// The engine was called for an operator.
    #[inline]
    pub(crate) fn ran_engine(&mut self, slot: u32, begun: Option<Instant>) {
        if let Some(begun) = begun
            && let Some(measured) = self.measured(slot)
        {
            measured.engine.calls += 1;
            measured.engine.ns += nanos(begun);
        }
    }

    /// The number under which a region is measured, the same when a deployment brings it back.
    pub(crate) fn measures_region(
        &mut self,
        nodes: Vec<String>,
        from: Vec<Option<u32>>,
    ) -> Option<usize> {
        let regions = &mut self.profiler.as_deref_mut()?.regions;
        let known = regions
            .iter()
            .position(|region| region.nodes == nodes && region.from == from);
        known.or_else(|| {
            let ends = vec![End::default(); nodes.len()];
            regions.push(RegionTimes { nodes, from, ends });
            Some(regions.len() - 1)
        })
    }

    /// A region's function has ended in a stage. What it leads to is a turn of that stage's operator.
    #[inline]
    pub(crate) fn region_ended(
        &mut self,
        region: Option<usize>,
        stage: u32,
        slot: u32,
        well: bool,
        begun: Option<Instant>,
    ) -> Option<Passed> {
        let (begun, region) = (begun?, region?);
        let ns = nanos(begun);
        let profiler = self.profiler.as_deref_mut()?;
        if let Some(around) = profiler.open.last_mut() {
            around.inside += ns;
        }
        let end = profiler
            .regions
            .get_mut(region)?
            .ends
            .get_mut(stage as usize)?;
        match well {
            true => end.well += 1,
            false => end.bails += 1,
        }
        end.ns += ns;
        Some(Passed {
            region,
            stage,
            slot,
            at: Instant::now(),
            turn: self.enter(slot),
        })
    }

    /// What a region led to is done.
    #[inline]
    pub(crate) fn region_left(&mut self, passed: Option<Passed>) {
        let Some(passed) = passed else { return };
        debug_assert!((passed.slot as usize) < self.slots.len());
        self.leave(passed.turn, false);
        let regions = self.profiler.as_deref_mut().map(|p| &mut p.regions);
        let end = regions
            .and_then(|regions| regions.get_mut(passed.region))
            .and_then(|region| region.ends.get_mut(passed.stage as usize));
        if let Some(end) = end {
            end.after_ns += nanos(passed.at);
        }
    }

    /// What was measured of this island's operators, of the regions and of the island.
    pub(crate) fn profile(&mut self) -> IslandProfile {
        // (what went through regions is counted at the operators now)
        let counters: HashMap<String, Counters> = self.counters().into_iter().collect();
        let plan = self.shared.plan.clone();
        let mut nodes: Vec<profile::Node> = Vec::with_capacity(self.slots.len());
        let mut numbers = HashMap::new();
        let mut weights = HashMap::new();
        for slot in &self.slots {
            let (Some(measured), Some(counted)) =
                (slot.measured.as_deref(), counters.get(&slot.info.id))
            else {
                continue;
            };
            let planned = &plan.ops[slot.op as usize];
            numbers.insert(slot.info.id.clone(), nodes.len());
            if measured.alone > 0 {
                // (the engine's part has no place in a region)
                let ns = measured.alone_ns.saturating_sub(measured.engine.ns);
                weights.insert(slot.info.id.clone(), ns as f64 / measured.alone as f64);
            }
            nodes.push(profile::Node {
                id: slot.info.id.clone(),
                ty: slot.info.ty.clone(),
                name: slot.info.name.clone(),
                flow: flow_name(&plan, planned.flow),
                fingerprint: planned.fingerprint.clone(),
                received: counted.received,
                sent: counted.sent.clone(),
                errors: counted.errors,
                dropped: counted.dropped,
                largest_queue: measured.largest_queue,
                code: profile::Code {
                    blocks: (0..)
                        .zip(&measured.blocks)
                        .filter_map(|(block, count)| Some((block, count.checked_sub(1)?)))
                        .collect(),
                    ..measured.code.clone()
                },
                engine: measured.engine.clone(),
                total_ns: measured.total_ns,
                self_ns: measured.self_ns,
            });
        }
        let mut regions = Vec::new();
        let mut largest_queue = 0;
        if let Some(profiler) = self.profiler.as_deref() {
            largest_queue = profiler.largest_queue as u64;
            for region in &profiler.regions {
                if region.nodes.iter().all(|id| numbers.contains_key(id)) {
                    let (region, totals) = region.shared_out(&weights);
                    for (stage, total) in region.stages.iter().zip(totals) {
                        let node = &mut nodes[numbers[&stage.node]];
                        node.code.calls += stage.reached;
                        node.code.bails += stage.bails;
                        node.code.ns += stage.ns;
                        node.self_ns += stage.ns;
                        node.total_ns += total;
                    }
                    regions.push(region);
                }
            }
        }
        let island = profile::Island {
            nodes: nodes.len(),
            largest_queue,
            ns: nodes.iter().map(|node| node.self_ns).sum(),
        };
        IslandProfile {
            nodes,
            regions,
            island,
        }
    }
}

/// What was measured of an island.
pub(crate) struct IslandProfile {
    nodes: Vec<profile::Node>,
    regions: Vec<profile::Region>,
    island: profile::Island,
}

impl RegionTimes {
    /// Shares the region's time out among its stages, by what each takes alone (`weights`, by ids). Gives with each stage the
    /// time from its beginning to the end of all that it led to, but for what the last stage did itself after the function.
    fn shared_out(&self, weights: &HashMap<String, f64>) -> (profile::Region, Vec<u64>) {
        let known: Vec<Option<f64>> = self
            .nodes
            .iter()
            .map(|id| weights.get(id).copied())
            .collect();
        let sum: f64 = known.iter().flatten().sum();
        // (a stage of which nothing is known is taken for one of middling size)
        let middling = match known.iter().flatten().count() {
            0 => 1.0,
            count => sum / count as f64,
        };
        let weight = |stage: usize| known[stage].unwrap_or(middling).max(1.0);
        let mut region = profile::Region {
            stages: (self.nodes.iter())
                .map(|node| profile::Stage {
                    node: node.clone(),
                    ..profile::Stage::default()
                })
                .collect(),
            ..profile::Region::default()
        };
        let mut own = vec![0.0; self.nodes.len()];
        let mut totals = vec![0.0; self.nodes.len()];
        for (last, end) in self.ends.iter().enumerate() {
            region.calls += end.well + end.bails;
            region.ns += end.ns;
            region.stages[last].ended += end.well;
            region.stages[last].bails += end.bails;
            let way: Vec<usize> = std::iter::successors(Some(last), |at| {
                self.from[*at].map(|before| before as usize)
            })
            .collect();
            let all: f64 = way.iter().map(|stage| weight(*stage)).sum();
            let mut from_here = 0.0;
            for stage in way {
                let share = end.ns as f64 * weight(stage) / all;
                from_here += share;
                own[stage] += share;
                totals[stage] += from_here;
                if stage != last {
                    totals[stage] += end.after_ns as f64;
                }
                region.stages[stage].reached += end.well + end.bails;
            }
        }
        for (stage, own) in region.stages.iter_mut().zip(own) {
            stage.ns = own.round() as u64;
        }
        let totals = totals.into_iter().map(|total| total.round() as u64);
        (region, totals.collect())
    }
}

/// The labels of a flow and of those around it.
fn flow_name(plan: &Plan, flow: FlowIndex) -> String {
    let mut names = Vec::new();
    let mut at = Some(flow);
    while let Some(flow) = at.and_then(|at| plan.flows.get(at as usize)) {
        names.push(match flow.label.is_empty() {
            true => flow.id.as_str(),
            false => flow.label.as_str(),
        });
        // (a plan that was verified has no circle here, but this ends in any case)
        at = flow.parent.filter(|_| names.len() <= plan.flows.len());
    }
    names.reverse();
    names.join(" / ")
}

/// Puts what islands measured together.
pub(crate) fn together(plan: &Plan, parts: Vec<IslandProfile>) -> Profile {
    let mut profile = Profile {
        format: profile::FORMAT,
        flow: plan.hash.clone(),
        ..Profile::default()
    };
    for part in parts {
        profile.nodes.extend(part.nodes);
        profile.regions.extend(part.regions);
        profile.islands.push(part.island);
    }
    let order: HashMap<&str, usize> = (plan.ops.iter().enumerate())
        .map(|(at, op)| (op.id.as_str(), at))
        .collect();
    let place = |node: &profile::Node| order.get(node.id.as_str()).copied();
    profile.nodes.sort_by_key(place);
    let sent: HashMap<&str, &[u64]> = (profile.nodes.iter())
        .map(|node| (node.id.as_str(), node.sent.as_slice()))
        .collect();
    let wires = profile::wires(plan, &sent);
    let measured: HashSet<&str> = sent.keys().copied().collect();
    profile.wires = (wires.into_iter())
        .filter(|wire| measured.contains(wire.from.as_str()))
        .collect();
    profile
}

impl Cx<'_> {
    /// Calls the JavaScript engine for this node: a profile counts and times it.
    pub fn in_engine<T>(&mut self, call: impl FnOnce() -> T) -> T {
        let begun = self.island.clock();
        let result = call();
        self.island.ran_engine(self.slot, begun);
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(ends: Vec<End>, from: Vec<Option<u32>>) -> RegionTimes {
        RegionTimes {
            nodes: (0..from.len()).map(|at| format!("n{at}")).collect(),
            from,
            ends,
        }
    }

    fn end(well: u64, bails: u64, ns: u64, after_ns: u64) -> End {
        End {
            well,
            bails,
            ns,
            after_ns,
        }
    }

    #[test]
    fn a_regions_time_is_shared_by_what_stages_take_alone() {
        let region = times(
            vec![end(0, 0, 0, 0), end(2, 1, 300, 60)],
            vec![None, Some(0)],
        );
        let weights = HashMap::from([("n0".to_owned(), 10.0), ("n1".to_owned(), 20.0)]);
        let (shared, totals) = region.shared_out(&weights);
        assert_eq!((shared.calls, shared.ns), (3, 300));
        let [one, other] = &shared.stages[..] else {
            panic!("two stages")
        };
        assert_eq!((one.reached, one.ended, one.bails, one.ns), (3, 0, 0, 100));
        assert_eq!(
            (other.reached, other.ended, other.bails, other.ns),
            (3, 2, 1, 200)
        );
        assert_eq!(totals, [360, 200]);
    }

    #[test]
    fn time_goes_only_to_stages_that_messages_came_by() {
        // (a fork: the first leads to either of the others)
        let region = times(
            vec![end(0, 0, 0, 0), end(1, 0, 50, 0), end(3, 0, 600, 0)],
            vec![None, Some(0), Some(0)],
        );
        let (shared, totals) = region.shared_out(&HashMap::new());
        let ns: Vec<u64> = shared.stages.iter().map(|stage| stage.ns).collect();
        assert_eq!(ns, [325, 25, 300], "nothing is known: halves");
        assert_eq!(totals, [650, 25, 300]);
        let reached: Vec<u64> = shared.stages.iter().map(|stage| stage.reached).collect();
        assert_eq!(reached, [4, 1, 3]);
    }

    #[test]
    fn one_message_in_so_many_goes_alone() {
        let mut sampling = Sampling::default();
        let alone = (0..ALONE * 3).filter(|_| sampling.is_alone()).count();
        assert_eq!(alone, 3);
    }
}
