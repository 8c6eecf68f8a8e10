//! The order in which JavaScript puts things: `Array.prototype.sort` of V8, and the properties of an object.
//!
//! Node-RED's comparisons are no order at all where values of several types meet (`"a" > 1` and `1 > "a"` are both false), so
//! what comes out hangs on which elements are compared, and when. It is therefore V8's own algorithm (TimSort with V8's
//! choices), and never `slice::sort_by`, which may panic on such comparisons.

use std::collections::HashMap;
use vgdc_core::value::Key;

/// Sorts as V8 does; `before(a, b)` is what a comparison function says with a negative number.
pub fn sort<T>(items: Vec<T>, mut before: impl FnMut(&T, &T) -> bool) -> Vec<T> {
    let order = sorted(items.len(), |a, b| before(&items[a], &items[b]));
    let mut items: Vec<Option<T>> = items.into_iter().map(Some).collect();
    order
        .into_iter()
        .filter_map(|at| items[at].take())
        .collect()
}

/// The places of the elements, in the order in which they come when sorted.
fn sorted(count: usize, before: impl FnMut(usize, usize) -> bool) -> Vec<usize> {
    let mut sort = Sort {
        at: (0..count).collect(),
        before,
        runs: Vec::new(),
        min_gallop: MIN_GALLOP,
    };
    let least = least_run(count);
    let mut low = 0;
    while count > 1 && low < count {
        let mut length = sort.run(low, count);
        if length < least {
            let forced = least.min(count - low);
            sort.insert(low, low + length, low + forced);
            length = forced;
        }
        sort.runs.push((low, length));
        sort.collapse();
        low += length;
    }
    sort.collapse_all();
    sort.at
}

/// So many wins in a row make merging look further ahead.
const MIN_GALLOP: usize = 7;

/// How long runs are made at least: between 32 and 64, so that they are about a power of two many.
fn least_run(mut count: usize) -> usize {
    let mut odd = 0;
    while count >= 64 {
        odd |= count & 1;
        count >>= 1;
    }
    count + odd
}

struct Sort<F> {
    /// Places of elements: what is moved about.
    at: Vec<usize>,
    before: F,
    /// Where sorted runs begin, and how long they are.
    runs: Vec<(usize, usize)>,
    min_gallop: usize,
}

impl<F: FnMut(usize, usize) -> bool> Sort<F> {
    /// The length of the run that begins there; one that falls is turned round.
    fn run(&mut self, low: usize, high: usize) -> usize {
        if low + 1 == high {
            return 1;
        }
        let falls = (self.before)(self.at[low + 1], self.at[low]);
        let mut end = low + 2;
        while end < high && (self.before)(self.at[end], self.at[end - 1]) == falls {
            end += 1;
        }
        if falls {
            self.at[low..end].reverse();
        }
        end - low
    }

    /// Puts the elements from `start` on into the sorted ones before.
    fn insert(&mut self, low: usize, start: usize, high: usize) {
        for from in start..high {
            let pivot = self.at[from];
            let (mut left, mut right) = (low, from);
            while left < right {
                let middle = left + (right - left) / 2;
                if (self.before)(pivot, self.at[middle]) {
                    right = middle;
                } else {
                    left = middle + 1;
                }
            }
            self.at[left..=from].rotate_right(1);
        }
    }

    /// Merges runs until each is longer than the two after it together.
    fn collapse(&mut self) {
        while self.runs.len() > 1 {
            let mut n = self.runs.len() - 2;
            let length = |at: usize| self.runs[at].1;
            let holds = |at: usize| at < 2 || length(at - 2) > length(at - 1) + length(at);
            if !holds(n + 1) || !holds(n) {
                if length(n - 1) < length(n + 1) {
                    n -= 1;
                }
            } else if length(n) > length(n + 1) {
                return;
            }
            self.merge(n);
        }
    }

    fn collapse_all(&mut self) {
        while self.runs.len() > 1 {
            let mut n = self.runs.len() - 2;
            if n > 0 && self.runs[n - 1].1 < self.runs[n + 1].1 {
                n -= 1;
            }
            self.merge(n);
        }
    }

    /// Merges a run with the next.
    fn merge(&mut self, n: usize) {
        let ((mut a, mut len_a), (b, mut len_b)) = (self.runs[n], self.runs[n + 1]);
        self.runs[n].1 = len_a + len_b;
        self.runs.remove(n + 1);
        // Where the other run's first goes: what is before stays. Where this run's last goes: what is after stays.
        let ahead = self.right(None, self.at[b], a, len_a, 0);
        a += ahead;
        len_a -= ahead;
        if len_a == 0 {
            return;
        }
        len_b = self.left(None, self.at[a + len_a - 1], b, len_b, len_b - 1);
        if len_b == 0 {
            return;
        }
        if len_a <= len_b {
            self.merge_low(a, len_a, b, len_b);
        } else {
            self.merge_high(a, len_a, b, len_b);
        }
    }

    /// From the front, the first run being set aside.
    fn merge_low(&mut self, a: usize, mut len_a: usize, mut b: usize, mut len_b: usize) {
        let aside = self.at[a..a + len_a].to_vec();
        let (mut to, mut from) = (a, 0);
        let put = |at: &mut Vec<usize>, to: &mut usize, what: usize| {
            at[*to] = what;
            *to += 1;
        };
        let first = self.at[b];
        put(&mut self.at, &mut to, first);
        b += 1;
        len_b -= 1;
        let mut min_gallop = self.min_gallop;
        'merging: while len_b > 0 && len_a > 1 {
            let (mut wins_a, mut wins_b) = (0, 0);
            loop {
                if (self.before)(self.at[b], aside[from]) {
                    let what = self.at[b];
                    put(&mut self.at, &mut to, what);
                    (b, len_b) = (b + 1, len_b - 1);
                    (wins_a, wins_b) = (0, wins_b + 1);
                    if len_b == 0 {
                        break 'merging;
                    }
                } else {
                    put(&mut self.at, &mut to, aside[from]);
                    (from, len_a) = (from + 1, len_a - 1);
                    (wins_a, wins_b) = (wins_a + 1, 0);
                    if len_a == 1 {
                        break 'merging;
                    }
                }
                if wins_a.max(wins_b) >= min_gallop {
                    break;
                }
            }
            min_gallop += 1;
            loop {
                min_gallop = (min_gallop - 1).max(1);
                self.min_gallop = min_gallop;
                wins_a = self.right(Some(&aside), self.at[b], from, len_a, 0);
                if wins_a > 0 {
                    self.at[to..to + wins_a].copy_from_slice(&aside[from..from + wins_a]);
                    (to, from, len_a) = (to + wins_a, from + wins_a, len_a - wins_a);
                    if len_a <= 1 {
                        break 'merging;
                    }
                }
                let what = self.at[b];
                put(&mut self.at, &mut to, what);
                (b, len_b) = (b + 1, len_b - 1);
                if len_b == 0 {
                    break 'merging;
                }
                wins_b = self.left(None, aside[from], b, len_b, 0);
                if wins_b > 0 {
                    self.at.copy_within(b..b + wins_b, to);
                    (to, b, len_b) = (to + wins_b, b + wins_b, len_b - wins_b);
                    if len_b == 0 {
                        break 'merging;
                    }
                }
                put(&mut self.at, &mut to, aside[from]);
                (from, len_a) = (from + 1, len_a - 1);
                if len_a == 1 {
                    break 'merging;
                }
                if wins_a < MIN_GALLOP && wins_b < MIN_GALLOP {
                    break;
                }
            }
            min_gallop += 1;
            self.min_gallop = min_gallop;
        }
        // Of the first run there is one left, which belongs behind all of the other; or the other is used up.
        self.at.copy_within(b..b + len_b, to);
        to += len_b;
        self.at[to..to + len_a].copy_from_slice(&aside[from..from + len_a]);
    }

    /// From the back, the second run being set aside. Places are those behind what is meant.
    fn merge_high(&mut self, a: usize, mut len_a: usize, b: usize, mut len_b: usize) {
        let aside = self.at[b..b + len_b].to_vec();
        let mut to = b + len_b;
        let put = |at: &mut Vec<usize>, to: &mut usize, what: usize| {
            *to -= 1;
            at[*to] = what;
        };
        let last = self.at[a + len_a - 1];
        put(&mut self.at, &mut to, last);
        len_a -= 1;
        let mut min_gallop = self.min_gallop;
        'merging: while len_a > 0 && len_b > 1 {
            let (mut wins_a, mut wins_b) = (0, 0);
            loop {
                if (self.before)(aside[len_b - 1], self.at[a + len_a - 1]) {
                    let what = self.at[a + len_a - 1];
                    put(&mut self.at, &mut to, what);
                    len_a -= 1;
                    (wins_a, wins_b) = (wins_a + 1, 0);
                    if len_a == 0 {
                        break 'merging;
                    }
                } else {
                    put(&mut self.at, &mut to, aside[len_b - 1]);
                    len_b -= 1;
                    (wins_a, wins_b) = (0, wins_b + 1);
                    if len_b == 1 {
                        break 'merging;
                    }
                }
                if wins_a.max(wins_b) >= min_gallop {
                    break;
                }
            }
            min_gallop += 1;
            loop {
                min_gallop = (min_gallop - 1).max(1);
                self.min_gallop = min_gallop;
                let stay = self.right(None, aside[len_b - 1], a, len_a, len_a - 1);
                wins_a = len_a - stay;
                if wins_a > 0 {
                    to -= wins_a;
                    self.at.copy_within(a + stay..a + len_a, to);
                    len_a = stay;
                    if len_a == 0 {
                        break 'merging;
                    }
                }
                put(&mut self.at, &mut to, aside[len_b - 1]);
                len_b -= 1;
                if len_b == 1 {
                    break 'merging;
                }
                let stay = self.left(Some(&aside), self.at[a + len_a - 1], 0, len_b, len_b - 1);
                wins_b = len_b - stay;
                if wins_b > 0 {
                    to -= wins_b;
                    self.at[to..to + wins_b].copy_from_slice(&aside[stay..len_b]);
                    len_b = stay;
                    if len_b <= 1 {
                        break 'merging;
                    }
                }
                let what = self.at[a + len_a - 1];
                put(&mut self.at, &mut to, what);
                len_a -= 1;
                if len_a == 0 {
                    break 'merging;
                }
                if wins_a < MIN_GALLOP && wins_b < MIN_GALLOP {
                    break;
                }
            }
            min_gallop += 1;
            self.min_gallop = min_gallop;
        }
        // Of the second run there is one left, which belongs before all of the other; or the other is used up.
        self.at.copy_within(a..a + len_a, to - len_a);
        to -= len_a;
        self.at[to - len_b..to].copy_from_slice(&aside[..len_b]);
    }

    /// How many of a run go before the key, those that are equal behind it. `run` is what was set aside, or else this list.
    fn left(
        &mut self,
        run: Option<&[usize]>,
        key: usize,
        base: usize,
        length: usize,
        hint: usize,
    ) -> usize {
        let (at, before) = (run.unwrap_or(&self.at), &mut self.before);
        gallop(base, length, hint, |place| before(at[place], key))
    }

    /// How many of a run go before the key, those that are equal too.
    fn right(
        &mut self,
        run: Option<&[usize]>,
        key: usize,
        base: usize,
        length: usize,
        hint: usize,
    ) -> usize {
        let (at, before) = (run.unwrap_or(&self.at), &mut self.before);
        gallop(base, length, hint, |place| !before(key, at[place]))
    }
}

/// How many of a run go before something: looks in growing steps from the hint on, then halves what is between two steps.
fn gallop(
    base: usize,
    length: usize,
    hint: usize,
    mut goes_before: impl FnMut(usize) -> bool,
) -> usize {
    let (mut last, mut step) = (0, 1);
    let (mut low, mut high);
    if goes_before(base + hint) {
        let most = length - hint;
        while step < most && goes_before(base + hint + step) {
            (last, step) = (step, step * 2 + 1);
        }
        (low, high) = (hint + last + 1, hint + step.min(most));
    } else {
        let most = hint + 1;
        while step < most && !goes_before(base + hint - step) {
            (last, step) = (step, step * 2 + 1);
        }
        (low, high) = (hint + 1 - step.min(most), hint - last);
    }
    while low < high {
        let middle = low + (high - low) / 2;
        if goes_before(base + middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    high
}

/// What a JavaScript object is to Node-RED's code: things by name, in the order of an object's properties.
pub struct ByName<T> {
    things: HashMap<String, (u64, T)>,
    next: u64,
}

impl<T> Default for ByName<T> {
    fn default() -> Self {
        ByName {
            things: HashMap::new(),
            next: 0,
        }
    }
}

impl<T> ByName<T> {
    /// The thing of this name, made when it is not there.
    pub fn entry(&mut self, name: &str, make: impl FnOnce() -> T) -> &mut T {
        let next = &mut self.next;
        let thing = self.things.entry(name.to_owned()).or_insert_with(|| {
            *next += 1;
            (*next, make())
        });
        &mut thing.1
    }

    /// The thing of this name.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.things.get(name).map(|(_, thing)| thing)
    }

    /// The thing of this name, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut T> {
        self.things.get_mut(name).map(|(_, thing)| thing)
    }

    /// The name of the thing that fits.
    pub fn find(&self, fits: impl Fn(&T) -> bool) -> Option<String> {
        let mut things = self.things.iter();
        let found = things.find(|(_, (_, thing))| fits(thing));
        found.map(|(name, _)| name.clone())
    }

    /// Takes the thing of this name out.
    pub fn remove(&mut self, name: &str) -> Option<T> {
        self.things.remove(name).map(|(_, thing)| thing)
    }

    /// Takes out what has been here for longest.
    pub fn remove_oldest(&mut self) -> Option<T> {
        let oldest = self.things.iter().min_by_key(|(_, (number, _))| *number);
        let name = oldest.map(|(name, _)| name.clone())?;
        self.remove(&name)
    }

    /// All of them: names that are indices first, by their value, then the others as they came.
    pub fn values(&self) -> Vec<&T> {
        let mut all: Vec<_> = self.things.iter().collect();
        all.sort_by_key(|(name, (number, _))| place(name, *number));
        all.into_iter().map(|(_, (_, thing))| thing).collect()
    }

    /// All of them, in the order of [`ByName::values`].
    pub fn into_values(self) -> Vec<T> {
        let mut all: Vec<_> = self.things.into_iter().collect();
        all.sort_by_key(|(name, (number, _))| place(name, *number));
        all.into_iter().map(|(_, (_, thing))| thing).collect()
    }
}

/// Where a name stands among the properties of an object.
fn place(name: &str, number: u64) -> (bool, u64) {
    match Key::data(name).index() {
        Some(index) => (false, u64::from(index)),
        None => (true, number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether one number goes before another.
    type Before = fn(u32, u32) -> bool;

    const COUNTS: [u32; 12] = [2, 3, 5, 31, 32, 33, 64, 65, 100, 257, 1000, 3000];

    /// No order at all.
    const LOTTERY: Before = |a, b| a.wrapping_mul(31).wrapping_add(b.wrapping_mul(17)) % 7 < 3;
    /// Many that are equal, of which the first stays the first.
    const FEW: Before = |a, b| a % 10 < b % 10;
    const NUMBERS: Before = |a, b| a < b;
    /// As numbers among which some are NaN.
    const GAPS: Before = |a, b| a % 5 == 0 || b % 5 == 0 || a < b;

    /// What `Array.prototype.sort` of Node.js 22 made of the same: a hash of the order, for each of `COUNTS`.
    #[rustfmt::skip]
    const OF_V8: [(Before, bool, [u32; 12]); 8] = [
        (LOTTERY, false, [
            0x1076963a, 0xfdac0152, 0x118e12c3, 0xf3542e5a, 0xf4017407, 0x5233308d,
            0x087aa2cd, 0xf66b3cdd, 0xdc8a6fb1, 0x4898c117, 0x45941b25, 0x76eb384d,
        ]),
        (LOTTERY, true, [
            0x1076963a, 0xfdac0152, 0x43e0c92b, 0xdbc30164, 0x017ef577, 0xaf2f483b,
            0xceea630f, 0x36a40137, 0x9fce9ccb, 0x040ce581, 0xf9871b2f, 0xa1dea915,
        ]),
        (FEW, false, [
            0xeb741d64, 0x57cf393e, 0xd5bd7f47, 0x2773d448, 0x87a30499, 0x53632069,
            0x6c24ad3d, 0x5b0d1c79, 0x624b06df, 0xd6ea9b7b, 0x698fc4b9, 0x1c29a14f,
        ]),
        (FEW, true, [
            0x1076963a, 0x22ae7a28, 0xba1e9fef, 0xa01925ae, 0x0ee5cb9d, 0xf490a17f,
            0xb1b6242b, 0x504b6b5f, 0x36a6b4e5, 0x0ef7756d, 0xbc43a54b, 0x142f8785,
        ]),
        (NUMBERS, false, [
            0xeb741d64, 0xfdac0152, 0x386364a9, 0x85e0a4ca, 0x6a601975, 0x1478326d,
            0x4ee8c3f1, 0x4ac0c7dd, 0x0c2475e7, 0x418e1e9f, 0x1c4651fb, 0x99ecb529,
        ]),
        (NUMBERS, true, [
            0x1076963a, 0x22ae7a28, 0xba1e9fef, 0xa11f0a62, 0xc6febef5, 0x11538d57,
            0x484af429, 0x47cb185d, 0xf725c903, 0x6b4371f3, 0x784d62fb, 0x2aa56267,
        ]),
        (GAPS, false, [
            0xeb741d64, 0xfdac0152, 0xaabed4cf, 0xde31cde4, 0x8134e31f, 0x64396839,
            0x4419b0bf, 0x3b6d1dcf, 0x250c05c7, 0xe861e06b, 0x51e1097f, 0xf378de9d,
        ]),
        (GAPS, true, [
            0xeb741d64, 0x57cf393e, 0xc4e53cc7, 0x02b46222, 0x6ca2c79b, 0x7621d8c5,
            0x3bf60587, 0x2f1c7d4f, 0x83297c2b, 0x792f5a79, 0x862f745d, 0x88f8f385,
        ]),
    ];

    fn numbers(count: u32, rising: bool) -> Vec<u32> {
        let mut state = count;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 8
        };
        let mut number = |at| match rising {
            false => next() % 1000,
            true if next() % 16 == 0 => next() % (count + 1),
            true => at,
        };
        (0..count).map(&mut number).collect()
    }

    #[test]
    fn sorts_as_v8_does() {
        for (before, rising, hashes) in OF_V8 {
            for (count, expected) in COUNTS.into_iter().zip(hashes) {
                let numbers = numbers(count, rising);
                let order = sorted(numbers.len(), |a, b| before(numbers[a], numbers[b]));
                let hash = order.iter().fold(0x811c_9dc5_u32, |hash, place| {
                    (hash ^ *place as u32).wrapping_mul(16_777_619)
                });
                assert_eq!(hash, expected, "{count} numbers, rising: {rising}");
            }
        }
    }

    #[test]
    fn few_things_need_no_comparison() {
        let never = |_: &i32, _: &i32| -> bool { unreachable!() };
        assert_eq!(sort(Vec::new(), never), Vec::<i32>::new());
        assert_eq!(sort(vec![7], never), [7]);
    }

    #[test]
    fn names_come_as_properties_do() {
        let mut things = ByName::default();
        for name in ["b", "10", "a", "2", "b"] {
            things.entry(name, || name.to_owned()).push('!');
        }
        assert_eq!(things.remove("a").as_deref(), Some("a!"));
        assert_eq!(things.values(), ["2!", "10!", "b!!"]);
        assert_eq!(things.into_values(), ["2!", "10!", "b!!"]);
    }
}
