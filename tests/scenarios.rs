//! Every scenario of the repository passes in the default cell, each as a test of its own, on a real engine.
//!
//! They share one run: the program does several at a time, and a process for each would prepare the same images over and
//! over. A runner that gives each test a process of its own (nextest) gets a run for each.

use std::path::PathBuf;

use rstest::rstest;

use crate::support::{Run, SharedRun, root};

/// The scenario tests are made when this file is compiled. That it has the lock in it, which names all scenarios, has it compiled again
/// when a scenario comes or goes.
const LOCK: &str = include_str!("../scenarios/assertions.lock");

#[rstest]
fn passes(#[files("../scenarios/*/scenario.toml")] file: PathBuf) {
    static ALL: SharedRun = SharedRun::new();
    let name = file.parent().unwrap().file_name().unwrap().to_str().unwrap();
    let alone;
    let run = if std::env::var_os("NEXTEST").is_some() {
        alone = Run::of(&["--strict", &format!("={name}")]);
        &alone
    } else {
        ALL.get(|| Run::of(&["--strict"]))
    };
    // What does not apply in this cell says so in its file, and is run in another.
    assert!(["pass", "skip"].contains(&run.verdict(name)), "{}\n{}", run.verdict(name), run.scenario(name));
}

/// So that no scenario is left out by a test binary that is older than it.
#[test]
fn each_is_in_the_lock_that_these_tests_were_compiled_with() {
    let mut there = 0;
    for entry in std::fs::read_dir(root().join("scenarios")).unwrap() {
        let path = entry.unwrap().path();
        if path.join("scenario.toml").is_file() {
            let name = path.file_name().unwrap().to_str().unwrap();
            let line = format!("\n{name} = ");
            assert!(LOCK.contains(&line), "{name}: `cargo run -- run --variant all --dialect all --write-lock`");
            there += 1;
        }
    }
    assert!(there > 100, "{there}");
}
