//! The lock of a suite: for each tier how many scenarios run in each cell, and how many assertions each of them makes.
//!
//! A run that did less is not green: an assertion that is gone, or a scenario that is skipped or lost, shows as a change of
//! `scenarios/assertions.lock`, which `wsgi-proof run --write-lock` makes anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use crate::outcome::{CellName, ScenarioReport, Verdict};
use crate::suite::tier::Tier;
use crate::suite::toml_file::{self, TomlError};

/// The file's name, in the folder of the scenarios.
pub(crate) const LOCK_FILE: &str = "assertions.lock";
/// The version of its format.
const VERSION: u32 = 2;

/// What adds to the lock what it does not have.
pub(crate) const RELOCK: &str = "`wsgi-proof run --variant all --dialect all --write-lock`, in each --tier";

/// The counts that runs must reach. A tier without counts is not held to any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SuiteLock {
    image: Option<Counts>,
    contract: Option<Counts>,
}

/// How much of a run is held against the lock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    /// Whether nothing was left out by a filter, so that scenarios are counted.
    pub whole: bool,
    /// Whether assertions are counted.
    pub assertions: bool,
}

/// What a run came to, held against the lock.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Comparison {
    /// What the lock requires and the run did not reach.
    pub shortfalls: Vec<String>,
    /// What was run that the lock does not have, and is so held to nothing: scenarios, cells, or the tier as a whole.
    pub unlocked: Vec<String>,
}

/// The file as it stands.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "version")]
    _version: u32,
    image: Option<Counts>,
    contract: Option<Counts>,
}

/// The counts that a run of a tier must reach.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Counts {
    /// Scenarios that run, by cell.
    cells: BTreeMap<String, usize>,
    scenarios: BTreeMap<String, usize>,
}

/// The version alone, of a file of any version.
#[derive(Deserialize)]
struct Versioned {
    version: Spanned<u32>,
}

/// Why the lock cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SuiteLockError {
    /// It cannot be read or is not valid.
    #[error(transparent)]
    Invalid(#[from] TomlError),
    /// It cannot be written.
    #[error("{path}: {source}")]
    Unwritable { path: String, source: std::io::Error },
}

impl SuiteLockError {
    /// Whether there is no such file.
    pub(crate) fn is_not_there(&self) -> bool {
        matches!(self, Self::Invalid(TomlError::Unreadable { why, .. }) if why.kind() == std::io::ErrorKind::NotFound)
    }
}

impl SuiteLock {
    /// Reads the lock of a suite.
    ///
    /// # Errors
    /// When the file is not there, cannot be read or is not valid.
    pub(crate) fn load(root: &Path) -> Result<Self, SuiteLockError> {
        let path = root.join(LOCK_FILE);
        let (Versioned { version }, mut faults) = toml_file::read(&path)?;
        faults.version(&version, VERSION);
        faults.finish(())?;
        let (File { image, contract, .. }, faults) = toml_file::read(&path)?;
        Ok(faults.finish(Self { image, contract })?)
    }

    /// The lock that these reports of a tier make, where `self` says what it was before.
    #[must_use]
    pub(crate) fn renewed(&self, tier: Tier, reports: &[ScenarioReport]) -> Self {
        let mut lock = self.clone();
        let counts = match tier {
            Tier::Image => &mut lock.image,
            Tier::Contract => &mut lock.contract,
        };
        *counts = Some(counts.take().unwrap_or_default().renewed(reports));
        lock
    }

    /// Writes the lock of a suite.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn write(&self, root: &Path) -> Result<(), SuiteLockError> {
        let mut text = format!(
            "# How many scenarios run in each cell, and how many assertions each makes: a run that does less fails. Made by\n\
             # `wsgi-proof run --variant all --dialect all --write-lock`, with `--tier contract` for that tier; not to be edited.\n\
             version = {VERSION}\n"
        );
        for (tier, counts) in [(Tier::Image, &self.image), (Tier::Contract, &self.contract)] {
            if let Some(counts) = counts {
                counts.write(tier, &mut text);
            }
        }
        let path = root.join(LOCK_FILE);
        std::fs::write(&path, text)
            .map_err(|source| SuiteLockError::Unwritable { path: path.display().to_string(), source })
    }

    /// Whether it has counts of a tier.
    pub(crate) fn has(&self, tier: Tier) -> bool {
        self.of(tier).is_some()
    }

    fn of(&self, tier: Tier) -> Option<&Counts> {
        match tier {
            Tier::Image => self.image.as_ref(),
            Tier::Contract => self.contract.as_ref(),
        }
    }

    /// Holds these reports of a tier against it. Of scenarios that did not pass the verdict says enough.
    pub(crate) fn compare(
        &self,
        tier: Tier,
        reports: &[ScenarioReport],
        cells: &[CellName],
        extent: Extent,
    ) -> Comparison {
        match self.of(tier) {
            Some(counts) => counts.compare(reports, cells, extent),
            None => Comparison { unlocked: vec![format!("the {tier} tier")], ..Comparison::default() },
        }
    }
}

impl Counts {
    /// The counts that these reports make. A scenario has as many assertions as it made in the cell in which it made the fewest.
    fn renewed(&self, reports: &[ScenarioReport]) -> Self {
        let mut counts = Self { cells: self.cells.clone(), scenarios: BTreeMap::new() };
        for report in reports {
            counts.cells.insert(report.cell.to_string(), ran(reports, &report.cell));
        }
        for report in reports.iter().filter(|report| report.verdict != Verdict::Skip) {
            let made = report.findings.len();
            let count = counts.scenarios.entry(report.name.clone()).or_insert(made);
            *count = made.min(*count);
        }
        for report in reports {
            // A scenario that was skipped in every cell of the run keeps its count.
            if let Some(count) = self.scenarios.get(&report.name) {
                counts.scenarios.entry(report.name.clone()).or_insert(*count);
            }
        }
        counts
    }

    fn write(&self, tier: Tier, text: &mut String) {
        let _ = writeln!(text, "\n[{tier}.cells]");
        for (cell, count) in &self.cells {
            let _ = writeln!(text, "\"{cell}\" = {count}");
        }
        let _ = writeln!(text, "\n[{tier}.scenarios]");
        for (name, count) in &self.scenarios {
            let _ = writeln!(text, "{name} = {count}");
        }
    }

    fn compare(&self, reports: &[ScenarioReport], cells: &[CellName], extent: Extent) -> Comparison {
        let mut shortfalls = Vec::new();
        let mut unlocked = BTreeSet::new();
        for report in reports.iter().filter(|report| report.verdict != Verdict::Skip) {
            let made = report.findings.len();
            match self.scenarios.get(&report.name) {
                Some(count) if made < *count && extent.assertions && report.verdict == Verdict::Pass => {
                    shortfalls.push(format!("{} made {made} assertions; {LOCK_FILE} requires {count}", report.label));
                }
                Some(_) => {}
                None => {
                    unlocked.insert(report.name.clone());
                }
            }
        }
        for cell in cells.iter().filter(|_| extent.whole) {
            let run = ran(reports, cell);
            match self.cells.get(&cell.to_string()) {
                Some(count) if run < *count => {
                    shortfalls.push(format!("{run} scenarios ran in {cell}; {LOCK_FILE} requires {count}"));
                }
                Some(_) => {}
                None => {
                    unlocked.insert(cell.to_string());
                }
            }
        }
        Comparison { shortfalls, unlocked: unlocked.into_iter().collect() }
    }
}

/// How many scenarios ran in a cell, each counted once however often it was repeated.
fn ran(reports: &[ScenarioReport], cell: &CellName) -> usize {
    let run = reports.iter().filter(|report| report.cell == *cell && report.verdict != Verdict::Skip);
    run.map(|report| report.name.as_str()).collect::<BTreeSet<_>>().len()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::outcome::samples::{self, finding, report};

    fn made(name: &str, verdict: Verdict, assertions: usize) -> ScenarioReport {
        let mut report = report(name, verdict);
        report.findings = vec![finding(false); assertions];
        report
    }

    fn lock() -> SuiteLock {
        let reports = [made("a", Verdict::Pass, 3), made("a", Verdict::Pass, 3), made("b", Verdict::Skip, 0)];
        SuiteLock::default().renewed(Tier::Image, &reports)
    }

    const ALL: Extent = Extent { whole: true, assertions: true };

    fn compare(reports: &[ScenarioReport], extent: Extent) -> Comparison {
        let cell = made("a", Verdict::Pass, 1).cell;
        lock().compare(Tier::Image, reports, &[cell], extent)
    }

    fn shortfalls(reports: &[ScenarioReport], whole: bool) -> Vec<String> {
        compare(reports, Extent { whole, ..ALL }).shortfalls
    }

    #[test]
    fn as_much_or_more_is_enough() {
        assert_eq!(shortfalls(&[made("a", Verdict::Pass, 3)], true), Vec::<String>::new());
        assert_eq!(shortfalls(&[made("a", Verdict::Warn, 4)], true), Vec::<String>::new());
        assert_eq!(shortfalls(&[], false), Vec::<String>::new());
    }

    #[test]
    fn fewer_assertions_or_scenarios_are_told() {
        assert_eq!(
            shortfalls(&[made("a", Verdict::Pass, 2)], true),
            ["a made 2 assertions; assertions.lock requires 3"]
        );
        assert_eq!(
            shortfalls(&[made("a", Verdict::Skip, 0)], true),
            ["0 scenarios ran in python-3.11 docker; assertions.lock requires 1"]
        );
    }

    #[test]
    fn what_is_new_is_no_shortfall() {
        let reports = [made("a", Verdict::Pass, 3), made("c", Verdict::Pass, 2), made("d", Verdict::Fail, 2)];
        let new = Comparison { shortfalls: Vec::new(), unlocked: vec!["c".to_owned(), "d".to_owned()] };
        assert_eq!(compare(&reports, ALL), new);
        assert_eq!(compare(&[made("new", Verdict::Skip, 0)], Extent { whole: false, ..ALL }), Comparison::default());
        let cell = CellName { variant: "new".into(), ..samples::cell() };
        assert_eq!(lock().compare(Tier::Image, &[], &[cell], ALL).unlocked, ["new docker"]);
        assert_eq!(lock().compare(Tier::Contract, &reports, &[], ALL).unlocked, ["the contract tier"]);
    }

    #[test]
    fn scenarios_are_counted_where_assertions_are_not() {
        let extent = Extent { assertions: false, ..ALL };
        assert_eq!(compare(&[made("a", Verdict::Pass, 1)], extent), Comparison::default());
        assert_eq!(compare(&[], extent).shortfalls.len(), 1);
    }

    #[test]
    fn what_is_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        assert!(SuiteLock::load(folder.path()).unwrap_err().is_not_there());
        lock().write(folder.path()).unwrap();
        assert_eq!(SuiteLock::load(folder.path()).unwrap(), lock());
        std::fs::write(folder.path().join(LOCK_FILE), "version = 1\n[cells]\n[scenarios]\n").unwrap();
        assert!(SuiteLock::load(folder.path()).unwrap_err().to_string().contains("this program reads version 2"));
    }

    #[test]
    fn a_tier_has_counts_of_its_own() {
        let reports = [made("a", Verdict::Pass, 1)];
        let cell = reports[0].cell.clone();
        let cells = [cell];
        assert!(lock().has(Tier::Image) && !lock().has(Tier::Contract));
        let both = lock().renewed(Tier::Contract, &reports);
        assert_eq!(both.compare(Tier::Contract, &reports, &cells, ALL), Comparison::default());
        assert_eq!(both.compare(Tier::Image, &reports, &cells, ALL).shortfalls.len(), 1);
    }
}
