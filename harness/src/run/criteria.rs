//! From what was found in a scenario to its report: clauses, verdict, and the command that does it again.

use std::time::Duration;

use super::control;
use crate::check::scope::Scope;
use crate::outcome::{CellName, ClauseId, Fault, Finding, Log, NotRun, ScenarioReport, Stage, USUAL_BUILDER, Verdict};
use crate::suite::cell::Cell;
use crate::suite::contract::Contract;
use crate::suite::control::Control;
use crate::suite::scenario::Scenario;
use crate::suite::tier::Tier;

/// What all scenarios of a run are judged by.
#[derive(Debug)]
pub(crate) struct Criteria {
    /// The contract, where the suite has one.
    pub contract: Option<Contract>,
    pub tier: Tier,
    /// Whether a broken SHOULD is a fail.
    pub strict: bool,
    /// The control that the candidate is, if it is one.
    pub control: Option<Control>,
    /// The command that does a scenario again; its cell and its name follow.
    pub reproduce: String,
}

/// What was found in a scenario.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    /// Every assertion made, in order.
    pub findings: Vec<Finding>,
    /// Why the result is inconclusive.
    pub fault: Option<Fault>,
    /// What was not done, and why.
    pub not_run: Vec<NotRun>,
    pub logs: Vec<Log>,
    /// How long each stage took.
    pub stages: Vec<(Stage, Duration)>,
    /// How long the scenario took.
    pub took: Duration,
}

impl Criteria {
    /// What findings of a scenario are made with.
    pub(crate) fn scope(&self, scenario: &Scenario, cell: &Cell) -> Scope {
        Scope::new(self.contract.as_ref(), &covers(scenario), cell.dialect)
    }

    /// Judges a scenario; `skipped` is why it does not apply, if so.
    pub(crate) fn report(
        &self,
        scenario: &Scenario,
        label: &str,
        cell: &Cell,
        skipped: Option<&str>,
        mut observed: Observed,
    ) -> ScenarioReport {
        let cell = CellName::from(cell);
        let proves = covers(scenario);
        let verdict = match skipped {
            Some(reason) => {
                observed.not_run.push(NotRun::NotApplicable(reason.to_owned()));
                Verdict::Skip
            }
            None => Verdict::of(&observed.findings, observed.fault.as_ref(), self.strict),
        };
        let mut reproduce = format!("{} --variant {} --dialect {}", self.reproduce, cell.variant, cell.dialect);
        if cell.builder != USUAL_BUILDER {
            reproduce.push_str(&format!(" --builder {}", cell.builder));
        }
        reproduce.push_str(&format!(" ={}", scenario.name));
        let at = scenario.summary.at.clone();
        let verdict = match &self.control {
            Some(control) => {
                let (verdict, said) = control::hold(control, &scenario.name, &at, verdict, &observed.findings);
                observed.findings.extend(said);
                verdict
            }
            None => verdict,
        };
        ScenarioReport {
            name: scenario.name.clone(),
            cell,
            label: label.to_owned(),
            summary: scenario.summary.value.clone(),
            at,
            proves,
            verdict,
            findings: observed.findings,
            fault: observed.fault,
            not_run: observed.not_run,
            logs: observed.logs,
            took: observed.took,
            stages: observed.stages,
            reproduce,
        }
    }
}

/// The clauses that a scenario covers.
fn covers(scenario: &Scenario) -> Vec<ClauseId> {
    scenario.proves.iter().map(|clause| clause.value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::builder::Builder;
    use crate::suite::cell::tests::cell;
    use crate::suite::dialect::Dialect;
    use crate::suite::scenario::Subject;
    use crate::suite::scenario::tests::scenario;

    #[test]
    fn the_builder_is_named_where_it_is_not_the_usual_one() {
        let reproduce = "wsgi-proof run".to_owned();
        let criteria = Criteria { contract: None, tier: Tier::Image, strict: false, control: None, reproduce };
        let again = |builder| {
            let cell = Cell { builder, ..cell(Dialect::Docker) };
            criteria
                .report(&scenario("hello", Subject::Application, true), "hello", &cell, None, Observed::default())
                .reproduce
        };
        assert_eq!(again(Builder::Classic), "wsgi-proof run --variant python-3.11 --dialect docker =hello");
        assert_eq!(
            again(Builder::BuildKit),
            "wsgi-proof run --variant python-3.11 --dialect docker --builder buildkit =hello"
        );
    }
}
