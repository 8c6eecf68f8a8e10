//! Better, worse, or no difference: figures against saved ones, with the noise of both in mind.
//!
//! The repetitions of a figure lie apart; so far may two medians lie apart without meaning anything. The noise of a comparison
//! is the root of the sum of the squares of both spreads, and never less than a floor, since two repetitions can agree by
//! chance.

use crate::figure::{Figure, Kind, Report};

/// Differences below this share are never called one.
const FLOOR: f64 = 0.05;
/// The same for the far ends of latencies, which a few messages decide.
const FLOOR_OF_TAILS: f64 = 0.20;

/// The same where a figure was taken only once, which says nothing of its noise.
const FLOOR_OF_ONE: f64 = 0.25;

/// What is to be said of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Better than the noise explains.
    Better,
    /// Worse than the noise explains.
    Worse,
    /// Within the noise.
    Same,
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Verdict::Better => "better",
            Verdict::Worse => "worse",
            Verdict::Same => "no difference",
        })
    }
}

/// A figure against its saved one.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The case.
    pub case: String,
    /// The target.
    pub target: String,
    /// What figure.
    pub kind: Kind,
    /// The saved median.
    pub before: f64,
    /// The median now.
    pub now: f64,
    /// How far the medians may lie apart, as a share.
    pub noise: f64,
    /// What is to be said.
    pub verdict: Verdict,
}

fn judge(kind: Kind, before: &Figure, now: &Figure) -> (f64, Verdict) {
    let floor = match kind {
        _ if before.values.len() < 2 || now.values.len() < 2 => FLOOR_OF_ONE,
        Kind::P99 | Kind::P999 => FLOOR_OF_TAILS,
        _ => FLOOR,
    };
    let noise = before.spread().hypot(now.spread()).max(floor);
    // In the logarithm, so that half and double are equally far away.
    let change = match before.median > 0.0 && now.median > 0.0 {
        true => (now.median / before.median).ln(),
        false => 0.0,
    };
    let gain = if kind.more_is_better() {
        change
    } else {
        -change
    };
    let verdict = match gain {
        gain if gain > noise.ln_1p() => Verdict::Better,
        gain if gain < -noise.ln_1p() => Verdict::Worse,
        _ => Verdict::Same,
    };
    (noise, verdict)
}

/// Every figure that both reports have. (A case of another title is another case: another flow, another load.)
pub fn compare(before: &Report, now: &Report) -> Vec<Judged> {
    let mut all = Vec::new();
    for case in &now.cases {
        let Some(case_before) = before
            .cases
            .iter()
            .find(|c| (&c.name, &c.title) == (&case.name, &case.title))
        else {
            continue;
        };
        for outcome in &case.outcomes {
            let same = |other: &&crate::figure::Outcome| other.target == outcome.target;
            let Some(outcome_before) = case_before.outcomes.iter().find(same) else {
                continue;
            };
            for figure in &outcome.figures {
                let Some(figure_before) = outcome_before.figure(figure.name) else {
                    continue;
                };
                let (noise, verdict) = judge(figure.name, figure_before, figure);
                all.push(Judged {
                    case: case.name.clone(),
                    target: outcome.target.clone(),
                    kind: figure.name,
                    before: figure_before.median,
                    now: figure.median,
                    noise,
                    verdict,
                });
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::tests::report;

    fn verdict(kind: Kind, before: &[f64], now: &[f64]) -> Verdict {
        let (before, now) = (
            report(kind, &[("native", before)]),
            report(kind, &[("native", now)]),
        );
        compare(&before, &now)[0].verdict
    }

    #[test]
    fn more_messages_are_better_and_more_time_is_worse() {
        let (few, many) = ([100.0, 101.0], [120.0, 121.0]);
        assert_eq!(verdict(Kind::Rate, &few, &many), Verdict::Better);
        assert_eq!(verdict(Kind::Rate, &many, &few), Verdict::Worse);
        assert_eq!(verdict(Kind::Cpu, &few, &many), Verdict::Worse);
        assert_eq!(verdict(Kind::Start, &many, &few), Verdict::Better);
    }

    #[test]
    fn what_the_noise_explains_is_no_difference() {
        let once = [100.0, 100.0];
        assert_eq!(verdict(Kind::Rate, &once, &[96.0, 96.0]), Verdict::Same);
        assert_eq!(verdict(Kind::P99, &once, &[115.0, 115.0]), Verdict::Same);
        assert_eq!(verdict(Kind::P50, &once, &[115.0, 115.0]), Verdict::Worse);
        // (a difference that would be one, if the repetitions lay closer together)
        let apart = ([90.0, 111.0], [110.0, 131.0]);
        assert_eq!(verdict(Kind::Rate, &apart.0, &apart.1), Verdict::Same);
    }

    #[test]
    fn one_repetition_says_nothing_of_its_noise() {
        assert_eq!(verdict(Kind::Rate, &[100.0], &[85.0, 85.0]), Verdict::Same);
        assert_eq!(verdict(Kind::Rate, &[100.0], &[70.0]), Verdict::Worse);
    }

    #[test]
    fn what_only_one_has_is_not_judged() {
        let one = report(Kind::Rate, &[("native", &[1.0])]);
        assert!(compare(&one, &report(Kind::Rate, &[("interp", &[1.0])])).is_empty());
        assert!(compare(&one, &report(Kind::Cpu, &[("native", &[1.0])])).is_empty());
        let mut other = one.clone();
        other.cases[0].title = "another load".to_owned();
        assert!(compare(&one, &other).is_empty());
    }

    #[test]
    fn nothing_is_judged_by_a_zero() {
        assert_eq!(verdict(Kind::Cpu, &[0.0], &[5.0]), Verdict::Same);
    }
}
