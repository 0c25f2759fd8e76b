//! A command run in a container.

use std::fmt;

use super::evidence::{CommandEnd, CommandEvidence};
use super::scope::Scope;
use super::text::{excerpt, pattern, printable};
use crate::outcome::{CheckId, Finding};
use crate::suite::scenario::CommandExpectation;

/// Checks a command: a finding for its exit code, and one for each pattern of its output. Where that was cut, or the command stopped,
/// there is one for the limit, and none about what the output lacks.
pub(crate) fn check(scope: &Scope, expectation: &CommandExpectation, evidence: &CommandEvidence) -> Vec<Finding> {
    let scope = &scope.only(&expectation.proves);
    let command = printable(&expectation.run.value.join(" "));
    let exit_code = &expectation.exit_code;
    let mut findings = vec![scope.holds(CheckId::CommandExitCode, &command, &exit_code.at, || {
        (evidence.end != CommandEnd::Exited(exit_code.value)).then(|| {
            let expected = format!("exit code {}", exit_code.value);
            (expected, format!("{}, {}", evidence.end, output(evidence)))
        })
    })];
    findings.extend(expectation.output.as_ref().and_then(|declared| {
        let found = evidence.output.has(&declared.value)?;
        Some(scope.holds(CheckId::CommandOutput, &command, &declared.at, || {
            (!found).then(|| (format!("output that matches {}", pattern(&declared.value)), output(evidence)))
        }))
    }));
    findings.extend(expectation.output_absent.as_ref().and_then(|declared| {
        let found = evidence.output.has_at_all(&declared.value)?;
        let subject = (command.as_str(), pattern(&declared.value));
        Some(scope.holds(CheckId::CommandOutputAbsent, subject, &declared.at, || {
            found.then(|| (format!("output that does not match {}", pattern(&declared.value)), output(evidence)))
        }))
    }));
    let cut = evidence.output.cut();
    findings.extend(cut.map(|cut| cut.finding(scope, &format!("command `{command}`"), &expectation.run.at)));
    findings
}

fn output(evidence: &CommandEvidence) -> String {
    let text = evidence.output.text();
    if text.trim().is_empty() {
        return "no output".to_owned();
    }
    format!("output:\n{}", excerpt(&text))
}

impl fmt::Display for CommandEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "exit code {code}"),
            Self::TimedOut(after) => write!(f, "timed out after {} s", after.as_secs()),
            Self::ContainerEnded => f.write_str("not run, since the container had ended"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::time::Duration;

    use super::super::captured::tests::cut;
    use super::super::samples::{broken, captured, declared, held, log, regex, scope};
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
        let output = captured(&output.lines().collect::<Vec<_>>());
        CommandEvidence { end: CommandEnd::Exited(exit_code), output }
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

    #[test]
    fn what_an_output_lacks_that_was_cut_is_not_known() {
        let evidence = CommandEvidence { end: CommandEnd::Exited(0), output: cut(&["git version 2"]) };
        let findings = check(&scope(), &expectation(), &evidence);
        assert_eq!(broken(&findings).0, "limit of the command `git --version`'s log size");
        assert_eq!(findings.len(), 3);
        let absent = CommandExpectation { output: Some(declared(regex("error"))), ..expectation() };
        let findings = check(&scope(), &absent, &evidence);
        assert_eq!(broken(&findings).1, "a log of at most 16 MB (log-megabytes)");
        assert_eq!(findings.len(), 2);
        let there = CommandExpectation { output_absent: Some(declared(regex("version"))), ..expectation() };
        assert!(check(&scope(), &there, &evidence)[2].is_broken());
    }

    /// No exit code that can be expected stands for it.
    #[test]
    fn a_command_that_does_not_end_or_never_runs_breaks() {
        for (end, words) in [
            (CommandEnd::TimedOut(Duration::from_secs(120)), "timed out after 120 s, no output"),
            (CommandEnd::ContainerEnded, "not run, since the container had ended, no output"),
        ] {
            for exit_code in [0, 124, 126] {
                let expectation = CommandExpectation {
                    exit_code: declared(exit_code),
                    output: None,
                    output_absent: None,
                    ..expectation()
                };
                let evidence = CommandEvidence { end, output: captured(&[]) };
                assert_eq!(broken(&check(&scope(), &expectation, &evidence)).2, words);
            }
        }
    }
}
