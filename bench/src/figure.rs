//! What is measured, and what a report holds. A report is also the form in which figures are saved and read again.

use crate::machine::Machine;
use serde::{Deserialize, Serialize};

/// A kind of figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Messages a second, as fast as the flow takes them.
    Rate,
    /// Latency that half of the messages did not exceed.
    P50,
    /// 99 of 100.
    P99,
    /// 999 of 1,000.
    P999,
    /// CPU time of the process for each message.
    Cpu,
    /// Resident memory at rest.
    MemoryIdle,
    /// The most resident memory under load.
    MemoryLoad,
    /// From the start of the process to the first message that was carried through.
    Start,
    /// The build, where the target has one.
    Build,
}

impl Kind {
    /// Its name in tables.
    pub fn title(self) -> &'static str {
        match self {
            Kind::Rate => "messages/s",
            Kind::P50 => "latency p50",
            Kind::P99 => "latency p99",
            Kind::P999 => "latency p99.9",
            Kind::Cpu => "CPU a message",
            Kind::MemoryIdle => "memory idle",
            Kind::MemoryLoad => "memory under load",
            Kind::Start => "start",
            Kind::Build => "build",
        }
    }

    /// What it is counted in.
    pub fn unit(self) -> &'static str {
        match self {
            Kind::Rate => "/s",
            Kind::P50 | Kind::P99 | Kind::P999 | Kind::Cpu => "µs",
            Kind::MemoryIdle | Kind::MemoryLoad => "MB",
            Kind::Start | Kind::Build => "ms",
        }
    }

    /// True when more of it is better.
    pub fn more_is_better(self) -> bool {
        self == Kind::Rate
    }
}

/// A figure: one value a repetition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// What it is.
    pub name: Kind,
    /// What it is counted in.
    pub unit: String,
    /// The middle of the values.
    pub median: f64,
    /// One value a repetition, in their order.
    pub values: Vec<f64>,
}

impl Figure {
    /// Of these values.
    pub fn new(name: Kind, values: Vec<f64>) -> Figure {
        Figure {
            name,
            unit: name.unit().to_owned(),
            median: median(&values),
            values,
        }
    }

    /// How far the values lie apart, as a share of the median.
    pub fn spread(&self) -> f64 {
        let least = self.values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = self
            .values
            .iter()
            .copied()
            .fold(f64::NEG_INFINITY, f64::max);
        match self.median > 0.0 && most > least {
            true => (most - least) / self.median,
            false => 0.0,
        }
    }
}

/// The middle of some values; 0 of none.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        n if n % 2 == 1 => sorted[middle],
        _ => (sorted[middle - 1] + sorted[middle]) / 2.0,
    }
}

/// What came of a case on a target.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Outcome {
    /// The target's name.
    pub target: String,
    /// Why it was not measured, though nothing is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// The figures.
    pub figures: Vec<Figure>,
    /// Latencies of all repetitions: share of the messages, microseconds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub curve: Vec<(f64, f64)>,
}

impl Outcome {
    /// A figure by its kind.
    pub fn figure(&self, kind: Kind) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.name == kind)
    }
}

/// What came of a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseReport {
    /// Its name, as `--only` takes it.
    pub name: String,
    /// What it does.
    pub title: String,
    /// One a target, in the order in which they were named.
    pub outcomes: Vec<Outcome>,
}

/// Everything that was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The version of vgdc.
    pub vgdc: String,
    /// The version of Node-RED, where it takes part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_red: Option<String>,
    /// Where.
    pub machine: Machine,
    /// How long each was measured, in seconds.
    pub seconds: f64,
    /// How often.
    pub repeat: usize,
    /// On what, in the order in which they were named.
    pub targets: Vec<String>,
    /// What puts the figures in doubt.
    pub warnings: Vec<String>,
    /// The cases.
    pub cases: Vec<CaseReport>,
}

impl Report {
    /// Reads a saved one.
    ///
    /// # Errors
    /// It is none; the text says what to do.
    pub fn read(text: &str) -> Result<Report, String> {
        serde_json::from_str(text).map_err(|e| {
            format!("these are no figures that `vgdc bench --save` or `--json` wrote ({e})")
        })
    }

    /// As JSON.
    pub fn json(&self) -> String {
        // (texts and numbers cannot fail; a number that JSON has not is written as null)
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// True when a case went wrong.
    pub fn has_faults(&self) -> bool {
        let outcomes = self.cases.iter().flat_map(|case| &case.outcomes);
        outcomes.into_iter().any(|outcome| outcome.fault.is_some())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A report with one case and these values of one figure on each target.
    pub(crate) fn report(kind: Kind, targets: &[(&str, &[f64])]) -> Report {
        let outcomes = targets.iter().map(|(target, values)| Outcome {
            target: (*target).to_owned(),
            figures: vec![Figure::new(kind, values.to_vec())],
            curve: vec![(0.0, 10.0), (0.9, 20.0), (0.99, 40.0)],
            ..Outcome::default()
        });
        Report {
            vgdc: "0.1.0".to_owned(),
            node_red: None,
            machine: Machine::this(),
            seconds: 1.0,
            repeat: 2,
            targets: targets.iter().map(|(t, _)| (*t).to_owned()).collect(),
            warnings: Vec::new(),
            cases: vec![CaseReport {
                name: "chain".to_owned(),
                title: "A <chain> of nodes".to_owned(),
                outcomes: outcomes.collect(),
            }],
        }
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(&[]), 0.0);
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0]), 2.5);
    }

    #[test]
    fn the_spread_is_a_share() {
        assert_eq!(Figure::new(Kind::Rate, vec![90.0, 110.0]).spread(), 0.2);
        assert_eq!(Figure::new(Kind::Rate, vec![5.0]).spread(), 0.0);
        assert_eq!(Figure::new(Kind::Rate, vec![]).spread(), 0.0);
    }

    #[test]
    fn a_report_is_read_as_it_was_written() {
        let report = report(Kind::P999, &[("native", &[1.5, 2.5])]);
        assert_eq!(Report::read(&report.json()), Ok(report));
        assert!(Report::read("{}").is_err_and(|why| why.contains("--save")));
    }
}
