//! What a run is held to: filters that each select something, and a lock that says how much there was before.

use predicates::prelude::*;
use predicates::str::contains;
use rstest::rstest;

use crate::support::{Suite, root, without_engine};

const GREETING: &str =
    "summary = \"x\"\nsource = \"x\"\n\n[build]\noutcome = \"success\"\n[serve]\n[[serve.http]]\npath = \"/\"\n";

#[rstest]
#[case(&["run", "hello", "no-such-thing"])]
#[case(&["run", "hello", "no-such-thing", "--tier", "contract"])]
#[case(&["list", "=hello-wsgi", "=no-such-thing"])]
#[case(&["list", "name(=hello-wsgi) or name(no-such-thing)"])]
#[case(&["list", "not name(no-such-thing)"])]
#[case(&["verify", "--only", "hello", "--only", "no-such-thing"])]
#[case(&["verify", "hello", "no-such-thing", "--tier", "contract"])]
#[case(&["agree", "hello", "no-such-thing"])]
fn a_filter_that_selects_nothing_is_named(#[case] arguments: &[&str]) {
    let told = contains("no scenario matches ").and(contains("no-such-thing")).and(contains("hello").not());
    without_engine(arguments).assert().code(4).stderr(told);
}

/// A folder that is not there would be a filter, and the suite's own steps the candidate.
#[test]
fn a_misspelt_folder_is_not_mistaken_in_silence() {
    let hint = "what is not a folder here is a filter";
    without_engine(&["verify", "my-stepz"]).assert().code(4).stderr(contains("my-stepz").and(contains(hint)));
    without_engine(&["verify", "./my-stepz"]).assert().code(2).stderr(contains(hint).not());
    without_engine(&["verify", "images", "=hello-wsgi"])
        .assert()
        .code(2)
        .stderr(contains("images: has neither mod_wsgi-docker-build nor mod_wsgi-docker-start"));
}

#[test]
fn an_expression_selects_by_clauses_and_names() {
    let listed = |filter: &str| {
        let output = without_engine(&["list", filter]).assert().success().get_output().stdout.clone();
        let text = String::from_utf8(output).unwrap();
        text.lines().filter_map(|line| Some(line.split_once("  ")?.0.trim().to_owned())).collect::<Vec<_>>()
    };
    assert_eq!(listed("clause(BUILD-22) and name(included)").len(), 3);
    assert_eq!(listed("clause(BUILD-22) and not name(included)"), ["requirements-with-crlf"]);
    without_engine(&["list", "clause(BUILD-22) and name(=hello-wsgi)"])
        .assert()
        .code(4)
        .stderr(contains("though each part of it matches some"));
    let hint = "`wsgi-proof contract` prints all clauses";
    without_engine(&["list", "clause(BUILD-999)"]).assert().code(4).stderr(contains("BUILD-999").and(contains(hint)));
    for (filter, place) in [
        ("claus(BUILD-22)", "character 1 on"),
        ("name(a) nor name(b)", "character 9 on"),
        ("not (name(a)", "ends too early"),
    ] {
        without_engine(&["run", filter]).assert().code(2).stderr(contains(place).and(contains("hint: an expression")));
    }
}

#[test]
fn a_mutant_that_is_not_there_is_named() {
    without_engine(&["mutate", "bug-1", "bug-999"]).assert().code(4).stderr(contains("begins with bug-999"));
    // It is in the image around the scripts.
    without_engine(&["mutate", "bug-1", "bug-11"]).assert().code(4).stderr(contains("add --tier image"));
}

#[test]
fn a_candidate_of_which_nothing_applies_is_not_green() {
    let verify = ["verify", "--tier", "contract"];
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

/// Whatever is done with the suite: a file that has gone is not for it to say that nothing need be reached.
#[rstest]
#[case("contract.toml", "hint: copy it from the suite")]
#[case("assertions.lock", "hint: make it with `wsgi-proof run --variant all --dialect all --write-lock`")]
fn a_suite_lacks_neither_its_contract_nor_its_lock(#[case] file: &str, #[case] hint: &str) {
    let suite = Suite::new();
    let place = suite.path().to_str().unwrap().to_owned();
    suite.hello("one", GREETING);
    suite.remove(file);
    for words in [
        &["run"][..],
        &["run", "=one"],
        &["run", "--plan"],
        &["run", "--tier", "contract"],
        &["run", "--tier", "contract", "--control", "requirements-first"],
        &["verify"],
        &["verify", "--tier", "contract"],
        &["mutate"],
        &["fuzz"],
        &["agree"],
    ] {
        let told = contains(format!("{file} cannot be read: ")).and(contains(hint));
        without_engine(&[words, &["--suite", &place]].concat()).assert().code(2).stderr(told);
    }
}

#[test]
fn a_lock_that_is_not_made_is_no_success() {
    let suite = Suite::new();
    let place = suite.path().to_str().unwrap().to_owned();
    suite.hello(
        "one",
        &GREETING
            .replace("success", "failure\"\nphase = \"pip\"\nexit_code = 1\nbecause = \"x")
            .replace("[serve]\n[[serve.http]]\npath = \"/\"\n", ""),
    );
    without_engine(&["run", "--tier", "contract", "--write-lock", "--suite", &place])
        .assert()
        .code(1)
        .stdout(contains("assertions.lock is unchanged: not every scenario passed"));
}

/// A control is there to be caught.
#[test]
fn a_control_of_which_nothing_is_tried_is_not_green() {
    let control =
        |scenario| without_engine(&["run", "--tier", "contract", "--control", "requirements-first", scenario]).assert();
    control("=hello-wsgi").code(4).stdout(contains("nothing that the control requirements-first lists was caught"));
    control("=requirements-relative-paths").success();
}

/// A link that leads nowhere is meant to be a step: the repository's own is not tested in its place.
#[test]
fn a_step_that_is_not_there_is_not_replaced() {
    let steps = tempfile::tempdir().unwrap();
    std::fs::copy(root().join("images/base/mod_wsgi-docker-start"), steps.path().join("mod_wsgi-docker-start"))
        .unwrap();
    std::os::unix::fs::symlink("nowhere", steps.path().join("mod_wsgi-docker-build")).unwrap();
    let steps = steps.path().to_str().unwrap();
    for words in [&["run", "--steps", steps][..], &["verify", steps]] {
        let told = contains("mod_wsgi-docker-build");
        without_engine(&[words, &["--tier", "contract"]].concat()).assert().code(2).stderr(told);
    }
}

#[test]
fn a_new_scenario_is_not_less_than_before() {
    let suite = Suite::new();
    let place = suite.path().to_str().unwrap().to_owned();
    let run = |arguments: &[&str]| {
        without_engine(&[&["run", "--tier", "contract", "--suite", &place], arguments].concat()).assert()
    };
    suite.hello("one", GREETING);
    run(&[]).success().stdout(contains("not in assertions.lock: the contract tier; ").and(contains("--write-lock")));
    run(&["--strict"]).code(1).stdout(contains("the contract tier is not in assertions.lock; --strict requires it"));
    suite.remove("assertions.lock");
    run(&["--write-lock"]).success();
    run(&["--strict"]).success();
    suite.hello("two", GREETING);
    let told = || contains("not in assertions.lock: two; ").and(contains("--write-lock"));
    run(&[]).success().stdout(told());
    run(&["--strict", "=two"]).success().stdout(told());
    run(&["--strict"]).code(1).stdout(contains("two is not in assertions.lock; --strict requires it"));
}
