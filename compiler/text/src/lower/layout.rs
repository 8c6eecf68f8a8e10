//! Places for nodes that have none: a column for each step that messages have come, one below the other.

use super::{Lower, Port};
use std::collections::HashMap;

const LEFT: usize = 140;
const COLUMN: usize = 200;
const TOP: usize = 60;
const ROW: usize = 60;

impl Lower<'_, '_> {
    pub(super) fn place(&mut self) {
        for container in 0..self.containers.len() {
            self.place_in(container);
        }
    }

    fn place_in(&mut self, container: usize) {
        let mine: Vec<usize> = (0..self.drafts.len())
            .filter(|at| {
                self.drafts
                    .get(*at)
                    .is_some_and(|draft| draft.container == Some(container) && !draft.is_config)
            })
            .collect();
        let by_id: HashMap<&str, usize> = mine
            .iter()
            .enumerate()
            .filter_map(|(number, at)| Some((self.drafts.get(*at)?.id.as_str(), number)))
            .collect();
        let next: Vec<Vec<usize>> = mine
            .iter()
            .map(|at| {
                let wires = self
                    .drafts
                    .get(*at)
                    .into_iter()
                    .flat_map(|draft| draft.wires.iter().flatten());
                wires
                    .filter_map(|wire| by_id.get(wire.id.as_str()).copied())
                    .collect()
            })
            .collect();
        let columns = columns(&next);
        let mut rows: HashMap<usize, usize> = HashMap::new();
        for (number, at) in mine.iter().enumerate() {
            let column = columns.get(number).copied().unwrap_or(0);
            let Some(draft) = self.drafts.get_mut(*at) else {
                continue;
            };
            if draft.at.is_none() {
                let row = rows.entry(column).or_default();
                let (x, y) = (LEFT + column * COLUMN, TOP + *row * ROW);
                *row += 1;
                draft.at = Some((x.to_string(), y.to_string()));
            }
        }
        let right = LEFT + (columns.iter().max().copied().unwrap_or(0) + 1) * COLUMN;
        let Some(container) = self.containers.get_mut(container) else {
            return;
        };
        let place = |x: usize, row: usize| (x.to_string(), (TOP + row * ROW).to_string());
        container
            .ports
            .entry(Port::In)
            .or_insert_with(|| place(40, 0));
        for out in 0..container.outs.len() {
            container
                .ports
                .entry(Port::Out(out))
                .or_insert_with(|| place(right, out));
        }
        let below = container.outs.len();
        container
            .ports
            .entry(Port::Status)
            .or_insert_with(|| place(right, below));
    }
}

/// How many steps messages have come when they reach a node; wires that lead back do not count.
fn columns(next: &[Vec<usize>]) -> Vec<usize> {
    let mut incoming = vec![0usize; next.len()];
    for to in next.iter().flatten() {
        if let Some(count) = incoming.get_mut(*to) {
            *count += 1;
        }
    }
    let mut columns = vec![0usize; next.len()];
    let mut done = vec![false; next.len()];
    let mut ready: std::collections::VecDeque<usize> = (0..next.len())
        .filter(|at| incoming.get(*at) == Some(&0))
        .collect();
    let mut first = 0;
    loop {
        let at = match ready.pop_front() {
            Some(at) => at,
            // (a circle: its first node is taken for the beginning)
            None => match (first..next.len()).find(|at| done.get(*at) == Some(&false)) {
                Some(at) => {
                    first = at + 1;
                    at
                }
                None => return columns,
            },
        };
        match done.get_mut(at) {
            Some(done) if !*done => *done = true,
            _ => continue,
        }
        let column = columns.get(at).copied().unwrap_or(0) + 1;
        for to in next.get(at).into_iter().flatten() {
            if done.get(*to) == Some(&false) {
                if let Some(old) = columns.get_mut(*to) {
                    *old = column.max(*old);
                }
                if let Some(count) = incoming.get_mut(*to) {
                    *count = count.saturating_sub(1);
                    if *count == 0 {
                        ready.push_back(*to);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_behind_all_that_lead_to_it() {
        assert_eq!(
            columns(&[vec![1, 2], vec![2], vec![], vec![2]]),
            [0, 1, 2, 0]
        );
        assert_eq!(columns(&[vec![1], vec![0]]), [0, 1], "a circle has an end");
        assert_eq!(columns(&[vec![0]]), [0]);
    }
}
