//! The command line, without an engine: usage, scenario files, selection, and what is said of them.

use predicates::prelude::*;

use crate::support::{Suite, root, wsgi_proof};

#[test]
fn wrong_usage_exits_2() {
    wsgi_proof(&["run", "--no-such-option"]).assert().code(2).stderr(predicate::str::contains("--no-such-option"));
    wsgi_proof(&["run", "--jobs", "0"]).assert().code(2);
    wsgi_proof(&["--offline", "list"]).assert().code(2).stderr(predicate::str::contains("put it first"));
    wsgi_proof(&["run", "--onbuild-image", "x"]).assert().code(2).stderr(predicate::str::contains("--base-image"));
    wsgi_proof(&["run", "--base-image", "x"]).assert().code(2).stderr(predicate::str::contains("--onbuild-image"));
}

#[test]
fn help_names_the_exit_codes() {
    wsgi_proof(&["--help"]).assert().success().stdout(predicate::str::contains("a failure outranks an error"));
}

#[test]
fn a_clause_a_check_and_an_exit_code_are_explained() {
    for (term, told) in [
        ("build-18", &["BUILD-18 MUST: ", "from: ", "covered by: ", "try it:     wsgi-proof run ="][..]),
        ("vcs-not-installed", &["vcs-not-installed MUST: Contract tier: ", "speaks for: "]),
        ("3", &["exit code 3: inconclusive: engine, network, disk; a failure outranks an error"]),
    ] {
        let output = wsgi_proof(&["explain", term]).assert().success().get_output().stdout.clone();
        let output = String::from_utf8(output).unwrap();
        assert!(told.iter().all(|told| output.contains(told)), "{output}");
    }
    for term in ["BUILD-999", "no-such-check", "6"] {
        let told = format!("`{term}` is neither a clause, nor a check, nor an exit code");
        wsgi_proof(&["explain", term]).assert().code(2).stderr(predicate::str::contains(told));
    }
}

#[test]
fn nothing_selected_exits_4() {
    wsgi_proof(&["run", "no-such-scenario"])
        .assert()
        .code(4)
        .stderr(predicate::str::contains("no scenario matches no-such-scenario"));
}

#[test]
fn list_filters_by_text_and_by_name() {
    wsgi_proof(&["list", "=django"]).assert().success().stdout(predicate::str::starts_with("django"));
    let output = wsgi_proof(&["list", "hook", "--json"]).assert().success().get_output().stdout.clone();
    let rows: serde_json::Value = serde_json::from_slice(&output).unwrap();
    let names: Vec<_> = rows.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"failing-build-hook") && names.iter().all(|name| name.contains("hook")), "{names:?}");
}

#[test]
fn the_contract_is_proved_and_its_page_is_fresh() {
    let output = wsgi_proof(&["contract", "--markdown"]).assert().success().get_output().stdout.clone();
    let page = std::fs::read_to_string(root().join("docs/contract.md")).unwrap();
    assert_eq!(
        String::from_utf8(output).unwrap(),
        page,
        "docs/contract.md is out of date: `cargo run -- contract --markdown > docs/contract.md`"
    );
}

#[test]
fn every_must_is_proved_in_every_cell_that_it_holds_in_or_a_reason_is_given() {
    let output = wsgi_proof(&["contract", "--json"]).assert().success().get_output().stdout.clone();
    let clauses: serde_json::Value = serde_json::from_slice(&output).unwrap();
    let mut cells = 0;
    for clause in clauses.as_array().unwrap() {
        for cell in clause["cells"].as_array().unwrap() {
            assert_ne!(cell["scenarios"], 0, "{} in {}", clause["id"], cell["cell"]);
            cells += 1;
        }
    }
    assert!(cells > 500, "{cells}");
    wsgi_proof(&["contract"])
        .assert()
        .success()
        .stdout(predicate::str::contains("python-2.7 whiskey").and(predicate::str::contains("; 0 gaps")));
}

#[test]
fn every_bug_of_the_real_project_is_accounted_for() {
    let page = std::fs::read_to_string(root().join("docs/contract.md")).unwrap();
    let bugs = page.split("## Bugs of the real project").nth(1).unwrap();
    for number in 1..=18 {
        assert!(bugs.contains(&format!("\n| {number} | ")), "bug {number}");
    }
}

#[test]
fn cells_are_planned_side_by_side_and_what_does_not_apply_is_said() {
    wsgi_proof(&["run", "--plan", "--variant", "python-2.7,python-3.13", "--dialect", "all", "=setup-py-only"])
        .assert()
        .success()
        .stdout(
            predicate::str::contains("build setup-py-only [python-2.7 docker]")
                .and(predicate::str::contains("prepare distribution trixie"))
                .and(predicate::str::contains("skip setup-py-only [python-3.13 whiskey]: this dialect")),
        );
    wsgi_proof(&["run", "--plan", "--builder", "all", "=hello-wsgi"]).assert().success().stdout(
        predicate::str::contains("build hello-wsgi [python-3.11 docker]")
            .and(predicate::str::contains("build hello-wsgi [python-3.11 docker buildkit]")),
    );
    wsgi_proof(&["run", "--builder", "kaniko"]).assert().code(2).stderr(predicate::str::contains("buildkit"));
    wsgi_proof(&["run", "--tier", "contract", "--builder", "buildkit"])
        .assert()
        .code(2)
        .stderr(predicate::str::contains("--builder requires the image tier"));
    wsgi_proof(&["run", "--dialect", "podman"]).assert().code(2).stderr(predicate::str::contains("whiskey"));
    let images = ["--base-image", "a", "--onbuild-image", "b"];
    wsgi_proof(&[&["run", "--plan", "--builder", "all", "=hello-wsgi"], &images[..]].concat()).assert().success();
    wsgi_proof(&[&["run", "--dialect", "all"], &images[..]].concat())
        .assert()
        .code(2)
        .stderr(predicate::str::contains("one variant and one dialect"));
}

#[test]
fn a_scenario_that_proves_no_clause_of_the_contract_exits_2() {
    let suite = Suite::new();
    let contract = "version = 1\n\n[[clause]]\nid = \"BUILD-1\"\nlevel = \"MUST\"\ndialects = [\"docker\"]\nsays = \"x\"\nsource = \"y\"\n";
    suite.write("contract.toml", contract).hello(
        "greeting",
        "summary = \"x\"\nsource = \"x\"\nproves = [\"BUILD-2\"]\n\n[build]\noutcome = \"success\"\n",
    );
    wsgi_proof(&["run", "--suite", suite.path().to_str().unwrap()]).assert().code(2).stderr(
        predicate::str::contains("there is no clause BUILD-2")
            .and(predicate::str::contains("greeting/scenario.toml:3:1]"))
            .and(predicate::str::contains("no scenario proves BUILD-1"))
            .and(predicate::str::contains("contract.toml:3:1]")),
    );
}

#[test]
fn the_plan_is_printed_without_an_engine() {
    wsgi_proof(&["run", "--plan", "=hello-wsgi"])
        .env("DOCKER_HOST", "unix:///nowhere.sock")
        .assert()
        .success()
        .stdout(predicate::str::contains("prepare onbuild image").and(predicate::str::contains("serve hello-wsgi")));
}

#[test]
fn a_scenario_file_that_is_wrong_exits_2_and_points_at_the_line() {
    let suite = Suite::new();
    suite.hello("greeting", "summary = \"x\"\nsource = \"x\"\n\n[build]\noutcome = \"success\"\nexit_cod = 3\n");
    wsgi_proof(&["run", "--suite", suite.path().to_str().unwrap()])
        .assert()
        .code(2)
        .stderr(predicate::str::contains("greeting/scenario.toml:7").and(predicate::str::contains("exit_cod")));
}

#[test]
fn an_unknown_variant_and_a_missing_step_exit_2() {
    wsgi_proof(&["run", "--variant", "python-1.5"]).assert().code(2).stderr(predicate::str::contains("python-3.11"));
    wsgi_proof(&["run", "--build-step", "/no/such/file"])
        .assert()
        .code(2)
        .stderr(predicate::str::contains("/no/such/file"));
}

#[test]
fn outside_of_a_suite_it_says_where_to_go() {
    let folder = tempfile::tempdir().unwrap();
    wsgi_proof(&["list"]).current_dir(folder.path()).assert().code(2).stderr(predicate::str::contains("--suite"));
}

#[test]
fn a_named_engine_that_does_not_answer_is_an_error_and_no_other_is_taken() {
    wsgi_proof(&["run", "=hello-wsgi"]).env("DOCKER_HOST", "unix:///nowhere.sock").assert().code(3).stderr(
        predicate::str::contains("DOCKER_HOST=unix:///nowhere.sock").and(predicate::str::contains("unset DOCKER_HOST")),
    );
}

#[test]
fn a_lock_file_that_is_wrong_is_named_with_its_line() {
    let suite = Suite::new();
    suite
        .hello("greeting", "summary = \"x\"\nsource = \"x\"\n\n[build]\noutcome = \"success\"\n")
        .write("packages.lock", "version = 1\n\n[[package]]\nproject = \"Six\"\n");
    wsgi_proof(&["fetch", "--suite", suite.path().to_str().unwrap()])
        .assert()
        .code(2)
        .stderr(predicate::str::contains("packages.lock:3"));
}
