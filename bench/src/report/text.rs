//! The report as a table for a terminal.

use super::{number, ratio};
use crate::figure::{CaseReport, Kind, Outcome, Report};
use crate::verdict::Judged;
use std::fmt::Write as _;

/// The width of the first column.
const NAMES: usize = 22;
/// The width of the others.
const COLUMN: usize = 24;

/// The report.
pub fn report(report: &Report) -> String {
    let mut out = String::new();
    // (writing to a text cannot fail)
    let _ = writeln!(out, "vgdc {} on {}", report.vgdc, report.machine);
    if let Some(version) = &report.node_red {
        let _ = writeln!(out, "node-red is Node-RED {version}");
    }
    let times = if report.repeat == 1 {
        "once"
    } else {
        "medians"
    };
    let _ = writeln!(
        out,
        "{} × {} s each, {times}\n",
        report.repeat, report.seconds
    );
    let _ = write!(out, "{:NAMES$}", "");
    for target in &report.targets {
        let _ = write!(out, "{target:>COLUMN$}");
    }
    out.push('\n');
    for case in &report.cases {
        case_of(case, &mut out);
    }
    for warning in &report.warnings {
        let _ = writeln!(out, "\nwarning: {warning}");
    }
    out
}

fn case_of(case: &CaseReport, out: &mut String) {
    let _ = writeln!(out, "\n{}: {}", case.name, case.title);
    for kind in kinds(case) {
        let _ = write!(out, "  {:width$}", kind.title(), width = NAMES - 2);
        let first = case.outcomes.first().and_then(|o| o.figure(kind));
        for (at, outcome) in case.outcomes.iter().enumerate() {
            let cell = outcome.figure(kind).map(|figure| {
                let value = format!("{} {}", number(figure.median), kind.unit());
                let first = first.filter(|_| at > 0).map(|first| first.median);
                match first.and_then(|first| ratio(figure.median, first)) {
                    Some(ratio) => format!("{value} ({}×)", number(ratio)),
                    None => value,
                }
            });
            let _ = write!(out, "{:>COLUMN$}", cell.unwrap_or_else(|| "–".to_owned()));
        }
        out.push('\n');
    }
    notes(&case.outcomes, out);
}

/// What was skipped or went wrong; the same note of several targets once.
fn notes(outcomes: &[Outcome], out: &mut String) {
    if let Some(Some(why)) = outcomes.first().map(|first| &first.skipped) {
        let _ = writeln!(out, "  skipped: {why}");
        return;
    }
    for outcome in outcomes {
        if let Some(why) = &outcome.fault {
            let why = why.replace('\n', "\n  ");
            let _ = writeln!(out, "  failed on {}: {why}", outcome.target);
        }
    }
}

/// The kinds of figures that a case has, on whatever target, in their order.
pub(super) fn kinds(case: &CaseReport) -> Vec<Kind> {
    let mut kinds = Vec::new();
    let all = case.outcomes.iter().flat_map(|outcome| &outcome.figures);
    for figure in all {
        if !kinds.contains(&figure.name) {
            kinds.push(figure.name);
        }
    }
    kinds
}

/// The comparison with saved figures.
pub fn verdicts(judged: &[Judged]) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{:18} {:10} {:18} {:>14} {:>14} {:>8} {:>7}  verdict",
        "case", "target", "figure", "before", "now", "change", "noise"
    );
    for of in judged {
        let change = ratio(of.now, of.before).map_or_else(
            || "–".to_owned(),
            |ratio| format!("{:+.1} %", (ratio - 1.0) * 100.0),
        );
        let (before, now) = (number(of.before), number(of.now));
        let unit = of.kind.unit();
        let _ = writeln!(
            out,
            "{:18} {:10} {:18} {:>14} {:>14} {change:>8} {:>7}  {}",
            of.case,
            of.target,
            of.kind.title(),
            format!("{before} {unit}"),
            format!("{now} {unit}"),
            format!("{:.0} %", of.noise * 100.0),
            of.verdict
        );
    }
    if judged.is_empty() {
        out = "the saved figures have none of these cases on these targets\n".to_owned();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::tests::report as made;

    #[test]
    fn targets_stand_side_by_side_with_their_ratio() {
        let values: [(&str, &[f64]); 2] = [("interp", &[100.0]), ("native", &[250.0])];
        let mut of = made(Kind::Rate, &values);
        of.warnings.push("busy".to_owned());
        let text = report(&of);
        assert!(text.contains("100 /s"), "{text}");
        assert!(text.contains("250 /s (2.50×)"), "{text}");
        assert!(text.contains("warning: busy"), "{text}");
    }

    #[test]
    fn what_was_not_measured_says_why() {
        let mut of = made(Kind::Rate, &[("native", &[1.0])]);
        let outcome = &mut of.cases[0].outcomes[0];
        outcome.figures.clear();
        outcome.skipped = Some("no mosquitto".to_owned());
        assert!(report(&of).contains("skipped: no mosquitto"));
        let outcome = &mut of.cases[0].outcomes[0];
        outcome.skipped = None;
        outcome.fault = Some("ended".to_owned());
        assert!(report(&of).contains("failed on native: ended"));
    }

    #[test]
    fn verdicts_say_the_change() {
        let before = made(Kind::Rate, &[("native", &[100.0])]);
        let now = made(Kind::Rate, &[("native", &[60.0])]);
        let text = verdicts(&crate::verdict::compare(&before, &now));
        assert!(text.contains("-40.0 %") && text.contains("worse"), "{text}");
        assert!(verdicts(&[]).contains("none of these"));
    }
}
