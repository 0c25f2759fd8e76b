//! A started container: its answers, its end, its log.

use super::evidence::{HttpEvidence, ProbeEvidence, StopEvidence};
use super::text::{excerpt, pattern, printable, quoted};
use super::{Finding, holds, lines};
use crate::scenario::{At, HttpExpectation, ServeExpectation, StopExpectation};

/// Checks an answer: a finding for the status, one for each header, and one for each pattern of the body. Without an
/// answer all of them are broken, for the reason that there was none.
pub fn http(expectation: &HttpExpectation, evidence: &ProbeEvidence) -> Vec<Finding> {
    let name = format!("{} {}", expectation.method, printable(&expectation.path));
    let status = &expectation.status;
    let mut findings = vec![answered(format!("{name} status"), &status.at, evidence, |answer| {
        let expected = format!("status {}", status.value);
        let got =
            (answer.status != status.value).then(|| format!("status {} with the body {}", answer.status, body(answer)));
        (expected, got)
    })];
    for (header, declared) in &expectation.headers {
        findings.push(answered(format!("{name} header {header}"), &declared.at, evidence, |answer| {
            let expected = format!("{header} that matches {}", pattern(&declared.value));
            // Header names are the same in upper and lower case; the evidence has them in lower case.
            let values = answer.headers.get(&header.to_ascii_lowercase()).map(Vec::as_slice).unwrap_or_default();
            if values.iter().any(|value| declared.value.is_match(value)) {
                return (expected, None);
            }
            let values: Vec<_> = values.iter().map(|value| quoted(value)).collect();
            let got = if values.is_empty() { format!("no {header} header") } else { values.join(" and ") };
            (expected, Some(got))
        }));
    }
    findings.extend(expectation.body.as_ref().map(|declared| {
        answered(format!("{name} body"), &declared.at, evidence, |answer| {
            let expected = format!("a body that matches {}", pattern(&declared.value));
            (expected, (!declared.value.is_match(&answer.body)).then(|| body(answer)))
        })
    }));
    findings.extend(expectation.body_absent.as_ref().map(|declared| {
        let without = pattern(&declared.value);
        answered(format!("{name} body without {without}"), &declared.at, evidence, |answer| {
            let expected = format!("a body that does not match {without}");
            (expected, declared.value.is_match(&answer.body).then(|| body(answer)))
        })
    }));
    findings
}

/// A finding about an answer, from what is expected and, when it is not so, what came.
fn answered(
    name: String,
    at: &At,
    evidence: &ProbeEvidence,
    judge: impl Fn(&HttpEvidence) -> (String, Option<String>),
) -> Finding {
    holds(name, at, || match evidence {
        ProbeEvidence::Answered(answer) => {
            let (expected, got) = judge(answer);
            got.map(|got| (expected, got))
        }
        ProbeEvidence::Died { exit_code } => {
            let got = format!("no answer: the container ended with exit code {exit_code} before it answered");
            Some((judge(&HttpEvidence::none()).0, got))
        }
        ProbeEvidence::Silent { waited, fault } => {
            let got = format!("no answer in {:.1} s; last fault: {}", waited.as_secs_f64(), excerpt(fault));
            Some((judge(&HttpEvidence::none()).0, got))
        }
    })
}

impl HttpEvidence {
    /// No answer at all, for the words of what was expected of one.
    fn none() -> Self {
        Self { status: 0, headers: std::collections::BTreeMap::new(), body: String::new() }
    }
}

fn body(answer: &HttpEvidence) -> String {
    if answer.body.is_empty() { "\"\" (empty)".to_owned() } else { quoted(&answer.body) }
}

/// Checks how a container ended after SIGTERM: a finding for the time, and one for the exit code when it is declared.
pub fn stop(expectation: &StopExpectation, evidence: &StopEvidence) -> Vec<Finding> {
    let within = &expectation.within_seconds;
    let took = evidence.took.as_secs_f64();
    let mut findings = vec![holds("stop time", &within.at, || {
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
        holds("stop exit code", &exit_code.at, || {
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
pub fn ended_early(expectation: &StopExpectation, exit_code: i64) -> Finding {
    holds("stop time", &expectation.within_seconds.at, || {
        let expected = "the container to run until SIGTERM".to_owned();
        Some((expected, format!("it had ended before, with exit code {exit_code}")))
    })
}

/// Checks a container's whole log: a finding for each pattern.
pub fn log(expectation: &ServeExpectation, log: &[String]) -> Vec<Finding> {
    lines::check("container log", &expectation.log, &expectation.log_absent, log)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::super::samples::{at, broken, declared, held, log as strings, regex};
    use super::*;

    fn request() -> HttpExpectation {
        HttpExpectation {
            at: at(1),
            method: "GET".to_owned(),
            path: "/".to_owned(),
            status: declared(200),
            headers: BTreeMap::from([("Content-Type".to_owned(), declared(regex("text/plain")))]),
            body: Some(declared(regex("^Hello"))),
            body_absent: Some(declared(regex("Traceback"))),
        }
    }

    fn answer(status: u16, content_type: &str, body: &str) -> ProbeEvidence {
        ProbeEvidence::Answered(HttpEvidence {
            status,
            headers: BTreeMap::from([("content-type".to_owned(), vec![content_type.to_owned()])]),
            body: body.to_owned(),
        })
    }

    #[test]
    fn the_expected_answer_holds() {
        assert_eq!(held(&http(&request(), &answer(200, "text/plain; charset=utf-8", "Hello World!"))), 4);
    }

    #[test]
    fn another_status_breaks() {
        let findings = http(&request(), &answer(500, "text/plain", "Hello\x1b"));
        assert_eq!(broken(&findings), ("GET / status", "status 200", "status 500 with the body \"Hello\\u{1b}\""));
    }

    #[test]
    fn another_header_breaks() {
        let findings = http(&request(), &answer(200, "text/html", "Hello"));
        assert_eq!(
            broken(&findings),
            ("GET / header Content-Type", "Content-Type that matches /text/plain/", "\"text/html\"")
        );
        let bare =
            ProbeEvidence::Answered(HttpEvidence { status: 200, headers: BTreeMap::new(), body: "Hello".into() });
        assert_eq!(broken(&http(&request(), &bare)).2, "no Content-Type header");
    }

    #[test]
    fn another_body_breaks() {
        let findings = http(&request(), &answer(200, "text/plain", "Bye"));
        assert_eq!(broken(&findings), ("GET / body", "a body that matches /^Hello/", "\"Bye\""));
    }

    #[test]
    fn a_body_that_must_not_be_there_breaks() {
        let findings = http(&request(), &answer(200, "text/plain", "Hello Traceback"));
        assert_eq!(
            broken(&findings),
            ("GET / body without /Traceback/", "a body that does not match /Traceback/", "\"Hello Traceback\"")
        );
    }

    #[test]
    fn no_answer_breaks_every_assertion_and_says_why() {
        let findings = http(&request(), &ProbeEvidence::Died { exit_code: 3 });
        assert_eq!(findings.len(), 4);
        assert!(findings.iter().all(Finding::is_broken));
        assert_eq!(
            broken(&findings[..1]),
            ("GET / status", "status 200", "no answer: the container ended with exit code 3 before it answered")
        );
        let silent = ProbeEvidence::Silent { waited: Duration::from_secs(30), fault: "connection refused".to_owned() };
        let findings = http(&request(), &silent);
        assert!(findings.iter().all(Finding::is_broken));
        assert_eq!(broken(&findings[..1]).2, "no answer in 30.0 s; last fault: connection refused");
    }

    fn ends(exit_code: i64, seconds: u64, killed: bool) -> Vec<Finding> {
        let expectation = StopExpectation { exit_code: Some(declared(0)), within_seconds: declared(10) };
        stop(&expectation, &StopEvidence { exit_code, took: Duration::from_secs(seconds), killed })
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
            broken(&[ended_early(&expectation, 0)]),
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
        assert_eq!(held(&log(&expectation, &strings(&["resuming normal operations"]))), 2);
        let findings = log(&expectation, &strings(&["resuming", "Traceback (most recent call last)"]));
        assert_eq!(broken(&findings).0, "container log without /Traceback/");
        assert!(log(&expectation, &[])[0].is_broken());
    }
}
