//! `agree`: what both tiers say of the same candidates. That a disagreement is found is a unit test of the comparison.

use std::os::unix::fs::PermissionsExt;

use predicates::prelude::*;
use predicates::str::contains;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::library::Bug;
use crate::support::{Slot, first_run, root, wsgi_proof};

/// A scenario that every step passes, and one that shows the bug below.
const ONLY: [&str; 4] = ["--only", "=failing-pre-build-hook", "--only", "=failing-deploy-hook"];
/// Hooks of the start that fail are passed over.
const BUG: u32 = 16;

/// The reference with one of the real project's bugs.
fn buggy() -> TempDir {
    let bugs = Bug::all(&root().join("images")).unwrap();
    let bug = bugs.iter().find(|bug| bug.number == BUG).unwrap();
    let folder = TempDir::new().unwrap();
    for (name, content) in &bug.base {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    folder
}

#[test]
fn the_tiers_agree_on_good_steps_bad_steps_and_generated_applications() {
    first_run();
    let buggy = buggy();
    let candidates = ["images/base", "images/alternatives/article", buggy.path().to_str().unwrap()];
    let _slot = Slot::take();
    let arguments = [&["agree", "--json", "--applications", "5"], &ONLY[..], &candidates[..]].concat();
    let assert = wsgi_proof(&arguments).assert().success();
    let agreement: Value = serde_json::from_slice(&assert.get_output().stdout).unwrap();
    assert_eq!(agreement["candidates"], 4, "{agreement:#}");
    assert_eq!(agreement["compared"], 3 * 2 + 5, "{agreement:#}");
    assert_eq!(agreement["disagreements"].as_array().unwrap().len(), 0, "{agreement:#}");
}

#[test]
fn what_selects_nothing_is_said_before_any_work() {
    let none = wsgi_proof(&["agree", "--only", "no-such-scenario"]).assert().code(4);
    none.stderr(contains("no scenario matches no-such-scenario").and(contains("engine").not()));
}
