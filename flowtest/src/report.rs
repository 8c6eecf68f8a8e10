//! What came of tests, for people.

use crate::{Outcome, Suite};
use std::fmt::Write;

/// A report of suites.
pub fn text(suites: &[Suite]) -> String {
    let mut out = String::new();
    let mut all = (0, 0, 0);
    // (writing to a text cannot fail)
    for suite in suites {
        let _ = writeln!(out, "{}", suite.name);
        for case in &suite.cases {
            let ms = case.took.as_secs_f64() * 1000.0;
            let _ = match &case.outcome {
                Outcome::Passed => writeln!(out, "  ok    {} ({ms:.0} ms)", case.name),
                Outcome::Skipped(why) => writeln!(out, "  skip  {}: {why}", case.name),
                Outcome::Failed(_) => writeln!(out, "  FAIL  {} ({ms:.0} ms)", case.name),
            };
            if let Outcome::Failed(failures) = &case.outcome {
                for failure in failures {
                    let place = match failure.line {
                        0 => suite.name.clone(),
                        line => format!("{}:{line}", suite.name),
                    };
                    let _ = writeln!(out, "        {place}: {}", failure.message);
                    for line in &failure.detail {
                        let _ = writeln!(out, "          {line}");
                    }
                }
            }
        }
        let (passed, failed, skipped) = suite.counts();
        all = (all.0 + passed, all.1 + failed, all.2 + skipped);
    }
    let (passed, failed, skipped) = all;
    let skipped = match skipped {
        0 => String::new(),
        n => format!(", {n} skipped"),
    };
    let _ = writeln!(out, "{passed} passed, {failed} failed{skipped}");
    out
}
