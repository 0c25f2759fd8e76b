//! The contract: the numbered clauses that an image family must keep, and which scenarios prove them.
//!
//! `scenarios/contract.toml` is its source. A suite of a few scenarios of one's own may have none, and says so by a file without
//! clauses; that the file is not there is a mistake.

mod attribution;
mod page;
mod proofs;

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use crate::outcome::{CellName, CheckId, ClauseId, Level};
use crate::suite::cell::Cell;
use crate::suite::diagnostic::Faults;
use crate::suite::dialect::Dialect;
use crate::suite::scenario::Scenario;
use crate::suite::tier::Tier;
use crate::suite::toml_file::{self, TomlError};

pub(crate) use attribution::Attribution;

/// The file's name, in the folder of the scenarios.
pub(crate) const CONTRACT_FILE: &str = "contract.toml";
/// The version of its format.
const VERSION: u32 = 1;

/// A clause of the contract.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Clause {
    /// Its id, such as `BUILD-1`.
    pub id: ClauseId,
    /// How binding it is.
    pub level: Level,
    /// The dialects that it holds in.
    pub dialects: BTreeSet<Dialect>,
    /// The clause, in one sentence.
    pub says: String,
    /// The passage that it comes from.
    pub source: String,
    /// Why it has this level, where the passage alone does not say so.
    pub why: Option<String>,
    /// The checks whose findings speak for this clause in the scenarios that cover it, and for others only where they name them
    /// too; a clause that names none is spoken for by all that no clause of the scenario names.
    #[serde(default)]
    pub checks: Vec<CheckId>,
    /// The checks whose findings speak for this clause alone, whatever a scenario covers.
    #[serde(default)]
    pub everywhere: Vec<CheckId>,
    /// The only tier in which the clause can be told to be kept, where it takes one.
    pub tier: Option<Tier>,
}

/// A bug that the real project had, and what shows that the images do not have it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bug {
    /// Its number in the history of the real project.
    pub number: u32,
    /// The bug, in one sentence.
    pub was: String,
    /// The scenarios that would fail if it came back.
    #[serde(default)]
    pub scenarios: Vec<String>,
    /// Why there is none.
    pub not_applicable: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: Spanned<u32>,
    #[serde(default)]
    clause: Vec<Spanned<Clause>>,
    #[serde(default)]
    bug: Vec<Spanned<Bug>>,
}

/// A scenario that proves a clause, and where it does not apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proof {
    pub scenario: String,
    /// Why it does not apply, by the cell's place in [`Contract::cells`].
    pub not_applicable: BTreeMap<usize, String>,
}

/// What a clause comes to in a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coverage {
    /// It does not hold in the cell's dialect.
    Elsewhere,
    /// So many scenarios prove it.
    Proved(usize),
    /// Every scenario that proves it says why it does not apply in the cell.
    Reasons,
    /// No scenario proves it.
    Unproved,
}

/// The contract, and the scenarios that prove each clause.
#[derive(Debug, Clone)]
pub(crate) struct Contract {
    /// The cells that the scenarios were loaded for.
    pub cells: Vec<CellName>,
    /// The clauses, in the order of the file.
    pub clauses: Vec<Clause>,
    /// The real project's bugs, in the order of the file.
    pub bugs: Vec<Bug>,
    proofs: BTreeMap<ClauseId, Vec<Proof>>,
}

impl Contract {
    /// Reads the contract of a suite, and which of its scenarios prove what in the cells that they were loaded for; `None`
    /// where the file has no clauses.
    ///
    /// # Errors
    /// When the file is not there or not valid, a scenario names no clause, one that there is not, or none that holds where it applies, or
    /// a MUST is not proved.
    pub(crate) fn load<S: Borrow<Scenario>>(root: &Path, cells: &[(Cell, Vec<S>)]) -> Result<Option<Self>, TomlError> {
        let (file, mut faults): (File, Faults) = toml_file::read(&root.join(CONTRACT_FILE))?;
        if file.clause.is_empty() && file.bug.is_empty() {
            faults.version(&file.version, VERSION);
            return faults.finish(None);
        }
        Self::of(file, faults, root, cells).map(Some)
    }

    fn of<S: Borrow<Scenario>>(
        file: File,
        mut faults: Faults,
        root: &Path,
        cells: &[(Cell, Vec<S>)],
    ) -> Result<Self, TomlError> {
        faults.version(&file.version, VERSION);
        let mut places: BTreeMap<ClauseId, Range<usize>> = BTreeMap::new();
        let mut owners: BTreeMap<CheckId, ClauseId> = BTreeMap::new();
        for spanned in &file.clause {
            let Clause { id, says, dialects, everywhere, .. } = spanned.get_ref();
            for check in everywhere {
                if let Some(owner) = owners.insert(*check, *id) {
                    faults.at(spanned.span(), format!("the check `{check}` is {owner}'s everywhere already"));
                }
            }
            if says.trim().is_empty() || dialects.is_empty() {
                faults.at(spanned.span(), format!("{id} says nothing, or holds in no dialect"));
            }
            if let Some(first) = places.insert(*id, spanned.span()) {
                let line = faults.source().position(first.start).0;
                faults.at(spanned.span(), format!("{id} stands in line {line} already"));
            }
        }
        let clauses: Vec<Clause> = file.clause.iter().map(|clause| clause.get_ref().clone()).collect();
        let proofs = proofs::proofs(&clauses, root, cells, &mut faults);
        for clause in &clauses {
            if clause.level == Level::Must && proofs.get(&clause.id).is_some_and(Vec::is_empty) {
                let place = places.get(&clause.id).cloned().unwrap_or_default();
                faults
                    .at(place, format!("no scenario proves {}, which is a MUST", clause.id))
                    .advice("name it in `proves` of a scenario, or let it be a SHOULD until there is one");
            }
        }
        let known: BTreeSet<&str> =
            cells.iter().flat_map(|(_, scenarios)| scenarios).map(|one| one.borrow().name.as_str()).collect();
        for spanned in &file.bug {
            let Bug { number, scenarios, not_applicable, .. } = spanned.get_ref();
            if scenarios.is_empty() != not_applicable.is_some() {
                faults.at(spanned.span(), format!("bug {number} needs either `scenarios` or `not_applicable`"));
            }
            for name in scenarios.iter().filter(|name| !known.contains(name.as_str())) {
                faults.at(spanned.span(), format!("bug {number}: there is no scenario {name}"));
            }
        }
        let bugs = file.bug.into_iter().map(Spanned::into_inner).collect();
        let cells = cells.iter().map(|(cell, _)| cell.into()).collect();
        faults.finish(Self { cells, clauses, bugs, proofs })
    }

    /// The scenarios that prove a clause.
    pub(crate) fn proved_by(&self, id: ClauseId) -> &[Proof] {
        self.proofs.get(&id).map_or(&[], Vec::as_slice)
    }

    /// What a clause comes to in a cell, given by its place in [`Contract::cells`].
    pub(crate) fn coverage(&self, clause: &Clause, cell: usize) -> Coverage {
        if self.cells.get(cell).is_none_or(|name| !clause.dialects.iter().any(|dialect| dialect.name() == name.dialect))
        {
            return Coverage::Elsewhere;
        }
        let proofs = self.proved_by(clause.id);
        match proofs.iter().filter(|proof| !proof.not_applicable.contains_key(&cell)).count() {
            0 if proofs.is_empty() => Coverage::Unproved,
            0 => Coverage::Reasons,
            count => Coverage::Proved(count),
        }
    }

    /// Where scenarios do not apply: the scenario, its reason, and the cells.
    pub(crate) fn exceptions(&self) -> BTreeMap<(String, String), BTreeSet<usize>> {
        let mut exceptions: BTreeMap<(String, String), BTreeSet<usize>> = BTreeMap::new();
        for proof in self.proofs.values().flatten() {
            for (cell, reason) in &proof.not_applicable {
                exceptions.entry((proof.scenario.clone(), reason.clone())).or_default().insert(*cell);
            }
        }
        exceptions
    }
}

#[cfg(test)]
pub(crate) mod tests;
