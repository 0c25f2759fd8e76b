//! `verify`: other implementations of the steps, held against the contract.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::os::unix::fs::PermissionsExt;

use predicates::str::contains;
use serde_json::Value;
use tempfile::TempDir;
use wsgi_proof_tests::{root, wsgi_proof};

/// A folder with a build step.
fn candidate(step: &str, mode: u32) -> TempDir {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("mod_wsgi-docker-build");
    std::fs::write(&path, step).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    folder
}

fn verify(arguments: &[&str]) -> assert_cmd::Command {
    let mut command = wsgi_proof(&[&["verify", "--tier", "contract"], arguments].concat());
    command.env("DOCKER_HOST", "tcp://127.0.0.1:1");
    command
}

#[test]
fn the_alternatives_keep_every_clause_in_both_dialects() {
    let alternatives =
        ["dash", "python"].map(|name| root().join("images/alternatives").join(name).display().to_string());
    let assert =
        verify(&["--dialect", "all", "--strict", "--json", &alternatives[0], &alternatives[1]]).assert().success();
    let table: Value = serde_json::from_slice(&assert.get_output().stdout).unwrap();
    let columns = table["columns"].as_array().unwrap();
    assert_eq!(columns.len(), 2);
    for column in columns {
        let clauses = column["clauses"].as_object().unwrap();
        assert!(clauses.len() > 45, "only {} clauses were tried", clauses.len());
        assert!(clauses.values().all(|standing| standing["state"] == "kept"), "{column:#}");
    }
}

#[test]
fn a_candidate_that_breaks_a_must_is_named_with_its_clause() {
    let good = candidate(&std::fs::read_to_string(root().join("images/base/mod_wsgi-docker-build")).unwrap(), 0o755);
    let bad = candidate("#!/bin/sh\nexit 0\n", 0o755);
    let folders = [good.path().to_str().unwrap(), bad.path().to_str().unwrap()];
    let report = TempDir::new().unwrap();
    verify(&["--only", "=missing-requirement", "--report", report.path().to_str().unwrap(), folders[0], folders[1]])
        .assert()
        .code(1)
        .stdout(contains("BUILD-20   MUST    kept"))
        .stdout(contains("breaks BUILD-20 in missing-requirement: build outcome"));
    assert_eq!(report.path().read_dir().unwrap().count(), 2);
}

#[test]
fn what_is_not_there_or_cannot_be_run_is_a_usage_error() {
    verify(&["no/such/folder"]).assert().code(2).stderr(contains("neither mod_wsgi-docker-build nor"));
    verify(&["--build-step", "no/such/file"]).assert().code(2).stderr(contains("no/such/file"));
    let folder = candidate("#!/bin/sh\n", 0o644);
    verify(&[folder.path().to_str().unwrap()]).assert().code(2).stderr(contains("is not executable"));
    verify(&["--build-step", folder.path().to_str().unwrap()]).assert().code(2).stderr(contains("is not a file"));
}
