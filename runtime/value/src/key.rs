//! Property names, and the table in which the common ones are interned.
//!
//! Nearly all names that flows use come again and again, so a name is a `u32` into a table of this process. Names can also
//! be data (`{"sensor-8f3a": …}`), and those must not fill memory: the table is bounded by [`MAX_INTERNED`] names of at
//! most [`MAX_INTERNED_LEN`] bytes, of which names met in data ([`Key::data`]) may take half. Beyond that a name owns
//! its text; it means the same and is somewhat slower. Nothing ever leaves the table.

use crate::{Str, hash};
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering as Memory};
use std::sync::{Mutex, OnceLock, PoisonError};

/// How many names the process interns at most.
pub const MAX_INTERNED: usize = 32_768;
/// How many of them may be names met in data.
pub const MAX_INTERNED_DATA: usize = MAX_INTERNED / 2;
/// The longest name that is interned, in bytes.
pub const MAX_INTERNED_LEN: usize = 64;

/// A property's name.
#[derive(Clone)]
pub struct Key(Name);

#[derive(Clone)]
enum Name {
    Interned(u32),
    Owned(Str),
}

/// The names that have fixed numbers, in their order.
const FIXED: [&str; 3] = ["_msgid", "payload", "topic"];

impl Key {
    /// `_msgid`.
    pub const MSGID: Key = Key(Name::Interned(0));
    /// `payload`.
    pub const PAYLOAD: Key = Key(Name::Interned(1));
    /// `topic`.
    pub const TOPIC: Key = Key(Name::Interned(2));
    /// Stands where a name was removed. Equal to no name.
    pub(crate) const GONE: Key = Key(Name::Interned(u32::MAX));

    /// A name that comes from data, not from a program: it may use only a part of the table of names.
    pub fn data(text: &str) -> Key {
        intern(text, MAX_INTERNED_DATA).unwrap_or_else(|| Key(Name::Owned(text.into())))
    }

    /// The name.
    #[inline]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Name::Interned(id) => entry(*id).map_or("", |entry| entry.name),
            Name::Owned(text) => text,
        }
    }

    /// The name as a text value.
    pub fn to_str(&self) -> Str {
        match &self.0 {
            Name::Interned(id) => entry(*id)
                .map(|entry| entry.text.clone())
                .unwrap_or_default(),
            Name::Owned(text) => text.clone(),
        }
    }

    /// The number of an integer-like name (`"0"`, `"17"`, not `"01"`), which JavaScript orders before others.
    pub fn index(&self) -> Option<u32> {
        index_of(self.as_str())
    }

    /// The name, when it is interned: then it lives as long as the process.
    pub(crate) fn interned(&self) -> Option<&'static str> {
        match &self.0 {
            Name::Interned(id) => entry(*id).map(|entry| entry.name),
            Name::Owned(_) => None,
        }
    }

    /// The number under which the name is interned.
    #[inline]
    pub(crate) fn id(&self) -> Option<u32> {
        match self.0 {
            Name::Interned(id) => Some(id),
            Name::Owned(_) => None,
        }
    }

    /// The hash of the name's text.
    #[inline]
    pub(crate) fn hash(&self) -> u64 {
        match &self.0 {
            Name::Interned(id) => entry(*id).map_or(0, |entry| entry.hash),
            Name::Owned(text) => hash::text(text),
        }
    }
}

/// The number of an integer-like name, up to 2^32 - 2.
pub(crate) fn index_of(text: &str) -> Option<u32> {
    match text.as_bytes() {
        [b'0'] => Some(0),
        [b'1'..=b'9', rest @ ..] if rest.len() < 10 && rest.iter().all(u8::is_ascii_digit) => {
            text.parse::<u32>().ok().filter(|n| *n != u32::MAX)
        }
        _ => None,
    }
}

/// An interned name. Never freed.
struct Entry {
    name: &'static str,
    hash: u64,
    /// The same as a value.
    text: Str,
}

const PLACE_BITS: u32 = 16;
const PLACES: usize = 1 << PLACE_BITS;
const _: () = assert!(PLACES >= 2 * MAX_INTERNED && MAX_INTERNED < 1 << 16);

/// The names by number. Null until there is one; what is there stays.
static ENTRIES: [AtomicPtr<Entry>; MAX_INTERNED] =
    [const { AtomicPtr::new(std::ptr::null_mut()) }; MAX_INTERNED];
/// Where a name is found by its hash: the number + 1 in the low half, 16 bits of the hash in the high one; 0 is free.
static INDEX: [AtomicU32; PLACES] = [const { AtomicU32::new(0) }; PLACES];
/// How many names there are. Held by who adds one.
static COUNT: Mutex<usize> = Mutex::new(0);
/// Set once the fixed names are in the table.
static READY: OnceLock<()> = OnceLock::new();

#[inline]
fn entry(id: u32) -> Option<&'static Entry> {
    let found = stored(id);
    // (a fixed name may be asked for before the table was ever used)
    if found.is_none() {
        first_entry(id)
    } else {
        found
    }
}

#[inline]
fn stored(id: u32) -> Option<&'static Entry> {
    let place = ENTRIES.get(id as usize)?;
    // SAFETY: the table holds null or what `add` leaked: entries that are never freed and never changed.
    unsafe { place.load(Memory::Acquire).as_ref() }
}

#[cold]
fn first_entry(id: u32) -> Option<&'static Entry> {
    ready();
    stored(id)
}

#[inline]
fn ready() {
    if READY.get().is_none() {
        let mut count = COUNT.lock().unwrap_or_else(PoisonError::into_inner);
        while *count < FIXED.len() {
            add(FIXED[*count], hash::text(FIXED[*count]), &mut count);
        }
        READY.get_or_init(|| ());
    }
}

/// The name's number, interning it while fewer than `limit` names are.
fn intern(text: &str, limit: usize) -> Option<Key> {
    if text.len() > MAX_INTERNED_LEN {
        return None;
    }
    ready();
    let hash = hash::text(text);
    let id = match find(text, hash) {
        Some(id) => id,
        None => {
            let mut count = COUNT.lock().unwrap_or_else(PoisonError::into_inner);
            // (another thread may have been quicker)
            match find(text, hash) {
                Some(id) => id,
                None if *count < limit => add(text, hash, &mut count),
                None => return None,
            }
        }
    };
    Some(Key(Name::Interned(id)))
}

fn tag(hash: u64) -> u32 {
    (hash as u32) & 0xffff_0000
}

#[inline]
fn find(text: &str, hash: u64) -> Option<u32> {
    let mut at = first_place(hash);
    loop {
        let word = INDEX[at].load(Memory::Acquire);
        if word == 0 {
            return None;
        }
        let id = (word & 0xffff) - 1;
        if word & 0xffff_0000 == tag(hash) && stored(id).is_some_and(|entry| entry.name == text) {
            return Some(id);
        }
        // (at most half of the places are taken)
        at = (at + 1) % PLACES;
    }
}

#[inline]
fn first_place(hash: u64) -> usize {
    (hash >> (64 - PLACE_BITS)) as usize
}

/// Adds a name that is not there. The caller holds the lock of the count.
fn add(text: &str, hash: u64, count: &mut usize) -> u32 {
    let id = *count as u32;
    let entry = Box::leak(Box::new(Entry {
        name: Box::leak(text.into()),
        hash,
        text: text.into(),
    }));
    ENTRIES[*count].store(entry, Memory::Release);
    *count += 1;
    let mut at = first_place(hash);
    while INDEX[at].load(Memory::Relaxed) != 0 {
        at = (at + 1) % PLACES;
    }
    INDEX[at].store(tag(hash) | (id + 1), Memory::Release);
    id
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        intern(text, MAX_INTERNED).unwrap_or_else(|| Key(Name::Owned(text.into())))
    }
}

impl From<String> for Key {
    fn from(text: String) -> Self {
        Key::from(text.as_str())
    }
}

impl From<&String> for Key {
    fn from(text: &String) -> Self {
        Key::from(text.as_str())
    }
}

impl From<&Key> for Key {
    fn from(key: &Key) -> Self {
        key.clone()
    }
}

impl From<Str> for Key {
    fn from(text: Str) -> Self {
        intern(&text, MAX_INTERNED).unwrap_or(Key(Name::Owned(text)))
    }
}

impl PartialEq for Key {
    #[inline]
    fn eq(&self, other: &Key) -> bool {
        match (&self.0, &other.0) {
            (Name::Interned(a), Name::Interned(b)) => a == b,
            // (a name met in data may have been interned later, when a program used it)
            _ => self.as_str() == other.as_str(),
        }
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(Key::hash(self));
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Key) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Key) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(self.as_str(), f)
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_names_are_known() {
        assert_eq!(
            [
                Key::MSGID.as_str(),
                Key::PAYLOAD.as_str(),
                Key::TOPIC.as_str()
            ],
            FIXED
        );
        assert_eq!(Key::from("payload").id(), Key::PAYLOAD.id());
    }

    #[test]
    fn equal_names_are_equal_however_they_were_made() {
        let owned = Key(Name::Owned("twice".into()));
        let interned = Key::from("twice");
        assert!(interned.id().is_some());
        assert_eq!(owned, interned);
        assert_eq!(Key::hash(&owned), Key::hash(&interned));
        assert_ne!(owned, Key::from("thrice"));
        let long = "x".repeat(MAX_INTERNED_LEN + 1);
        assert_eq!(Key::from(long.as_str()).id(), None);
        assert_eq!(Key::from(long.as_str()), Key::data(&long));
    }

    #[test]
    fn names_met_in_data_leave_room_for_programs() {
        let keys: Vec<Key> = (0..MAX_INTERNED)
            .map(|n| Key::data(&format!("data-{n}")))
            .collect();
        assert!(keys.iter().filter(|key| key.id().is_some()).count() <= MAX_INTERNED_DATA);
        assert!(
            keys.iter()
                .enumerate()
                .all(|(n, key)| key.as_str() == format!("data-{n}"))
        );
        assert!(Key::from("a program's").id().is_some());
        assert_eq!(Key::from("data-32000"), keys[32000]);
    }

    #[test]
    fn threads_agree_on_numbers() {
        let make = || {
            (0..200)
                .map(|n| Key::from(format!("shared-{n}")).id())
                .collect::<Vec<_>>()
        };
        let ids: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(make)).collect();
            threads
                .into_iter()
                .filter_map(|thread| thread.join().ok())
                .collect()
        });
        assert_eq!(ids.len(), 4);
        assert!(ids.iter().all(|some| *some == ids[0]));
    }

    #[test]
    fn integer_like_names() {
        for (text, index) in [
            ("0", Some(0)),
            ("17", Some(17)),
            ("4294967294", Some(4_294_967_294)),
            ("4294967295", None),
            ("01", None),
            ("", None),
            ("-1", None),
            ("1.5", None),
        ] {
            assert_eq!(index_of(text), index, "{text}");
        }
    }
}
