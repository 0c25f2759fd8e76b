//! A build step that is broken by hand is caught, and the right scenarios name it.

use rstest::rstest;

use crate::support::{Run, changed_file};

#[rstest]
#[case::without_set_e("set -e\n", "", &["failing-pre-build-hook", "failing-build-hook", "missing-requirement"], "failing-pre-build-hook")]
#[case::without_the_build_hook("run_hook build", "run_hook never", &["failing-build-hook", "hello-wsgi"], "failing-build-hook")]
#[case::ignoring_pip("--src=\"$__folder/tmp\"", "--src=\"$__folder/tmp\" || true", &["missing-requirement", "hello-wsgi"], "missing-requirement")]
fn is_caught(#[case] from: &str, #[case] to: &str, #[case] scenarios: &[&str], #[case] culprit: &str) {
    let step = changed_file("mod_wsgi-docker-build", from, to);
    let filters: Vec<String> = scenarios.iter().map(|name| format!("={name}")).collect();
    let mut arguments = vec!["--build-step", step.path().to_str().unwrap()];
    arguments.extend(filters.iter().map(String::as_str));
    let run = Run::of(&arguments);
    assert_eq!(run.verdict(culprit), "fail", "{}", run.output());
    assert!(run.output().contains(&format!("    FAIL {culprit}\n")), "{}", run.output());
    run.assert().code(1);
}
