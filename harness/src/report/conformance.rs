//! The conformance table: a row for each clause and a column for each candidate. In a suite without a contract the rows are checks.

mod text;

use std::collections::{BTreeMap, BTreeSet};

use crate::outcome::{ClauseId, Finding, Level, Outcome, Part, ScenarioReport};
use crate::suite::contract::{Clause, Contract, Coverage};
use crate::suite::dialect::Dialect;
use crate::suite::tier::Tier;

/// The state of a clause for a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    /// Everything asserted of it held.
    Kept,
    /// Something asserted of it did not hold.
    Broken,
    /// It is of a step that the candidate does not have: the suite's own was used, and everything asserted of it held.
    NotItsOwn,
    /// Nothing was asserted of it in this tier, or with this selection.
    NotTried,
    /// The suite could not decide.
    #[serde(rename = "not-told")]
    Inconclusive,
}

/// Why a clause is broken.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Reason {
    /// The scenario, with its cell where there are several.
    pub scenario: String,
    /// Where the expectation is declared.
    pub at: String,
    pub check: String,
    /// How binding it is: more so than the clause where a limit was exceeded.
    #[serde(skip)]
    pub level: Level,
    pub expected: String,
    pub got: String,
    /// The command that reproduces it.
    pub reproduce: String,
}

/// The state of a clause for a candidate, and why.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct ClauseResult {
    pub state: State,
    /// How many assertions were made.
    pub assertions: usize,
    /// Why, where it is broken.
    pub reasons: Vec<Reason>,
}

/// A candidate in a tier.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Column {
    pub candidate: String,
    pub tier: Tier,
    /// By clause; of a suite without a contract by check, those that are broken.
    pub clauses: BTreeMap<String, ClauseResult>,
    /// Inconclusive scenarios, and why.
    pub faults: Vec<String>,
    /// What the assertion lock requires and the run did not reach.
    pub shortfalls: Vec<String>,
    /// The step that the candidate does not have, where it has one of the two.
    #[serde(skip)]
    pub lacks: Option<Part>,
    /// Which candidate it is, where several have the same name.
    #[serde(skip)]
    pub number: usize,
}

/// The MUSTs of a candidate that no tier tried.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Untried {
    pub candidate: String,
    pub clauses: Vec<String>,
    /// As of its columns.
    #[serde(skip)]
    pub number: usize,
}

#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Table {
    /// The clauses, in the contract's order, and how binding each is.
    pub clauses: Vec<(String, Level)>,
    pub columns: Vec<Column>,
    /// Candidates of which it cannot be said that they keep every MUST.
    pub untried: Vec<Untried>,
    /// What the clauses say.
    #[serde(skip)]
    pub says: BTreeMap<String, String>,
}

impl Column {
    /// What the reports of a candidate come to. A clause of which this tier cannot tell that it is kept is told when it is broken.
    pub(crate) fn of(candidate: &str, tier: Tier, reports: &[ScenarioReport], contract: Option<&Contract>) -> Self {
        let elsewhere: BTreeSet<ClauseId> = contract
            .iter()
            .flat_map(|contract| &contract.clauses)
            .filter(|clause| clause.tier.is_some_and(|only| only != tier))
            .map(|clause| clause.id)
            .collect();
        let mut clauses: BTreeMap<String, ClauseResult> = BTreeMap::new();
        let mut faults = Vec::new();
        for report in reports {
            if let Some(fault) = &report.fault {
                faults.push(format!("{}: {}", report.label, fault.what));
                for clause in &report.proves {
                    clauses.entry(clause.to_string()).or_insert_with(|| ClauseResult::new(State::Inconclusive));
                }
            }
            for finding in &report.findings {
                let told = |clause: &&ClauseId| finding.is_broken() || !elsewhere.contains(clause);
                let mut rows: Vec<String> = finding.clauses.iter().filter(told).map(ToString::to_string).collect();
                if is_bare(contract) && finding.clauses.is_empty() && finding.is_broken() {
                    rows.push(finding.id.to_string());
                }
                for row in rows {
                    let result = clauses.entry(row).or_insert_with(|| ClauseResult::new(State::Kept));
                    result.add(report, finding);
                }
            }
        }
        Self { candidate: candidate.to_owned(), tier, clauses, faults, shortfalls: Vec::new(), lacks: None, number: 0 }
    }

    /// Says of the clauses of a step that the candidate does not have that they are not its own. Those that broke with the suite's own
    /// step are its doing.
    pub(crate) fn without(mut self, step: Option<Part>) -> Self {
        let is_of = |clause: &str| clause.parse().is_ok_and(|id: ClauseId| Some(id.part()) == step);
        for (clause, result) in &mut self.clauses {
            if result.state == State::Kept && is_of(clause) {
                result.state = State::NotItsOwn;
            }
        }
        Self { lacks: step, ..self }
    }

    fn state(&self, clause: &str) -> State {
        self.clauses.get(clause).map_or(State::NotTried, |result| result.state)
    }
}

impl State {
    fn is_tried(self) -> bool {
        match self {
            Self::Kept | Self::Broken | Self::NotItsOwn => true,
            Self::NotTried | Self::Inconclusive => false,
        }
    }
}

impl ClauseResult {
    fn new(state: State) -> Self {
        Self { state, assertions: 0, reasons: Vec::new() }
    }

    fn add(&mut self, report: &ScenarioReport, finding: &Finding) {
        self.assertions += 1;
        match &finding.outcome {
            Outcome::Held => {}
            Outcome::Broken { expected, got } => {
                self.state = State::Broken;
                self.reasons.push(Reason {
                    scenario: report.label.clone(),
                    at: finding.at.to_string(),
                    check: finding.check(),
                    level: finding.level,
                    expected: expected.clone(),
                    got: got.clone(),
                    reproduce: report.reproduce.clone(),
                });
            }
        }
    }
}

impl Table {
    /// The table of these candidates, with the clauses that hold in one of the dialects.
    pub(crate) fn new(contract: Option<&Contract>, dialects: &[Dialect], columns: Vec<Column>) -> Self {
        let holds = |of: &BTreeSet<Dialect>| dialects.iter().any(|dialect| of.contains(dialect));
        let untried = untried(contract, &columns);
        let mut clauses: Vec<(String, Level)> = contract
            .iter()
            .flat_map(|contract| &contract.clauses)
            .filter(|clause| holds(&clause.dialects))
            .map(|clause| (clause.id.to_string(), clause.level))
            .collect();
        if is_bare(contract) {
            let broken = |(row, result): (&String, &ClauseResult)| (result.state == State::Broken).then(|| row.clone());
            let rows: BTreeSet<String> =
                columns.iter().flat_map(|column| column.clauses.iter().filter_map(broken)).collect();
            clauses.extend(rows.into_iter().map(|row| (row, Level::Must)));
        }
        let says = contract.iter().flat_map(|contract| &contract.clauses);
        let says = says.map(|clause| (clause.id.to_string(), clause.says.clone())).collect();
        Self { clauses, columns, untried, says }
    }

    /// Whether a clause of this level is broken by any candidate.
    pub(crate) fn breaks(&self, level: Level) -> bool {
        let of_level = self.clauses.iter().filter(|(_, of)| *of == level);
        of_level.clone().any(|(clause, _)| self.columns.iter().any(|column| column.state(clause) == State::Broken))
    }

    /// Whether anything is inconclusive.
    pub(crate) fn is_uncertain(&self) -> bool {
        self.columns.iter().any(|column| !column.faults.is_empty())
    }
}

/// Whether there is no clause that a finding could speak for: a suite of a few scenarios of one's own has none.
fn is_bare(contract: Option<&Contract>) -> bool {
    contract.is_none_or(|contract| contract.clauses.is_empty())
}

/// The MUSTs that no column of a candidate kept or broke, though a scenario covers them in one of the cells. What no scenario can
/// cover there has its reason in the suite.
fn untried(contract: Option<&Contract>, columns: &[Column]) -> Vec<Untried> {
    let Some(contract) = contract else { return Vec::new() };
    let is_covered = |clause: &Clause| {
        (0..contract.cells.len()).any(|cell| matches!(contract.coverage(clause, cell), Coverage::Proved(_)))
    };
    let musts: Vec<&Clause> =
        contract.clauses.iter().filter(|clause| clause.level == Level::Must && is_covered(clause)).collect();
    let candidates: BTreeMap<usize, &str> =
        columns.iter().map(|column| (column.number, column.candidate.as_str())).collect();
    let of = |(number, name): (usize, &str)| {
        let own = || columns.iter().filter(|column| column.number == number);
        let is_tried = |id: &ClauseId| own().any(|column| column.state(&id.to_string()).is_tried());
        let clauses =
            musts.iter().map(|clause| clause.id).filter(|id| !is_tried(id)).map(|id| id.to_string()).collect();
        Untried { candidate: name.to_owned(), clauses, number }
    };
    candidates.into_iter().map(of).filter(|untried| !untried.clauses.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Verdict;
    use crate::outcome::samples::{self, report};

    fn finding(clause: &str, broken: bool) -> Finding {
        Finding { clauses: clause.parse().into_iter().collect(), ..samples::finding(broken) }
    }

    fn column(findings: Vec<Finding>) -> Column {
        Column::of("c", Tier::Contract, &[ScenarioReport { findings, ..report("s", Verdict::Pass) }], None)
    }

    #[test]
    fn one_broken_assertion_breaks_the_clause() {
        let column = column(vec![finding("BUILD-1", true), finding("BUILD-1", false), finding("BUILD-2", false)]);
        assert_eq!(column.state("BUILD-1"), State::Broken);
        assert_eq!(column.state("BUILD-2"), State::Kept);
        assert_eq!(column.state("BUILD-3"), State::NotTried);
        assert_eq!(column.clauses["BUILD-1"].reasons.len(), 1);
    }

    #[test]
    fn a_step_that_is_not_the_candidates_keeps_nothing_for_it() {
        let findings = vec![finding("BUILD-1", false), finding("START-1", false), finding("START-2", true)];
        let column = column(findings).without(Some(Part::Start));
        assert_eq!(column.state("BUILD-1"), State::Kept);
        assert_eq!(column.state("START-1"), State::NotItsOwn);
        assert_eq!(column.state("START-2"), State::Broken);
        assert!(column.state("START-1").is_tried());
    }

    #[test]
    fn without_a_contract_the_rows_are_checks() {
        let table = Table::new(None, &[Dialect::Docker], vec![column(vec![finding("", true)])]);
        assert!(table.breaks(Level::Must));
        assert!(table.to_string().contains("breaks MUST build-outcome in s: build outcome"), "{table}");
    }
}
