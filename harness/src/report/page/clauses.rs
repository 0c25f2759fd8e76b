//! The conformance table: the clauses of the contract, and what the run says of each.

use std::collections::BTreeMap;

use crate::outcome::{ClauseId, Outcome};
use crate::report::read::RunRead;

/// A clause.
#[derive(Debug, Default, serde::Serialize)]
pub(super) struct Row {
    pub clause: String,
    pub level: &'static str,
    /// `kept`, `broken` or `inconclusive`.
    pub state: &'static str,
    pub assertions: usize,
    /// The scenarios that broke it, or could not tell: their numbers and labels.
    pub scenarios: Vec<(usize, String)>,
}

/// The clauses of which anything is known, in their order.
pub(super) fn rows(run: &RunRead) -> Vec<Row> {
    let mut rows: BTreeMap<(Option<ClauseId>, &str), Row> = BTreeMap::new();
    let key = |clause| (clause_id(clause), clause);
    for (number, scenario) in run.scenarios.iter().enumerate() {
        for finding in &scenario.findings {
            for clause in &finding.clauses {
                let row = rows.entry(key(clause)).or_default();
                row.assertions += 1;
                let level = if finding.level == "SHOULD" { "SHOULD" } else { "MUST" };
                // A finding can be weaker than its clause, and never stronger.
                row.level = if row.level == "MUST" { "MUST" } else { level };
                if matches!(finding.outcome, Outcome::Broken { .. }) {
                    row.state = "broken";
                    note(row, number, &scenario.label);
                }
            }
        }
        if scenario.fault.is_some() {
            for clause in &scenario.proves {
                let row = rows.entry(key(clause)).or_default();
                if row.state != "broken" {
                    row.state = "inconclusive";
                    note(row, number, &scenario.label);
                }
            }
        }
    }
    let finished = |((_, clause), row): ((_, &str), Row)| Row {
        clause: clause.to_owned(),
        state: if row.state.is_empty() { "kept" } else { row.state },
        ..row
    };
    rows.into_iter().map(finished).collect()
}

fn note(row: &mut Row, number: usize, label: &str) {
    if row.scenarios.last().is_none_or(|(last, _)| *last != number) {
        row.scenarios.push((number, label.to_owned()));
    }
}

fn clause_id(clause: &str) -> Option<ClauseId> {
    clause.parse().ok()
}
