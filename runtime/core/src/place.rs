//! Which thread an island runs on, where a profile has measured what the islands cost.
//!
//! The longest goes first, to the thread that has least to do: no thread ends up with more than a third over what the best
//! spread would give it.

/// The thread for each island, out of `threads`. `given`: the threads of islands that run already, which they keep. Islands
/// of which no load is known get none here.
pub(crate) fn longest_first(
    loads: &[u64],
    given: &[Option<usize>],
    threads: usize,
) -> Vec<Option<usize>> {
    let mut placed = given.to_vec();
    let mut sums = vec![0u64; threads.max(1)];
    // (what never did anything yet is not all put on the same thread)
    let load = |island: usize| loads.get(island).map(|load| (*load).max(1));
    for (island, thread) in given.iter().enumerate() {
        if let (Some(load), Some(sum)) = (load(island), thread.and_then(|at| sums.get_mut(at))) {
            *sum = sum.saturating_add(load);
        }
    }
    let free = (0..given.len()).filter(|island| given[*island].is_none());
    let mut todo: Vec<(u64, usize)> = free.filter_map(|at| Some((load(at)?, at))).collect();
    todo.sort_by_key(|(load, island)| (std::cmp::Reverse(*load), *island));
    for (load, island) in todo {
        let least = (0..sums.len())
            .min_by_key(|thread| sums[*thread])
            .unwrap_or(0);
        sums[least] = sums[least].saturating_add(load);
        placed[island] = Some(least);
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_go_first_to_who_has_least_to_do() {
        let placed = longest_first(&[1, 10, 2, 9, 8], &[None; 5], 2);
        // 10 | 9 8 and then what is left: 10 2 1 | 9 8 (round robin would give 1 2 8 | 10 9)
        assert_eq!(placed, [0, 0, 0, 1, 1].map(Some));
    }

    #[test]
    fn what_runs_stays_and_counts() {
        let placed = longest_first(&[10, 5, 5], &[Some(1), None, None], 2);
        assert_eq!(placed, [1, 0, 0].map(Some));
    }

    #[test]
    fn without_loads_nothing_is_placed_and_idle_islands_are_spread() {
        assert_eq!(longest_first(&[], &[None, Some(1)], 2), [None, Some(1)]);
        assert_eq!(longest_first(&[0, 0], &[None; 2], 2), [0, 1].map(Some));
        assert_eq!(longest_first(&[7], &[None], 0), [Some(0)]);
    }
}
