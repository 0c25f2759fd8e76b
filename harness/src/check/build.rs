//! The build: how it ended, why, and what it logged.

use regex::Regex;

use super::evidence::{BuildEnd, BuildEvidence};
use super::lines::{self, LogChecks};
use super::phase;
use super::scope::Scope;
use super::text::{excerpt, pattern};
use crate::outcome::{At, CheckId, Finding};
use crate::suite::scenario::{BuildExpectation, BuildOutcome, Declared, Phase, Rebuild};

/// The build step's program: a build fails in the build step when this returned non-zero.
const BUILD_STEP: &str = "mod_wsgi-docker-build";

/// The checks of the build log.
const LOG: LogChecks = LogChecks::new("build log", CheckId::BuildLog, CheckId::BuildLogAbsent, CheckId::BuildLogShould);
/// Those of a rebuild's log.
const REBUILD_LOG: LogChecks =
    LogChecks::new("log of rebuild", CheckId::RebuildLog, CheckId::RebuildLogAbsent, CheckId::RebuildLog);

/// By how many lines an error can overtake what was written before it to the other stream.
const OVERTAKING: usize = 10;

/// Checks a finished build: a finding for the outcome, one for the reason of an expected failure, one for each line.
pub fn check(scope: &Scope, expectation: &BuildExpectation, evidence: &BuildEvidence) -> Vec<Finding> {
    let outcome_at = &expectation.outcome.at;
    if let BuildEnd::Exceeded(exceeded) = &evidence.end {
        return vec![exceeded.finding(scope, "build", outcome_at)];
    }
    let mut findings = match &expectation.outcome.value {
        BuildOutcome::Success => vec![success(scope, outcome_at, expectation, evidence)],
        BuildOutcome::Failure { phase, exit_codes, because } => {
            let failure = Failure::of(evidence, expectation.folders);
            let failure = failure.as_ref();
            vec![
                failed(scope, outcome_at, exit_codes, failure),
                failing_phase(scope, phase, failure),
                reason(scope, phase.value, because, &evidence.log, failure),
            ]
        }
    };
    findings
        .extend(expectation.phases.as_ref().map(|phases| announced(scope, phases, expectation.folders, &evidence.log)));
    findings.extend(LOG.should(scope, &expectation.should_log, &evidence.log));
    findings.extend(LOG.check(scope, &expectation.log, &expectation.log_absent, &evidence.log));
    findings.extend(LOG.check(scope, &expectation.tool_log, &[], &evidence.log));
    findings
}

/// Checks a build done again on the layer cache: a finding for its outcome, and one for each line. `number` tells it from the
/// scenario's others.
pub fn rebuilt(scope: &Scope, number: usize, rebuild: &Rebuild, evidence: &BuildEvidence) -> Vec<Finding> {
    if let BuildEnd::Exceeded(exceeded) = &evidence.end {
        return vec![exceeded.finding(scope, &format!("rebuild {number}"), &rebuild.at)];
    }
    let mut findings = vec![scope.holds(CheckId::RebuildOutcome, number.to_string(), &rebuild.at, || {
        let BuildEnd::Failed { message, .. } = &evidence.end else { return None };
        Some(("the build to succeed again".to_owned(), excerpt(message)))
    })];
    findings.extend(REBUILD_LOG.of(number).check(scope, &rebuild.log, &rebuild.log_absent, &evidence.log));
    findings
}

fn success(scope: &Scope, at: &At, expectation: &BuildExpectation, evidence: &BuildEvidence) -> Finding {
    scope.holds(CheckId::BuildOutcome, (), at, || {
        let failure = Failure::of(evidence, expectation.folders)?;
        Some(("the build to succeed".to_owned(), format!("{}: {}", failure.words(), excerpt(failure.message))))
    })
}

fn failed(scope: &Scope, at: &At, exit_codes: &Declared<Vec<i64>>, failure: Option<&Failure<'_>>) -> Finding {
    let in_build_step = failure.is_some_and(|failure| failure.in_build_step);
    let with_code = failure.and_then(|failure| failure.exit_code).is_some_and(|code| exit_codes.value.contains(&code));
    // The line that is at odds with what came, where it is only one.
    let at = if in_build_step && !with_code { &exit_codes.at } else { at };
    scope.holds(CheckId::BuildOutcome, (), at, || {
        if in_build_step && with_code {
            return None;
        }
        let codes: Vec<String> = exit_codes.value.iter().map(ToString::to_string).collect();
        let expected = format!("the build to fail in the build step with exit code {}", codes.join(" or "));
        let got = match failure {
            None => "it succeeded".to_owned(),
            // The engine's message says which command it was, when it was not the build step.
            Some(failure) if failure.in_build_step => failure.words(),
            Some(failure) => format!("{}: {}", failure.words(), excerpt(failure.message)),
        };
        Some((expected, got))
    })
}

/// The phase that failed is the one announced last. An announcement that never came may be worded otherwise, and wording
/// is a SHOULD; one that came, and was followed by another, is not.
fn failing_phase(scope: &Scope, phase: &Declared<Phase>, failure: Option<&Failure<'_>>) -> Finding {
    let broken = || {
        let expected = format!("the build to fail in phase {}", phase::name(phase.value));
        match failure {
            None => Some((expected, "it succeeded".to_owned())),
            Some(failure) if failure.phase() == Some(phase.value) => None,
            Some(failure) => Some((expected, failure.words())),
        }
    };
    match failure {
        Some(failure) if failure.in_build_step && !failure.announced(phase.value) => {
            scope.should(CheckId::BuildFailurePhase, (), &phase.at, broken)
        }
        _ => scope.holds(CheckId::BuildFailurePhase, (), &phase.at, broken),
    }
}

/// The phases that announced themselves.
fn announced(scope: &Scope, expected: &Declared<Vec<Phase>>, folders: &[&str], log: &[String]) -> Finding {
    scope.holds(CheckId::BuildPhases, (), &expected.at, || {
        let came: Vec<Phase> = phase::phases(log, folders).into_iter().map(|(phase, _)| phase).collect();
        (came != expected.value).then(|| (names(&expected.value), names(&came)))
    })
}

fn names(phases: &[Phase]) -> String {
    if phases.is_empty() {
        return "no phase to announce itself".to_owned();
    }
    let names: Vec<&str> = phases.iter().map(|phase| phase::name(*phase)).collect();
    format!("the progress lines of {}", names.join(", "))
}

/// The reason counts only where it belongs: in the log of the phase that must fail. Standard output and standard error
/// come to the engine by ways of their own, so an error can overtake the announcement that was written just before it:
/// a few lines before the announcement count as well, but none of before the last phase's. Of a phase that never
/// announces itself the place is not known, and any line counts.
fn reason(
    scope: &Scope,
    phase: Phase,
    because: &Declared<Regex>,
    log: &[String],
    failure: Option<&Failure<'_>>,
) -> Finding {
    let name = phase::name(phase);
    scope.holds(CheckId::BuildFailureReason, (), &because.at, || {
        let expected = format!("a line of phase {name} that matches {}", pattern(&because.value));
        let got = match failure {
            None => "the build succeeded".to_owned(),
            Some(failure) if failure.in_build_step && !failure.announced(phase) => {
                if log.iter().any(|line| because.value.is_match(line)) {
                    return None;
                }
                lines::none_of(log)
            }
            Some(failure) if failure.phase() == Some(phase) => {
                if log[failure.reach..].iter().any(|line| because.value.is_match(line)) {
                    return None;
                }
                lines::none_of(&log[failure.start..])
            }
            Some(failure) => {
                let elsewhere = log.iter().position(|line| because.value.is_match(line));
                let elsewhere =
                    elsewhere.map(|index| format!("; line {} matches, but is not of phase {name}", index + 1));
                failure.words() + &elsewhere.unwrap_or_default()
            }
        };
        Some((expected, got))
    })
}

/// A failed build.
struct Failure<'a> {
    /// Whether the build step failed, and not another instruction.
    in_build_step: bool,
    /// The phases announced, in order.
    phases: Vec<Phase>,
    /// Where that phase's lines begin, after its announcement.
    start: usize,
    /// Where lines of that phase can stand at the earliest, though they were written after its announcement.
    reach: usize,
    exit_code: Option<i64>,
    message: &'a str,
}

impl<'a> Failure<'a> {
    fn of(evidence: &'a BuildEvidence, folders: &[&str]) -> Option<Self> {
        let BuildEnd::Failed { command, exit_code, message } = &evidence.end else { return None };
        let phases = phase::phases(&evidence.log, folders);
        let mut ends = phases.iter().rev().map(|(_, index)| index + 1);
        let start = ends.next().unwrap_or(0);
        let before = ends.next().unwrap_or(0);
        Some(Self {
            in_build_step: command.as_deref().is_some_and(runs_build_step),
            phases: phases.into_iter().map(|(phase, _)| phase).collect(),
            start,
            reach: before.max(start.saturating_sub(OVERTAKING)),
            exit_code: *exit_code,
            message,
        })
    }

    /// The phase of the build step that failed.
    fn phase(&self) -> Option<Phase> {
        self.phases.last().copied().filter(|_| self.in_build_step)
    }

    fn announced(&self, phase: Phase) -> bool {
        self.phases.contains(&phase)
    }

    fn words(&self) -> String {
        let place = match (self.in_build_step, self.phases.last()) {
            (true, Some(phase)) => format!("in phase {}", phase::name(*phase)),
            (true, None) => "in the build step, before its first phase".to_owned(),
            (false, _) => "outside the build step".to_owned(),
        };
        match self.exit_code {
            Some(code) => format!("it failed {place} with exit code {code}"),
            None => format!("it failed {place} without an exit code"),
        }
    }
}

/// Whether a command line names the build step's program as one of its words.
fn runs_build_step(command: &str) -> bool {
    let words = command.split(|character: char| character.is_whitespace() || "\"'`;&|()[],".contains(character));
    words.filter_map(|word| word.rsplit('/').next()).any(|word| word == BUILD_STEP)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::time::Duration;

    use super::super::samples::{broken, declared, declared_at, held, log, regex, scope};
    use super::*;
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
            exit_codes: declared_at(vec![1], 6),
            because: declared_at(regex("No matching distribution"), 7),
        };
        expects(declared_at(outcome, 4))
    }

    fn built() -> BuildEvidence {
        let end = BuildEnd::Built { image: "sha256:1".to_owned() };
        BuildEvidence { end, log: log(&[PIP, "No matching distribution"]), took: Duration::ZERO }
    }

    fn failed(command: Option<&str>, exit_code: i64, lines: &[&str]) -> BuildEvidence {
        let end = BuildEnd::Failed {
            command: command.map(str::to_owned),
            exit_code: Some(exit_code),
            message: "The command returned a non-zero code".to_owned(),
        };
        BuildEvidence { end, log: log(lines), took: Duration::ZERO }
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
        let findings =
            check(&scope(), &fails(), &failed(Some(STEP), 1, &[PRE_BUILD, "* pip", "No matching distribution"]));
        assert_eq!(broken(&findings[1..2]).2, "it failed in phase pre-build with exit code 1");
        assert_eq!(findings[1].level, Level::Should);
        assert!(!findings[0].is_broken() && !findings[2].is_broken());
        // But not without the reason.
        let findings = check(&scope(), &fails(), &failed(Some(STEP), 1, &[PRE_BUILD, "* pip", "No space left"]));
        assert_eq!((broken(&findings[2..]).0, findings[2].level), ("build failure's reason", Level::Must));
    }

    #[test]
    fn phases_announce_themselves_exactly() {
        let mut expectation = succeeds();
        expectation.phases = Some(declared(vec![Phase::PreBuild, Phase::Pip]));
        let with = |lines: &[&str]| BuildEvidence { log: log(lines), ..built() };
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
        let cached = BuildEvidence { log: log(&[" ---> Using cache"]), ..built() };
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
        assert_eq!((broken(&findings).0, findings[1].level), ("build failure's phase", Level::Should));
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
}
