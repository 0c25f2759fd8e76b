//! The results of mutants, and what they say about the suite.

use std::collections::BTreeMap;
use std::fmt;

use super::{Case, Operator};

/// The result of a mutant.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", tag = "end")]
pub(crate) enum Outcome {
    /// The suite noticed it.
    Killed {
        /// The first scenario that did.
        scenario: String,
        /// The clauses that it found broken.
        clauses: Vec<String>,
    },
    Survived,
    /// It behaves as the script does.
    Equivalent {
        why: String,
    },
    Error {
        what: String,
    },
}

/// A mutant, and its result.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Tried {
    pub id: String,
    pub file: String,
    pub line: usize,
    /// The kind of change.
    pub operator: Operator,
    #[serde(flatten)]
    pub outcome: Outcome,
    pub diff: String,
}

#[derive(Debug, Clone, Default, serde::Serialize)]
pub(crate) struct Campaign {
    /// The mutants, in the order of their scripts.
    pub mutants: Vec<Tried>,
}

/// How many mutants had which result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Count {
    pub killed: usize,
    pub survived: usize,
    /// No other than the script.
    pub equivalent: usize,
    pub error: usize,
}

impl Tried {
    /// A change, and its result.
    pub(crate) fn new(case: &Case, outcome: Outcome) -> Self {
        Self {
            id: case.id.clone(),
            file: case.file.clone(),
            line: case.line,
            operator: case.operator,
            outcome,
            diff: case.diff.clone(),
        }
    }
}

impl Count {
    fn add(&mut self, outcome: &Outcome) {
        *match outcome {
            Outcome::Killed { .. } => &mut self.killed,
            Outcome::Survived => &mut self.survived,
            Outcome::Equivalent { .. } => &mut self.equivalent,
            Outcome::Error { .. } => &mut self.error,
        } += 1;
    }
}

impl Campaign {
    /// How many had which result.
    pub(crate) fn count(&self) -> Count {
        let mut count = Count::default();
        self.mutants.iter().for_each(|tried| count.add(&tried.outcome));
        count
    }

    /// The same, by kind of change.
    pub(crate) fn by_operator(&self) -> BTreeMap<Operator, Count> {
        let mut counts: BTreeMap<Operator, Count> = BTreeMap::new();
        for tried in &self.mutants {
            counts.entry(tried.operator).or_default().add(&tried.outcome);
        }
        counts
    }

    /// How many mutants each clause had a part in noticing.
    pub(crate) fn by_clause(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for tried in &self.mutants {
            if let Outcome::Killed { clauses, .. } = &tried.outcome {
                for clause in clauses {
                    *counts.entry(clause.as_str()).or_default() += 1;
                }
            }
        }
        counts
    }
}

impl fmt::Display for Campaign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for tried in &self.mutants {
            let mutant = format!("{} {}:{} {}", tried.id, tried.file, tried.line, tried.operator);
            match &tried.outcome {
                Outcome::Killed { .. } | Outcome::Equivalent { .. } => continue,
                Outcome::Survived => writeln!(f, "SURVIVED  {mutant}")?,
                Outcome::Error { what } => writeln!(f, "ERROR     {mutant}: {what}")?,
            }
            writeln!(f, "{}", tried.diff)?;
        }
        writeln!(f, "{:<20} {:>6} {:>8} {:>10} {:>5}", "operator", "killed", "survived", "equivalent", "error")?;
        let line = |f: &mut fmt::Formatter<'_>, name: &str, count: Count| {
            let Count { killed, survived, equivalent, error } = count;
            writeln!(f, "{name:<20} {killed:>6} {survived:>8} {equivalent:>10} {error:>5}")
        };
        for (operator, count) in self.by_operator() {
            line(f, &operator.to_string(), count)?;
        }
        line(f, "all", self.count())?;
        let clauses: Vec<String> =
            self.by_clause().into_iter().map(|(clause, count)| format!("{clause} {count}")).collect();
        writeln!(f, "killed, by clause: {}", clauses.join(", "))
    }
}
