//! What the page's script shows of each scenario, as JSON. Every text stands in it once.

use std::collections::HashMap;
use std::time::Duration;

use serde::Serialize;

use crate::outcome::Outcome;
use crate::report::read::{AtRead, FindingRead, RunRead, ScenarioRead};

/// The place of a text.
type Text = usize;

#[derive(Debug, Serialize)]
struct Data<'a> {
    texts: Vec<&'a str>,
    scenarios: Vec<Scenario>,
}

/// A scenario; short names, since there may be ten thousand.
#[derive(Debug, Serialize)]
struct Scenario {
    /// Its label, summary and verdict.
    l: Text,
    s: Text,
    v: Text,
    /// Its file and line.
    a: (Text, usize),
    /// The clauses that it covers.
    c: Vec<Text>,
    /// How long it took, in milliseconds, and each of its stages.
    t: u64,
    g: Vec<(Text, u64)>,
    /// What held: the check, its file and line.
    h: Vec<(Text, Text, usize)>,
    /// What did not: the check, its level, stage, file and line, clauses, what was expected, what came.
    x: Vec<Broken>,
    /// Why it is inconclusive, and what to do.
    f: Option<(Text, Option<Text>)>,
    /// What was not done, and why.
    n: Vec<Text>,
    /// Logs: the title, and the lines.
    o: Vec<(Text, Vec<Text>)>,
    /// The command that does it again.
    r: Text,
}

#[derive(Debug, Serialize)]
struct Broken {
    k: Text,
    l: Text,
    s: Text,
    a: (Text, usize),
    c: Vec<Text>,
    e: Text,
    g: Text,
}

/// The texts so far.
#[derive(Default)]
struct Texts<'a> {
    all: Vec<&'a str>,
    places: HashMap<&'a str, Text>,
}

impl<'a> Texts<'a> {
    fn place(&mut self, text: &'a str) -> Text {
        *self.places.entry(text).or_insert_with(|| {
            self.all.push(text);
            self.all.len() - 1
        })
    }

    fn places(&mut self, texts: &'a [String]) -> Vec<Text> {
        texts.iter().map(|text| self.place(text)).collect()
    }

    fn at(&mut self, at: &'a AtRead) -> (Text, usize) {
        (self.place(&at.file), at.line)
    }

    fn broken(&mut self, finding: &'a FindingRead, expected: &'a str, got: &'a str) -> Broken {
        Broken {
            k: self.place(&finding.check),
            l: self.place(&finding.level),
            s: self.place(&finding.stage),
            a: self.at(&finding.at),
            c: self.places(&finding.clauses),
            e: self.place(expected),
            g: self.place(got),
        }
    }

    fn scenario(&mut self, scenario: &'a ScenarioRead) -> Scenario {
        let (mut held, mut broken) = (Vec::new(), Vec::new());
        for finding in &scenario.findings {
            match &finding.outcome {
                Outcome::Held => {
                    let (file, line) = self.at(&finding.at);
                    held.push((self.place(&finding.check), file, line));
                }
                Outcome::Broken { expected, got } => broken.push(self.broken(finding, expected, got)),
            }
        }
        Scenario {
            l: self.place(&scenario.label),
            s: self.place(&scenario.summary),
            v: self.place(&scenario.verdict),
            a: self.at(&scenario.at),
            c: self.places(&scenario.proves),
            t: milliseconds(scenario.took),
            g: scenario.stages.iter().map(|(stage, took)| (self.place(stage), milliseconds(*took))).collect(),
            h: held,
            x: broken,
            f: scenario
                .fault
                .as_ref()
                .map(|fault| (self.place(&fault.what), fault.hint.as_ref().map(|hint| self.place(hint)))),
            n: self.places(&scenario.not_run),
            o: scenario.logs.iter().map(|log| (self.place(&log.title), self.places(&log.lines))).collect(),
            r: self.place(&scenario.reproduce),
        }
    }
}

/// The data of a run, as it can stand in a page: nothing in it ends the element that it is in.
///
/// # Errors
/// Never.
pub(super) fn of(run: &RunRead) -> std::io::Result<String> {
    let mut texts = Texts::default();
    let scenarios = run.scenarios.iter().map(|scenario| texts.scenario(scenario)).collect();
    let text = serde_json::to_string(&Data { texts: texts.all, scenarios })?;
    Ok(text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026"))
}

pub(super) fn milliseconds(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}
