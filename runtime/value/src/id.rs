//! Message ids.

use crate::Str;
use std::cell::Cell;
use std::hash::{BuildHasher, Hasher, RandomState};

thread_local! {
    // (the system's randomness is asked for once a thread)
    static STATE: Cell<u64> = Cell::new(RandomState::new().build_hasher().finish());
}

/// The next number of this thread: a counter through a mixing function (SplitMix64), begun at random.
fn next() -> u64 {
    let mut z = STATE.with(|state| {
        let next = state.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        state.set(next);
        next
    });
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn digits() -> [u8; 16] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let n = next();
    std::array::from_fn(|place| DIGITS[(n >> (60 - 4 * place)) as usize & 15])
}

/// A new id: 16 hexadecimal digits, as Node-RED's `generateId` gives. No system call a message, not for secrets.
pub fn generate_id() -> String {
    std::str::from_utf8(&digits())
        .unwrap_or_default()
        .to_owned()
}

/// As [`generate_id`], as a text value.
pub fn generate_id_str() -> Str {
    std::str::from_utf8(&digits()).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_are_16_digits_and_differ() {
        let ids: HashSet<String> = (0..10_000).map(|_| generate_id()).collect();
        assert_eq!(ids.len(), 10_000);
        assert!(
            ids.iter()
                .all(|id| id.len() == 16
                    && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
        );
        let others =
            std::thread::spawn(|| (0..100).map(|_| generate_id()).collect::<Vec<_>>()).join();
        assert!(others.is_ok_and(|others| others.iter().all(|id| !ids.contains(id))));
    }
}
