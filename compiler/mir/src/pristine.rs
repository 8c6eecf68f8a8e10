//! Functions that leave the message as it came when they bail out: nobody has to keep a copy of it.
//!
//! Such a function does nothing that could bail out after it has begun to change the message, and what it returns is the
//! message or nothing, so that what comes after it cannot fail either.

use crate::{Arg, Block, Body, Helper, Inst, Kind, MSG, Slot, Terminator};

impl Body {
    /// Whether the message is as it came whenever this bails out.
    pub fn is_pristine(&self) -> bool {
        let writes_msg = |inst: &Inst| written(inst) == Some(MSG);
        if self
            .blocks
            .iter()
            .any(|block| block.insts.iter().any(writes_msg))
        {
            return false;
        }
        let returns = self.blocks.iter().all(|block| match block.end {
            Terminator::Return(MSG) => true,
            Terminator::Return(slot) => block.insts.last().is_some_and(
                |inst| matches!(inst, Inst::Undefined { dst } | Inst::Null { dst } if *dst == slot),
            ),
            _ => true,
        });
        // Blocks that are reached when the message may have been changed.
        let mut touched = vec![false; self.blocks.len()];
        let mut todo: Vec<usize> = Vec::new();
        for block in &self.blocks {
            if block.insts.iter().any(touches) {
                todo.extend(successors(block));
            }
        }
        while let Some(at) = todo.pop() {
            if !std::mem::replace(&mut touched[at], true) {
                todo.extend(successors(&self.blocks[at]));
            }
        }
        returns
            && self.blocks.iter().zip(touched).all(|(block, mut touched)| {
                let fine = block.insts.iter().all(|inst| {
                    let fine = !touched || !may_bail(inst);
                    touched |= touches(inst);
                    fine
                });
                fine && !(touched && block.end == Terminator::Bail)
            })
    }
}

fn successors(block: &Block) -> impl Iterator<Item = usize> {
    block.end.successors().map(|to| to.0 as usize)
}

/// The slot that an instruction writes, as a whole.
fn written(inst: &Inst) -> Option<Slot> {
    match inst {
        Inst::Box { dst, .. }
        | Inst::BoxFlag { dst, .. }
        | Inst::Undefined { dst }
        | Inst::Null { dst }
        | Inst::Copy { dst, .. } => Some(*dst),
        Inst::Do { helper, args } => match (helper, args.first()) {
            // (these change what is inside)
            (
                Helper::Set
                | Helper::SetValue
                | Helper::SetIndex
                | Helper::Delete
                | Helper::DeleteValue
                | Helper::Push,
                _,
            ) => None,
            (Helper::Move, Some(_)) if args.get(1) == Some(&Arg::Slot(MSG)) => Some(MSG),
            (_, Some(Arg::Slot(dst))) => Some(*dst),
            _ => None,
        },
        _ => None,
    }
}

/// Whether an instruction may change what is inside the message.
fn touches(inst: &Inst) -> bool {
    let inside = |arg: Option<&Arg>| matches!(arg, Some(Arg::Slot(MSG) | Arg::Addr(_)));
    match inst {
        Inst::Do { helper, args } => match helper {
            Helper::Set
            | Helper::SetValue
            | Helper::SetIndex
            | Helper::Delete
            | Helper::DeleteValue
            | Helper::Push => inside(args.first()),
            Helper::Mutate => inside(args.get(1)),
            _ => false,
        },
        Inst::Find {
            helper: Helper::Place | Helper::PlaceValue | Helper::PlaceIndex,
            args,
            ..
        } => inside(args.first()),
        _ => false,
    }
}

/// Whether an instruction may bail out. The message itself is an object, of which any property can be set.
fn may_bail(inst: &Inst) -> bool {
    match inst {
        Inst::Do {
            helper: Helper::Set | Helper::Delete,
            args,
        } if args.first() == Some(&Arg::Slot(MSG)) => false,
        Inst::Get {
            base: Arg::Slot(MSG),
            ..
        } => false,
        Inst::Do { helper, .. } => helper.result() != Kind::Nothing,
        Inst::Ask { .. }
        | Inst::Find { .. }
        | Inst::Get { .. }
        | Inst::ToNumber { .. }
        | Inst::Expect { .. } => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Builder, Num};

    /// `msg.payload = msg.payload + 1; return msg;`, and something before the end.
    fn body(last: impl FnOnce(&mut Builder, Num)) -> Body {
        let mut b = Builder::new();
        let scratch = b.slot();
        let dst = b.get(MSG, "payload", scratch);
        let (key, cache) = (b.key("payload"), b.set_cache());
        let (num, value) = (b.num(), b.slot());
        b.push(Inst::ToNumber {
            dst: num,
            src: dst.into(),
        });
        b.push(Inst::Box {
            dst: value,
            src: num,
        });
        b.call(
            Helper::Set,
            [MSG.into(), value.into(), Arg::Const(key), Arg::Const(cache)],
        );
        last(&mut b, num);
        b.end(Terminator::Return(MSG));
        b.finish()
    }

    #[test]
    fn what_bails_out_before_it_changes_anything_is_pristine() {
        assert!(body(|_, _| {}).is_pristine());
        assert!(
            body(|b, num| {
                let dst = b.slot();
                b.push(Inst::Box { dst, src: num });
            })
            .is_pristine()
        );
    }

    #[test]
    fn what_may_bail_out_afterwards_is_not() {
        assert!(!body(|b, _| b.call(Helper::Tick, [])).is_pristine());
        assert!(!body(|b, num| b.push(Inst::Box { dst: MSG, src: num })).is_pristine());
        assert!(
            !body(|b, _| {
                let other = b.slot();
                b.end(Terminator::Return(other));
            })
            .is_pristine()
        );
        assert!(
            !body(|b, _| {
                let again = b.block();
                b.jump(again);
                b.switch_to(again);
                b.end(Terminator::Bail);
            })
            .is_pristine()
        );
    }
}
