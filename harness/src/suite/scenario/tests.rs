//! Scenarios for tests of what comes after loading.

use std::collections::BTreeMap;
use std::path::PathBuf;

use regex::Regex;

use super::*;
use crate::suite::cell::tests::cell;
use crate::suite::diagnostic::Diagnostics;
use crate::suite::dialect::Dialect;

/// Loads the scenarios of a folder for the default cell.
pub(crate) fn load_here(root: &std::path::Path) -> Result<Vec<Scenario>, Diagnostics> {
    let variants = ["python-2.7".to_owned(), "python-3.11".to_owned()];
    load(root, &Setting { cell: &cell(Dialect::Docker), variants: &variants })
}

/// A scenario of this name on this subject; an application's build must succeed and then serve, or fail.
pub(crate) fn scenario(name: &str, subject: Subject, succeeds: bool) -> Scenario {
    let at = At { file: PathBuf::from(name).join("scenario.toml"), line: 1 };
    let declared = || At { line: 4, ..at.clone() };
    let outcome = if succeeds {
        BuildOutcome::Success
    } else {
        BuildOutcome::Failure {
            phase: Declared { value: Phase::Pip, at: declared() },
            exit_code: Declared { value: FailureCode::OneOf(vec![1]), at: declared() },
            because: Declared { value: Regex::new("No matching").unwrap_or_else(|_| unreachable!()), at: declared() },
        }
    };
    let application = subject == Subject::Application;
    Scenario {
        name: name.to_owned(),
        summary: Declared { value: format!("The summary of {name}"), at: at.clone() },
        source: "a test".to_owned(),
        proves: Vec::new(),
        subject,
        dialect: Dialect::Docker,
        not_applicable: None,
        not_in_contract_tier: None,
        keep_folders: false,
        limits: Vec::new(),
        generate: None,
        app: application.then(|| PathBuf::from(name).join("app")),
        modes: BTreeMap::new(),
        absent_packages: Vec::new(),
        build: application.then(|| BuildExpectation {
            outcome: Declared { value: outcome, at: declared() },
            folders: Dialect::Docker.folders(),
            phases: None,
            should_log: Vec::new(),
            log: Vec::new(),
            tool_log: Vec::new(),
            log_absent: Vec::new(),
        }),
        rebuilds: Vec::new(),
        image: ImageExpectation::default(),
        files: Vec::new(),
        commands: Vec::new(),
        structure: Vec::new(),
        serve: (application && succeeds).then(|| ServeExpectation::nothing(at.clone())),
    }
}
