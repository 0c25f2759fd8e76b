//! A started container: its end after SIGTERM, and its log.

use super::captured::Captured;
use super::evidence::StopEvidence;
use super::lines::LogChecks;
use super::scope::Scope;
use super::text::printable;
use crate::outcome::{At, CheckId, Finding, Level};
use crate::suite::scenario::{ServeExpectation, StopExpectation};

/// The checks of the container's log.
const LOG: LogChecks =
    LogChecks::new("container log", CheckId::ContainerLog, CheckId::ContainerLogAbsent, CheckId::ContainerLogShould);

/// Checks how a container ended after SIGTERM: a finding for the time, and one for the exit code when it is declared.
pub(crate) fn stop(scope: &Scope, expectation: &StopExpectation, evidence: &StopEvidence) -> Vec<Finding> {
    let within = &expectation.within_seconds;
    let took = evidence.took.as_secs_f64();
    let mut findings = vec![scope.holds(CheckId::StopTime, (), &within.at, || {
        let got = if evidence.killed {
            format!("it had to be killed after {took:.1} s")
        } else if took > f64::from(within.value) {
            format!("it took {took:.1} s")
        } else {
            return None;
        };
        Some((format!("the container to end by itself within {} s of SIGTERM", within.value), got))
    })];
    findings.extend(expectation.exit_code.as_ref().map(|exit_code| {
        scope.holds(CheckId::StopExitCode, (), &exit_code.at, || {
            let killed = if evidence.killed { ", and had to be killed" } else { "" };
            // A killed container's code is that of SIGKILL, not its own.
            (evidence.killed || evidence.exit_code != exit_code.value).then(|| {
                (format!("exit code {}", exit_code.value), format!("exit code {}{killed}", evidence.exit_code))
            })
        })
    }));
    findings
}

/// The finding for a container that had ended before it was sent SIGTERM.
pub(crate) fn ended_early(scope: &Scope, expectation: &StopExpectation, exit_code: i64) -> Finding {
    scope.holds(CheckId::StopTime, (), &expectation.within_seconds.at, || {
        let expected = "the container to run until SIGTERM".to_owned();
        Some((expected, format!("it had ended before, with exit code {exit_code}")))
    })
}

/// The finding for an image of which the engine starts no container. It is as binding as a MUST: nothing else can be seen.
pub(crate) fn not_started(scope: &Scope, message: &str, at: &At) -> Finding {
    let finding = scope.holds(CheckId::ContainerStarts, "container", at, || {
        Some(("the engine to start it".to_owned(), format!("it does not: {}", printable(message))))
    });
    Finding { level: Level::Must, ..finding }
}

/// Checks a container's log: a finding for each pattern. Of one that was cut there is a finding for that, and none about what it lacks.
pub(crate) fn log(scope: &Scope, expectation: &ServeExpectation, log: &Captured) -> Vec<Finding> {
    let mut findings = LOG.check(scope, &expectation.log, &expectation.log_absent, log);
    findings.extend(LOG.check(scope, &expectation.tool_log, &[], log));
    findings.extend(LOG.should(scope, &expectation.should_log, log));
    findings.extend(log.cut().map(|cut| cut.finding(scope, "container", &expectation.at)));
    findings
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::time::Duration;

    use super::super::captured::tests::cut;
    use super::super::samples::{at, broken, captured as strings, declared, held, regex, scope};
    use super::*;

    fn ends(exit_code: i64, seconds: u64, killed: bool) -> Vec<Finding> {
        let expectation = StopExpectation { exit_code: Some(declared(0)), within_seconds: declared(10) };
        stop(&scope(), &expectation, &StopEvidence { exit_code, took: Duration::from_secs(seconds), killed })
    }

    #[test]
    fn an_end_in_time_holds() {
        assert_eq!(held(&ends(0, 2, false)), 2);
    }

    #[test]
    fn a_late_end_breaks() {
        assert_eq!(
            broken(&ends(0, 11, false)),
            ("stop time", "the container to end by itself within 10 s of SIGTERM", "it took 11.0 s")
        );
    }

    #[test]
    fn a_killed_container_breaks_time_and_exit_code() {
        let findings = ends(137, 10, true);
        assert_eq!(broken(&findings[..1]).2, "it had to be killed after 10.0 s");
        assert_eq!(broken(&findings[1..]).2, "exit code 137, and had to be killed");
    }

    #[test]
    fn an_end_before_sigterm_breaks() {
        let expectation = StopExpectation { exit_code: None, within_seconds: declared(10) };
        assert_eq!(
            broken(&[ended_early(&scope(), &expectation, 0)]),
            ("stop time", "the container to run until SIGTERM", "it had ended before, with exit code 0")
        );
    }

    #[test]
    fn another_exit_code_breaks() {
        assert_eq!(broken(&ends(143, 1, false)), ("stop exit code", "exit code 0", "exit code 143"));
    }

    #[test]
    fn the_container_log_is_checked() {
        let expectation = ServeExpectation {
            log: vec![declared(regex("resuming"))],
            log_absent: vec![declared(regex("Traceback"))],
            ..ServeExpectation::nothing(at(1))
        };
        assert_eq!(held(&log(&scope(), &expectation, &strings(&["resuming normal operations"]))), 2);
        let findings = log(&scope(), &expectation, &strings(&["resuming", "Traceback (most recent call last)"]));
        assert_eq!(broken(&findings).0, "container log without /Traceback/");
        assert!(log(&scope(), &expectation, &strings(&[]))[0].is_broken());
        let findings = log(&scope(), &expectation, &cut(&["resuming normal operations"]));
        assert_eq!((broken(&findings).0, findings.len()), ("limit of the container's log size", 2));
    }
}
