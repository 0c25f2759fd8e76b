//! The lock of a suite: how many scenarios run in each cell, and how many assertions each of them makes.
//!
//! A run that did less is not green: an assertion that is gone, or a scenario that is skipped or lost, shows as a change of
//! `scenarios/assertions.lock`, which `wsgi-proof run --write-lock` makes anew.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use serde::Deserialize;

use crate::outcome::{CellName, ScenarioReport, Verdict};

/// The file's name, in the folder of the scenarios.
pub const LOCK_FILE: &str = "assertions.lock";

/// The counts that a run must reach.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuiteLock {
    version: u32,
    /// Scenarios that run, by cell.
    cells: BTreeMap<String, usize>,
    /// Assertions, by scenario.
    scenarios: BTreeMap<String, usize>,
}

/// Why the lock cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SuiteLockError {
    /// It cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is not valid.
    #[error("{path}: {why}")]
    Invalid {
        /// The file.
        path: String,
        /// Why, with the line.
        why: String,
    },
}

impl SuiteLock {
    /// Reads the lock of a suite; `None` where it has none.
    ///
    /// # Errors
    /// When the file cannot be read or is not valid.
    pub fn load(root: &Path) -> Result<Option<Self>, SuiteLockError> {
        let path = root.join(LOCK_FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(SuiteLockError::File { path: path.display().to_string(), source }),
        };
        let invalid = |why: String| SuiteLockError::Invalid { path: path.display().to_string(), why };
        let lock: Self = toml::from_str(&text).map_err(|error| invalid(error.to_string()))?;
        if lock.version != 1 {
            return Err(invalid("this program reads version 1".to_owned()));
        }
        Ok(Some(lock))
    }

    /// The lock that these reports make, where `self` says what it was before. A scenario has as many assertions as it made in the
    /// cell in which it made the fewest.
    #[must_use]
    pub fn renewed(&self, reports: &[ScenarioReport]) -> Self {
        let mut lock = Self { version: 1, ..Self::default() };
        lock.cells.clone_from(&self.cells);
        for cell in reports.iter().map(|report| report.cell.to_string()) {
            lock.cells.insert(cell, 0);
        }
        for report in reports.iter().filter(|report| report.verdict != Verdict::Skip) {
            *lock.cells.entry(report.cell.to_string()).or_default() += 1;
            let made = report.findings.len();
            let count = lock.scenarios.entry(report.name.clone()).or_insert(made);
            *count = made.min(*count);
        }
        for report in reports {
            // A scenario that was skipped in every cell of the run keeps its count.
            if let Some(count) = self.scenarios.get(&report.name) {
                lock.scenarios.entry(report.name.clone()).or_insert(*count);
            }
        }
        lock
    }

    /// Writes the lock of a suite.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, root: &Path) -> Result<(), SuiteLockError> {
        let mut text = String::from(
            "# How many scenarios run in each cell, and how many assertions each makes: a run that does less fails. Made by\n\
             # `wsgi-proof run --variant all --dialect all --write-lock`; not to be edited.\nversion = 1\n\n[cells]\n",
        );
        for (cell, count) in &self.cells {
            let _ = writeln!(text, "\"{cell}\" = {count}");
        }
        text.push_str("\n[scenarios]\n");
        for (name, count) in &self.scenarios {
            let _ = writeln!(text, "{name} = {count}");
        }
        let path = root.join(LOCK_FILE);
        std::fs::write(&path, text).map_err(|source| SuiteLockError::File { path: path.display().to_string(), source })
    }

    /// What these reports lack. Of scenarios that did not pass the verdict says enough. `whole` says that
    /// nothing was left out by a filter.
    pub fn shortfalls(&self, reports: &[ScenarioReport], cells: &[CellName], whole: bool) -> Vec<String> {
        let mut shortfalls = Vec::new();
        for report in reports.iter().filter(|report| report.verdict == Verdict::Pass) {
            let made = report.findings.len();
            match self.scenarios.get(&report.name) {
                Some(count) if made < *count => {
                    shortfalls.push(format!("{} made {made} assertions; {LOCK_FILE} requires {count}", report.label));
                }
                Some(_) => {}
                None => shortfalls.push(format!("{} is not in {LOCK_FILE}", report.label)),
            }
        }
        for cell in cells.iter().filter(|_| whole) {
            let run = reports.iter().filter(|report| report.cell == *cell && report.verdict != Verdict::Skip).count();
            match self.cells.get(&cell.to_string()) {
                Some(count) if run < *count => {
                    shortfalls.push(format!("{run} scenarios ran in {cell}; {LOCK_FILE} requires {count}"));
                }
                Some(_) => {}
                None => shortfalls.push(format!("{cell} is not in {LOCK_FILE}")),
            }
        }
        shortfalls
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::outcome::samples::{finding, report};

    fn made(name: &str, verdict: Verdict, assertions: usize) -> ScenarioReport {
        let mut report = report(name, verdict);
        report.findings = vec![finding(false); assertions];
        report
    }

    fn lock() -> SuiteLock {
        SuiteLock::default().renewed(&[made("a", Verdict::Pass, 3), made("b", Verdict::Skip, 0)])
    }

    fn shortfalls(reports: &[ScenarioReport], whole: bool) -> Vec<String> {
        let cell = made("a", Verdict::Pass, 1).cell;
        lock().shortfalls(reports, &[cell], whole)
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
        assert_eq!(shortfalls(&[made("c", Verdict::Pass, 2)], false), ["c is not in assertions.lock"]);
    }

    #[test]
    fn what_is_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(SuiteLock::load(folder.path()).unwrap(), None);
        lock().write(folder.path()).unwrap();
        assert_eq!(SuiteLock::load(folder.path()).unwrap(), Some(lock()));
        std::fs::write(folder.path().join(LOCK_FILE), "version = 2\n[cells]\n[scenarios]\n").unwrap();
        assert!(SuiteLock::load(folder.path()).unwrap_err().to_string().ends_with("this program reads version 1"));
    }
}
