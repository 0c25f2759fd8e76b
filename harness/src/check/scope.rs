//! What a scenario's findings are made with: the stage, and the clauses that its contract gives each check.

use std::sync::Arc;

use super::text::bounded;
use crate::outcome::{At, CheckId, ClauseId, Finding, Level, Outcome, Stage, Subject};
use crate::suite::contract::{Attribution, Contract};
use crate::suite::dialect::Dialect;
use crate::suite::scenario::Declared;

/// What was expected and what came instead, of an assertion that did not hold.
pub(crate) type Broken = (String, String);

/// How much a finding says of what it is about, of what was expected and of what came, in bytes. Its parts are cut as they are shown;
/// this is for those of which a candidate chooses the number.
const MOST: usize = 16 << 10;
/// The same of a name.
const MOST_OF_A_NAME: usize = 2000;

/// Where findings of a scenario are made.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    attribution: Arc<Attribution>,
    stage: Stage,
    occasion: &'static str,
}

/// The scope of what no contract knows, in the build.
impl Default for Scope {
    fn default() -> Self {
        Self { attribution: Arc::default(), stage: Stage::Build, occasion: "" }
    }
}

impl Scope {
    /// The scope of a scenario that covers these clauses.
    pub(crate) fn new(contract: Option<&Contract>, covers: &[ClauseId], dialect: Dialect) -> Self {
        let attribution = contract.map(|contract| Attribution::new(&contract.clauses, covers, dialect));
        Self { attribution: Arc::new(attribution.unwrap_or_default()), ..Self::default() }
    }

    /// The same in this stage.
    #[must_use]
    pub(crate) fn at(&self, stage: Stage) -> Self {
        Self { stage, ..self.clone() }
    }

    /// The same for what is done once more; `occasion` ends the names of its findings.
    #[must_use]
    pub(crate) fn again(&self, occasion: &'static str) -> Self {
        Self { occasion, ..self.clone() }
    }

    /// The same for an expectation that names its clauses itself, if it does.
    #[must_use]
    pub(crate) fn only(&self, named: &[Declared<ClauseId>]) -> Self {
        if named.is_empty() {
            return self.clone();
        }
        let named: Vec<ClauseId> = named.iter().map(|clause| clause.value).collect();
        Self { attribution: Arc::new(self.attribution.only(&named)), ..self.clone() }
    }

    /// A finding: `broken` says what was expected and what came, or `None` when the assertion holds. It speaks for the clauses
    /// that the contract gives its check, and is as binding as they are.
    pub(crate) fn holds(
        &self,
        id: CheckId,
        subject: impl Into<Subject>,
        at: &At,
        broken: impl FnOnce() -> Option<Broken>,
    ) -> Finding {
        let started = matches!(self.stage, Stage::Probe | Stage::Stop);
        self.finding(id, subject.into(), at, self.attribution.of(id, started), broken())
    }

    /// A finding that speaks for this clause and no other; none where the clause is a SHOULD that the scenario does not cover.
    pub(crate) fn holds_for(
        &self,
        clause: ClauseId,
        id: CheckId,
        subject: impl Into<Subject>,
        at: &At,
        broken: impl FnOnce() -> Option<Broken>,
    ) -> Option<Finding> {
        let level = self.attribution.of_clause(clause, id)?;
        Some(self.finding(id, subject.into(), at, (level, vec![clause]), broken()))
    }

    fn finding(
        &self,
        id: CheckId,
        subject: Subject,
        at: &At,
        (level, clauses): (Level, Vec<ClauseId>),
        broken: Option<Broken>,
    ) -> Finding {
        let outcome = broken.map_or(Outcome::Held, |(expected, got)| Outcome::Broken {
            expected: bounded(expected, MOST),
            got: bounded(got, MOST),
        });
        let subject = Subject {
            of: bounded(subject.of, MOST_OF_A_NAME),
            detail: bounded(subject.detail, MOST_OF_A_NAME),
            occasion: subject.occasion + self.occasion,
        };
        Finding { id, subject, at: at.clone(), level, stage: self.stage, clauses, outcome }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::samples::{at, declared};

    #[test]
    fn what_is_done_again_says_so() {
        let again = Scope::default().again(" after the restart");
        assert_eq!(again.holds(CheckId::StopTime, (), &at(1), || None).check(), "stop time after the restart");
    }

    #[test]
    fn a_candidate_does_not_choose_how_long_a_finding_is() {
        let long = || "n".repeat(1_000_000);
        let finding = Scope::default().holds(CheckId::StopTime, long(), &at(1), || Some((long(), long())));
        assert!(format!("{finding:?}").len() < 50_000);
    }

    #[test]
    fn without_a_contract_findings_speak_for_no_clause() {
        let finding =
            Scope::default().only(&[declared(ClauseId::build(1))]).holds(CheckId::StopTime, (), &at(1), || None);
        assert_eq!((finding.level, finding.clauses), (Level::Must, Vec::new()));
    }
}
