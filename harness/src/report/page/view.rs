//! What the page's template has to show.

use serde::Serialize;

use super::clauses::{self, Row};
use super::data::{self, milliseconds};
use super::sentence::Sentence;
use super::timeline::{Timeline, seconds};
use crate::outcome::Outcome;
use crate::report::causes::{Cause, Causes};
use crate::report::read::{FindingRead, RunRead, ScenarioRead};

/// How many scenarios the list of those that need a look has, and that of the slowest.
const LISTED: usize = 200;
const SLOWEST: usize = 10;

#[derive(Debug, Serialize)]
pub(super) struct View<'a> {
    policy: String,
    style: &'a str,
    script: &'a str,
    sentence: Sentence,
    /// What was tried on what, by name.
    facts: Vec<(&'static str, String)>,
    counts: Vec<(&'static str, &'static str, usize)>,
    /// What makes the run as a whole unsound or fail.
    alarms: Vec<String>,
    /// What a reader should know.
    notes: Vec<String>,
    /// Scenarios that need a look, each cause once.
    causes: Vec<Cause<String, Bad<'a>>>,
    /// How many more scenarios there are.
    more_bad: usize,
    clauses: Vec<Row>,
    broken_clauses: usize,
    timeline: Option<Timeline>,
    slowest: Vec<(usize, &'a str, String)>,
    isolation: &'a [String],
    preparations: Vec<(String, String, &'a str, &'a [String])>,
    scenarios: usize,
    data: String,
}

/// A scenario that needs a look.
#[derive(Debug, Serialize)]
struct Bad<'a> {
    number: usize,
    label: &'a str,
    summary: &'a str,
}

impl<'a> View<'a> {
    /// # Errors
    /// Never.
    pub(super) fn of(run: &'a RunRead, policy: String, style: &'a str, script: &'a str) -> std::io::Result<Self> {
        let clauses = clauses::rows(run);
        let mut wrong = causes(run);
        let more_bad = leave(&mut wrong, LISTED);
        let mut slowest: Vec<(usize, &ScenarioRead)> = run.scenarios.iter().enumerate().collect();
        slowest.sort_by_key(|(_, scenario)| std::cmp::Reverse(scenario.took));
        let preparation = |one: &'a crate::report::read::PreparationRead| {
            let state = if one.ready { "ready" } else { "failed" };
            (one.what.clone(), format!("{state}, {}", seconds(one.milliseconds)), one.note.as_str(), one.log.as_slice())
        };
        Ok(Self {
            policy,
            style,
            script,
            sentence: Sentence::of(run),
            facts: facts(run),
            counts: counts(run),
            alarms: alarms(run),
            notes: run.finish.iter().flat_map(|finish| finish.notes.iter().cloned()).collect(),
            causes: wrong,
            more_bad,
            broken_clauses: clauses.iter().filter(|row| row.state == "broken").count(),
            clauses,
            timeline: Timeline::of(run),
            slowest: slowest
                .into_iter()
                .take(SLOWEST)
                .map(|(number, scenario)| (number, scenario.label.as_str(), seconds(milliseconds(scenario.took))))
                .collect(),
            isolation: run.finish.as_ref().map_or(&[], |finish| &finish.isolation.tried),
            preparations: run.preparations.iter().map(preparation).collect(),
            scenarios: run.scenarios.len(),
            data: data::of(run)?,
        })
    }
}

/// The causes, each in the words of its first scenario.
fn causes(run: &RunRead) -> Vec<Cause<String, Bad<'_>>> {
    let mut causes = Causes::default();
    for (number, scenario) in run.scenarios.iter().enumerate() {
        let fault = scenario.fault.as_ref().map(|fault| fault.what.as_str());
        let broken = scenario.findings.iter().filter_map(|finding| match &finding.outcome {
            Outcome::Broken { got, .. } if fault.is_none() => Some((finding, got.as_str())),
            Outcome::Broken { .. } | Outcome::Held => None,
        });
        let first = broken.min_by_key(|(finding, _)| finding.level != "MUST");
        let key = (fault, first.map(|(finding, _)| (finding.check.as_str(), finding.clauses.as_slice())));
        let bad = Bad { number, label: &scenario.label, summary: &scenario.summary };
        causes.add(&scenario.verdict, key, || in_words(fault, first), bad);
    }
    causes.worst_first()
}

/// What is wrong in a line: why the scenario is inconclusive, or the first finding that is broken and what came.
fn in_words(fault: Option<&str>, first: Option<(&FindingRead, &str)>) -> String {
    let of = |(finding, got): (&FindingRead, &str)| {
        let clauses = if finding.clauses.is_empty() { String::new() } else { finding.clauses.join(", ") + ": " };
        format!("{clauses}{}: {got}", finding.check)
    };
    let text = fault.map(str::to_owned).or_else(|| first.map(of)).unwrap_or_default();
    let mut lines = text.lines();
    let mut why = lines.next().unwrap_or_default().to_owned();
    // A line that only announces is none without the next one.
    if why.ends_with(':') {
        why.extend(lines.next().map(|next| format!(" {}", next.trim())));
    }
    why.chars().take(200).collect()
}

/// Leaves so many scenarios, and says how many were taken away.
fn leave(causes: &mut Vec<Cause<String, Bad<'_>>>, most: usize) -> usize {
    let (mut left, mut away) = (most, 0);
    for cause in causes.iter_mut() {
        let keep = cause.scenarios.len().min(left);
        away += cause.scenarios.len() - keep;
        cause.scenarios.truncate(keep);
        left -= keep;
    }
    causes.retain(|cause| !cause.scenarios.is_empty());
    away
}

fn facts(run: &RunRead) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    if let Some(start) = &run.run {
        let cells: Vec<String> = start.cells.iter().map(ToString::to_string).collect();
        let strict =
            if start.strict { "yes: a broken SHOULD is a failure" } else { "no: a broken SHOULD is a warning" };
        facts.extend([
            ("candidate", start.candidate.clone()),
            ("suite", start.suite.clone().unwrap_or_else(|| "not known".to_owned())),
            ("cells", cells.join(", ")),
            ("engine", start.engine.clone()),
            ("isolation", start.isolation.clone()),
            ("strict", strict.to_owned()),
            ("started", start.started.clone()),
            ("run", format!("{}, {} jobs", start.run, start.jobs)),
        ]);
    }
    if let Some(finish) = &run.finish {
        let (took, own) = (milliseconds(finish.took), milliseconds(finish.own));
        facts
            .push(("took", format!("{}, of which {} are the suite's own processor time", seconds(took), seconds(own))));
        facts.push(("fixtures", finish.fixtures.clone()));
    }
    facts
}

fn counts(run: &RunRead) -> Vec<(&'static str, &'static str, usize)> {
    let tally = &run.tally;
    let reported = tally.pass + tally.warn + tally.caught + tally.fail + tally.error + tally.skip;
    let mut counts = vec![
        ("pass", "passed", tally.pass),
        ("warn", "passed with warnings", tally.warn),
        ("caught", "caught", tally.caught),
        ("fail", "failed", tally.fail),
        ("error", "inconclusive", tally.error),
        ("skip", "skipped", tally.skip),
        ("none", "not reported", tally.planned.saturating_sub(reported)),
    ];
    counts.retain(|(_, _, count)| *count > 0);
    counts
}

fn alarms(run: &RunRead) -> Vec<String> {
    let Some(finish) = &run.finish else { return Vec::new() };
    let tell =
        |what: &'static str, all: &[String]| all.iter().map(move |one| format!("{what}: {one}")).collect::<Vec<_>>();
    let isolation = &finish.isolation;
    [
        tell("less than the assertion lock", &finish.shortfalls),
        tell("flaky", &finish.flaky),
        tell("undeclared request", &finish.undeclared),
        tell("isolation broken: results cannot be trusted", &isolation.broken),
        isolation.untold.iter().map(|why| format!("isolation inconclusive: {why}")).collect(),
        tell("isolation weakened", &isolation.weakened),
    ]
    .concat()
}
