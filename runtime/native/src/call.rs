//! A call: what code finds in its context, and what it can ask of the world.

use crate::heap::Heap;
use std::mem::offset_of;
use std::time::{Duration, Instant};
use vgdc_plan::native::{BY_VALUE, OK, layout};
use vgdc_value::{Key, Object, Value};

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Whether it ended well. Otherwise it bailed out in this stage.
    pub well: bool,
    /// In which stage.
    pub stage: u32,
    /// The output by which the message leaves; nothing where the value says it.
    pub port: Option<u32>,
    /// The slot of the returned value.
    pub slot: u32,
    /// What it bailed out of; empty where the code says so itself.
    pub refused: &'static str,
}

/// Which context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Scope {
    Node,
    Flow,
    Global,
}

/// How loud a line of the log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Level {
    Warn,
    Info,
    Debug,
    Trace,
}

/// What code asks of the node that it is in. What it does is to be kept until the call has ended well. A refusal (`false`,
/// `None`) makes the call bail out.
#[allow(missing_docs)] // the names are Node-RED's
pub trait Host {
    /// What is asked next is asked by this stage.
    fn enter(&mut self, stage: u32);
    /// Gives a value this id, if it can be a message; whether it can.
    fn identify(&mut self, value: &mut Value, id: Value) -> bool;
    fn send(&mut self, messages: Value) -> bool;
    fn status(&mut self, status: Value) -> bool;
    fn log(&mut self, level: Level, value: Value) -> bool;
    fn error(&mut self, value: Value, msg: Option<Value>) -> bool;
    fn context_get(&mut self, scope: Scope, key: &str, store: Option<&str>) -> Option<Value>;
    fn context_set(&mut self, scope: Scope, key: &str, value: Value, store: Option<&str>) -> bool;
    /// The keys of a context. `None`: that cannot be told now.
    fn context_keys(&mut self, scope: Scope, store: Option<&str>) -> Option<Vec<String>>;
    fn env(&mut self, name: &str) -> Value;
    fn id(&self) -> &str;
    fn name(&self) -> &str;
    /// Milliseconds since the epoch.
    fn now_ms(&self) -> f64;
}

/// Where a property was found the last time.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub(crate) struct Cache {
    pub(crate) names: usize,
    pub(crate) distance: usize,
}

/// How often a loop goes around before it looks at the clock.
const FUEL: u32 = 10_000;

/// What code finds at the address it is given.
#[repr(C)]
pub struct Context {
    helpers: *const *const (),
    pub(crate) caches: *mut Cache,
    pub(crate) number: f64,
    pub(crate) result: u32,
    pub(crate) fuel: u32,
    pub(crate) stage: u32,
    pub(crate) port: u32,
    thunks: *const *const (),
    answer: u64,
    // From here on only the helpers look.
    cache_count: usize,
    keys: *const [Key],
    texts: *const [Value],
    values: *const [Value],
    host: *mut dyn Host,
    heap: *mut Heap,
    /// The text that is being made.
    written: *mut String,
    /// There are arrays with names besides their elements: what regular expressions found.
    pub(crate) named_arrays: bool,
    /// What made the call bail out.
    pub(crate) refused: &'static str,
    until: Option<Instant>,
    limit: Duration,
}

const _: () = {
    assert!(offset_of!(Context, helpers) == layout::HELPERS as usize);
    assert!(offset_of!(Context, caches) == layout::CACHES as usize);
    assert!(offset_of!(Context, number) == layout::NUMBER as usize);
    assert!(offset_of!(Context, result) == layout::RESULT as usize);
    assert!(offset_of!(Context, fuel) == layout::FUEL as usize);
    assert!(offset_of!(Context, stage) == layout::STAGE as usize);
    assert!(offset_of!(Context, port) == layout::PORT as usize);
    assert!(offset_of!(Context, thunks) == layout::THUNKS as usize);
    assert!(offset_of!(Context, answer) == layout::ANSWER as usize);
    assert!(size_of::<Cache>() == layout::CACHE as usize);
    assert!(offset_of!(Cache, distance) == layout::CACHE_DISTANCE as usize);
    assert!(size_of::<Value>() == layout::VALUE as usize);
    assert!(Object::NAMES == layout::SHAPE as usize);
    assert!(Object::LEN == layout::OBJECT_LEN as usize);
    assert!(Object::LEN + 4 == layout::OBJECT_ROOM as usize);
    assert!(Object::VALUES == layout::OBJECT_VALUES as usize);
};

/// What calls of a function work in, one after the other.
#[derive(Default)]
pub(crate) struct Room {
    /// The objects of a call that works on references.
    pub(crate) heap: Heap,
    /// Texts are made here.
    pub(crate) written: String,
}

/// The constants of a function.
pub(crate) struct Constants<'c> {
    pub(crate) keys: &'c [Key],
    pub(crate) texts: &'c [Value],
    pub(crate) values: &'c [Value],
}

impl Context {
    pub(crate) fn new(
        table: &'static [*const ()],
        thunks: &[*const ()],
        caches: &mut [Cache],
        constants: Constants<'_>,
        host: &mut dyn Host,
        room: &mut Room,
        limit: Duration,
    ) -> Context {
        // SAFETY: only the lifetime changes: the context lives for one call, during which the host is borrowed.
        let host =
            unsafe { std::mem::transmute::<*mut (dyn Host + '_), *mut (dyn Host + 'static)>(host) };
        Context {
            helpers: table.as_ptr(),
            caches: caches.as_mut_ptr(),
            number: 0.0,
            result: 0,
            fuel: FUEL,
            stage: 0,
            port: BY_VALUE,
            thunks: thunks.as_ptr(),
            answer: 0,
            cache_count: caches.len(),
            keys: constants.keys,
            texts: constants.texts,
            values: constants.values,
            host,
            heap: &mut room.heap,
            written: &mut room.written,
            named_arrays: false,
            refused: "",
            until: None,
            limit,
        }
    }

    pub(crate) fn ended(&self, status: u32) -> Ended {
        Ended {
            well: status == OK,
            stage: self.stage,
            port: (self.port != BY_VALUE).then_some(self.port),
            slot: self.result,
            refused: self.refused,
        }
    }

    pub(crate) fn key(&self, number: u32) -> Option<&Key> {
        // SAFETY: the keys are borrowed for the whole call.
        unsafe { &*self.keys }.get(number as usize)
    }

    pub(crate) fn text(&self, number: u32) -> Option<&Value> {
        // SAFETY: the texts are borrowed for the whole call.
        unsafe { &*self.texts }.get(number as usize)
    }

    pub(crate) fn value(&self, number: u32) -> Option<&Value> {
        // SAFETY: the constants are borrowed for the whole call.
        unsafe { &*self.values }.get(number as usize)
    }

    /// The world, which is told the stage that asks.
    pub(crate) fn host(&mut self) -> &mut dyn Host {
        // SAFETY: the host is borrowed mutably for the whole call, and only one helper runs at a time.
        let host = unsafe { &mut *self.host };
        host.enter(self.stage);
        host
    }

    /// The objects of the call, where it works on references.
    pub(crate) fn heap<'h>(&self) -> Option<&'h mut Heap> {
        // SAFETY: the heap is borrowed mutably for the whole call, and only one helper runs at a time, which asks once.
        let heap = unsafe { &mut *self.heap };
        heap.is_on().then_some(heap)
    }

    /// The text that is being made.
    pub(crate) fn written<'w>(&self) -> &'w mut String {
        // SAFETY: the text is borrowed mutably for the whole call, and only one helper runs at a time, which asks once.
        unsafe { &mut *self.written }
    }

    /// From now on the call works on references.
    pub(crate) fn share(&mut self, msg: &mut Value) {
        // SAFETY: as above.
        unsafe { &mut *self.heap }.begin(msg);
    }

    pub(crate) fn remember(&mut self, cache: u32, names: usize, distance: usize) {
        if (cache as usize) < self.cache_count {
            // SAFETY: there are that many caches, borrowed for the whole call.
            unsafe { *self.caches.add(cache as usize) = Cache { names, distance } };
        }
    }

    /// Whether there is still time.
    pub(crate) fn tick(&mut self) -> bool {
        self.fuel = FUEL;
        let now = Instant::now();
        match self.until {
            None => {
                self.until = now.checked_add(self.limit);
                true
            }
            Some(until) => now < until,
        }
    }
}
