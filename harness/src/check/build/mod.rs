//! The build: how it ended, why, and what it logged.

mod failure;

use regex::Regex;

use failure::Failure;

use crate::check::evidence::{BuildEnd, BuildEvidence};
use crate::check::limit::Exceeded;
use crate::check::lines::{self, LogChecks};
use crate::check::phase;
use crate::check::scope::Scope;
use crate::check::text::{excerpt, pattern};
use crate::outcome::{At, CheckId, Finding};
use crate::suite::scenario::{BuildExpectation, BuildOutcome, Declared, FailureCode, Phase, Rebuild};

/// The checks of the build log.
const LOG: LogChecks = LogChecks::new("build log", CheckId::BuildLog, CheckId::BuildLogAbsent, CheckId::BuildLogShould);
/// Those of a rebuild's log.
const REBUILD_LOG: LogChecks =
    LogChecks::new("log of rebuild", CheckId::RebuildLog, CheckId::RebuildLogAbsent, CheckId::RebuildLog);

/// Checks a finished build: a finding for the outcome, one for the reason of an expected failure, one for each line.
pub(crate) fn check(scope: &Scope, expectation: &BuildExpectation, evidence: &BuildEvidence) -> Vec<Finding> {
    let outcome_at = &expectation.outcome.at;
    if let BuildEnd::Refused(why) = &evidence.end {
        return vec![refused(scope, CheckId::BuildOutcome, String::new(), outcome_at, why)];
    }
    let log = match log_of(evidence) {
        Ok(log) => log,
        Err(exceeded) => return vec![exceeded.finding(scope, "build", outcome_at)],
    };
    let mut findings = match &expectation.outcome.value {
        BuildOutcome::Success => vec![success(scope, outcome_at, expectation, &evidence.end, log)],
        BuildOutcome::Failure { phase, exit_code, because } => {
            let failure = Failure::of(&evidence.end, log, expectation.folders);
            let failure = failure.as_ref();
            vec![
                failed(scope, outcome_at, exit_code, failure),
                failing_phase(scope, phase, failure),
                reason(scope, phase.value, because, log, failure),
            ]
        }
        BuildOutcome::Either { because } => return either(scope, outcome_at, because, expectation, (evidence, log)),
    };
    findings.extend(expectation.phases.as_ref().map(|phases| announced(scope, phases, expectation.folders, log)));
    findings.extend(LOG.should(scope, &expectation.should_log, &evidence.log));
    findings.extend(LOG.check(scope, &expectation.log, &expectation.log_absent, &evidence.log));
    findings.extend(LOG.check(scope, &expectation.tool_log, &[], &evidence.log));
    findings
}

/// Checks a build done again on the layer cache: a finding for its outcome, and one for each line. `number` tells it from the
/// scenario's others.
pub(crate) fn rebuilt(scope: &Scope, number: usize, rebuild: &Rebuild, evidence: &BuildEvidence) -> Vec<Finding> {
    if let Err(exceeded) = log_of(evidence) {
        return vec![exceeded.finding(scope, &format!("rebuild {number}"), &rebuild.at)];
    }
    if let BuildEnd::Refused(why) = &evidence.end {
        return vec![refused(scope, CheckId::RebuildOutcome, number.to_string(), &rebuild.at, why)];
    }
    let mut findings = vec![scope.holds(CheckId::RebuildOutcome, number.to_string(), &rebuild.at, || {
        let BuildEnd::Failed { message, .. } = &evidence.end else { return None };
        Some(("the build to succeed again".to_owned(), excerpt(message)))
    })];
    findings.extend(REBUILD_LOG.of(number).check(scope, &rebuild.log, &rebuild.log_absent, &evidence.log));
    findings
}

/// Of a build that was not begun, whatever was expected of it.
fn refused(scope: &Scope, id: CheckId, of: String, at: &At, why: &str) -> Finding {
    let expected = "a build for which the engine fetches nothing from outside of the run".to_owned();
    scope.holds(id, of, at, || Some((expected, why.to_owned())))
}

/// The log of a build that was neither stopped nor wrote more than is read: of any other it is not known how it went.
fn log_of(evidence: &BuildEvidence) -> Result<&[String], Exceeded> {
    match &evidence.end {
        BuildEnd::Exceeded(exceeded) => Err(*exceeded),
        BuildEnd::Built { .. } | BuildEnd::Failed { .. } | BuildEnd::Refused(_) => evidence.log.all(),
    }
}

fn success(scope: &Scope, at: &At, expectation: &BuildExpectation, end: &BuildEnd, log: &[String]) -> Finding {
    scope.holds(CheckId::BuildOutcome, (), at, || {
        let failure = Failure::of(end, log, expectation.folders)?;
        Some(("the build to succeed".to_owned(), format!("{}: {}", failure.words(), excerpt(failure.message))))
    })
}

/// Of a build that may end either way: a finding for the outcome, one for each line of a log that succeeded, or one for the reason.
fn either(
    scope: &Scope,
    at: &At,
    because: &Declared<Regex>,
    expectation: &BuildExpectation,
    (evidence, log): (&BuildEvidence, &[String]),
) -> Vec<Finding> {
    let Some(failure) = Failure::of(&evidence.end, log, expectation.folders) else {
        let mut findings = vec![scope.holds(CheckId::BuildOutcome, (), at, || None)];
        findings.extend(LOG.check(scope, &expectation.log, &[], &evidence.log));
        return findings;
    };
    let outcome = scope.holds(CheckId::BuildOutcome, (), at, || {
        let expected = "the build to succeed, or to fail in the build step".to_owned();
        (!failure.in_build_step).then(|| (expected, format!("{}: {}", failure.words(), excerpt(failure.message))))
    });
    let reason = scope.holds(CheckId::BuildFailureReason, (), &because.at, || {
        let found = log.iter().any(|line| because.value.is_match(line));
        let expected = format!("a line of the build log that matches {}", pattern(&because.value));
        (!found).then(|| (expected, lines::none_of(log)))
    });
    vec![outcome, reason]
}

fn failed(scope: &Scope, at: &At, exit_code: &Declared<FailureCode>, failure: Option<&Failure<'_>>) -> Finding {
    let in_build_step = failure.is_some_and(|failure| failure.in_build_step);
    let with_code = failure.and_then(|failure| failure.exit_code).is_some_and(|code| match &exit_code.value {
        FailureCode::OneOf(codes) => codes.contains(&code),
        FailureCode::NonZero | FailureCode::OfSignal(_) => code != 0,
    });
    // The line that is at odds with what came, where it is only one.
    let at = if in_build_step && !with_code { &exit_code.at } else { at };
    scope.holds(CheckId::BuildOutcome, (), at, || {
        if in_build_step && with_code {
            return None;
        }
        let codes = match &exit_code.value {
            FailureCode::OneOf(codes) => codes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or "),
            FailureCode::NonZero | FailureCode::OfSignal(_) => "other than 0".to_owned(),
        };
        let expected = format!("the build to fail in the build step with exit code {codes}");
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
    let id = match failure {
        Some(failure) if failure.in_build_step && !failure.announced(phase.value) => CheckId::BuildFailureAnnounced,
        _ => CheckId::BuildFailurePhase,
    };
    scope.holds(id, (), &phase.at, || {
        let expected = format!("the build to fail in phase {}", phase::name(phase.value));
        match failure {
            None => Some((expected, "it succeeded".to_owned())),
            Some(failure) if failure.phase().is_some_and(|found| may_fail_in(phase.value, found)) => None,
            Some(failure) => Some((expected, failure.words())),
        }
    })
}

/// Whether a build whose failure begins in this phase may end in that one.
fn may_fail_in(phase: Phase, found: Phase) -> bool {
    found == phase || (may_end_later(phase) && (phase..=Phase::Pip).contains(&found))
}

/// A tool of version control that cannot be installed is missed by pip at the latest.
fn may_end_later(phase: Phase) -> bool {
    matches!(phase, Phase::Git | Phase::Mercurial)
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
/// announces itself the place is not known, and of one that a later phase may end the message can be of both: any line counts.
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
            Some(failure) if failure.in_build_step && (!failure.announced(phase) || may_end_later(phase)) => {
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

#[cfg(test)]
mod tests;
