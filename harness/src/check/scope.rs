//! What a scenario's findings are made with: the stage, and the clauses that its contract gives each check.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::outcome::{At, CheckId, Finding, Level, Outcome, Stage, Subject};
use crate::suite::contract::{Clause, Contract};
use crate::suite::dialect::Dialect;
use crate::suite::tier::Tier;

/// How the ids of the start's clauses begin.
const START: &str = "START-";

/// What was expected and what came instead, of an assertion that did not hold.
pub(crate) type Broken = (String, String);

/// Where findings of a scenario are made.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    clauses: Arc<Clauses>,
    stage: Stage,
    occasion: &'static str,
}

/// The clauses of a contract, as a scenario's findings need them.
#[derive(Debug, Default)]
struct Clauses {
    /// Those that the scenario covers and that hold in its dialect.
    holding: Vec<Clause>,
    /// Those that the tier cannot tell of.
    elsewhere: BTreeSet<String>,
}

/// The scope of what no contract knows, in the build.
impl Default for Scope {
    fn default() -> Self {
        Self { clauses: Arc::default(), stage: Stage::Build, occasion: "" }
    }
}

impl Scope {
    /// The scope of a scenario that covers these clauses.
    pub(crate) fn new(contract: Option<&Contract>, covers: &[String], dialect: Dialect, tier: Tier) -> Self {
        let all = contract.map(|contract| contract.clauses.as_slice()).unwrap_or_default();
        let holds = |clause: &&Clause| covers.contains(&clause.id) && clause.dialects.contains(&dialect);
        let is_elsewhere = |clause: &&Clause| clause.tier.is_some_and(|only| only != tier);
        let clauses = Clauses {
            holding: all.iter().filter(holds).cloned().collect(),
            elsewhere: all.iter().filter(is_elsewhere).map(|clause| clause.id.clone()).collect(),
        };
        Self { clauses: Arc::new(clauses), ..Self::default() }
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

    /// A finding: `broken` says what was expected and what came, or `None` when the assertion holds. It speaks for the clauses
    /// that the contract gives its check.
    pub(crate) fn holds(
        &self,
        id: CheckId,
        subject: impl Into<Subject>,
        at: &At,
        broken: impl FnOnce() -> Option<Broken>,
    ) -> Finding {
        self.with_level(id, id.level(), subject, at, broken)
    }

    /// The same, of what is only a SHOULD here.
    pub(crate) fn should(
        &self,
        id: CheckId,
        subject: impl Into<Subject>,
        at: &At,
        broken: impl FnOnce() -> Option<Broken>,
    ) -> Finding {
        self.with_level(id, Level::Should, subject, at, broken)
    }

    /// A finding that speaks for this clause and no other.
    pub(crate) fn holds_for(
        &self,
        clause: &str,
        id: CheckId,
        subject: impl Into<Subject>,
        at: &At,
        broken: impl FnOnce() -> Option<Broken>,
    ) -> Finding {
        let here = !self.clauses.elsewhere.contains(clause);
        let clauses = here.then(|| clause.to_owned()).into_iter().collect();
        self.finding(id, subject.into(), at, (id.level(), clauses), broken())
    }

    fn with_level(
        &self,
        id: CheckId,
        level: Level,
        subject: impl Into<Subject>,
        at: &At,
        broken: impl FnOnce() -> Option<Broken>,
    ) -> Finding {
        let subject = subject.into();
        let attribution = self.attribute(id, &subject.of, level);
        self.finding(id, subject, at, attribution, broken())
    }

    fn finding(
        &self,
        id: CheckId,
        subject: Subject,
        at: &At,
        (level, clauses): (Level, Vec<String>),
        broken: Option<Broken>,
    ) -> Finding {
        let outcome = broken.map_or(Outcome::Held, |(expected, got)| Outcome::Broken { expected, got });
        let subject = Subject { occasion: subject.occasion + self.occasion, ..subject };
        Finding { id, subject, at: at.clone(), level, stage: self.stage, clauses, outcome }
    }

    /// The level of a finding, and the clauses that it speaks for: of the scenario's clauses of its level those that name its
    /// check; else those that name none, without those of the start where nothing was started; else all. The findings of a
    /// scenario that covers nothing but SHOULDs are SHOULDs.
    fn attribute(&self, id: CheckId, of: &str, level: Level) -> (Level, Vec<String>) {
        let holding = &self.clauses.holding;
        let only_shoulds = !holding.is_empty() && holding.iter().all(|clause| clause.level == Level::Should);
        let level = if only_shoulds { Level::Should } else { level };
        let candidates: Vec<&Clause> = holding.iter().filter(|clause| clause.level == level).collect();
        let own = |clause: &&Clause| clause.checks.iter().any(|selector| selector.selects(id, of));
        // Before anything was started nothing is known of the start.
        let started = matches!(self.stage, Stage::Probe | Stage::Stop);
        let fits = |clause: &&Clause| clause.checks.is_empty() && (started || !clause.id.starts_with(START));
        let chosen: Vec<&Clause> = if candidates.iter().any(own) {
            candidates.into_iter().filter(own).collect()
        } else if candidates.iter().any(fits) {
            candidates.into_iter().filter(fits).collect()
        } else {
            candidates
        };
        let here = chosen.into_iter().filter(|clause| !self.clauses.elsewhere.contains(&clause.id));
        (level, here.map(|clause| clause.id.clone()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::samples::at;
    use crate::suite::contract::CheckSelector;

    fn clause(id: &str, level: Level, checks: &[&str]) -> Clause {
        let selector = |text: &&str| CheckSelector::try_from((*text).to_owned()).ok();
        Clause {
            id: id.to_owned(),
            level,
            dialects: BTreeSet::from([Dialect::Docker]),
            says: String::new(),
            source: String::new(),
            checks: checks.iter().filter_map(selector).collect(),
            tier: None,
        }
    }

    fn scope(holding: &[Clause]) -> Scope {
        let clauses = Clauses { holding: holding.to_vec(), elsewhere: BTreeSet::from(["IMAGE-9".to_owned()]) };
        Scope { clauses: Arc::new(clauses), ..Scope::default() }
    }

    fn attributed(scope: &Scope, id: CheckId, subject: &str) -> (Level, String) {
        let finding = scope.holds(id, subject, &at(1), || None);
        (finding.level, finding.clauses.join(" "))
    }

    #[test]
    fn findings_speak_for_the_clauses_of_their_level() {
        let (must, should) = (clause("BUILD-1", Level::Must, &[]), clause("IMAGE-7", Level::Should, &[]));
        let both = scope(&[must, should.clone()]);
        assert_eq!(attributed(&both, CheckId::FileMode, "x"), (Level::Must, "BUILD-1".to_owned()));
        assert_eq!(attributed(&both, CheckId::BuildPhases, ""), (Level::Should, "IMAGE-7".to_owned()));
        assert_eq!(attributed(&scope(&[should]), CheckId::FileMode, "x"), (Level::Should, "IMAGE-7".to_owned()));
        assert_eq!(attributed(&scope(&[]), CheckId::FileMode, "x"), (Level::Must, String::new()));
    }

    #[test]
    fn a_clause_may_have_checks_of_its_own() {
        let scope = scope(&[
            clause("BUILD-1", Level::Must, &["stop-*", "command-* python"]),
            clause("BUILD-2", Level::Must, &[]),
        ]);
        assert_eq!(attributed(&scope, CheckId::StopTime, "").1, "BUILD-1");
        assert_eq!(attributed(&scope, CheckId::CommandOutput, "python -V").1, "BUILD-1");
        assert_eq!(attributed(&scope, CheckId::CommandOutput, "pip -V").1, "BUILD-2");
    }

    #[test]
    fn the_start_is_spoken_for_once_something_was_started() {
        let scope = scope(&[clause("START-1", Level::Must, &[]), clause("BUILD-2", Level::Must, &[])]);
        assert_eq!(attributed(&scope, CheckId::FileMode, "x").1, "BUILD-2");
        assert_eq!(attributed(&scope.at(Stage::Probe), CheckId::FileMode, "x").1, "START-1 BUILD-2");
    }

    #[test]
    fn a_named_clause_is_the_only_one_and_what_the_tier_cannot_tell_is_left_out() {
        let scope = scope(&[clause("BUILD-1", Level::Must, &[]), clause("IMAGE-9", Level::Must, &["image-user"])]);
        assert_eq!(scope.holds_for("START-1", CheckId::ServerPort, (), &at(1), || None).clauses, ["START-1"]);
        assert_eq!(attributed(&scope, CheckId::ImageUser, "").1, "");
        assert!(scope.holds_for("IMAGE-9", CheckId::ImageUser, (), &at(1), || None).clauses.is_empty());
    }

    #[test]
    fn what_is_done_again_says_so() {
        let again = Scope::default().again(" after the restart");
        assert_eq!(again.holds(CheckId::StopTime, (), &at(1), || None).check(), "stop time after the restart");
    }
}
