//! Builds that hold, and builds that break.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::failure::{OVERTAKING, runs_build_step};
use super::*;
use crate::check::captured::tests::cut;
use crate::check::samples::{broken, captured, declared, declared_at, held, regex, scope};
use crate::outcome::Level;

const STEP: &str = "/bin/sh -c mod_wsgi-docker-build";
const PRE_BUILD: &str = " -----> Running .docker/action_hooks/pre-build";
const PIP: &str = " -----> Installing dependencies with pip";

fn expects(outcome: Declared<BuildOutcome>) -> BuildExpectation {
    BuildExpectation {
        outcome,
        folders: &[".docker"],
        phases: None,
        should_log: Vec::new(),
        log: Vec::new(),
        tool_log: Vec::new(),
        log_absent: Vec::new(),
    }
}

fn succeeds() -> BuildExpectation {
    expects(declared(BuildOutcome::Success))
}

fn fails() -> BuildExpectation {
    let outcome = BuildOutcome::Failure {
        phase: declared_at(Phase::Pip, 5),
        exit_code: declared_at(FailureCode::OneOf(vec![1]), 6),
        because: declared_at(regex("No matching distribution"), 7),
    };
    expects(declared_at(outcome, 4))
}

fn built() -> BuildEvidence {
    let end = BuildEnd::Built { image: "sha256:1".to_owned() };
    BuildEvidence { end, log: captured(&[PIP, "No matching distribution"]) }
}

fn failed(command: Option<&str>, exit_code: i64, lines: &[&str]) -> BuildEvidence {
    let end = BuildEnd::Failed {
        command: command.map(str::to_owned),
        exit_code: Some(exit_code),
        message: "The command returned a non-zero code".to_owned(),
    };
    BuildEvidence { end, log: captured(lines) }
}

#[test]
fn a_built_image_is_a_success() {
    assert_eq!(held(&check(&scope(), &succeeds(), &built())), 1);
}

#[test]
fn a_failure_is_not_a_success() {
    let findings = check(&scope(), &succeeds(), &failed(Some(STEP), 1, &[PIP, "x"]));
    let (name, expected, got) = broken(&findings);
    assert_eq!(name, "build outcome");
    assert_eq!(expected, "the build to succeed");
    assert_eq!(got, "it failed in phase pip with exit code 1: The command returned a non-zero code");
}

#[test]
fn the_expected_failure_holds() {
    let evidence = failed(Some(STEP), 1, &[PRE_BUILD, PIP, "ERROR: No matching distribution found"]);
    assert_eq!(held(&check(&scope(), &fails(), &evidence)), 3);
}

#[test]
fn a_success_is_not_a_failure() {
    let findings = check(&scope(), &fails(), &built());
    assert!(findings.iter().all(Finding::is_broken));
    assert_eq!(broken(&findings[..1]).2, "it succeeded");
    assert_eq!(broken(&findings[2..]).2, "the build succeeded");
}

#[test]
fn a_failure_in_another_phase_breaks() {
    const BUILD: &str = " -----> Running .docker/action_hooks/build";
    let evidence = failed(Some(STEP), 23, &[PIP, "No matching distribution", BUILD, "oops"]);
    let findings = check(&scope(), &fails(), &evidence);
    let (_, expected, got) = broken(&findings[..1]);
    assert_eq!(expected, "the build to fail in the build step with exit code 1");
    assert_eq!(got, "it failed in phase build with exit code 23");
    assert_eq!(findings[0].at.line, 6);
    let (_, expected, got) = broken(&findings[1..2]);
    assert_eq!((expected, got), ("the build to fail in phase pip", "it failed in phase build with exit code 23"));
    assert_eq!((findings[1].at.line, findings[1].level), (5, Level::Must));
    let (_, expected, got) = broken(&findings[2..]);
    assert_eq!(expected, "a line of phase pip that matches /No matching distribution/");
    assert_eq!(got, "it failed in phase build with exit code 23; line 2 matches, but is not of phase pip");
}

#[test]
fn a_phase_that_is_announced_in_other_words_is_a_warning() {
    let findings = check(&scope(), &fails(), &failed(Some(STEP), 1, &[PRE_BUILD, "* pip", "No matching distribution"]));
    assert_eq!(broken(&findings[1..2]).2, "it failed in phase pre-build with exit code 1");
    assert_eq!(findings[1].level, Level::Should);
    assert!(!findings[0].is_broken() && !findings[2].is_broken());
    // But not without the reason.
    let findings = check(&scope(), &fails(), &failed(Some(STEP), 1, &[PRE_BUILD, "* pip", "No space left"]));
    assert_eq!((broken(&findings[2..]).0, findings[2].level), ("build failure's reason", Level::Must));
}

#[test]
fn any_exit_code_but_0_may_do() {
    let mut expectation = fails();
    let BuildOutcome::Failure { exit_code, .. } = &mut expectation.outcome.value else { unreachable!() };
    exit_code.value = FailureCode::NonZero;
    for code in [1, 77, 255] {
        let evidence = failed(Some(STEP), code, &[PIP, "No matching distribution"]);
        assert_eq!(held(&check(&scope(), &expectation, &evidence)), 3);
    }
    let expected = "the build to fail in the build step with exit code other than 0";
    assert_eq!(broken(&check(&scope(), &expectation, &built())[..1]).1, expected);
}

#[test]
fn a_tool_that_cannot_be_installed_may_be_missed_by_pip() {
    const GIT: &str = " -----> Installing git";
    let mut expectation = fails();
    let BuildOutcome::Failure { phase, .. } = &mut expectation.outcome.value else { unreachable!() };
    phase.value = Phase::Git;
    let at = |lines: &[&str]| check(&scope(), &expectation, &failed(Some(STEP), 1, lines));
    assert_eq!(held(&at(&[GIT, "No matching distribution", PIP, "git is not there"])), 3);
    assert_eq!(held(&at(&[GIT, "No matching distribution"])), 3);
    let findings = at(&[GIT, "No matching distribution", PIP, " -----> Running .docker/action_hooks/build"]);
    assert_eq!(broken(&findings[1..2]).0, "build failure's phase");
    assert_eq!(broken(&at(&[GIT, "no reason", PIP])).0, "build failure's reason");
}

#[test]
fn either_end_will_do_with_its_line() {
    let because = declared(regex("hooks/pre-build"));
    let expectation = BuildExpectation {
        log: vec![declared(regex("^the hook has run$"))],
        ..expects(declared(BuildOutcome::Either { because }))
    };
    let succeeded = |lines: &[&str]| BuildEvidence { log: captured(lines), ..built() };
    assert_eq!(held(&check(&scope(), &expectation, &succeeded(&["the hook has run"]))), 2);
    // Passed over in silence.
    assert_eq!(
        broken(&check(&scope(), &expectation, &succeeded(&[PRE_BUILD]))).0,
        "build log has /^the hook has run$/"
    );
    let fails = |command, line| check(&scope(), &expectation, &failed(Some(command), 126, &[line]));
    assert_eq!(held(&fails(STEP, "hooks/pre-build: Exec format error")), 2);
    assert_eq!(broken(&fails(STEP, "Exec format error")).0, "build failure's reason");
    assert_eq!(broken(&fails("/bin/sh -c true", "hooks/pre-build")).0, "build outcome");
}

#[test]
fn phases_announce_themselves_exactly() {
    let mut expectation = succeeds();
    expectation.phases = Some(declared(vec![Phase::PreBuild, Phase::Pip]));
    let with = |lines: &[&str]| BuildEvidence { log: captured(lines), ..built() };
    assert_eq!(held(&check(&scope(), &expectation, &with(&[PRE_BUILD, "x", PIP]))), 2);
    let findings = check(&scope(), &expectation, &with(&[PIP, PRE_BUILD]));
    let (name, expected, got) = broken(&findings);
    assert_eq!((name, expected), ("build phases", "the progress lines of pre-build, pip"));
    assert_eq!(got, "the progress lines of pip, pre-build");
    assert_eq!(findings[1].level, Level::Should);
    assert_eq!(broken(&check(&scope(), &expectation, &with(&[]))).2, "no phase to announce itself");
}

#[test]
fn a_rebuild_has_an_outcome_and_a_log() {
    let rebuild = Rebuild {
        at: declared(()).at,
        append: std::collections::BTreeMap::new(),
        log: vec![declared(regex("Using cache"))],
        log_absent: vec![declared(regex("pip"))],
    };
    let cached = BuildEvidence { log: captured(&[" ---> Using cache"]), ..built() };
    assert_eq!(held(&rebuilt(&scope(), 1, &rebuild, &cached)), 3);
    let findings = rebuilt(&scope(), 2, &rebuild, &failed(Some(STEP), 1, &[PIP]));
    assert!(findings.iter().all(Finding::is_broken));
    assert_eq!(broken(&findings[..1]).0, "rebuild 2 outcome");
}

#[test]
fn what_the_log_should_have_is_a_warning() {
    let mut expectation = succeeds();
    expectation.should_log = vec![declared(regex("not executable"))];
    let findings = check(&scope(), &expectation, &built());
    assert_eq!(broken(&findings).0, "build log should have /not executable/");
    assert_eq!(findings[1].level, Level::Should);
}

#[test]
fn another_exit_code_breaks_at_its_line() {
    let findings = check(&scope(), &fails(), &failed(Some(STEP), 2, &[PIP, "No matching distribution"]));
    assert_eq!(broken(&findings).2, "it failed in phase pip with exit code 2");
    assert_eq!(findings[0].at.line, 6);
}

#[test]
fn another_reason_breaks() {
    let findings = check(
        &scope(),
        &fails(),
        &failed(Some(STEP), 1, &["No matching distribution", PRE_BUILD, PIP, "No space left"]),
    );
    let (name, _, got) = broken(&findings);
    assert_eq!(name, "build failure's reason");
    assert_eq!(got, "only this line:\nNo space left");
}

#[test]
fn an_error_may_overtake_the_announcement_but_not_by_far() {
    let overtaken = failed(Some(STEP), 1, &[PRE_BUILD, "No matching distribution", PIP]);
    assert_eq!(held(&check(&scope(), &fails(), &overtaken)), 3);
    let mut far = vec![PRE_BUILD, "No matching distribution"];
    far.extend(["x"; OVERTAKING]);
    far.push(PIP);
    assert!(check(&scope(), &fails(), &failed(Some(STEP), 1, &far))[2].is_broken());
}

#[test]
fn the_failure_of_another_instruction_breaks() {
    for command in [None, Some("/bin/sh -c mod_wsgi-docker-build-more"), Some("/bin/sh -c pip install x")] {
        let findings = check(&scope(), &fails(), &failed(command, 1, &[PIP, "No matching distribution"]));
        assert!(findings.iter().all(Finding::is_broken), "{command:?}");
        assert_eq!(
            broken(&findings[..1]).2,
            "it failed outside the build step with exit code 1: The command returned a non-zero code"
        );
    }
}

#[test]
fn a_failure_before_any_phase_has_no_phase() {
    let findings = check(&scope(), &fails(), &failed(Some(STEP), 1, &["No matching distribution"]));
    assert_eq!(broken(&findings).2, "it failed in the build step, before its first phase with exit code 1");
    assert_eq!((broken(&findings).0, findings[1].level), ("build failure's phase announced", Level::Should));
}

#[test]
fn the_build_step_is_recognised_by_its_name() {
    for command in
        [STEP, "/usr/local/bin/mod_wsgi-docker-build", "[\"mod_wsgi-docker-build\"]", "a && mod_wsgi-docker-build"]
    {
        assert!(runs_build_step(command), "{command}");
    }
    assert!(!runs_build_step("my-mod_wsgi-docker-build"));
}

#[test]
fn log_lines_are_checked_though_the_outcome_is_broken() {
    let mut expectation = succeeds();
    expectation.log = vec![declared(regex("pip"))];
    expectation.log_absent = vec![declared(regex("oops"))];
    let findings = check(&scope(), &expectation, &failed(Some(STEP), 1, &[PIP, "oops"]));
    let outcomes: Vec<_> = findings.iter().map(Finding::is_broken).collect();
    assert_eq!(outcomes, [true, false, true]);
}

#[test]
fn of_a_build_whose_log_was_cut_only_that_is_told() {
    const EXCEEDED: &str = "limit of the build's log size";
    let expectation =
        BuildExpectation { log: vec![declared(regex("pip"))], log_absent: vec![declared(regex("oops"))], ..succeeds() };
    for end in [built().end, failed(Some(STEP), 1, &[]).end] {
        let evidence = BuildEvidence { end, log: cut(&[PIP, "No matching distribution"]) };
        for expectation in [&expectation, &fails()] {
            let findings = check(&scope(), expectation, &evidence);
            assert_eq!((broken(&findings).0, findings.len()), (EXCEEDED, 1));
            assert_eq!(broken(&findings).2, "its output is larger than 16 MB; what the rest lacks cannot be known");
        }
    }
}
