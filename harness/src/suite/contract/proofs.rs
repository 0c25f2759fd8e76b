//! Which scenarios prove which clauses, and what is wrong with what they name and expect.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::path::Path;

use super::{Attribution, Clause, Proof};
use crate::outcome::{At, CheckId, ClauseId, listed};
use crate::suite::cell::Cell;
use crate::suite::diagnostic::{Diagnostic, Faults};
use crate::suite::scenario::Scenario;

/// The scenarios that prove each clause, and the faults of what they name.
pub(super) fn proofs<S: Borrow<Scenario>>(
    clauses: &[Clause],
    root: &Path,
    cells: &[(Cell, Vec<S>)],
    faults: &mut Faults,
) -> BTreeMap<ClauseId, Vec<Proof>> {
    let mut proofs: BTreeMap<ClauseId, Vec<Proof>> = clauses.iter().map(|clause| (clause.id, Vec::new())).collect();
    for (place, (cell, scenarios)) in cells.iter().enumerate() {
        for scenario in scenarios.iter().map(Borrow::borrow) {
            let fault = |at: &At, what: String| Diagnostic::of_line(root, at, what);
            let holds = |id: &ClauseId| {
                clauses.iter().any(|clause| clause.id == *id && clause.dialects.contains(&cell.dialect))
            };
            // What the file says is the same in every cell, and reported once.
            if place == 0 && scenario.proves.is_empty() {
                faults.push(fault(&scenario.summary.at, "the scenario names no clause that it proves".to_owned()));
            }
            for clause in &scenario.proves {
                match proofs.get_mut(&clause.value) {
                    Some(found) => {
                        if place == 0 {
                            let not_applicable = BTreeMap::new();
                            found.push(Proof { scenario: scenario.name.clone(), not_applicable });
                        }
                        let reason = scenario.not_applicable.as_ref();
                        if let (Some(reason), Some(proof)) =
                            (reason, found.iter_mut().find(|proof| proof.scenario == scenario.name))
                        {
                            proof.not_applicable.insert(place, reason.value.clone());
                        }
                    }
                    None if place == 0 => {
                        faults.push(fault(&clause.at, format!("there is no clause {}", clause.value)));
                    }
                    None => {}
                }
            }
            let idle = !scenario.proves.is_empty() && !scenario.proves.iter().any(|clause| holds(&clause.value));
            let known = scenario.proves.iter().all(|clause| proofs.contains_key(&clause.value));
            if idle && known && scenario.not_applicable.is_none() {
                faults.push(
                    fault(&scenario.summary.at, format!("none of its clauses holds in the dialect {}", cell.dialect))
                        .help("say `[[not_applicable]]`"),
                );
            } else if known && scenario.not_applicable.is_none() {
                // What does not depend on the cell is told once.
                let told = cells[..place].iter().any(|(earlier, _)| earlier.dialect == cell.dialect);
                if !told {
                    untaken(clauses, cell, scenario, |at, what| faults.push(fault(at, what)));
                }
            }
        }
    }
    proofs
}

/// Tells of what a scenario expects and no clause of it takes, and of clauses that take nothing of it.
fn untaken(clauses: &[Clause], cell: &Cell, scenario: &Scenario, mut fault: impl FnMut(&At, String)) {
    let covers: Vec<ClauseId> = scenario.proves.iter().map(|clause| clause.value).collect();
    let attribution = Attribution::new(clauses, &covers, cell.dialect);
    for (check, at) in shoulds(scenario) {
        if attribution.of(check, true).1.is_empty() {
            fault(at, format!("`{check}` is a SHOULD, and the scenario proves no clause that is one"));
        }
    }
    let mut named = Vec::new();
    named.extend(scenario.files.iter().flat_map(|file| &file.proves));
    named.extend(scenario.commands.iter().flat_map(|command| &command.proves));
    if let Some(serve) = &scenario.serve {
        named.extend(serve.http.iter().flat_map(|http| &http.proves));
        named.extend(serve.commands.iter().flat_map(|command| &command.proves));
    }
    for clause in named.iter().filter(|clause| !covers.contains(&clause.value)) {
        fault(
            &clause.at,
            format!("{} is none of the clauses that the scenario proves: {}", clause.value, listed(&covers)),
        );
    }
    let proved = |id: &ClauseId| scenario.proves.iter().find(|clause| clause.value == *id);
    for clause in attribution.idle().filter(|id| named.iter().all(|clause| clause.value != *id)) {
        let at = proved(&clause).map_or(&scenario.summary.at, |clause| &clause.at);
        fault(at, format!("{clause} is a SHOULD beside a MUST that takes every check: nothing here speaks for it"));
    }
}

/// The checks of a scenario that are SHOULDs whatever they are made for, and where they are declared.
fn shoulds(scenario: &Scenario) -> Vec<(CheckId, &At)> {
    let mut checks = Vec::new();
    if let Some(build) = &scenario.build {
        checks.extend(build.phases.iter().map(|phases| (CheckId::BuildPhases, &phases.at)));
        checks.extend(build.should_log.iter().map(|line| (CheckId::BuildLogShould, &line.at)));
    }
    let lines = scenario.serve.iter().flat_map(|serve| &serve.should_log);
    checks.extend(lines.map(|line| (CheckId::ContainerLogShould, &line.at)));
    checks
}
