//! What failed in the last run, for the next one: a file in the cache folder.

use std::path::Path;

use super::Failure;
use crate::host::written;
use crate::outcome::Verdict;
use crate::run::session::Ended;
use crate::run::tally::ExitCode;

/// The file's name.
const FILE: &str = "last-failed.json";
/// How large it may be, in bytes.
const MOST: u64 = 1 << 20;

/// Writes down what failed or was inconclusive, once each. What cannot be written is no fault of the run.
pub(super) fn note(cache: &Path, ended: &Ended) {
    let bad = ended.reports.iter().filter(|report| matches!(report.verdict, Verdict::Fail | Verdict::Error));
    let mut names: Vec<&str> = bad.map(|report| report.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let text = serde_json::to_vec(&names).unwrap_or_default();
    if let Err(error) = written::file(&cache.join(FILE), &text) {
        tracing::warn!(%error, "cannot write down what failed");
    }
}

/// The filters that select what failed in the last run.
///
/// # Errors
/// When nothing did, or there was none.
pub(super) fn filters(cache: &Path) -> Result<Vec<String>, Failure> {
    let path = cache.join(FILE);
    let is_small = path.symlink_metadata().is_ok_and(|data| data.is_file() && data.len() <= MOST);
    let text = if is_small { std::fs::read(&path).unwrap_or_default() } else { Vec::new() };
    let names: Vec<String> = serde_json::from_slice(&text).unwrap_or_default();
    if names.is_empty() {
        let hint = "without --last-failed all scenarios run";
        return Err(Failure::new(ExitCode::NothingSelected, &"nothing failed in the last run", Some(hint)));
    }
    Ok(names.into_iter().map(|name| format!("={name}")).collect())
}
