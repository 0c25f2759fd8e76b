//! `report.json` read back, as [`Document`](super::document::Document) specifies it.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::check::printable;
use crate::isolation::Isolation;
use crate::outcome::{CellName, Fault, Log, Outcome};
use crate::run::shard::ShardOf;
use crate::run::tally::Tally;

/// The version of the format that is read.
const VERSION: u64 = 1;
/// How large a report may be, in bytes: that of ten thousand scenarios has a tenth of it.
const MOST: u64 = 1 << 30;

/// Why a report was not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("cannot read {}", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error("{} has more than {MOST} bytes", path.display())]
    Large { path: PathBuf },
    #[error("{} is not a report of wsgi-proof", path.display())]
    NoReport { path: PathBuf, source: serde_json::Error },
    #[error("{} has version {version} of the format, and this program reads version {VERSION}", path.display())]
    Version { path: PathBuf, version: u64 },
}

impl ReadError {
    /// What to do about it.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::Io { .. } | Self::Large { .. } | Self::NoReport { .. } => {
                "name the report.json that `wsgi-proof run --report DIR` wrote to DIR"
            }
            Self::Version { .. } => "use the version of wsgi-proof that wrote it",
        }
    }
}

/// What a run left.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct RunRead {
    pub complete: bool,
    /// How it ended, if it did: `completed`, or what stopped it.
    pub end: Option<String>,
    pub exit_code: u8,
    /// None where it was stopped before it began.
    pub run: Option<StartRead>,
    pub tally: Tally,
    pub preparations: Vec<PreparationRead>,
    pub scenarios: Vec<ScenarioRead>,
    pub finish: Option<FinishRead>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct StartRead {
    pub run: String,
    pub started: String,
    pub jobs: usize,
    pub engine: String,
    pub candidate: String,
    /// The digest of the suite; not in older reports.
    #[serde(default)]
    pub suite: Option<String>,
    pub cells: Vec<CellName>,
    pub strict: bool,
    pub isolation: String,
    /// Of a part of a run, which one.
    #[serde(default)]
    pub shard: Option<ShardOf>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct PreparationRead {
    pub what: String,
    pub ready: bool,
    pub note: String,
    pub milliseconds: u64,
    /// When it began, in milliseconds since the run did; not in older reports, nor of what was not run.
    #[serde(default)]
    pub began: Option<u64>,
    pub log: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ScenarioRead {
    pub label: String,
    pub summary: String,
    pub at: AtRead,
    pub proves: Vec<String>,
    pub verdict: String,
    pub findings: Vec<FindingRead>,
    pub fault: Option<Fault>,
    pub not_run: Vec<String>,
    pub logs: Vec<Log>,
    pub took: Duration,
    pub stages: Vec<(String, Duration)>,
    /// When it began, in milliseconds since the run did; not in older reports, nor of what was not run.
    #[serde(default)]
    pub began: Option<u64>,
    pub reproduce: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct AtRead {
    pub file: String,
    pub line: usize,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct FindingRead {
    pub check: String,
    pub at: AtRead,
    pub level: String,
    pub stage: String,
    pub clauses: Vec<String>,
    pub outcome: Outcome,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct FinishRead {
    pub took: Duration,
    /// The processor time of the suite itself.
    pub own: Duration,
    pub fixtures: String,
    pub undeclared: Vec<String>,
    pub shortfalls: Vec<String>,
    pub flaky: Vec<String>,
    pub isolation: Isolation,
    pub notes: Vec<String>,
}

/// Reads a report.
///
/// # Errors
/// When the file is none, or of another version.
pub(crate) fn read(path: &Path) -> Result<RunRead, ReadError> {
    let document = document(path)?;
    of(document).map_err(|source| ReadError::NoReport { path: path.to_owned(), source })
}

/// Reads a report as it stands.
///
/// # Errors
/// When the file is none, or of another version.
pub(crate) fn document(path: &Path) -> Result<Value, ReadError> {
    let io = |source| ReadError::Io { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    File::open(path).map_err(io)?.take(MOST + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > MOST {
        return Err(ReadError::Large { path: path.to_owned() });
    }
    let no_report = |source| ReadError::NoReport { path: path.to_owned(), source };
    let document: Value = serde_json::from_slice(&bytes).map_err(no_report)?;
    if let Some(version) = document["version"].as_u64().filter(|version| *version != VERSION) {
        return Err(ReadError::Version { path: path.to_owned(), version });
    }
    Ok(document)
}

/// What a document says, in texts that can be shown: control characters are in the file as they were.
///
/// # Errors
/// When it is no report.
pub(crate) fn of(mut document: Value) -> serde_json::Result<RunRead> {
    make_printable(&mut document);
    serde_json::from_value(document)
}

fn make_printable(value: &mut Value) {
    match value {
        Value::String(text) => *text = printable(text),
        Value::Array(items) => items.iter_mut().for_each(make_printable),
        Value::Object(fields) => fields.values_mut().for_each(make_printable),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_report_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        let told = |text: &str| {
            std::fs::write(&path, text).unwrap();
            read(&path).unwrap_err().to_string()
        };
        let name = path.display();
        for text in ["", "[]", "{\"version\":1}", "{\"version\":1,\"scenarios\":[{}]}", "<xml/>"] {
            assert_eq!(told(text), format!("{name} is not a report of wsgi-proof"), "{text}");
        }
        let version = format!("{name} has version 2 of the format, and this program reads version 1");
        assert_eq!(told("{\"version\":2}"), version);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(read(&path).unwrap_err().to_string(), format!("cannot read {name}"));
    }
}
