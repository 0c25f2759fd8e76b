//! Every scenario of the repository passes in the default cell, each as a test of its own, on a real engine.
//!
//! They share one run: the program does several at a time, and a process for each would prepare the same images over and
//! over. A runner that gives each test a process of its own (nextest) gets a run for each.

#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use std::sync::OnceLock;

use rstest::rstest;
use wsgi_proof_tests::Run;

#[rstest]
fn passes(#[files("../scenarios/*/scenario.toml")] file: PathBuf) {
    static ALL: OnceLock<Run> = OnceLock::new();
    let name = file.parent().unwrap().file_name().unwrap().to_str().unwrap();
    let alone;
    let run = if std::env::var_os("NEXTEST").is_some() {
        alone = Run::of(&["--strict", &format!("={name}")]);
        &alone
    } else {
        ALL.get_or_init(|| Run::of(&["--strict"]))
    };
    // What does not apply in this cell says so in its file, and is run in another.
    assert!(["pass", "skip"].contains(&run.verdict(name)), "{}\n{}", run.verdict(name), run.scenario(name));
}
