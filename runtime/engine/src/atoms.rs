//! The two-way table between QuickJS's property names (atoms) and the message's interned keys.
//!
//! A property access in a body is a look-up by atom, so the way from atom to key must cost no more than a small hash look-up.
//! The table is bounded: bodies that index by ever new names (`msg[id]`) start it anew instead of growing it.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use vgdc_value::Key;

use crate::raw::{Ctx, JSAtom, JsResult, Thrown, qjs};

/// How many names are remembered before the table starts anew.
const CAPACITY: usize = 8192;

/// QuickJS stores array-index names in the atom itself, marked by the top bit (`JS_ATOM_TAG_INT` in quickjs.c).
const INDEX_BIT: JSAtom = 1 << 31;

/// What a property name is to a message.
#[derive(Clone)]
pub(crate) enum AtomKey {
    Key(Key),
    /// Symbols are no data: messages never have them.
    Symbol,
}

/// See the module. Every atom in it is owned (counted) by it.
#[derive(Default)]
pub(crate) struct AtomTable {
    keys: HashMap<JSAtom, AtomKey, BuildHasherDefault<FoldHasher>>,
    atoms: HashMap<Key, JSAtom, BuildHasherDefault<FoldHasher>>,
}

impl AtomTable {
    /// The key that an atom names.
    pub(crate) fn key(&mut self, ctx: Ctx, atom: JSAtom) -> JsResult<AtomKey> {
        if let Some(key) = self.keys.get(&atom) {
            return Ok(key.clone());
        }
        if atom & INDEX_BIT != 0 {
            return Ok(AtomKey::Key(Key::from(
                (atom & !INDEX_BIT).to_string().as_str(),
            )));
        }
        let key = classify(ctx, atom)?;
        self.remember(ctx, atom, key.clone());
        Ok(key)
    }

    /// The atom that names a key; the caller owns one count of it.
    pub(crate) fn atom(&mut self, ctx: Ctx, key: &Key) -> JsResult<JSAtom> {
        if let Some(&atom) = self.atoms.get(key) {
            // SAFETY: the atom is live since the table owns it; the new count is the caller's.
            return Ok(unsafe { qjs::JS_DupAtom(ctx.raw(), atom) });
        }
        let text = key.as_str();
        // SAFETY: pointer and length describe `text`, which QuickJS copies.
        let atom = unsafe {
            qjs::JS_NewAtomLen(ctx.raw(), text.as_ptr().cast(), text.len() as qjs::size_t)
        };
        if atom == qjs::JS_ATOM_NULL {
            return Err(Thrown);
        }
        if atom & INDEX_BIT == 0 {
            self.remember(ctx, atom, AtomKey::Key(key.clone()));
        }
        Ok(atom)
    }

    fn remember(&mut self, ctx: Ctx, atom: JSAtom, key: AtomKey) {
        if self.keys.len() >= CAPACITY {
            self.clear(ctx.runtime());
        }
        if let AtomKey::Key(key) = &key {
            self.atoms.insert(key.clone(), atom);
        }
        // SAFETY: the atom is live; the new count is owned by the table.
        let owned = unsafe { qjs::JS_DupAtom(ctx.raw(), atom) };
        if self.keys.insert(owned, key).is_some() {
            // It was known already under another key object: one count is enough.
            // SAFETY: gives back the count just taken.
            unsafe { qjs::JS_FreeAtom(ctx.raw(), owned) };
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self, runtime: *mut qjs::JSRuntime) {
        self.atoms.clear();
        for (atom, _) in self.keys.drain() {
            // SAFETY: the table owned one count of each of its atoms.
            unsafe { qjs::JS_FreeAtomRT(runtime, atom) };
        }
    }
}

fn classify(ctx: Ctx, atom: JSAtom) -> JsResult<AtomKey> {
    // SAFETY: the atom is live; the value is owned by `check`.
    let value = ctx.check(unsafe { qjs::JS_AtomToValue(ctx.raw(), atom) })?;
    if crate::raw::tag(value.raw()) == qjs::JS_TAG_SYMBOL {
        return Ok(AtomKey::Symbol);
    }
    ctx.with_text(value.raw(), |text| AtomKey::Key(Key::from(text)))
}

/// A quick hash for small integers and short names; the tables are private and bounded, so flooding gains nothing.
#[derive(Default)]
pub(crate) struct FoldHasher(u64);

impl FoldHasher {
    fn fold(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

impl Hasher for FoldHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.fold(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, value: u8) {
        self.fold(u64::from(value));
    }

    fn write_u32(&mut self, value: u32) {
        self.fold(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        self.fold(value);
    }

    fn write_usize(&mut self, value: usize) {
        self.fold(value as u64);
    }
}
