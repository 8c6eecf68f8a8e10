//! Operators that run as one function, as long as nobody watches one of them.
//!
//! A message that comes to the first of them goes through the code of all that it passes in one call. Where that bails out,
//! the operators before have done their work, and the message goes on from there as it would without machine code.

use super::world::{Outputs, Place, World};
use super::{Record, time_limit};
use crate::island::{Island, Slot, State};
use crate::profile::Sampling;
use crate::shared::NodeEnv;
use crate::{Cx, Kinds, NodeError};
use std::collections::HashMap;
use std::time::Duration;
use vgdc_native::Native;
use vgdc_plan::OpIndex;
use vgdc_value::Msg;

/// What a person sees of an operator's messages: whoever wants that gets the operators one by one.
const WATCHED: Kinds = Kinds(Kinds::INPUT.0 | Kinds::SEND.0 | Kinds::DONE.0);

/// A region that can be called.
pub(crate) struct Region {
    native: Native,
    places: Vec<Place>,
    stages: Vec<Stage>,
    limit: Duration,
    record: Record,
    watched: bool,
    /// Its number in the profile, if one is taken, and which of its messages go through its operators one by one.
    measured: Option<usize>,
    sampling: Sampling,
}

struct Stage {
    /// The operator's slot in the island.
    slot: u32,
    /// The slot of the frame where its message is as it came.
    kept: u32,
    /// The stage before, and the output by which the message leaves that one.
    from: Option<(u32, u32)>,
    /// How many messages ended in this stage that have not been counted at the operators yet.
    ended: u64,
}

impl Region {
    /// Whether a message that comes to the first operator goes through the function.
    #[inline]
    pub(crate) fn is_ready(&mut self) -> bool {
        !self.watched
            && self.record.pays()
            && (self.measured.is_none() || !self.sampling.is_alone())
    }

    /// Looks again whether somebody watches one of its operators.
    pub(crate) fn look(&mut self, slots: &[Slot]) {
        let watched = |stage: &Stage| slots[stage.slot as usize].watch.any(WATCHED);
        self.watched = self.stages.iter().any(watched);
    }

    /// Counts at the operators what went through them.
    pub(crate) fn count(&mut self, slots: &mut [Slot]) {
        for stage in 0..self.stages.len() {
            let ended = std::mem::take(&mut self.stages[stage].ended);
            if ended > 0 {
                slots[self.stages[stage].slot as usize].counters.received += ended;
                self.count_before(stage as u32, ended, slots);
            }
        }
    }

    fn count_before(&self, stage: u32, messages: u64, slots: &mut [Slot]) {
        let mut from = self.stages[stage as usize].from;
        while let Some((before, port)) = from {
            let before = &self.stages[before as usize];
            let counters = &mut slots[before.slot as usize].counters;
            counters.received += messages;
            counters.sent(port as usize, messages);
            from = before.from;
        }
    }

    /// Handles a message.
    pub(crate) fn run(mut self: Box<Self>, island: &mut Island, msg: Msg) {
        let begun = island.clock();
        self.record.called();
        let mut world = World::new(&self.places, &msg);
        let ended = self.native.run(msg, &mut world, self.limit);
        let stage = ended.stage.min(self.stages.len() as u32 - 1);
        let at = &self.stages[stage as usize];
        let (slot, kept) = (at.slot, at.kept);
        let outputs = match (ended.well, ended.port) {
            (false, _) => None,
            (true, Some(_)) => Msg::try_from(self.native.take(ended.slot))
                .ok()
                .map(Outputs::One),
            (true, None) => {
                if let Some(id) = self.native.id() {
                    world.msgid = id;
                }
                world.messages(self.native.take(ended.slot))
            }
        };
        let mut deeds = world.into_deeds();
        let left = match outputs {
            Some(outputs) => Ok((outputs, ended.port.unwrap_or(0))),
            None => {
                self.record.bails += 1;
                deeds.forget_from(stage);
                Err(Msg::try_from(self.native.take(kept)).unwrap_or_default())
            }
        };
        island.came_by(&self.native, |stage| {
            Some(self.stages.get(stage as usize)?.slot)
        });
        self.native.clear();
        match left {
            Ok(_) => self.stages[stage as usize].ended += 1,
            // (the operator's own process counts what it handles)
            Err(_) => self.count_before(stage, 1, &mut island.slots),
        }
        let errors = deeds.store(&self.places, false).unwrap_or_default();
        let slot_of = |of: u32| self.stages[of as usize].slot;
        let errors: Vec<_> = errors.into_iter().map(|(of, e)| (slot_of(of), e)).collect();
        let acts: Vec<_> = (deeds.acts.into_iter())
            .map(|(of, act)| (slot_of(of), act))
            .collect();
        let passed = island.region_ended(self.measured, stage, slot, left.is_ok(), begun);
        // (what is done now may bring another message here)
        let head = self.stages[0].slot;
        island.slots[head as usize].region = Some(self);
        for (slot, error) in errors {
            island.error(slot, NodeError::from_value(error.into()), None);
        }
        for (slot, act) in acts {
            act.perform(&mut Cx { island, slot });
        }
        match left {
            Ok((outputs, port)) => {
                island.handled += 1;
                match outputs {
                    Outputs::One(msg) => island.send(slot, port as usize, msg),
                    outputs => outputs.send(&mut Cx { island, slot }),
                }
            }
            Err(msg) => island.handle_alone(slot, msg),
        }
        island.region_left(passed);
    }
}

/// The regions of an island's operators, each with the slot of its first. Those whose operators do not all run are left out.
pub(crate) fn regions(island: &mut Island, numbers: &HashMap<OpIndex, u32>) -> Vec<(u32, Region)> {
    let shared = island.shared.clone();
    let plan = &shared.plan;
    let (Some(memory), Some(code)) = (shared.code.as_ref(), plan.code.as_ref()) else {
        return Vec::new();
    };
    let limit = time_limit(shared.setting("globalFunctionTimeout").to_number());
    let mut found = Vec::new();
    for planned in &plan.regions {
        let stages: Option<Vec<Stage>> = planned
            .stages
            .iter()
            .map(|stage| {
                let slot = *numbers.get(&stage.op)?;
                (island.slots[slot as usize].state == State::Started).then_some(Stage {
                    slot,
                    kept: stage.kept,
                    from: stage.from,
                    ended: 0,
                })
            })
            .collect();
        let Some(stages) = stages.filter(|stages| !stages.is_empty()) else {
            continue;
        };
        let Ok(native) = Native::new(memory, code, planned.function) else {
            continue;
        };
        let place = |stage: &Stage| {
            let at = &island.slots[stage.slot as usize];
            Place {
                env: NodeEnv::new(shared.clone(), at.op),
                info: at.info.clone(),
            }
        };
        let places: Vec<Place> = stages.iter().map(place).collect();
        let ids = places.iter().map(|place| place.info.id.clone()).collect();
        let before = stages.iter().map(|stage| Some(stage.from?.0)).collect();
        let measured = island.measures_region(ids, before);
        let mut region = Region {
            native,
            places,
            limit,
            record: Record::default(),
            watched: false,
            measured,
            sampling: Sampling::default(),
            stages,
        };
        region.look(&island.slots);
        found.push((region.stages[0].slot, region));
    }
    found
}
