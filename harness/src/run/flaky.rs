//! Flaky scenarios: repeated, with mixed results on the same inputs. They are reported, and never retried until they pass.

use std::collections::BTreeMap;

use crate::outcome::{ScenarioReport, Verdict};

/// The scenarios with different outcomes, in words, sorted.
pub(crate) fn flaky(reports: &[ScenarioReport]) -> Vec<String> {
    let mut outcomes: BTreeMap<(&str, String), Outcomes> = BTreeMap::new();
    for report in reports {
        outcomes.entry((&report.name, report.cell.to_string())).or_default().add(report.verdict);
    }
    let differing = outcomes.into_iter().filter(|(_, outcomes)| outcomes.differ());
    differing.map(|((name, cell), outcomes)| format!("{name} [{cell}]: {}", outcomes.words())).collect()
}

/// How often a scenario came to what.
#[derive(Default)]
struct Outcomes {
    good: usize,
    failed: usize,
    inconclusive: usize,
}

impl Outcomes {
    fn add(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Pass | Verdict::Warn | Verdict::Caught => self.good += 1,
            Verdict::Fail => self.failed += 1,
            Verdict::Error => self.inconclusive += 1,
            Verdict::Skip => {}
        }
    }

    fn differ(&self) -> bool {
        [self.good, self.failed, self.inconclusive].into_iter().filter(|count| *count > 0).count() > 1
    }

    fn words(&self) -> String {
        let counts = [(self.good, "passed"), (self.failed, "failed"), (self.inconclusive, "inconclusive")];
        let words = counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}"));
        words.collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::samples::report;

    #[test]
    fn only_different_outcomes_of_the_same_scenario_are_flaky() {
        let reports = [
            report("a", Verdict::Pass),
            report("a", Verdict::Fail),
            report("a", Verdict::Pass),
            report("b", Verdict::Fail),
            report("b", Verdict::Fail),
            report("c", Verdict::Warn),
            report("c", Verdict::Pass),
            report("d", Verdict::Pass),
            report("d", Verdict::Error),
        ];
        let cell = reports[0].cell.to_string();
        let expected = [format!("a [{cell}]: 2 passed, 1 failed"), format!("d [{cell}]: 1 passed, 1 inconclusive")];
        assert_eq!(flaky(&reports), expected);
    }
}
