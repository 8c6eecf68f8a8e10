//! The report as one HTML page that needs nothing else.

use super::plot::{bars, curves, escaped};
use super::text::kinds;
use super::{number, ratio};
use crate::figure::{CaseReport, Kind, Report};
use crate::verdict::{Judged, Verdict};
use std::fmt::Write as _;

const STYLE: &str = "\
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: .5rem 0 1rem; }
th, td { padding: .15rem .8rem; text-align: right; border-bottom: 1px solid #8884; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
svg { max-width: 100%; height: auto; display: block; }
svg text { font: 12px system-ui, sans-serif; fill: currentColor; }
svg .grid { stroke: #8884; }
.note, small { color: #888; }
.worse { color: #d33; } .better { color: #3a3; }
";

/// The page; with the comparison with saved figures, if there is one.
pub fn page(report: &Report, judged: &[Judged]) -> String {
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>vgdc bench</title>\n<style>\n{STYLE}</style>\n<h1>vgdc bench</h1>\n"
    );
    // (writing to a text cannot fail)
    let _ = writeln!(
        out,
        "<p>vgdc {} on {}. {} × {} s each, medians.</p>",
        escaped(&report.vgdc),
        escaped(&report.machine.to_string()),
        report.repeat,
        report.seconds
    );
    if let Some(version) = &report.node_red {
        let _ = writeln!(out, "<p>node-red is Node-RED {}.</p>", escaped(version));
    }
    for warning in &report.warnings {
        let _ = writeln!(out, "<p class=\"worse\">{}</p>", escaped(warning));
    }
    for case in &report.cases {
        case_of(case, &mut out);
    }
    verdicts(judged, &mut out);
    out + "</html>\n"
}

fn case_of(case: &CaseReport, out: &mut String) {
    let (name, title) = (escaped(&case.name), escaped(&case.title));
    let _ = writeln!(out, "<h2>{name}</h2>\n<p>{title}</p>");
    let kinds = kinds(case);
    if !kinds.is_empty() {
        table(case, &kinds, out);
    }
    if let Some(kind) = kinds.first() {
        let bar = |outcome: &crate::figure::Outcome| {
            let figure = outcome.figure(*kind)?;
            Some((outcome.target.clone(), figure.median, figure.values.clone()))
        };
        let all: Vec<_> = case.outcomes.iter().filter_map(bar).collect();
        let _ = writeln!(out, "<p><small>{}</small></p>", kind.title());
        out.push_str(&bars(&all, kind.unit()));
    }
    let lines = case.outcomes.iter().filter(|o| !o.curve.is_empty());
    let lines: Vec<_> = lines
        .map(|o| (o.target.clone(), o.curve.as_slice()))
        .collect();
    if !lines.is_empty() {
        out.push_str("<p><small>latency: share of the messages that took no longer</small></p>\n");
        out.push_str(&curves(&lines));
    }
    if let Some(Some(why)) = case.outcomes.first().map(|first| &first.skipped) {
        let _ = writeln!(out, "<p class=\"note\">skipped: {}</p>", escaped(why));
    }
    for outcome in &case.outcomes {
        if let Some(why) = &outcome.fault {
            let (target, why) = (escaped(&outcome.target), escaped(why));
            let _ = writeln!(
                out,
                "<p class=\"worse\">failed on {target}:</p><pre>{why}</pre>"
            );
        }
    }
}

fn table(case: &CaseReport, kinds: &[Kind], out: &mut String) {
    out.push_str("<table>\n<tr><th></th>");
    for outcome in &case.outcomes {
        let _ = write!(out, "<th>{}</th>", escaped(&outcome.target));
    }
    out.push_str("</tr>\n");
    for kind in kinds {
        let _ = write!(out, "<tr><td>{}</td>", kind.title());
        let first = case.outcomes.first().and_then(|o| o.figure(*kind));
        for (at, outcome) in case.outcomes.iter().enumerate() {
            let Some(figure) = outcome.figure(*kind) else {
                out.push_str("<td>–</td>");
                continue;
            };
            let _ = write!(out, "<td>{} {}", number(figure.median), kind.unit());
            let first = first.filter(|_| at > 0).map(|first| first.median);
            if let Some(ratio) = first.and_then(|first| ratio(figure.median, first)) {
                let _ = write!(out, " <small>{}×</small>", number(ratio));
            }
            out.push_str("</td>");
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</table>\n");
}

fn verdicts(judged: &[Judged], out: &mut String) {
    if judged.is_empty() {
        return;
    }
    out.push_str("<h2>Against the saved figures</h2>\n<table>\n<tr><th>case</th><th>target</th><th>figure</th><th>before</th><th>now</th><th>noise</th><th>verdict</th></tr>\n");
    for of in judged {
        let class = match of.verdict {
            Verdict::Better => "better",
            Verdict::Worse => "worse",
            Verdict::Same => "note",
        };
        let _ = writeln!(
            out,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{} {unit}</td><td>{} {unit}</td><td>{:.0} %</td><td class=\"{class}\">{}</td></tr>",
            escaped(&of.case),
            escaped(&of.target),
            of.kind.title(),
            number(of.before),
            number(of.now),
            of.noise * 100.0,
            of.verdict,
            unit = of.kind.unit()
        );
    }
    out.push_str("</table>\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::tests::report;

    #[test]
    fn the_page_is_one_file_with_plots_and_nothing_unescaped() {
        let values: [(&str, &[f64]); 2] = [("interp", &[10.0]), ("native", &[5.0])];
        let of = report(Kind::P99, &values);
        let judged = crate::verdict::compare(&report(Kind::P99, &[("native", &[90.0])]), &of);
        let page = page(&of, &judged);
        assert_eq!(page.matches("<svg").count(), 2);
        assert!(page.contains("A &lt;chain&gt; of nodes"));
        assert!(page.contains("class=\"better\""));
        assert!(!page.contains("http://") && !page.contains("https://"));
    }
}
