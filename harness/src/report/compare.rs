//! What has changed from one run to another: verdicts, assertions, times.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use super::read::{RunRead, ScenarioRead};
use crate::outcome::Outcome;

/// Of how many scenarios the time is told, at the most.
const TIMES: usize = 10;
/// Which change of a time is told: of so much, and by a half.
const NOTABLE: Duration = Duration::from_millis(500);

/// The differences of two runs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Comparison {
    /// Scenarios with another verdict: the label, before, after.
    verdicts: Vec<(String, String, String)>,
    /// Scenarios that one of the two does not have.
    gone: Vec<String>,
    new: Vec<String>,
    /// Assertions that are broken in the second alone, and in the first alone.
    broken: Vec<String>,
    mended: Vec<String>,
    /// How many assertions were made, before and after.
    assertions: (usize, usize),
    took: (Duration, Duration),
    /// Scenarios that take much longer or less long: the label, before, after.
    times: Vec<(String, Duration, Duration)>,
}

impl Comparison {
    pub(crate) fn of(before: &RunRead, after: &RunRead) -> Self {
        let (old, new) = (by_label(before), by_label(after));
        let took = |run: &RunRead| run.finish.as_ref().map_or(Duration::ZERO, |finish| finish.took);
        let mut comparison = Self {
            gone: old.keys().filter(|label| !new.contains_key(*label)).cloned().collect(),
            new: new.keys().filter(|label| !old.contains_key(*label)).cloned().collect(),
            assertions: (before.tally.assertions, after.tally.assertions),
            took: (took(before), took(after)),
            ..Self::default()
        };
        for (label, old, new) in old.iter().filter_map(|(label, old)| Some((label, old, new.get(label)?))) {
            if old.verdict != new.verdict {
                comparison.verdicts.push((label.clone(), old.verdict.clone(), new.verdict.clone()));
            }
            let (before, after) = (broken(old), broken(new));
            comparison.broken.extend(after.difference(&before).map(|check| format!("{label}: {check}")));
            comparison.mended.extend(before.difference(&after).map(|check| format!("{label}: {check}")));
            let short = old.took.min(new.took);
            if old.took.abs_diff(new.took) >= NOTABLE.max(short / 2) {
                comparison.times.push((label.clone(), old.took, new.took));
            }
        }
        comparison.times.sort_by_key(|(_, old, new)| std::cmp::Reverse(old.abs_diff(*new)));
        comparison.times.truncate(TIMES);
        comparison
    }
}

/// The scenarios; one that was repeated has a number for each further time.
fn by_label(run: &RunRead) -> BTreeMap<String, &ScenarioRead> {
    let mut found = BTreeMap::new();
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for scenario in &run.scenarios {
        let time = times.entry(&scenario.label).or_default();
        *time += 1;
        let label = if *time == 1 { scenario.label.clone() } else { format!("{} ({time})", scenario.label) };
        found.insert(label, scenario);
    }
    found
}

/// The checks of a scenario that are broken, with where they are declared.
fn broken(scenario: &ScenarioRead) -> BTreeSet<String> {
    let broken = scenario.findings.iter().filter(|finding| matches!(finding.outcome, Outcome::Broken { .. }));
    broken.map(|finding| format!("{} ({}:{})", finding.check, finding.at.file, finding.at.line)).collect()
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = |took: &Duration| format!("{:.2} s", took.as_secs_f64());
        for (label, before, after) in &self.verdicts {
            writeln!(f, "{:>8} -> {:<8} {label}", before.to_uppercase(), after.to_uppercase())?;
        }
        for (what, lines) in [
            ("broken now", &self.broken),
            ("no longer broken", &self.mended),
            ("not in the first", &self.new),
            ("not in the second", &self.gone),
        ] {
            for line in lines {
                writeln!(f, "{what}: {line}")?;
            }
        }
        for (label, before, after) in &self.times {
            writeln!(f, "time: {label}: {} -> {}", seconds(before), seconds(after))?;
        }
        if self.verdicts.is_empty() && self.gone.is_empty() && self.new.is_empty() {
            writeln!(f, "the same scenarios, and the same verdicts")?;
        }
        let ((before, after), (took_before, took_after)) = (self.assertions, &self.took);
        writeln!(f, "assertions: {before} -> {after}; the run: {} -> {}", seconds(took_before), seconds(took_after))
    }
}

#[cfg(test)]
mod tests {
    use super::super::page::tests::run;
    use super::*;

    #[test]
    fn a_run_is_the_same_as_itself() {
        let text = Comparison::of(&run(), &run()).to_string();
        assert_eq!(text, "the same scenarios, and the same verdicts\nassertions: 3 -> 3; the run: 3.00 s -> 3.00 s\n");
    }

    #[test]
    fn what_has_changed_is_told() {
        let (before, mut after) = (run(), run());
        after.scenarios[0].verdict = "fail".to_owned();
        after.scenarios[0].took += Duration::from_secs(9);
        after.scenarios[0].findings[0].outcome = Outcome::Broken { expected: "a".into(), got: "b".into() };
        after.scenarios[1].findings.clear();
        after.scenarios[2].label = "other".to_owned();
        let text = Comparison::of(&before, &after).to_string();
        for line in [
            "    PASS -> FAIL     passing\n",
            "broken now: passing: build outcome (failing/scenario.toml:4)\n",
            "no longer broken: failing: GET / status (failing/scenario.toml:9)\n",
            "not in the first: other\n",
            "not in the second: unclear\n",
            "time: passing: ",
        ] {
            assert!(text.contains(line), "no {line}: {text}");
        }
    }
}
