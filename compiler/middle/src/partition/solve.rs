//! Looks for the cheapest way to spread units over machines.
//!
//! Few units: all ways are tried, as far as a way can still be better than the best one (branch and bound). Many: each is put where it
//! costs least, those with most traffic first, and then moved as long as moves pay, in the manner of Fiduccia and Mattheyses (*A
//! linear-time heuristic for improving network partitions*, 1982): in a pass each unit moves once, the best move first even where
//! it costs, and the pass ends at the best state that it came by.

/// What messages between two units come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Between {
    /// A unit.
    pub a: usize,
    /// Another one.
    pub b: usize,
    /// Messages a second, both ways together.
    pub rate: f64,
    /// Bytes a second.
    pub bytes: f64,
}

/// Units, machines, and what they cost.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Problem {
    /// For each unit the machines that it may run on; none has no machine.
    pub allowed: Vec<Vec<usize>>,
    /// For each unit, the processors that it keeps busy.
    pub load: Vec<f64>,
    /// What goes between units.
    pub between: Vec<Between>,
    /// Units that may not be on one machine.
    pub apart: Vec<(usize, usize)>,
    /// For each machine, the processors that it has.
    pub capacity: Vec<f64>,
    /// From each machine to each other one, milliseconds and bytes a second.
    pub way: Vec<Vec<(f64, f64)>>,
}

/// Seconds that a message over a link costs at its two ends, besides its bytes.
const MESSAGE: f64 = 2e-6;
/// What a second of waiting is worth, in seconds of work.
const WAITING: f64 = 0.01;
/// What it costs to load a machine beyond what it has, for each processor too much.
const OVERLOAD: f64 = 1e3;
/// What it is worth to have loads even.
const EVEN: f64 = 0.01;
/// Costs that differ by less are the same.
const NOTHING: f64 = 1e-12;
/// States that are looked at before the search for the best one gives up: some tenths of a second.
const MOST_STATES: usize = 1_000_000;
/// The most units of which all ways are tried.
const FEW: usize = 24;
/// The most passes; each but the last makes the cut cheaper.
const MOST_PASSES: usize = 50;

impl Problem {
    fn cost_of(&self, it: &Between, from: usize, to: usize) -> f64 {
        if from == to {
            return 0.0;
        }
        let (latency_ms, bytes) = self.way[from][to];
        it.rate * (MESSAGE + WAITING * latency_ms / 1e3) + it.bytes / bytes
    }

    fn load_cost(&self, machine: usize, load: f64) -> f64 {
        let capacity = self.capacity[machine];
        let used = load / capacity;
        OVERLOAD * (load - capacity).max(0.0) + EVEN * used * used * capacity
    }

    /// What a whole assignment costs.
    pub fn cost(&self, at: &[usize]) -> f64 {
        let cut = self.between.iter();
        let cut: f64 = cut.map(|it| self.cost_of(it, at[it.a], at[it.b])).sum();
        let mut loads = vec![0.0; self.capacity.len()];
        for (unit, machine) in at.iter().enumerate() {
            loads[*machine] += self.load[unit];
        }
        let loads = loads.iter().enumerate();
        cut + loads
            .map(|(machine, load)| self.load_cost(machine, *load))
            .sum::<f64>()
    }

    fn conflicts(&self, unit: usize) -> impl Iterator<Item = usize> {
        self.apart.iter().filter_map(move |(a, b)| match unit {
            _ if *a == unit => Some(*b),
            _ if *b == unit => Some(*a),
            _ => None,
        })
    }

    /// Whether what is to be apart can be.
    pub fn can_be_apart(&self) -> bool {
        let mut at = vec![None; self.allowed.len()];
        let mut budget = MOST_STATES;
        let mut units: Vec<usize> = self.apart.iter().flat_map(|(a, b)| [*a, *b]).collect();
        units.sort_unstable();
        units.dedup();
        self.colour(&units, &mut at, &mut budget)
    }

    /// Puts the units at machines, so that no two that are to be apart are together.
    fn colour(&self, units: &[usize], at: &mut Vec<Option<usize>>, budget: &mut usize) -> bool {
        let Some((&unit, rest)) = units.split_first() else {
            return true;
        };
        for &machine in &self.allowed[unit] {
            if *budget == 0 {
                return false;
            }
            *budget -= 1;
            if self.conflicts(unit).all(|other| at[other] != Some(machine)) {
                at[unit] = Some(machine);
                if self.colour(rest, at, budget) {
                    return true;
                }
                at[unit] = None;
            }
        }
        false
    }
}

/// The machine of each unit, and whether nothing is cheaper for certain.
pub fn solve(problem: &Problem) -> (Vec<usize>, bool) {
    let search = Search::new(problem);
    let first = search.refine(search.greedy());
    if search.free.len() > FEW {
        return (first, false);
    }
    search.exact(first)
}

struct Search<'p> {
    problem: &'p Problem,
    /// What each unit has to do with others: their numbers, and the places in `between`.
    next: Vec<Vec<(usize, usize)>>,
    /// Units with a choice, those with most traffic first.
    free: Vec<usize>,
}

impl<'p> Search<'p> {
    fn new(problem: &'p Problem) -> Search<'p> {
        let mut next = vec![Vec::new(); problem.allowed.len()];
        for (number, it) in problem.between.iter().enumerate() {
            next[it.a].push((it.b, number));
            next[it.b].push((it.a, number));
        }
        let weight = |unit: &usize| -> f64 {
            let all = next[*unit].iter();
            all.map(|(_, number)| problem.between[*number].rate)
                .sum::<f64>()
        };
        let mut free: Vec<usize> = (0..problem.allowed.len())
            .filter(|unit| problem.allowed[*unit].len() > 1)
            .collect();
        free.sort_by(|a, b| weight(b).total_cmp(&weight(a)));
        Search {
            problem,
            next,
            free,
        }
    }

    /// What it costs to have a unit at a machine, as far as others have a place.
    fn cost_at(&self, unit: usize, machine: usize, at: &[Option<usize>], loads: &[f64]) -> f64 {
        let others = self.next[unit].iter();
        let cut: f64 = others
            .filter_map(|(other, number)| Some((at[*other]?, number)))
            .map(|(there, number)| {
                self.problem
                    .cost_of(&self.problem.between[*number], machine, there)
            })
            .sum();
        let (load, own) = (loads[machine], self.problem.load[unit]);
        let more =
            self.problem.load_cost(machine, load + own) - self.problem.load_cost(machine, load);
        cut + more
    }

    /// Units without a choice first, then each of the others where it costs least; those that are to be apart before all.
    fn greedy(&self) -> Vec<usize> {
        let problem = self.problem;
        let mut at: Vec<Option<usize>> = vec![None; problem.allowed.len()];
        let mut order: Vec<usize> = problem.apart.iter().flat_map(|(a, b)| [*a, *b]).collect();
        order.sort_unstable();
        order.dedup();
        let mut budget = MOST_STATES;
        // (`can_be_apart` has found that there is a way)
        problem.colour(&order, &mut at, &mut budget);
        for (unit, allowed) in problem.allowed.iter().enumerate() {
            if let [only] = allowed.as_slice() {
                at[unit] = Some(*only);
            }
        }
        let mut loads = vec![0.0; problem.capacity.len()];
        for (unit, machine) in at.iter().enumerate() {
            if let Some(machine) = machine {
                loads[*machine] += problem.load[unit];
            }
        }
        let mut left: Vec<usize> = self
            .free
            .iter()
            .copied()
            .filter(|unit| at[*unit].is_none())
            .collect();
        while !left.is_empty() {
            // Who has most to do with those that have a place is next; else who has most traffic.
            let drawn = |unit: &usize| -> f64 {
                let placed = self.next[*unit]
                    .iter()
                    .filter(|(other, _)| at[*other].is_some());
                placed
                    .map(|(_, number)| problem.between[*number].rate)
                    .sum()
            };
            let best = (0..left.len())
                .rev()
                .max_by(|a, b| drawn(&left[*a]).total_cmp(&drawn(&left[*b])));
            let unit = left.remove(best.unwrap_or(0));
            let machines = problem.allowed[unit].iter().copied();
            let cheapest = machines.min_by(|a, b| {
                let cost = |machine| self.cost_at(unit, machine, &at, &loads);
                cost(*a).total_cmp(&cost(*b))
            });
            let machine = cheapest.unwrap_or(0);
            at[unit] = Some(machine);
            loads[machine] += problem.load[unit];
        }
        at.into_iter().map(|machine| machine.unwrap_or(0)).collect()
    }

    /// Moves units as long as that pays.
    fn refine(&self, mut at: Vec<usize>) -> Vec<usize> {
        let mut cost = self.problem.cost(&at);
        for _ in 0..MOST_PASSES {
            let (better, its_cost) = self.pass(&at, cost);
            if its_cost >= cost - NOTHING {
                break;
            }
            (at, cost) = (better, its_cost);
        }
        at
    }

    /// One pass; gives the best state on its way.
    fn pass(&self, begin: &[usize], its_cost: f64) -> (Vec<usize>, f64) {
        let problem = self.problem;
        let mut at: Vec<Option<usize>> = begin.iter().copied().map(Some).collect();
        let mut loads = vec![0.0; problem.capacity.len()];
        for (unit, machine) in begin.iter().enumerate() {
            loads[*machine] += problem.load[unit];
        }
        let (mut cost, mut best_cost, mut best_moves) = (its_cost, its_cost, 0);
        let mut moves: Vec<(usize, usize)> = Vec::new();
        let mut left = self.free.clone();
        // The gain of each unit's best move; those whose neighbours have moved are looked at again.
        let mut gains: Vec<Option<(f64, usize)>> = left
            .iter()
            .map(|unit| self.best_move(*unit, &mut at, &mut loads))
            .collect();
        while !left.is_empty() {
            let found = (0..left.len())
                .filter_map(|number| Some((number, gains[number]?)))
                .min_by(|(_, (a, _)), (_, (b, _))| a.total_cmp(b));
            let Some((number, _)) = found else { break };
            let unit = left.swap_remove(number);
            gains.swap_remove(number);
            // (loads have changed since it was looked at)
            let Some((change, machine)) = self.best_move(unit, &mut at, &mut loads) else {
                continue;
            };
            let from = at[unit].unwrap_or(machine);
            loads[from] -= problem.load[unit];
            loads[machine] += problem.load[unit];
            at[unit] = Some(machine);
            moves.push((unit, machine));
            cost += change;
            if cost < best_cost - NOTHING {
                (best_cost, best_moves) = (cost, moves.len());
            }
            let touched: Vec<usize> = (self.next[unit].iter().map(|(other, _)| *other))
                .chain(problem.conflicts(unit))
                .collect();
            for number in 0..left.len() {
                if touched.contains(&left[number]) {
                    gains[number] = self.best_move(left[number], &mut at, &mut loads);
                }
            }
        }
        let mut best = begin.to_vec();
        for (unit, machine) in moves.into_iter().take(best_moves) {
            best[unit] = machine;
        }
        (best, best_cost)
    }

    /// The cheapest other machine for a unit, and by how much the cost changes.
    fn best_move(
        &self,
        unit: usize,
        at: &mut [Option<usize>],
        loads: &mut [f64],
    ) -> Option<(f64, usize)> {
        let from = at[unit]?;
        loads[from] -= self.problem.load[unit];
        let now = self.cost_at(unit, from, at, loads);
        let machines = self.problem.allowed[unit].iter().copied();
        let free = |machine: &usize| {
            *machine != from
                && self
                    .problem
                    .conflicts(unit)
                    .all(|other| at[other] != Some(*machine))
        };
        let best = machines
            .filter(free)
            .map(|machine| (self.cost_at(unit, machine, at, loads) - now, machine))
            .min_by(|(a, _), (b, _)| a.total_cmp(b));
        loads[from] += self.problem.load[unit];
        best
    }

    /// Tries all ways that may be better than one that is known.
    fn exact(&self, known: Vec<usize>) -> (Vec<usize>, bool) {
        let problem = self.problem;
        let mut at: Vec<Option<usize>> = vec![None; problem.allowed.len()];
        let mut loads = vec![0.0; problem.capacity.len()];
        let mut cost = 0.0;
        for (unit, allowed) in problem.allowed.iter().enumerate() {
            if let [only] = allowed.as_slice() {
                cost += self.cost_at(unit, *only, &at, &loads);
                at[unit] = Some(*only);
                loads[*only] += problem.load[unit];
            }
        }
        let mut best = Best {
            cost: problem.cost(&known),
            at: known,
            budget: MOST_STATES,
        };
        self.branch(0, &mut at, &mut loads, cost, &mut best);
        (best.at, best.budget > 0)
    }

    fn branch(
        &self,
        depth: usize,
        at: &mut Vec<Option<usize>>,
        loads: &mut Vec<f64>,
        cost: f64,
        best: &mut Best,
    ) {
        // (each unit more costs something, if only a little: what is dearer now stays dearer)
        if best.budget == 0 || cost >= best.cost - NOTHING {
            return;
        }
        best.budget -= 1;
        let Some(&unit) = self.free.get(depth) else {
            best.cost = cost;
            best.at = at.iter().map(|machine| machine.unwrap_or(0)).collect();
            return;
        };
        let mut machines: Vec<(f64, usize)> = (self.problem.allowed[unit].iter())
            .map(|machine| (self.cost_at(unit, *machine, at, loads), *machine))
            .collect();
        machines.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        for (more, machine) in machines {
            if self
                .problem
                .conflicts(unit)
                .any(|other| at[other] == Some(machine))
            {
                continue;
            }
            at[unit] = Some(machine);
            loads[machine] += self.problem.load[unit];
            self.branch(depth + 1, at, loads, cost + more, best);
            loads[machine] -= self.problem.load[unit];
            at[unit] = None;
        }
    }
}

/// The best way that was found so far.
struct Best {
    at: Vec<usize>,
    cost: f64,
    budget: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    impl Problem {
        /// Whether an assignment keeps to the rules.
        fn fits(&self, at: &[usize]) -> bool {
            let allowed = self.allowed.iter().zip(at);
            allowed
                .into_iter()
                .all(|(allowed, machine)| allowed.contains(machine))
                && self.apart.iter().all(|(a, b)| at[*a] != at[*b])
        }
    }

    /// A row of units, the first at machine 0 and the last at machine 1, with this much traffic between neighbours.
    fn row(rates: &[f64]) -> Problem {
        let units = rates.len() + 1;
        let mut allowed = vec![vec![0, 1]; units];
        allowed[0] = vec![0];
        allowed[units - 1] = vec![1];
        let between = rates.iter().enumerate();
        Problem {
            allowed,
            load: vec![0.001; units],
            between: between
                .map(|(a, rate)| Between {
                    a,
                    b: a + 1,
                    rate: *rate,
                    bytes: rate * 100.0,
                })
                .collect(),
            apart: Vec::new(),
            capacity: vec![1.0; 2],
            way: vec![vec![(0.3, 1e8); 2]; 2],
        }
    }

    #[test]
    fn a_row_is_cut_where_least_goes() {
        let problem = row(&[1_000.0, 900.0, 10.0, 800.0, 1_000.0]);
        assert_eq!(solve(&problem), (vec![0, 0, 0, 1, 1, 1], true));
    }

    #[test]
    fn what_is_wired_to_nothing_is_spread() {
        let problem = Problem {
            between: Vec::new(),
            allowed: vec![vec![0, 1]; 4],
            load: vec![0.4; 4],
            ..row(&[1.0, 1.0, 1.0])
        };
        let (at, _) = solve(&problem);
        assert_eq!(at.iter().filter(|machine| **machine == 0).count(), 2);
    }

    #[test]
    fn a_machine_is_not_given_more_than_it_can_do() {
        let mut problem = row(&[100.0, 100.0, 100.0]);
        problem.load = vec![0.5, 0.9, 0.05, 0.05];
        problem.between[1].rate = 100_000.0;
        // (the second one would be with the first but for its load)
        assert_eq!(solve(&problem).0, [0, 1, 1, 1]);
    }

    #[test]
    fn what_is_to_be_apart_is() {
        let mut problem = row(&[10.0, 10.0, 10.0]);
        problem.apart = vec![(1, 2)];
        let (at, _) = solve(&problem);
        assert_ne!(at[1], at[2]);
        problem.apart = vec![(0, 1), (1, 2), (2, 0)];
        assert!(!problem.can_be_apart());
    }

    fn problems() -> impl Strategy<Value = Problem> {
        (2..4_usize, 2..8_usize).prop_flat_map(|(machines, units)| {
            let allowed = proptest::collection::vec(
                proptest::sample::subsequence((0..machines).collect::<Vec<_>>(), 1..=machines),
                units,
            );
            let load = proptest::collection::vec(0.0..0.8_f64, units);
            let between = proptest::collection::vec(
                (0..units, 0..units, 0.0..10_000.0_f64, 0.0..1e6_f64),
                0..12,
            );
            let apart = proptest::collection::vec((0..units, 0..units), 0..2);
            let way = proptest::collection::vec((0.1..50.0_f64, 1e5..1e9_f64), machines * machines);
            (allowed, load, between, apart, way).prop_map(
                move |(allowed, load, between, apart, way)| {
                    let between = between.into_iter().filter(|(a, b, ..)| a != b);
                    Problem {
                        allowed,
                        load,
                        between: between
                            .map(|(a, b, rate, bytes)| Between { a, b, rate, bytes })
                            .collect(),
                        apart: apart.into_iter().filter(|(a, b)| a != b).collect(),
                        capacity: vec![1.0; machines],
                        way: (0..machines)
                            .map(|from| {
                                (0..machines)
                                    .map(|to| way[from.min(to) * machines + from.max(to)])
                                    .collect()
                            })
                            .collect(),
                    }
                },
            )
        })
    }

    /// All ways, one after the other.
    fn cheapest(problem: &Problem) -> Option<f64> {
        let machines = problem.capacity.len();
        let count = machines.pow(problem.allowed.len() as u32);
        let ways = (0..count).map(|number| {
            let digit = |unit: usize| number / machines.pow(unit as u32) % machines;
            (0..problem.allowed.len()).map(digit).collect::<Vec<_>>()
        });
        let costs = ways
            .filter(|at| problem.fits(at))
            .map(|at| problem.cost(&at));
        costs.min_by(f64::total_cmp)
    }

    proptest! {
        #[test]
        fn few_units_are_spread_in_the_cheapest_way(problem in problems()) {
            match cheapest(&problem) {
                None => prop_assert!(!problem.can_be_apart()),
                Some(least) => {
                    prop_assert!(problem.can_be_apart());
                    let (at, exact) = solve(&problem);
                    prop_assert!(exact && problem.fits(&at));
                    prop_assert!((problem.cost(&at) - least).abs() <= 1e-9 * least.max(1.0));
                }
            }
        }

        #[test]
        fn moves_make_it_no_dearer_and_keep_to_the_rules(problem in problems()) {
            prop_assume!(problem.can_be_apart());
            let search = Search::new(&problem);
            let first = search.greedy();
            prop_assert!(problem.fits(&first));
            let better = search.refine(first.clone());
            prop_assert!(problem.fits(&better));
            prop_assert!(problem.cost(&better) <= problem.cost(&first) + 1e-9);
        }
    }
}
