//! `verify`: other implementations of the steps, held against the contract.

use std::os::unix::fs::PermissionsExt;

use predicates::prelude::PredicateBooleanExt as _;
use predicates::str::contains;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::library::Bug;
use crate::support::{PrivateEngine, Slot, compiled_alternative, first_run, root, without_engine, wsgi_proof};

/// A folder with a build step.
fn candidate(step: &str, mode: u32) -> TempDir {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("mod_wsgi-docker-build");
    std::fs::write(&path, step).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    folder
}

/// The exit code where nothing is broken, and not every MUST was tried: always so in the contract tier, and of some scenarios.
const NOT_TRIED: i32 = 5;

fn verify(arguments: &[&str]) -> assert_cmd::Command {
    without_engine(&[&["verify", "--tier", "contract"], arguments].concat())
}

#[test]
fn the_alternatives_keep_every_clause_in_both_dialects() {
    let alternatives = root().join("images/alternatives");
    let folders = [alternatives.join("dash"), alternatives.join("python"), compiled_alternative().to_owned()];
    let folders: Vec<&str> = folders.iter().map(|folder| folder.to_str().unwrap()).collect();
    let _slot = Slot::take();
    let assert = verify(&[&["--dialect", "all", "--strict", "--json"], &folders[..]].concat()).assert().code(NOT_TRIED);
    let table: Value = serde_json::from_slice(&assert.get_output().stdout).unwrap();
    let columns = table["columns"].as_array().unwrap();
    assert_eq!(columns.len(), 3);
    assert_eq!(table["untried"].as_array().unwrap().len(), 3);
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
    verify(&["=missing-requirement", "--report", report.path().to_str().unwrap(), folders[0], folders[1]])
        .assert()
        .code(1)
        .stdout(contains("BUILD-20   MUST    kept"))
        .stdout(contains("breaks MUST BUILD-20 in missing-requirement: build outcome"));
    assert_eq!(report.path().read_dir().unwrap().count(), 2);
}

/// What the suite's own start step keeps is not the candidate's merit.
#[test]
fn a_step_that_a_candidate_does_not_have_is_not_its_own() {
    let step = candidate(&std::fs::read_to_string(root().join("images/base/mod_wsgi-docker-build")).unwrap(), 0o755);
    verify(&[step.path().to_str().unwrap(), "=hello-wsgi"])
        .assert()
        .code(NOT_TRIED)
        .stdout(contains("START-1    MUST    not its own").and(contains("BUILD-3    MUST    kept")))
        .stdout(contains("; has no start step; "));
}

/// Each bug that the real project had, put into our scripts again.
#[test]
fn each_bug_of_the_real_project_breaks_its_clauses() {
    let bugs = Bug::all(&root().join("images")).unwrap();
    assert!(bugs.len() >= 17, "only {} bugs", bugs.len());
    let bugs: Vec<&Bug> = bugs.iter().filter(|bug| bug.is_of_steps()).collect();
    let folder = TempDir::new().unwrap();
    let candidates: Vec<String> = bugs
        .iter()
        .map(|bug| {
            let candidate = folder.path().join(format!("bug-{}", bug.number));
            std::fs::create_dir(&candidate).unwrap();
            for (name, content) in &bug.base {
                let path = candidate.join(name);
                std::fs::write(&path, content).unwrap();
                std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
            }
            candidate.to_str().unwrap().to_owned()
        })
        .collect();
    let mut arguments = vec!["--strict", "--json"];
    arguments.extend(candidates.iter().map(String::as_str));
    let _slot = Slot::take();
    let assert = verify(&arguments).assert().code(1);
    let table: Value = serde_json::from_slice(&assert.get_output().stdout).unwrap();
    let columns = table["columns"].as_array().unwrap();
    assert_eq!(columns.len(), bugs.len());
    for (bug, column) in bugs.iter().zip(columns) {
        for clause in &bug.clauses {
            let standing = &column["clauses"][clause];
            assert_eq!(standing["state"], "broken", "bug {}: {clause} is {standing:#}", bug.number);
        }
    }
}

/// Those of its bugs that were in the image around the scripts take images.
#[test]
fn each_bug_of_the_image_breaks_its_clauses() {
    let bugs = Bug::all(&root().join("images")).unwrap();
    let bugs: Vec<&Bug> = bugs.iter().filter(|bug| !bug.is_of_steps()).collect();
    assert_eq!(bugs.len(), 2);
    first_run();
    let _slot = Slot::take();
    for bug in bugs {
        let folder = TempDir::new().unwrap();
        let base = folder.path().join("base");
        let copied = std::process::Command::new("cp").arg("-r").arg(root().join("images/base")).arg(&base).status();
        assert!(copied.unwrap().success());
        for (name, content) in &bug.base {
            std::fs::write(base.join(name), content).unwrap();
        }
        let only: Vec<String> = bug.scenarios.iter().map(|name| format!("={name}")).collect();
        let mut arguments =
            vec!["verify", "--strict", "--tier", "image", "--dockerfile", folder.path().to_str().unwrap()];
        for name in &only {
            arguments.extend(["--only", name]);
        }
        let assert = wsgi_proof(&arguments).assert().code(1);
        let told = String::from_utf8_lossy(&assert.get_output().stdout).into_owned();
        for clause in &bug.clauses {
            let is_of = |line: &str| line.contains(" breaks ") && line.contains(&format!("{clause} in "));
            let is_among = |line: &str| line.contains(" breaks ") && line.contains(&format!("{clause}, "));
            assert!(told.lines().any(|line| is_of(line) || is_among(line)), "bug {}: {told}", bug.number);
        }
    }
}

/// Prebuilt images: the base image in the place of the onbuild image has no triggers, which is for the contract to say.
#[test]
fn prebuilt_images_are_tested_as_they_are() {
    first_run();
    let _slot = Slot::take();
    let [base, onbuild] = ["wsgi-proof:base-python-3.11", "wsgi-proof:onbuild-python-3.11"];
    let verify = |onbuild: &str| {
        let images = ["--base-image", base, "--onbuild-image", onbuild];
        wsgi_proof(&[&["verify", "--tier", "image", "=onbuild-image"], &images[..]].concat()).assert()
    };
    verify(onbuild).code(NOT_TRIED).stdout(contains("MUSTs were not tried: "));
    verify(base).code(1).stdout(contains("breaks MUST IMAGE-2 in onbuild-image"));
    verify("no-such-image").code(2).stderr(contains("the engine has no image no-such-image"));
}

#[test]
fn an_image_for_another_architecture_is_a_usage_error() {
    let engine = PrivateEngine::start();
    engine.load_foreign_image("foreign:latest");
    let images = ["--base-image", "foreign:latest", "--onbuild-image", "foreign:latest"];
    let mut verify = engine.command(&[&["verify", "--tier", "image"], &images[..]].concat());
    verify.assert().code(2).stderr(contains("the image foreign:latest is for s390x, and the engine is for"));
}

#[test]
fn what_is_not_there_or_cannot_be_run_is_a_usage_error() {
    verify(&["no/such/folder"]).assert().code(2).stderr(contains("neither mod_wsgi-docker-build nor"));
    verify(&["--build-step", "no/such/file"]).assert().code(2).stderr(contains("no/such/file"));
    let folder = candidate("#!/bin/sh\n", 0o644);
    verify(&[folder.path().to_str().unwrap()]).assert().code(2).stderr(contains("is not executable"));
    verify(&["--build-step", folder.path().to_str().unwrap()])
        .assert()
        .code(2)
        .stderr(contains("is a folder, not a regular file"));
    let image = ["verify", "--dockerfile", folder.path().to_str().unwrap()];
    without_engine(&image).assert().code(2).stderr(contains("with a single `Dockerfile`"));
    verify(&["--base-image", "a", "--onbuild-image", "b"])
        .assert()
        .code(2)
        .stderr(contains("leave out --tier contract"));
}
