//! What is shown at its line of a scenario file: in a pull request, or in code scanning.

use crate::outcome::{Finding, Level, Outcome, ScenarioReport, Verdict};

/// What did not hold, with what was expected and what came. A control must fail, and what is inconclusive says nothing of the line.
pub(super) fn of(report: &ScenarioReport) -> impl Iterator<Item = (&Finding, &str, &str)> {
    let counts = matches!(report.verdict, Verdict::Warn | Verdict::Fail);
    report.findings.iter().filter_map(move |finding| match &finding.outcome {
        Outcome::Broken { expected, got } if counts => Some((finding, expected.as_str(), got.as_str())),
        Outcome::Broken { .. } | Outcome::Held => None,
    })
}

/// How bad it is, in the word of both.
pub(super) fn severity(level: Level) -> &'static str {
    match level {
        Level::Must => "error",
        Level::Should => "warning",
    }
}
