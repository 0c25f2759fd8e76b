//! What was wrong in a run, for its end: each cause once, with the scenarios that have it.

use crate::outcome::{Finding, Level, Outcome, ScenarioReport, Verdict};

/// How many lines of a text are shown once more.
const LINES: usize = 3;

/// The verdicts that are told of at the end, the worst first.
const WORST_FIRST: [Verdict; 3] = [Verdict::Fail, Verdict::Error, Verdict::Warn];

/// Something that was wrong.
#[derive(Debug)]
pub(super) struct Cause {
    pub verdict: Verdict,
    /// The scenarios, by label.
    pub scenarios: Vec<String>,
    /// The first that is wrong in the first of them, a MUST before a SHOULD; its texts are cut short.
    pub finding: Option<Finding>,
    /// Why that one is inconclusive.
    pub fault: Option<String>,
}

/// The causes of a run, as they came.
#[derive(Debug, Default)]
pub(super) struct Causes(Vec<Cause>);

impl Causes {
    /// Takes a scenario that did not pass.
    pub(super) fn add(&mut self, report: &ScenarioReport) {
        if !WORST_FIRST.contains(&report.verdict) {
            return;
        }
        let fault = report.fault.as_ref().map(|fault| fault.what.clone());
        let finding = if fault.is_none() { first(&report.findings) } else { None };
        let what = |finding: Option<&Finding>| finding.map(|finding| (finding.check(), finding.clauses.clone()));
        let is_same = |cause: &&mut Cause| {
            cause.verdict == report.verdict && cause.fault == fault && what(cause.finding.as_ref()) == what(finding)
        };
        match self.0.iter_mut().find(is_same) {
            Some(cause) => cause.scenarios.push(report.label.clone()),
            None => self.0.push(Cause {
                verdict: report.verdict,
                scenarios: vec![report.label.clone()],
                finding: finding.map(shortened),
                fault,
            }),
        }
    }

    /// All of them, the worst and the most frequent first.
    pub(super) fn worst_first(&self) -> Vec<&Cause> {
        let mut causes: Vec<&Cause> = self.0.iter().collect();
        let rank = |verdict: Verdict| WORST_FIRST.iter().position(|known| *known == verdict);
        causes.sort_by_key(|cause| (rank(cause.verdict), std::cmp::Reverse(cause.scenarios.len())));
        causes
    }
}

/// The first finding that is broken, a MUST before a SHOULD.
fn first(findings: &[Finding]) -> Option<&Finding> {
    let broken = |finding: &&Finding| finding.is_broken();
    let must = findings.iter().filter(broken).find(|finding| finding.level == Level::Must);
    must.or_else(|| findings.iter().find(broken))
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
        let mut causes = Causes::default();
        let mut add = |name: &str, verdict: Verdict, findings: Vec<Finding>| {
            causes.add(&ScenarioReport { findings, ..report(name, verdict) });
        };
        add("passed", Verdict::Pass, vec![finding(false)]);
        add("warned", Verdict::Warn, vec![broken(Level::Should, "x")]);
        add("a", Verdict::Fail, vec![broken(Level::Should, "x"), broken(Level::Must, "after 10.1 s")]);
        add("b", Verdict::Fail, vec![broken(Level::Must, "after 10.2 s")]);
        let fault = Some(Fault { what: "no engine".to_owned(), hint: None });
        causes.add(&ScenarioReport { fault, ..report("lost", Verdict::Error) });
        let told: Vec<&[String]> = causes.worst_first().iter().map(|cause| cause.scenarios.as_slice()).collect();
        assert_eq!(told, [&["a", "b"][..], &["lost"], &["warned"]]);
        let first = causes.worst_first()[0].finding.clone().unwrap();
        assert_eq!(first, broken(Level::Must, "after 10.1 s"));
    }

    #[test]
    fn long_texts_are_cut_short() {
        let Outcome::Broken { got, .. } = shortened(&broken(Level::Must, "1\n2\n3\n4\n")).outcome else { return };
        assert_eq!(got, "1\n2\n3\n…");
    }
}
