//! Code in memory, and one function of it with what it needs to be called.

use crate::call::{Cache, Constants, Context, Ended, Host, Room};
use crate::helpers::TABLE;
use crate::linked::Linked;
use crate::ops;
use memmap2::{Mmap, MmapMut};
use std::sync::Arc;
use std::time::Duration;
use vgdc_plan::native::{ABI, Code, Helper, LINKED, Probe, layout};
use vgdc_value::{Array, Key, Msg, Value};

/// Why code cannot be run. Everything runs in the engine then.
#[derive(Debug)]
pub enum CodeError {
    /// It was made for another version of the runtime.
    Version(u32),
    /// It was made for another architecture.
    Architecture(String),
    /// Memory is laid out otherwise than the compiler took for granted.
    Layout,
    /// The system gives no memory that can be executed.
    Memory(std::io::Error),
    /// There is no such function, or it lies outside of the code.
    Damaged,
}

impl std::fmt::Display for CodeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CodeError::Version(found) => {
                write!(
                    f,
                    "the machine code is of version {found}, this runtime runs {ABI}"
                )
            }
            CodeError::Architecture(arch) if arch == LINKED => {
                f.write_str("the machine code is linked into another program")
            }
            CodeError::Architecture(arch) => write!(f, "the machine code is for {arch}"),
            CodeError::Layout => {
                f.write_str("memory is laid out otherwise than the machine code takes for granted")
            }
            CodeError::Memory(error) => write!(f, "no memory for machine code: {error}"),
            CodeError::Damaged => f.write_str("the machine code is damaged"),
        }
    }
}

impl std::error::Error for CodeError {}

/// The code of a plan, where it can be called. Executable memory is freed when the last function in it is gone.
#[derive(Debug)]
pub struct Memory(Source);

#[derive(Debug)]
enum Source {
    Bytes {
        code: Mmap,
        /// The addresses of the thunks in it, by the numbers of their helpers.
        thunks: Box<[*const ()]>,
    },
    Linked(&'static [Linked]),
}

// SAFETY: the addresses are of code that never changes, in the mapping that goes along.
unsafe impl Send for Memory {}
// SAFETY: as above.
unsafe impl Sync for Memory {}

impl Memory {
    /// Copies code into executable memory, unless the program has it (`linked`) from its own compilation.
    ///
    /// # Errors
    /// It is not for this machine, this runtime or this program, or there is no such memory.
    pub fn new(code: &Code, linked: &'static [Linked]) -> Result<Memory, CodeError> {
        if code.abi != ABI {
            return Err(CodeError::Version(code.abi));
        }
        if code.arch == LINKED && !linked.is_empty() {
            let frames = code.functions.iter().map(|function| function.slots);
            return match frames.eq(linked.iter().map(Linked::slots)) {
                true => Ok(Memory(Source::Linked(linked))),
                false => Err(CodeError::Damaged),
            };
        }
        if code.arch != std::env::consts::ARCH {
            return Err(CodeError::Architecture(code.arch.clone()));
        }
        if !arrays_are_as_expected() {
            return Err(CodeError::Layout);
        }
        let mut memory = MmapMut::map_anon(code.bytes.len().max(1)).map_err(CodeError::Memory)?;
        memory[..code.bytes.len()].copy_from_slice(&code.bytes);
        let memory = memory.make_exec().map_err(CodeError::Memory)?;
        let mut thunks = vec![std::ptr::null(); Helper::ALL.len()];
        for thunk in &code.thunks {
            let begins = code.bytes.get(thunk.offset as usize..);
            let (Some(place), Some(_)) = (thunks.get_mut(thunk.helper as usize), begins) else {
                return Err(CodeError::Damaged);
            };
            *place = memory[thunk.offset as usize..].as_ptr().cast();
        }
        Ok(Memory(Source::Bytes {
            thunks: thunks.into(),
            code: memory,
        }))
    }

    /// Where a function of the code begins.
    fn entry(&self, code: &Code, number: usize) -> Option<Entry> {
        match &self.0 {
            Source::Linked(linked) => linked.get(number).map(Linked::entry),
            Source::Bytes { code: memory, .. } => {
                let offset = code.functions.get(number)?.offset as usize;
                if offset >= code.bytes.len() || code.bytes.len() > memory.len() {
                    return None;
                }
                // SAFETY: the memory is executable and holds the code that a compiler of this version made for this
                // architecture (checked by `Memory::new`), and the offset lies in it.
                Some(unsafe {
                    std::mem::transmute::<*const u8, Entry>(memory.as_ptr().add(offset))
                })
            }
        }
    }

    fn thunks(&self) -> &[*const ()] {
        match &self.0 {
            Source::Bytes { thunks, .. } => thunks,
            Source::Linked(_) => &[],
        }
    }
}

fn arrays_are_as_expected() -> bool {
    let expected = [layout::ARRAY_ROOM, layout::ARRAY_FIRST, layout::ARRAY_LEN];
    Array::words() == Some(expected.map(|at| at as usize))
}

pub(crate) type Entry = unsafe extern "C" fn(*mut Context, *mut Value) -> u32;

/// A function that can be called.
pub struct Native {
    entry: Entry,
    keys: Box<[Key]>,
    texts: Box<[Value]>,
    values: Box<[Value]>,
    caches: Box<[Cache]>,
    frame: Box<[Value]>,
    room: Room,
    pristine: bool,
    replaces: bool,
    /// Keeps the code where it is.
    memory: Arc<Memory>,
    probes: Vec<Probe>,
}

impl Native {
    /// A function of code that is in memory. `code` is what the memory was made of.
    ///
    /// # Errors
    /// There is no such function.
    pub fn new(memory: &Arc<Memory>, code: &Code, number: u32) -> Result<Native, CodeError> {
        let function = code
            .functions
            .get(number as usize)
            .ok_or(CodeError::Damaged)?;
        let entry = memory
            .entry(code, number as usize)
            .filter(|_| function.slots > 0)
            .ok_or(CodeError::Damaged)?;
        Ok(Native {
            entry,
            keys: function
                .keys
                .iter()
                .map(|key| Key::from(key.as_str()))
                .collect(),
            texts: function
                .texts
                .iter()
                .map(|text| Value::from(text.as_str()))
                .collect(),
            values: function
                .values
                .iter()
                .map(|text| vgdc_value::control::decode(text).map_err(|_| CodeError::Damaged))
                .collect::<Result<_, _>>()?,
            caches: (0..function.caches).map(|_| Cache::default()).collect(),
            frame: (0..function.slots).map(|_| Value::Undefined).collect(),
            room: Room::default(),
            pristine: function.pristine,
            replaces: function.replaces,
            memory: memory.clone(),
            probes: function.probes.clone(),
        })
    }

    /// Where it leaves marks.
    pub fn probes(&self) -> &[Probe] {
        &self.probes
    }

    /// Whether the call that has ended came by a probe.
    pub fn came_by(&self, probe: Probe) -> bool {
        self.frame
            .get(probe.slot as usize)
            .is_some_and(Value::is_null)
    }

    /// Whether a call that bails out gives the message back as it came.
    pub fn is_pristine(&self) -> bool {
        self.pristine
    }

    /// Calls it with a message, and leaves the values of its frame where they are: [`Native::take`] gives those that are
    /// wanted, and [`Native::clear`] has to be called then.
    #[inline]
    pub fn run(&mut self, msg: Msg, host: &mut dyn Host, limit: Duration) -> Ended {
        self.frame[0] = msg.into_value();
        // (a call that bailed out may have left the beginning of one)
        self.room.written.clear();
        let mut context = Context::new(
            &TABLE,
            self.memory.thunks(),
            &mut self.caches,
            Constants {
                keys: &self.keys,
                texts: &self.texts,
                values: &self.values,
            },
            host,
            &mut self.room,
            limit,
        );
        // SAFETY: the code is what the compiler made for this frame, table and these constants (the number of slots and caches
        // is its own); the frame's values are valid and nobody else uses them meanwhile.
        let status = unsafe { (self.entry)(&raw mut context, self.frame.as_mut_ptr()) };
        context.ended(status)
    }

    /// The id of the message as the code left it; what is returned gets it. `None`: the one that it came with, as the code may
    /// have left another message in its place. To be asked before anything is taken.
    pub fn id(&self) -> Option<Value> {
        (!self.replaces).then(|| self.frame.first().map(ops::id_of).unwrap_or_default())
    }

    /// Takes a value out of the frame.
    pub fn take(&mut self, slot: u32) -> Value {
        self.frame
            .get_mut(slot as usize)
            .map(std::mem::take)
            .unwrap_or_default()
    }

    /// Lets go of all that is in the frame.
    #[inline]
    pub fn clear(&mut self) {
        for value in &mut self.frame {
            *value = Value::Undefined;
        }
        self.room.heap.end();
    }
}

impl std::fmt::Debug for Native {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Native")
            .field("slots", &self.frame.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_where_code_looks_for_them() {
        assert!(arrays_are_as_expected(), "{:?}", Array::words());
    }
}
