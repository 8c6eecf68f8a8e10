//! The text of a node as machine code, with the engine behind it.

use super::Record;
use super::world::{Outputs, Place, World};
use crate::{Cx, NodeError};
use std::time::Duration;
use vgdc_native::Native;
use vgdc_value::Msg;

/// A text that runs as machine code.
pub struct Compiled {
    native: Native,
    place: [Place; 1],
    limit: Duration,
    record: Record,
}

impl Compiled {
    /// The machine code of a property, if the plan has it and it can be run.
    pub fn new(cx: &Cx<'_>, property: &str, limit: Duration) -> Option<Compiled> {
        Some(Compiled {
            native: cx.native(property)?,
            place: [Place {
                env: cx.env(),
                info: cx.info().clone(),
            }],
            limit,
            record: Record::default(),
        })
    }

    /// Whether it is worth trying.
    pub fn pays(&self) -> bool {
        self.record.pays()
    }

    /// Handles a message; gives it back when the engine has to do it, and nothing has happened.
    pub fn call(&mut self, cx: &mut Cx<'_>, msg: Msg) -> Option<Msg> {
        let kept = (!self.native.is_pristine()).then(|| msg.clone());
        self.record.called();
        let mut world = World::new(&self.place, &msg);
        let begun = cx.island.clock();
        let ended = self.native.run(msg, &mut world, self.limit);
        cx.island.ran_code(cx.slot, begun);
        let slot = cx.slot;
        cx.island.came_by(&self.native, |_| Some(slot));
        if !ended.well {
            self.record.bails += 1;
            cx.island.called(cx.slot, Some(ended.refused));
            let msg = self.native.take(0);
            self.native.clear();
            return Some(kept.unwrap_or_else(|| Msg::try_from(msg).unwrap_or_default()));
        }
        if let Some(id) = self.native.id() {
            world.msgid = id;
        }
        let returned = self.native.take(ended.slot);
        self.native.clear();
        let outputs = match (world.messages(returned), kept.as_ref()) {
            (Some(outputs), _) => outputs,
            (None, Some(_)) => {
                self.record.bails += 1;
                cx.island.called(cx.slot, Some("what is returned"));
                return kept;
            }
            // (it returned the message or nothing)
            (None, None) => Outputs::Nothing,
        };
        let mut deeds = world.into_deeds();
        match deeds.store(&self.place, kept.is_some()) {
            Err(()) => {
                cx.island
                    .called(cx.slot, Some("a value that cannot be stored"));
                return kept;
            }
            Ok(errors) => errors
                .into_iter()
                .for_each(|(_, error)| cx.error(NodeError::from_value(error.into()), None)),
        }
        cx.island.called(cx.slot, None);
        for (_, act) in deeds.acts {
            act.perform(cx);
        }
        outputs.send(cx);
        None
    }
}
