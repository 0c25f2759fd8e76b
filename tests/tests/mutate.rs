//! `mutate`: what it notices, and what it says of it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use predicates::str::contains;
use serde_json::Value;
use wsgi_proof::mutate::{Operator, SCRIPTS, mutants};
use wsgi_proof_tests::{root, wsgi_proof};

#[test]
fn there_are_mutants_of_every_script_and_the_ones_asked_for_are_noticed() {
    let mut all = Vec::new();
    for script in SCRIPTS {
        let text = std::fs::read_to_string(root().join("images/base").join(script)).unwrap();
        let found = mutants(script, &text).unwrap();
        assert!(found.len() >= 10, "{script} has {} mutants", found.len());
        all.extend(found);
    }
    assert!(all.len() >= 80, "only {} mutants", all.len());
    // One of each of these kinds: the whole campaign takes minutes.
    let kinds = [Operator::DropExec, Operator::DropExport, Operator::ChangeInterpreter];
    let chosen: Vec<&str> = kinds
        .iter()
        .map(|kind| all.iter().find(|mutant| mutant.operator == *kind).expect("a mutant of each kind").id.as_str())
        .collect();
    let assert = wsgi_proof(&["mutate", "--json", chosen[0], chosen[1], chosen[2]])
        .env("DOCKER_HOST", "tcp://127.0.0.1:1")
        .assert()
        .success();
    let campaign: Value = serde_json::from_slice(&assert.get_output().stdout).unwrap();
    let tried = campaign["mutants"].as_array().unwrap();
    assert_eq!(tried.len(), 3);
    for mutant in tried {
        assert_eq!(mutant["end"], "killed", "{mutant:#}");
        assert!(mutant["diff"].as_str().unwrap().contains("\n-"), "{mutant:#}");
    }
}

#[test]
fn a_mutant_that_there_is_not_is_nothing_selected() {
    wsgi_proof(&["mutate", "nonsense"]).assert().code(4).stderr(contains("no mutant has such an id"));
}
