//! How an island's operators come and go: start, stop, a new plan.

use super::{Counters, Island, Slot, Started, State, Update};
use crate::event::WatchFlags;
use crate::native::{Region, regions};
use crate::shared::NodeEnv;
use crate::{Cx, EventKind, Kinds, Level, NodeError, OpInfo};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use vgdc_plan::{Chain, OpIndex, Plan};
use vgdc_value::{Object, Value};

impl Island {
    pub(super) async fn stop(&mut self, ids: Option<Vec<String>>, removed: &[String]) {
        let slots: Vec<u32> = match &ids {
            None => (0..self.slots.len() as u32).rev().collect(),
            Some(ids) => ids
                .iter()
                .filter_map(|id| self.index.get(id).copied())
                .collect(),
        };
        let mut closing = Vec::new();
        for &slot in &slots {
            let at = &self.slots[slot as usize];
            if at.state != State::Started {
                continue;
            }
            let gone = removed.contains(&at.info.id);
            let mut waits = None;
            self.with_process(slot, |process, cx| waits = process.close(cx, gone));
            closing.extend(waits);
            self.end(slot);
        }
        if closing.is_empty() {
            return;
        }
        let all = async {
            for wait in closing {
                wait.await;
            }
        };
        if tokio::time::timeout(self.close_timeout, all).await.is_err() {
            let text = format!(
                "nodes took longer than {} s to stop",
                self.close_timeout.as_secs_f64()
            );
            self.shared.log.log(
                self.shared.clock.now_ms(),
                Level::Warn,
                None,
                &Value::from(text),
            );
        }
    }

    fn end(&mut self, slot: u32) {
        // (each may have this operator in it; the next plan brings them back)
        self.each_region(|region, slots| region.count(slots));
        self.slots.iter_mut().for_each(|at| at.region = None);
        self.timers.clear_all(slot);
        self.queue.retain(|(to, _)| *to != slot);
        if let Some(tracing) = self.tracing.as_deref_mut() {
            tracing.forget(slot);
        }
        let at = &mut self.slots[slot as usize];
        at.process = None;
        at.state = State::Stopped;
        at.generation = u32::MAX;
        if let Some(measured) = &mut at.measured {
            measured.nothing_waits();
        }
        self.in_flight = self.in_flight.saturating_sub(at.works);
        at.works = 0;
        for task in at.tasks.drain(..) {
            task.abort();
        }
        let id = at.info.id.clone();
        self.published.remove(&id);
        if self.slots[slot as usize].watch.any(Kinds::LIFECYCLE) {
            self.tell(
                slot,
                EventKind::Lifecycle {
                    state: "stopped",
                    message: String::new(),
                },
            );
        }
    }

    /// Takes over a plan: what is not kept has been stopped before.
    pub(super) async fn update(&mut self, update: Update) -> Started {
        self.shared = update.shared;
        let plan = self.shared.plan.clone();
        self.each_region(|region, slots| region.count(slots));
        let mut old: HashMap<String, Slot> = self
            .slots
            .drain(..)
            .map(|slot| (slot.info.id.clone(), slot))
            .collect();
        let old_ids: Vec<String> = {
            let mut ids: Vec<(&String, &u32)> = self.index.iter().collect();
            ids.sort_by_key(|(_, slot)| **slot);
            ids.into_iter().map(|(id, _)| id.clone()).collect()
        };
        let numbers: HashMap<OpIndex, u32> = update
            .ops
            .iter()
            .enumerate()
            .map(|(slot, op)| (*op, slot as u32))
            .collect();
        self.index = update
            .ops
            .iter()
            .enumerate()
            .map(|(slot, op)| (plan.ops[*op as usize].id.clone(), slot as u32))
            .collect();
        let mut fresh = Vec::new();
        for (slot, &op) in update.ops.iter().enumerate() {
            let planned = &plan.ops[op as usize];
            let kept = old
                .remove(&planned.id)
                .filter(|slot| update.keep.contains(&slot.info.id) && slot.state == State::Started);
            let kinds = update.watch.get(&planned.id).copied().unwrap_or_default();
            if kept.is_none() {
                fresh.push(slot as u32);
            }
            let slot = self.slot_for(op, &plan, &numbers, kept, kinds);
            self.slots.push(slot);
        }
        self.move_queue(&old_ids);
        if let Some(tracing) = self.tracing.as_deref_mut() {
            tracing.forget_slots();
        }
        for &slot in &fresh {
            self.start(slot);
        }
        for task in std::mem::take(&mut self.starting) {
            task.await;
        }
        for &slot in &fresh {
            self.with_process(slot, |process, cx| process.started(cx));
        }
        for (first, region) in regions(self, &numbers) {
            self.slots[first as usize].region = Some(Box::new(region));
        }
        Started {
            states: self
                .slots
                .iter()
                .map(|slot| (slot.info.id.clone(), slot.state))
                .collect(),
        }
    }

    /// What waits for nodes that stay goes on waiting for them; timers likewise.
    fn move_queue(&mut self, old_ids: &[String]) {
        let moved: Vec<Option<u32>> = old_ids
            .iter()
            .map(|id| self.index.get(id).copied())
            .collect();
        let new = |slot: u32| moved.get(slot as usize).copied().flatten();
        let queue = std::mem::take(&mut self.queue);
        self.queue = queue
            .into_iter()
            .filter_map(|(slot, work)| Some((new(slot)?, work)))
            .collect();
        self.timers.renumber(new);
    }

    fn slot_for(
        &mut self,
        op: OpIndex,
        plan: &Plan,
        numbers: &HashMap<OpIndex, u32>,
        kept: Option<Slot>,
        kinds: Kinds,
    ) -> Slot {
        let planned = &plan.ops[op as usize];
        let number = |op: &OpIndex| numbers.get(op).copied();
        let chains = |chains: &[Chain]| -> Vec<Vec<Vec<(u32, bool)>>> {
            let level = |level: &Vec<vgdc_plan::Listener>| {
                level
                    .iter()
                    .filter_map(|l| Some((number(&l.op)?, l.uncaught)))
                    .collect()
            };
            chains
                .iter()
                .map(|chain| chain.levels.iter().map(level).collect())
                .collect()
        };
        let ports = planned.ports.iter();
        let ports = ports
            .map(|port| {
                port.edges
                    .iter()
                    .filter_map(|edge| Some((number(&edge.to)?, edge.fused)))
                    .collect()
            })
            .collect();
        let catch = chains(&planned.catch);
        let status = chains(&planned.status);
        let complete = planned.complete.iter().filter_map(number).collect();
        let targets = planned.targets.iter().filter_map(number).collect();
        if let Some(mut slot) = kept {
            slot.watch.set(kinds);
            (slot.op, slot.ports, slot.catch, slot.status) = (op, ports, catch, status);
            (slot.complete, slot.targets) = (complete, targets);
            slot.region = None;
            return slot;
        }
        self.generation += 1;
        let watch = Arc::new(WatchFlags::default());
        watch.set(kinds);
        let path = plan
            .flows
            .get(planned.flow as usize)
            .map_or("global", |flow| flow.path.as_str());
        let info = Arc::new(OpInfo {
            id: planned.id.clone(),
            ty: planned.ty.clone(),
            name: planned.name.clone(),
            z: planned.z.clone(),
            alias: planned.alias.clone(),
            path: path.to_owned(),
        });
        let env = NodeEnv::new(self.shared.clone(), op);
        let mut props: Object = planned
            .props
            .iter()
            .map(|(key, value)| (key.as_str(), Value::from_json(value)))
            .collect();
        for value in props.values_mut() {
            vgdc_expr::substitute_env(value, &env);
        }
        Slot {
            info,
            op,
            fingerprint: planned.fingerprint.clone(),
            props,
            ports,
            catch,
            status,
            complete,
            targets,
            watch,
            process: None,
            region: None,
            state: State::Failed,
            generation: self.generation,
            counters: Counters::default(),
            measured: self.profiler.is_some().then(Box::default),
            tasks: Vec::new(),
            works: 0,
            has_set_status: false,
        }
    }

    fn start(&mut self, slot: u32) {
        let planned = &self.shared.plan.ops[self.slots[slot as usize].op as usize];
        let ty = planned.process_type().to_owned();
        let made = match self.shared.registry.get(&ty) {
            None => Err(NodeError::new(format!(
                "this runtime has no node type \"{ty}\""
            ))),
            Some(def) => catch_unwind(AssertUnwindSafe(|| {
                (def.create)(&mut Cx { island: self, slot })
            }))
            .unwrap_or_else(|_| {
                Err(NodeError::new("internal error while starting this node").with_code("panic"))
            }),
        };
        let (state, message) = match made {
            Ok(process) => {
                let at = &mut self.slots[slot as usize];
                at.process = Some(process);
                at.state = State::Started;
                ("started", String::new())
            }
            Err(error) => {
                self.timers.clear_all(slot);
                let text = error.text();
                self.error(slot, error, None);
                ("failed", text)
            }
        };
        if self.slots[slot as usize].watch.any(Kinds::LIFECYCLE) {
            self.tell(slot, EventKind::Lifecycle { state, message });
        }
    }

    pub(crate) fn set_watch(&mut self, watch: &HashMap<String, Kinds>) {
        for slot in &self.slots {
            slot.watch
                .set(watch.get(&slot.info.id).copied().unwrap_or_default());
        }
        self.each_region(|region, slots| region.look(slots));
    }

    fn each_region(&mut self, mut f: impl FnMut(&mut Region, &mut [Slot])) {
        for slot in 0..self.slots.len() {
            if let Some(mut region) = self.slots[slot].region.take() {
                f(&mut region, &mut self.slots);
                self.slots[slot].region = Some(region);
            }
        }
    }

    pub(crate) fn counters(&mut self) -> Vec<(String, Counters)> {
        self.each_region(|region, slots| region.count(slots));
        for slot in &mut self.slots {
            slot.counters.waiting = 0;
        }
        for (slot, _) in &self.queue {
            if let Some(slot) = self.slots.get_mut(*slot as usize) {
                slot.counters.waiting += 1;
            }
        }
        self.slots
            .iter()
            .map(|slot| (slot.info.id.clone(), slot.counters.clone()))
            .collect()
    }

    /// The fingerprint under which a running node was started.
    pub(crate) fn fingerprints(&self) -> Vec<(String, String)> {
        let running = self
            .slots
            .iter()
            .filter(|slot| slot.state == State::Started);
        running
            .map(|slot| (slot.info.id.clone(), slot.fingerprint.clone()))
            .collect()
    }
}
