//! Which clauses the findings of a scenario speak for.

use std::collections::BTreeMap;

use super::Clause;
use crate::outcome::{CheckId, ClauseId, Level, Part};
use crate::suite::dialect::Dialect;

/// The clauses that findings of a scenario can speak for; without a contract there are none.
#[derive(Debug, Default)]
pub(crate) struct Attribution {
    /// Those that the scenario covers and that hold in its dialect.
    own: Vec<Clause>,
    /// Checks that belong to one clause whatever a scenario covers, with their clause.
    everywhere: BTreeMap<CheckId, (ClauseId, Level)>,
    /// How binding each clause of the contract is; `None` without a contract.
    levels: Option<BTreeMap<ClauseId, Level>>,
}

impl Attribution {
    /// That of a scenario which covers these clauses of a contract.
    pub(crate) fn new(contract: &[Clause], covers: &[ClauseId], dialect: Dialect) -> Self {
        let holding = || contract.iter().filter(|clause| clause.dialects.contains(&dialect));
        let everywhere = holding()
            .flat_map(|clause| clause.everywhere.iter().map(|check| (*check, (clause.id, clause.level))))
            .collect();
        Self {
            own: holding().filter(|clause| covers.contains(&clause.id)).cloned().collect(),
            everywhere,
            levels: Some(contract.iter().map(|clause| (clause.id, clause.level)).collect()),
        }
    }

    /// That of an expectation which names its clauses itself.
    pub(crate) fn only(&self, named: &[ClauseId]) -> Self {
        let own = self.own.iter().filter(|clause| named.contains(&clause.id));
        let own = own.map(|clause| Clause { checks: Vec::new(), ..clause.clone() }).collect();
        Self { own, everywhere: BTreeMap::new(), levels: self.levels.clone() }
    }

    /// The level of a finding of this check, and the clauses that it speaks for; `started` says whether something was started.
    ///
    /// A check that belongs to a clause everywhere is that clause's. Of the others it is taken by the scenario's clauses that name
    /// it; else by those that name none: the MUSTs if there are any, and none of the start where nothing was started; else by all.
    /// What is a SHOULD by its check never speaks for a MUST.
    pub(crate) fn of(&self, id: CheckId, started: bool) -> (Level, Vec<ClauseId>) {
        if let Some((clause, level)) = self.everywhere.get(&id) {
            return (level.weaker(id.level()), vec![*clause]);
        }
        let fitting: Vec<&Clause> =
            self.own.iter().filter(|clause| id.level() == Level::Must || clause.level == Level::Should).collect();
        let fitting = preferred(fitting, |clause| clause.checks.contains(&id));
        let fitting = preferred(fitting, |clause| clause.checks.is_empty() || clause.checks.contains(&id));
        let fitting = preferred(fitting, |clause| started || clause.id.part() != Part::Start);
        let named = fitting.iter().any(|clause| clause.checks.contains(&id));
        let taking = preferred(fitting, |clause| named || clause.level == Level::Must);
        let strictest =
            if taking.iter().any(|clause| clause.level == Level::Must) { Level::Must } else { Level::Should };
        let level = if taking.is_empty() { id.level() } else { strictest.weaker(id.level()) };
        (level, taking.iter().map(|clause| clause.id).collect())
    }

    /// The level of a finding of this check that speaks for this clause and no other; `None` where it is not made: for a SHOULD
    /// that the scenario does not cover, and for a clause that the contract does not have.
    pub(crate) fn of_clause(&self, clause: ClauseId, id: CheckId) -> Option<Level> {
        let Some(levels) = &self.levels else { return Some(id.level()) };
        let level = levels.get(&clause)?.weaker(id.level());
        (level == Level::Must || self.own.iter().any(|own| own.id == clause)).then_some(level)
    }

    /// The SHOULDs of the scenario that take no check, for there is a MUST beside them that takes all.
    pub(super) fn idle(&self) -> impl Iterator<Item = ClauseId> {
        let general = |level| self.own.iter().filter(move |clause| clause.checks.is_empty() && clause.level == level);
        let beside = general(Level::Must).next().is_some();
        general(Level::Should).filter(move |clause| beside && clause.everywhere.is_empty()).map(|clause| clause.id)
    }
}

/// Those that are preferred; all where none is.
fn preferred(clauses: Vec<&Clause>, is_preferred: impl Fn(&Clause) -> bool) -> Vec<&Clause> {
    if clauses.iter().any(|clause| is_preferred(clause)) {
        clauses.into_iter().filter(|clause| is_preferred(clause)).collect()
    } else {
        clauses
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::clause;
    use super::*;

    fn of(clauses: &[Clause], id: CheckId, started: bool) -> (Level, Vec<ClauseId>) {
        let covers: Vec<ClauseId> = clauses.iter().map(|clause| clause.id).collect();
        Attribution::new(clauses, &covers, Dialect::Docker).of(id, started)
    }

    #[test]
    fn findings_have_the_level_of_their_clauses() {
        let (must, should) = (clause("BUILD-1", Level::Must, &[]), clause("IMAGE-7", Level::Should, &[]));
        let both = [must.clone(), should.clone()];
        assert_eq!(of(&both, CheckId::FileMode, false), (Level::Must, vec![must.id]));
        assert_eq!(of(&both, CheckId::BuildLogShould, false), (Level::Should, vec![should.id]));
        assert_eq!(of(&both[1..], CheckId::FileMode, false), (Level::Should, vec![should.id]));
        assert_eq!(of(&both[..1], CheckId::BuildLogShould, false), (Level::Should, Vec::new()));
        assert_eq!(of(&[], CheckId::FileMode, false), (Level::Must, Vec::new()));
    }

    #[test]
    fn a_clause_may_have_checks_of_its_own() {
        let own = clause("BUILD-9", Level::Should, &[CheckId::StopTime]);
        let clauses = [own.clone(), clause("BUILD-2", Level::Must, &[])];
        assert_eq!(of(&clauses, CheckId::StopTime, false), (Level::Should, vec![own.id]));
        assert_eq!(of(&clauses, CheckId::FileMode, false).1, [ClauseId::build(2)]);
        // Nothing is left without a clause.
        assert_eq!(of(&clauses[..1], CheckId::FileMode, false), (Level::Should, vec![own.id]));
    }

    #[test]
    fn a_check_may_be_a_clauses_whatever_a_scenario_covers() {
        let lines = Clause { everywhere: vec![CheckId::BuildPhases], ..clause("BUILD-2", Level::Should, &[]) };
        let contract = [lines.clone(), clause("BUILD-1", Level::Must, &[])];
        let attribution = Attribution::new(&contract, &[ClauseId::build(1)], Dialect::Docker);
        assert_eq!(attribution.of(CheckId::BuildPhases, false), (Level::Should, vec![lines.id]));
        assert_eq!(attribution.of(CheckId::FileMode, false), (Level::Must, vec![ClauseId::build(1)]));
    }

    #[test]
    fn the_start_is_spoken_for_once_something_was_started() {
        let clauses = [clause("START-1", Level::Must, &[]), clause("BUILD-2", Level::Must, &[])];
        assert_eq!(of(&clauses, CheckId::FileMode, false).1, [ClauseId::build(2)]);
        assert_eq!(of(&clauses, CheckId::FileMode, true).1, [ClauseId::start(1), ClauseId::build(2)]);
    }

    #[test]
    fn an_expectation_may_name_its_clauses() {
        let clauses = [clause("START-2", Level::Must, &[CheckId::StopTime]), clause("BUILD-2", Level::Should, &[])];
        let all = Attribution::new(&clauses, &[ClauseId::start(2), ClauseId::build(2)], Dialect::Docker);
        assert_eq!(all.only(&[ClauseId::start(2)]).of(CheckId::CommandOutput, true).1, [ClauseId::start(2)]);
    }

    #[test]
    fn a_derived_check_of_a_should_is_made_where_it_is_covered() {
        let clauses = [clause("BUILD-1", Level::Must, &[]), clause("BUILD-39", Level::Should, &[])];
        let with = |covers: &[ClauseId], clause| {
            Attribution::new(&clauses, covers, Dialect::Docker).of_clause(clause, CheckId::VcsInstalled)
        };
        assert_eq!(with(&[], ClauseId::build(1)), Some(Level::Must));
        assert_eq!(with(&[], ClauseId::build(39)), None);
        assert_eq!(with(&[ClauseId::build(39)], ClauseId::build(39)), Some(Level::Should));
        assert_eq!(with(&[], ClauseId::image(99)), None);
        assert_eq!(Attribution::default().of_clause(ClauseId::build(1), CheckId::GitAlone), Some(Level::Should));
    }

    #[test]
    fn a_should_beside_a_must_is_idle_without_checks_of_its_own() {
        let idle = |clauses: &[Clause]| {
            let covers: Vec<ClauseId> = clauses.iter().map(|clause| clause.id).collect();
            Attribution::new(clauses, &covers, Dialect::Docker).idle().collect::<Vec<_>>()
        };
        let (must, should) = (clause("BUILD-1", Level::Must, &[]), clause("BUILD-22", Level::Should, &[]));
        assert_eq!(idle(&[must.clone(), should.clone()]), [should.id]);
        assert!(idle(&[should]).is_empty());
        assert!(idle(&[must, clause("BUILD-5", Level::Should, &[CheckId::BuildLogShould])]).is_empty());
    }
}
