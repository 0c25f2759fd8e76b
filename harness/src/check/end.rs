//! A container that ends by itself instead of serving.

use super::evidence::EndEvidence;
use super::scope::Scope;
use crate::outcome::{CheckId, Finding};
use crate::suite::scenario::{EndCode, EndExpectation};

/// Checks how a container ended by itself: a finding for the time, and one for the exit code.
pub(crate) fn check(scope: &Scope, expectation: &EndExpectation, evidence: &EndEvidence) -> Vec<Finding> {
    let within = &expectation.within_seconds;
    let code = &expectation.exit_code;
    let running = || format!("it was still running after {:.1} s", evidence.waited.as_secs_f64());
    let time = scope.holds(CheckId::EndTime, (), &within.at, || {
        let expected = format!("the container to end by itself within {} s", within.value);
        evidence.exit_code.is_none().then(|| (expected, running()))
    });
    let exit_code = scope.holds(CheckId::EndExitCode, (), &code.at, || {
        let (expected, held) = match code.value {
            EndCode::Exactly(value) => (format!("exit code {value}"), evidence.exit_code == Some(value)),
            EndCode::NonZero => {
                ("an exit code other than 0".to_owned(), evidence.exit_code.is_some_and(|found| found != 0))
            }
        };
        let got = evidence.exit_code.map_or_else(running, |found| format!("exit code {found}"));
        (!held).then_some((expected, got))
    });
    vec![time, exit_code]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::samples::{broken, declared, held, scope};
    use super::*;

    fn ends(expected: EndCode, exit_code: Option<i64>) -> Vec<Finding> {
        let expectation = EndExpectation { exit_code: declared(expected), within_seconds: declared(10) };
        check(&scope(), &expectation, &EndEvidence { exit_code, waited: Duration::from_secs(10) })
    }

    #[test]
    fn the_expected_end_holds() {
        assert_eq!(held(&ends(EndCode::Exactly(17), Some(17))), 2);
        assert_eq!(held(&ends(EndCode::NonZero, Some(1))), 2);
    }

    #[test]
    fn another_exit_code_breaks() {
        assert_eq!(broken(&ends(EndCode::Exactly(17), Some(0))), ("end exit code", "exit code 17", "exit code 0"));
        assert_eq!(
            broken(&ends(EndCode::NonZero, Some(0))),
            ("end exit code", "an exit code other than 0", "exit code 0")
        );
    }

    #[test]
    fn a_container_that_goes_on_running_breaks_both() {
        let findings = ends(EndCode::NonZero, None);
        assert_eq!(
            broken(&findings[..1]),
            ("end time", "the container to end by itself within 10 s", "it was still running after 10.0 s")
        );
        assert_eq!(broken(&findings[1..]).2, "it was still running after 10.0 s");
    }
}
