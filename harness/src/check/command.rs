//! A command run in a container.

use super::evidence::CommandEvidence;
use super::scope::Scope;
use super::text::{excerpt, pattern, printable};
use crate::outcome::{CheckId, Finding};
use crate::suite::scenario::CommandExpectation;

/// Checks a finished command: a finding for its exit code, and one for each pattern of its output.
pub(crate) fn check(scope: &Scope, expectation: &CommandExpectation, evidence: &CommandEvidence) -> Vec<Finding> {
    let scope = &scope.only(&expectation.proves);
    let command = printable(&expectation.run.value.join(" "));
    let exit_code = &expectation.exit_code;
    let mut findings = vec![scope.holds(CheckId::CommandExitCode, &command, &exit_code.at, || {
        (evidence.exit_code != exit_code.value).then(|| {
            let expected = format!("exit code {}", exit_code.value);
            (expected, format!("exit code {}, {}", evidence.exit_code, output(evidence)))
        })
    })];
    findings.extend(expectation.output.as_ref().map(|declared| {
        scope.holds(CheckId::CommandOutput, &command, &declared.at, || {
            (!declared.value.is_match(&evidence.output))
                .then(|| (format!("output that matches {}", pattern(&declared.value)), output(evidence)))
        })
    }));
    findings.extend(expectation.output_absent.as_ref().map(|declared| {
        let subject = (command.as_str(), pattern(&declared.value));
        scope.holds(CheckId::CommandOutputAbsent, subject, &declared.at, || {
            declared
                .value
                .is_match(&evidence.output)
                .then(|| (format!("output that does not match {}", pattern(&declared.value)), output(evidence)))
        })
    }));
    findings
}

fn output(evidence: &CommandEvidence) -> String {
    if evidence.output.trim().is_empty() {
        return "no output".to_owned();
    }
    format!("output:\n{}", excerpt(&evidence.output))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::super::samples::{broken, declared, held, log, regex, scope};
    use super::*;

    fn expectation() -> CommandExpectation {
        CommandExpectation {
            run: declared(log(&["git", "--version"])),
            exit_code: declared(0),
            output: Some(declared(regex("^git version"))),
            output_absent: Some(declared(regex("error"))),
            proves: Vec::new(),
        }
    }

    fn evidence(exit_code: i64, output: &str) -> CommandEvidence {
        CommandEvidence { exit_code, output: output.to_owned() }
    }

    #[test]
    fn the_expected_end_and_output_hold() {
        assert_eq!(held(&check(&scope(), &expectation(), &evidence(0, "hint\ngit version 2\n"))), 3);
    }

    #[test]
    fn another_exit_code_breaks() {
        let findings = check(&scope(), &expectation(), &evidence(127, "git version\x07\n"));
        assert_eq!(
            broken(&findings),
            ("command `git --version` exit code", "exit code 0", "exit code 127, output:\ngit version\\u{7}")
        );
    }

    #[test]
    fn other_output_breaks() {
        let findings = check(&scope(), &expectation(), &evidence(0, "\n"));
        assert_eq!(
            broken(&findings),
            ("command `git --version` output", "output that matches /^git version/", "no output")
        );
    }

    #[test]
    fn output_that_must_not_be_there_breaks() {
        let findings = check(&scope(), &expectation(), &evidence(0, "git version\nerror"));
        assert_eq!(
            broken(&findings),
            (
                "command `git --version` output without /error/",
                "output that does not match /error/",
                "output:\ngit version\nerror"
            )
        );
    }
}
