//! Whether the two tiers agree: what each said of the same scenario with the same candidate, clause by clause.
//!
//! The contract tier may say that it does not try something, never the opposite of the image tier. docs/decisions/0047 has the rule.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::outcome::{CheckId, ClauseId, Finding, Outcome, ScenarioReport, Verdict};
use crate::suite::contract::Contract;
use crate::suite::tier::Tier;

/// What a tier said against a clause, or that it kept it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Side {
    pub tier: Tier,
    /// The assertions that broke; none where the clause is kept.
    pub broken: Vec<Assertion>,
    /// How many assertions held.
    pub held: usize,
    /// The command that reproduces it.
    pub reproduce: String,
}

/// An assertion that did not hold.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Assertion {
    pub check: String,
    pub expected: String,
    pub got: String,
}

/// A clause that one tier calls broken and the other kept.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Disagreement {
    pub candidate: String,
    pub scenario: String,
    pub cell: String,
    /// The clause; in a suite without a contract the check.
    pub clause: String,
    pub sides: [Side; 2],
}

/// What the comparison of all candidates came to.
#[derive(Debug, Default, serde::Serialize)]
pub(crate) struct Agreement {
    /// Candidates held against each other, and how many scenarios of them both tiers tried.
    pub candidates: usize,
    pub compared: usize,
    /// Clauses that both tiers had something to say of.
    pub clauses: usize,
    /// Scenarios that the contract tier did not try.
    pub not_in_contract_tier: usize,
    /// Scenarios that images did not try.
    pub not_in_images: usize,
    /// Clauses that are broken in images by what the contract tier does not check, and kept there by the rest.
    pub unseen: usize,
    pub disagreements: Vec<Disagreement>,
    /// Inconclusive scenarios, and why.
    pub faults: Vec<String>,
}

/// What a tier found of a clause in a scenario.
#[derive(Default)]
struct Standing<'a> {
    broken: Vec<&'a Finding>,
    held: usize,
}

impl Agreement {
    /// Holds what the tiers said of a candidate against each other.
    pub(crate) fn add(
        &mut self,
        candidate: &str,
        contract_tier: &[ScenarioReport],
        images: &[ScenarioReport],
        contract: Option<&Contract>,
    ) {
        self.candidates += 1;
        let is_of = |one: &ScenarioReport, other: &ScenarioReport| one.name == other.name && one.cell == other.cell;
        let lost = images.iter().filter(|there| !contract_tier.iter().any(|here| is_of(here, there)));
        self.faults.extend(lost.map(|there| format!("{candidate} (contract): {}: not reported", there.label)));
        for here in contract_tier {
            let there = images.iter().find(|there| is_of(here, there));
            let Some(there) = there else {
                self.faults.push(format!("{candidate} (image): {}: not reported", here.label));
                continue;
            };
            let faults = [(Tier::Contract, here), (Tier::Image, there)].map(|(tier, report)| {
                let fault = report.fault.as_ref().map(|fault| fault.what.as_str());
                (report.verdict == Verdict::Error)
                    .then(|| format!("{candidate} ({tier}): {}: {}", report.label, fault.unwrap_or("no assertion")))
            });
            if faults.iter().any(Option::is_some) {
                self.faults.extend(faults.into_iter().flatten());
                continue;
            }
            match (here.verdict, there.verdict) {
                (Verdict::Skip, Verdict::Skip) => {}
                (Verdict::Skip, _) => self.not_in_contract_tier += 1,
                (_, Verdict::Skip) => self.not_in_images += 1,
                _ => self.compare(candidate, here, there, contract),
            }
        }
    }

    fn compare(&mut self, candidate: &str, here: &ScenarioReport, there: &ScenarioReport, contract: Option<&Contract>) {
        self.compared += 1;
        let (ours, theirs) = (standings(here, Tier::Contract, contract), standings(there, Tier::Image, contract));
        // What the contract tier has an eye for in this scenario.
        let checked: BTreeSet<CheckId> = here.findings.iter().map(|finding| finding.id).collect();
        for (clause, ours) in &ours {
            let Some(theirs) = theirs.get(clause) else { continue };
            self.clauses += 1;
            if ours.broken.is_empty() == theirs.broken.is_empty() {
                continue;
            }
            if ours.broken.is_empty() && theirs.broken.iter().all(|finding| !checked.contains(&finding.id)) {
                self.unseen += 1;
                continue;
            }
            self.disagreements.push(Disagreement {
                candidate: candidate.to_owned(),
                scenario: here.name.clone(),
                cell: here.cell.to_string(),
                clause: clause.clone(),
                sides: [Side::of(Tier::Contract, ours, here), Side::of(Tier::Image, theirs, there)],
            });
        }
    }
}

impl Side {
    fn of(tier: Tier, standing: &Standing<'_>, report: &ScenarioReport) -> Self {
        let assertion = |finding: &&Finding| match &finding.outcome {
            Outcome::Held => None,
            Outcome::Broken { expected, got } => {
                Some(Assertion { check: finding.check(), expected: expected.clone(), got: got.clone() })
            }
        };
        Self {
            tier,
            broken: standing.broken.iter().filter_map(assertion).collect(),
            held: standing.held,
            reproduce: report.reproduce.clone(),
        }
    }
}

/// What a tier found, by clause. Where only the other tier can tell that a clause is kept, that it was not found broken says nothing.
fn standings<'a>(
    report: &'a ScenarioReport,
    tier: Tier,
    contract: Option<&Contract>,
) -> BTreeMap<String, Standing<'a>> {
    let only = |clause: &ClauseId| {
        let clause = contract?.clauses.iter().find(|one| one.id == *clause)?;
        clause.tier
    };
    let mut standings: BTreeMap<String, Standing<'_>> = BTreeMap::new();
    for finding in &report.findings {
        let told = |clause: &&ClauseId| finding.is_broken() || only(clause).is_none_or(|only| only == tier);
        let mut rows: Vec<String> = finding.clauses.iter().filter(told).map(ToString::to_string).collect();
        if finding.clauses.is_empty() {
            rows.push(finding.id.to_string());
        }
        for row in rows {
            let standing = standings.entry(row).or_default();
            if finding.is_broken() {
                standing.broken.push(finding);
            } else {
                standing.held += 1;
            }
        }
    }
    standings
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { candidate, scenario, cell, clause, sides } = self;
        writeln!(f, "DISAGREEMENT on {clause} in {scenario} [{cell}]: {candidate}")?;
        for Side { tier, broken, held, reproduce } in sides {
            if broken.is_empty() {
                writeln!(f, "  {tier} tier: kept ({held} assertions held)")?;
            } else {
                writeln!(f, "  {tier} tier: BROKEN")?;
            }
            for Assertion { check, expected, got } in broken {
                writeln!(f, "    {check}")?;
                writeln!(f, "      expected  {}", expected.replace('\n', "\n                "))?;
                writeln!(f, "      got       {}", got.replace('\n', "\n                "))?;
            }
            writeln!(f, "    reproduce: {reproduce}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Agreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for disagreement in &self.disagreements {
            writeln!(f, "\n{disagreement}")?;
        }
        for fault in &self.faults {
            writeln!(f, "inconclusive: {fault}")?;
        }
        writeln!(
            f,
            "{} candidates, {} scenarios and {} clauses compared: {} disagreements",
            self.candidates,
            self.compared,
            self.clauses,
            self.disagreements.len()
        )?;
        writeln!(
            f,
            "not tried in the contract tier: {} scenarios, and {} clauses by what images found; not tried in images: {} scenarios",
            self.not_in_contract_tier, self.unseen, self.not_in_images
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Fault;
    use crate::outcome::samples::{finding, report};

    fn found(clause: u16, id: CheckId, broken: bool) -> Finding {
        Finding { id, clauses: vec![ClauseId::build(clause)], ..finding(broken) }
    }

    fn said(findings: Vec<Finding>) -> ScenarioReport {
        let verdict = Verdict::of(&findings, None, true);
        ScenarioReport { findings, ..report("s", verdict) }
    }

    fn held_against(here: ScenarioReport, there: ScenarioReport) -> Agreement {
        let mut agreement = Agreement::default();
        agreement.add("c", &[here], &[there], None);
        agreement
    }

    #[test]
    fn a_clause_broken_here_and_kept_there_is_a_disagreement_that_shows_both_sides() {
        let broken = || said(vec![found(18, CheckId::VcsNotInstalled, true)]);
        let kept = || said(vec![found(18, CheckId::CommandExitCode, false)]);
        let text = held_against(broken(), kept()).to_string();
        assert!(text.contains("DISAGREEMENT on BUILD-18 in s [python-3.11 docker]: c"), "{text}");
        assert!(
            text.contains("contract tier: BROKEN") && text.contains("image tier: kept (1 assertions held)"),
            "{text}"
        );
        assert_eq!(text.matches("reproduce: ").count(), 2, "{text}");
        assert!(text.contains("1 scenarios and 1 clauses compared: 1 disagreements"), "{text}");
        // The same check made in both tiers, the other way round.
        let outcome = |broken| said(vec![found(6, CheckId::BuildOutcome, broken)]);
        assert_eq!(held_against(outcome(false), outcome(true)).disagreements.len(), 1);
    }

    #[test]
    fn what_both_break_or_both_keep_is_agreed() {
        for broken in [true, false] {
            let (here, there) = (CheckId::RequirementInstalled, CheckId::BuildOutcome);
            let agreement = held_against(said(vec![found(21, here, broken)]), said(vec![found(21, there, broken)]));
            assert_eq!((agreement.compared, agreement.clauses, agreement.disagreements.len()), (1, 1, 0));
        }
    }

    #[test]
    fn what_a_tier_has_nothing_to_say_of_is_not_tried() {
        let both = || vec![found(1, CheckId::BuildOutcome, false)];
        let more = said([both(), vec![found(25, CheckId::RequirementUpgraded, true)]].concat());
        assert!(held_against(more, said(both())).disagreements.is_empty());
        // Broken in images by what the contract tier does not look at.
        let seen = said([both(), vec![found(1, CheckId::HttpStatus, true)]].concat());
        let agreement = held_against(said(both()), seen);
        assert_eq!((agreement.unseen, agreement.disagreements.len()), (1, 0));
    }

    #[test]
    fn what_was_skipped_or_inconclusive_is_counted() {
        let tried = || said(vec![found(1, CheckId::BuildOutcome, false)]);
        let skipped = || report("s", Verdict::Skip);
        assert_eq!(held_against(skipped(), tried()).not_in_contract_tier, 1);
        assert_eq!(held_against(tried(), skipped()).not_in_images, 1);
        let fault = Some(Fault { what: "the engine is gone".into(), hint: None });
        let agreement = held_against(tried(), ScenarioReport { fault, ..report("s", Verdict::Error) });
        assert_eq!(agreement.faults, ["c (image): s: the engine is gone"]);
        let mut agreement = Agreement::default();
        agreement.add("c", &[tried()], &[report("other", Verdict::Pass)], None);
        assert_eq!(agreement.faults, ["c (contract): other: not reported", "c (image): s: not reported"]);
        assert_eq!(agreement.compared, 0);
    }
}
