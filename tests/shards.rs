//! Parts of a run, whose reports are made one: the same as the whole, and never a pass where something is missing.

use std::collections::BTreeMap;
use std::path::Path;

use predicates::prelude::*;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Slot, text, without_engine, wsgi_proof};

const OF: usize = 5;

/// Each scenario's verdict and findings.
fn told(folder: &Path) -> BTreeMap<String, (Value, Value)> {
    let report: Value = serde_json::from_slice(&std::fs::read(folder.join("report.json")).unwrap()).unwrap();
    let scenarios = report["scenarios"].as_array().unwrap();
    let told =
        |one: &Value| (one["label"].as_str().unwrap().to_owned(), (one["verdict"].clone(), one["findings"].clone()));
    scenarios.iter().map(told).collect()
}

#[test]
fn shards_make_a_whole() {
    let _slot = Slot::take();
    let folder = TempDir::new().unwrap();
    let place = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let run = |name: &str, arguments: &[&str]| {
        let place = place(name);
        let output = without_engine(&[&["run", "--tier", "contract", "--report", &place], arguments].concat()).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}", text(&output));
    };
    run("whole", &[]);
    let shards: Vec<String> = (1..=OF).map(|number| format!("{number}/{OF}")).collect();
    for shard in &shards {
        run(&shard.replace('/', "-of-"), &["--shard", shard]);
    }
    let reports: Vec<String> = shards.iter().map(|shard| place(&shard.replace('/', "-of-"))).collect();
    let merge = |reports: &[String]| {
        let mut command = wsgi_proof(&["merge", "--report", &place("merged")]);
        command.args(reports).assert()
    };
    merge(&reports).success().stdout(predicate::str::contains("Passed. All "));
    let whole = told(&folder.path().join("whole"));
    assert!(whole.len() > 100, "{}", whole.len());
    assert_eq!(told(&folder.path().join("merged")), whole);
    assert!(folder.path().join("merged/index.html").is_file());

    merge(&reports[1..])
        .code(3)
        .stderr(predicate::str::contains("the report of shard 1/5 is missing"))
        .stdout(predicate::str::contains("Not complete."));
    merge(&[reports[0].clone(), reports[0].clone()]).code(2).stderr(predicate::str::contains("are both shard 1/5"));
    merge(&[place("whole")]).code(2).stderr(predicate::str::contains("is not the report of a shard"));
}
