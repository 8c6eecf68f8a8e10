//! What came of tests, as JUnit's XML.

use crate::{Outcome, Suite};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

/// A JUnit report of suites.
///
/// # Errors
/// It cannot be written as XML.
pub fn xml(suites: &[Suite]) -> Result<String, String> {
    let mut report = Report::new("vgdc test");
    for suite in suites {
        let mut made = TestSuite::new(suite.name.as_str());
        for case in &suite.cases {
            let status = match &case.outcome {
                Outcome::Passed => TestCaseStatus::success(),
                Outcome::Skipped(why) => {
                    let mut status = TestCaseStatus::skipped();
                    status.set_message(why.as_str());
                    status
                }
                Outcome::Failed(failures) => {
                    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                    let lines = failures.iter().flat_map(|failure| {
                        let first = format!("{}:{}: {}", suite.name, failure.line, failure.message);
                        std::iter::once(first)
                            .chain(failure.detail.iter().map(|line| format!("  {line}")))
                    });
                    let text: Vec<String> = lines.collect();
                    if let Some(first) = failures.first() {
                        status.set_message(first.message.as_str());
                    }
                    status.set_description(text.join("\n"));
                    status
                }
            };
            let mut test = TestCase::new(case.name.as_str(), status);
            test.set_classname(suite.name.as_str());
            test.set_time(case.took);
            made.add_test_case(test);
        }
        report.add_test_suite(made);
    }
    report.to_string().map_err(|e| e.to_string())
}
