//! What a run is held to: filters that each select something, and a lock that says how much there was before.

use predicates::prelude::*;
use predicates::str::contains;
use rstest::rstest;

use crate::support::{Suite, without_engine};

const GREETING: &str =
    "summary = \"x\"\nsource = \"x\"\n\n[build]\noutcome = \"success\"\n[serve]\n[[serve.http]]\npath = \"/\"\n";

#[rstest]
#[case(&["run", "hello", "no-such-thing"])]
#[case(&["run", "hello", "no-such-thing", "--tier", "contract"])]
#[case(&["list", "=hello-wsgi", "=no-such-thing"])]
#[case(&["verify", "--only", "hello", "--only", "no-such-thing"])]
#[case(&["verify", "--only", "hello", "--only", "no-such-thing", "--tier", "contract"])]
fn a_filter_that_selects_nothing_is_named(#[case] arguments: &[&str]) {
    let told = contains("no scenario matches ").and(contains("no-such-thing")).and(contains("hello").not());
    without_engine(arguments).assert().code(4).stderr(told);
}

#[test]
fn a_mutant_that_is_not_there_is_named() {
    without_engine(&["mutate", "bug-1", "bug-999"]).assert().code(4).stderr(contains("begins with bug-999"));
    // It is in the image around the scripts.
    without_engine(&["mutate", "bug-1", "bug-11"]).assert().code(4).stderr(contains("add --tier image"));
}

#[test]
fn a_candidate_of_which_nothing_applies_is_not_green() {
    let verify = ["verify", "--tier", "contract", "--only"];
    without_engine(&[&verify[..], &["=django"]].concat()).assert().code(4);
    // What is tried holds, and that is not all.
    without_engine(&[&verify[..], &["=hello-wsgi"]].concat())
        .assert()
        .code(5)
        .stdout(contains("the repository's own: ").and(contains(" MUSTs were not tried: IMAGE-1, ")))
        .stderr(contains("hint: all scenarios in both tiers try every MUST"));
}

#[test]
fn a_gate_has_a_contract_and_a_lock() {
    let suite = Suite::new();
    let place = suite.path().to_str().unwrap().to_owned();
    let verify = || without_engine(&["verify", "--tier", "contract", "--suite", &place]).assert();
    suite.hello("one", GREETING);
    verify().code(2).stderr(contains("no contract to hold a candidate against"));
    let contract = "version = 1\n\n[[clause]]\nid = \"START-1\"\nlevel = \"MUST\"\ndialects = [\"docker\"]\nsays = \"x\"\nsource = \"y\"\n";
    suite.write("contract.toml", contract).hello("one", &format!("proves = [\"START-1\"]\n{GREETING}"));
    verify().code(2).stderr(contains("assertions.lock does not have the contract tier"));
    suite.write(
        "assertions.lock",
        "version = 2\n[contract.cells]\n\"python-3.11 docker\" = 1\n[contract.scenarios]\none = 1\n",
    );
    verify().success();
    suite.write(
        "assertions.lock",
        "version = 2\n[contract.cells]\n\"python-3.11 docker\" = 2\n[contract.scenarios]\none = 1\n",
    );
    verify().code(1).stdout(contains("less than the assertion lock: 1 scenarios ran in python-3.11 docker"));
}

#[test]
fn a_new_scenario_is_not_less_than_before() {
    let suite = Suite::new();
    let place = suite.path().to_str().unwrap().to_owned();
    let run = |arguments: &[&str]| {
        without_engine(&[&["run", "--tier", "contract", "--suite", &place], arguments].concat()).assert()
    };
    suite.hello("one", GREETING);
    run(&[]).success().stdout(contains("there is no assertions.lock").and(contains("--write-lock")));
    run(&["--strict"]).code(1).stdout(contains("there is no assertions.lock; --strict requires it"));
    run(&["--write-lock"]).success();
    run(&["--strict"]).success();
    suite.hello("two", GREETING);
    let told = || contains("not in assertions.lock: two; ").and(contains("--write-lock"));
    run(&[]).success().stdout(told());
    run(&["--strict", "=two"]).success().stdout(told());
    run(&["--strict"]).code(1).stdout(contains("two is not in assertions.lock; --strict requires it"));
}
