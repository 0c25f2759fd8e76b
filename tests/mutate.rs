//! `mutate`: what it notices, and what it says of it.

use predicates::prelude::*;
use predicates::str::contains;
use serde_json::Value;

use crate::support::library::{Operator, SCRIPTS, mutants};
use crate::support::{Slot, root, without_engine, wsgi_proof};

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
    let _slot = Slot::take();
    let assert = without_engine(&["mutate", "--json", chosen[0], chosen[1], chosen[2]]).assert().success();
    let campaign: Value = serde_json::from_slice(&assert.get_output().stdout).unwrap();
    let tried = campaign["mutants"].as_array().unwrap();
    assert_eq!(tried.len(), 3);
    for mutant in tried {
        assert_eq!(mutant["end"], "killed", "{mutant:#}");
        assert!(mutant["diff"].as_str().unwrap().contains("\n-"), "{mutant:#}");
    }
}

#[test]
fn results_are_kept_and_gone_on_from() {
    let _slot = Slot::take();
    let folder = tempfile::tempdir().unwrap();
    let results = folder.path().join("results.jsonl");
    let mutate = |ids: &[&str]| {
        let arguments = [&["mutate", "--results", results.to_str().unwrap()], ids].concat();
        without_engine(&arguments).assert()
    };
    mutate(&["bug-1"]).success().stdout(contains("killed     bug-1 "));
    // What was tried is taken as it stands in the file.
    let kept = std::fs::read_to_string(&results).unwrap();
    assert!(kept.contains("START-2"), "{kept}");
    std::fs::write(&results, kept.replace("START-2", "MARKED-9")).unwrap();
    mutate(&["bug-1", "bug-16"]).success().stdout(contains("MARKED-9").and(contains("killed     bug-16 ")));
    assert_eq!(std::fs::read_to_string(&results).unwrap().lines().count(), 3);
    std::fs::write(&results, "something of the user's\n").unwrap();
    mutate(&["bug-1"]).code(2).stderr(contains("not a file of mutation results"));
}

#[test]
fn only_what_has_changed_since_a_commit() {
    wsgi_proof(&["mutate", "--since", "no-such-commit"]).assert().code(2).stderr(contains("no-such-commit"));
}

#[test]
fn a_mutant_that_there_is_not_is_nothing_selected() {
    wsgi_proof(&["mutate", "nonsense"]).assert().code(4).stderr(contains("ID that begins with nonsense"));
}
