//! What was wrong in a run, as its end tells it: the findings cut short.

use super::causes::{Cause, Causes};
use crate::outcome::{ClauseId, Finding, Level, Outcome, ScenarioReport, Verdict};

/// How many lines of a text are shown once more.
const LINES: usize = 3;

/// What is wrong with the first scenario of a cause.
#[derive(Debug)]
pub(super) struct Wrong {
    /// The first finding that is broken, a MUST before a SHOULD.
    pub finding: Option<Finding>,
    /// Why it is inconclusive; then no finding counts.
    pub fault: Option<String>,
}

/// What makes two causes the same: why the scenario is inconclusive, or the check that is broken with its clauses.
type Key = (Option<String>, Option<(String, Vec<ClauseId>)>);

/// The causes of a run, with the labels of their scenarios.
#[derive(Debug, Default)]
pub(super) struct AllWrong(Causes<Key, Wrong, String>);

impl AllWrong {
    /// Takes a scenario. What a control broke as it lists is not wrong.
    pub(super) fn add(&mut self, report: &ScenarioReport) {
        if report.verdict == Verdict::Caught {
            return;
        }
        let fault = report.fault.as_ref().map(|fault| fault.what.clone());
        let broken = report.findings.iter().filter(|finding| fault.is_none() && finding.is_broken());
        let finding = broken.min_by_key(|finding| finding.level != Level::Must);
        let key = (fault.clone(), finding.map(|finding| (finding.check(), finding.clauses.clone())));
        let what = || Wrong { finding: finding.map(shortened), fault };
        self.0.add(report.verdict.word(), key, what, report.label.clone());
    }

    /// All causes, the worst and the most frequent first.
    pub(super) fn worst_first(self) -> Vec<Cause<Wrong, String>> {
        self.0.worst_first()
    }
}

fn shortened(finding: &Finding) -> Finding {
    let mut finding = finding.clone();
    if let Outcome::Broken { expected, got } = &mut finding.outcome {
        for text in [expected, got] {
            let mut lines = text.trim_end().lines();
            let kept: Vec<&str> = lines.by_ref().take(LINES).collect();
            let rest = if lines.next().is_some() { "\n…" } else { "" };
            *text = kept.join("\n") + rest;
        }
    }
    finding
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::outcome::Fault;
    use crate::outcome::samples::{finding, report};

    fn broken(level: Level, got: &str) -> Finding {
        let outcome = Outcome::Broken { expected: "something else".to_owned(), got: got.to_owned() };
        Finding { level, outcome, ..finding(true) }
    }

    #[test]
    fn each_cause_is_there_once_and_the_worst_is_the_first() {
        let mut all = AllWrong::default();
        let mut add = |name: &str, verdict: Verdict, findings: Vec<Finding>| {
            all.add(&ScenarioReport { findings, ..report(name, verdict) });
        };
        add("passed", Verdict::Pass, vec![finding(false)]);
        add("caught", Verdict::Caught, vec![broken(Level::Must, "x")]);
        add("warned", Verdict::Warn, vec![broken(Level::Should, "x")]);
        add("a", Verdict::Fail, vec![broken(Level::Should, "x"), broken(Level::Must, "after 10.1 s")]);
        add("b", Verdict::Fail, vec![broken(Level::Must, "after 10.2 s")]);
        let fault = Some(Fault { what: "no engine".to_owned(), hint: None });
        all.add(&ScenarioReport { fault, ..report("lost", Verdict::Error) });
        let causes = all.worst_first();
        let told: Vec<&[String]> = causes.iter().map(|cause| cause.scenarios.as_slice()).collect();
        assert_eq!(told, [&["a", "b"][..], &["lost"], &["warned"]]);
        let first = causes[0].what.finding.clone().unwrap();
        assert_eq!(first, broken(Level::Must, "after 10.1 s"));
    }

    #[test]
    fn long_texts_are_cut_short() {
        assert_eq!(shortened(&broken(Level::Must, "1\n2\n3\n4\n")), broken(Level::Must, "1\n2\n3\n…"));
    }
}
