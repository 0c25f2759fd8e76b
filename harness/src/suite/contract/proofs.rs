//! Which scenarios prove which clauses, and what is wrong with what they name.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::path::Path;

use super::{Clause, Proof};
use crate::outcome::At;
use crate::suite::cell::Cell;
use crate::suite::diagnostic::{Diagnostic, Faults};
use crate::suite::scenario::Scenario;

/// The scenarios that prove each clause, and the faults of what they name.
pub(super) fn proofs<S: Borrow<Scenario>>(
    clauses: &[Clause],
    root: &Path,
    cells: &[(Cell, Vec<S>)],
    faults: &mut Faults,
) -> BTreeMap<String, Vec<Proof>> {
    let mut proofs: BTreeMap<String, Vec<Proof>> =
        clauses.iter().map(|clause| (clause.id.clone(), Vec::new())).collect();
    for (place, (cell, scenarios)) in cells.iter().enumerate() {
        for scenario in scenarios.iter().map(Borrow::borrow) {
            let fault = |at: &At, what: String| Diagnostic::of_line(root, at, what);
            let holds =
                |id: &String| clauses.iter().any(|clause| clause.id == *id && clause.dialects.contains(&cell.dialect));
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
            }
        }
    }
    proofs
}
