//! Controls: candidates that must fail, exactly where they say. Each is run on the scenarios that it lists, and on some that it must pass;
//! the workflow `every-cell` runs them on all.

use std::path::PathBuf;

use rstest::rstest;

use crate::support::library::Control;
use crate::support::{Run, root, wsgi_proof};

/// Scenarios of every kind: what a control does not list of them must pass.
const OTHERS: [&str; 6] =
    ["base-image", "onbuild-image", "hello-wsgi", "failing-build-hook", "git-requirement", "start-without-build"];

/// How many of the listed scenarios are run: those of a control that breaks nearly everything are much alike.
const LISTED: usize = 12;

#[rstest]
fn fails_where_it_says(#[files("../images/controls/*/control.toml")] file: PathBuf) {
    let name = file.parent().unwrap().file_name().unwrap().to_str().unwrap();
    let control = Control::load(&root().join("images"), name).unwrap();
    let listed: Vec<&String> = control.fails.keys().take(LISTED).collect();
    let mut filters: Vec<String> = listed.iter().map(|name| format!("={name}")).collect();
    filters.extend(OTHERS.iter().map(|name| format!("={name}")));
    let mut arguments = vec!["--control", name];
    arguments.extend(filters.iter().map(String::as_str));
    let run = Run::of(&arguments);
    for scenario in listed {
        assert_eq!(run.verdict(scenario), "caught", "{scenario}\n{}", run.output());
    }
    for scenario in OTHERS {
        let expected = if control.fails.contains_key(scenario) { "caught" } else { "pass" };
        assert_eq!(run.verdict(scenario), expected, "{scenario}\n{}", run.output());
    }
    run.assert().success();
}

#[test]
fn an_unknown_control_is_named_with_those_that_there_are() {
    wsgi_proof(&["run", "--control", "none"])
        .assert()
        .code(2)
        .stderr(predicates::str::contains("no control `none`; there are: apache-not-process-1"));
}
