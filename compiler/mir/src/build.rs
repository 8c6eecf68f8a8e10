//! Building a function, block by block.

use crate::{Addr, Arg, Block, BlockId, Body, Flag, Helper, Inst, Num, Slot, Terminator};

/// Builds a [`Body`]. There is always a block to which instructions are added.
#[derive(Debug)]
pub struct Builder {
    body: Body,
    at: BlockId,
    /// Blocks that have got their end.
    ended: Vec<bool>,
    /// Slots for intermediate values that are free again.
    free: Vec<Slot>,
}

impl Default for Builder {
    fn default() -> Self {
        Builder::new()
    }
}

impl Builder {
    /// A function of a message, with a first block.
    pub fn new() -> Builder {
        Builder {
            body: Body {
                slots: 1,
                blocks: vec![Block::default()],
                ..Body::default()
            },
            at: BlockId(0),
            ended: vec![false],
            free: Vec::new(),
        }
    }

    /// Its slots hold references to objects.
    pub fn share(&mut self) {
        self.body.shared = true;
        self.call(Helper::Share, [crate::MSG.into()]);
    }

    /// It gives `msg` another message.
    pub fn replaces_message(&mut self) {
        self.body.replaces = true;
    }

    /// The function.
    pub fn finish(self) -> Body {
        self.body
    }

    /// A slot of its own.
    pub fn slot(&mut self) -> Slot {
        self.body.slots += 1;
        Slot(self.body.slots - 1)
    }

    /// A slot for an intermediate value, to be given back with [`Builder::release`].
    pub fn temp(&mut self) -> Slot {
        match self.free.pop() {
            Some(slot) => slot,
            None => self.slot(),
        }
    }

    /// `count` slots side by side.
    pub fn row(&mut self, count: usize) -> Vec<Slot> {
        (0..count).map(|_| self.slot()).collect()
    }

    /// The intermediate value is no longer needed. It stays in the slot until that is used again.
    pub fn release(&mut self, slot: Slot) {
        self.free.push(slot);
    }

    /// A register for a number.
    pub fn num(&mut self) -> Num {
        self.body.nums += 1;
        Num(self.body.nums - 1)
    }

    /// A register for a truth value.
    pub fn flag(&mut self) -> Flag {
        self.body.flags += 1;
        Flag(self.body.flags - 1)
    }

    /// A register for an address.
    pub fn addr(&mut self) -> Addr {
        self.body.addrs += 1;
        Addr(self.body.addrs - 1)
    }

    /// A cache of a property's place.
    pub fn cache(&mut self) -> u32 {
        self.body.caches += 1;
        self.body.caches - 1
    }

    /// Finds a property by its name; what has to be made for it goes into the scratch slot.
    pub fn get(&mut self, base: impl Into<Arg>, name: &str, scratch: Slot) -> Addr {
        let (dst, key, cache) = (self.addr(), self.key(name), self.cache());
        self.push(Inst::Get {
            dst,
            base: base.into(),
            scratch,
            key,
            cache,
        });
        dst
    }

    /// The first of the two caches of a property that is set.
    pub fn set_cache(&mut self) -> u32 {
        self.body.caches += 2;
        self.body.caches - 2
    }

    /// The number of a property's name.
    pub fn key(&mut self, name: &str) -> u32 {
        number(&mut self.body.keys, name)
    }

    /// The number of a constant text.
    pub fn text(&mut self, text: &str) -> u32 {
        number(&mut self.body.texts, text)
    }

    /// The number of a constant of another kind, given as the control protocol writes values.
    pub fn value(&mut self, json: &str) -> u32 {
        number(&mut self.body.values, json)
    }

    /// A new block, to which nothing is added yet.
    pub fn block(&mut self) -> BlockId {
        self.body.blocks.push(Block::default());
        self.ended.push(false);
        BlockId(self.body.blocks.len() as u32 - 1)
    }

    /// How many instructions there are.
    pub fn size(&self) -> usize {
        self.body.blocks.iter().map(|block| block.insts.len()).sum()
    }

    /// Adds to this block from now on.
    pub fn switch_to(&mut self, block: BlockId) {
        self.at = block;
    }

    /// Whether the block at hand has its end: what is added now is never reached.
    pub fn is_ended(&self) -> bool {
        self.ended[self.at.0 as usize]
    }

    /// Adds an instruction. After the end of a block it is left out.
    pub fn push(&mut self, inst: Inst) {
        if !self.is_ended() {
            self.body.blocks[self.at.0 as usize].insts.push(inst);
        }
    }

    /// Ends the block. A block that has its end keeps it.
    pub fn end(&mut self, end: Terminator) {
        if !self.is_ended() {
            self.body.blocks[self.at.0 as usize].end = end;
            self.ended[self.at.0 as usize] = true;
        }
    }

    /// Ends the block with a jump.
    pub fn jump(&mut self, to: BlockId) {
        self.end(Terminator::Jump(to));
    }

    /// Ends the block: goes on at the first when true, else at the second.
    pub fn branch(&mut self, flag: Flag, yes: BlockId, no: BlockId) {
        self.end(Terminator::Branch(flag, yes, no));
    }

    /// A constant number.
    pub fn constant(&mut self, value: f64) -> Num {
        let dst = self.num();
        self.push(Inst::Num { dst, value });
        dst
    }

    /// A helper without a result.
    pub fn call(&mut self, helper: Helper, args: impl Into<Vec<Arg>>) {
        let args = args.into();
        debug_assert_eq!(args.len(), helper.parameters().len(), "{helper:?}");
        self.push(Inst::Do { helper, args });
    }
}

/// The place of a text in a list, to which it is added when it is not there.
pub(crate) fn number(list: &mut Vec<String>, text: &str) -> u32 {
    let at = list.iter().position(|known| known == text);
    let at = at.unwrap_or_else(|| {
        list.push(text.to_owned());
        list.len() - 1
    });
    at as u32
}
