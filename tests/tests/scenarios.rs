//! Every scenario of the repository passes, each as a test of its own, on a real engine.

#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use rstest::rstest;
use wsgi_proof_tests::Run;

#[rstest]
fn passes(#[files("../scenarios/*/scenario.toml")] file: PathBuf) {
    let name = file.parent().unwrap().file_name().unwrap().to_str().unwrap();
    let run = Run::of(&[&format!("={name}")]);
    assert_eq!(run.verdict(name), "pass", "{}", run.output());
    run.assert.success();
}
