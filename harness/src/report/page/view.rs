//! What the page's template has to show.

use std::collections::HashMap;

use serde::Serialize;

use super::clauses::{self, Row};
use super::data::{self, milliseconds};
use super::sentence::Sentence;
use super::timeline::{Timeline, seconds};
use crate::outcome::Outcome;
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
    causes: Vec<Cause<'a>>,
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

/// What is wrong, and where.
#[derive(Debug, Serialize)]
struct Cause<'a> {
    /// The first thing that is wrong.
    why: String,
    verdict: &'a str,
    scenarios: Vec<Bad<'a>>,
}

/// A scenario that needs a look.
#[derive(Debug, Serialize)]
struct Bad<'a> {
    number: usize,
    label: &'a str,
    summary: &'a str,
}

/// The verdicts that need a look, the worst first.
const WORST_FIRST: [&str; 4] = ["fail", "error", "warn", "caught"];

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

/// The causes, the worst and the most frequent first.
fn causes(run: &RunRead) -> Vec<Cause<'_>> {
    let mut causes: Vec<Cause<'_>> = Vec::new();
    let mut places: HashMap<(&str, What<'_>), usize> = HashMap::new();
    for (number, scenario) in run.scenarios.iter().enumerate() {
        let verdict = scenario.verdict.as_str();
        if !WORST_FIRST.contains(&verdict) {
            continue;
        }
        let what = what(scenario);
        let place = *places.entry((verdict, what)).or_insert_with(|| {
            causes.push(Cause { why: what.in_words(scenario), verdict, scenarios: Vec::new() });
            causes.len() - 1
        });
        causes[place].scenarios.push(Bad { number, label: &scenario.label, summary: &scenario.summary });
    }
    let rank = |verdict: &str| WORST_FIRST.iter().position(|known| *known == verdict);
    causes.sort_by_key(|cause| (rank(cause.verdict), std::cmp::Reverse(cause.scenarios.len())));
    causes
}

/// What is wrong with a scenario first: what makes two causes the same.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum What<'a> {
    Fault(&'a str),
    Check(&'a str, &'a [String]),
    Nothing,
}

impl What<'_> {
    /// This in the words of a scenario.
    fn in_words(self, scenario: &ScenarioRead) -> String {
        let text = match self {
            Self::Fault(what) => what.to_owned(),
            Self::Check(check, clauses) => {
                let got = broken(scenario).map(|(_, got)| got).unwrap_or_default();
                let clauses = if clauses.is_empty() { String::new() } else { format!("{}: ", clauses.join(", ")) };
                format!("{clauses}{check}: {got}")
            }
            Self::Nothing => String::new(),
        };
        let mut lines = text.lines();
        let mut why = lines.next().unwrap_or_default().to_owned();
        // A line that only announces is none without the next one.
        if why.ends_with(':') {
            why.extend(lines.next().map(|next| format!(" {}", next.trim())));
        }
        why.chars().take(200).collect()
    }
}

/// The first finding that is broken, a MUST before a SHOULD, and what came.
fn broken(scenario: &ScenarioRead) -> Option<(&FindingRead, &str)> {
    let findings = || scenario.findings.iter().filter_map(told);
    findings().find(|(finding, _)| finding.level == "MUST").or_else(|| findings().next())
}

fn told(finding: &FindingRead) -> Option<(&FindingRead, &str)> {
    match &finding.outcome {
        Outcome::Broken { got, .. } => Some((finding, got)),
        Outcome::Held => None,
    }
}

fn what(scenario: &ScenarioRead) -> What<'_> {
    match (&scenario.fault, broken(scenario)) {
        (Some(fault), _) => What::Fault(&fault.what),
        (None, Some((finding, _))) => What::Check(&finding.check, &finding.clauses),
        (None, None) => What::Nothing,
    }
}

/// Leaves so many scenarios, and says how many were taken away.
fn leave(causes: &mut Vec<Cause<'_>>, most: usize) -> usize {
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
