//! The answers of a started container.

use std::borrow::Cow;
use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::evidence::{HttpEvidence, ProbeEvidence};
use super::scope::Scope;
use super::text::{excerpt, pattern, printable, quoted};
use crate::outcome::{At, CheckId, Finding, Outcome};
use crate::suite::scenario::HttpExpectation;

/// The findings of a request, from those of its answers, of which there is one for each time that it was sent: each must hold of all
/// answers.
pub(crate) fn of_all(answers: Vec<Vec<Finding>>) -> Vec<Finding> {
    let times = answers.len();
    let mut each = answers.into_iter();
    let Some(mut findings) = each.next() else { return Vec::new() };
    let mut broken: Vec<usize> = findings.iter().map(|finding| usize::from(finding.is_broken())).collect();
    for others in each {
        for ((finding, other), count) in findings.iter_mut().zip(others).zip(&mut broken) {
            if other.is_broken() {
                *count += 1;
                if *count == 1 {
                    *finding = other;
                }
            }
        }
    }
    if times > 1 {
        for (finding, count) in findings.iter_mut().zip(broken) {
            finding.subject.occasion = format!(" of {times} requests{}", finding.subject.occasion);
            if let Outcome::Broken { got, .. } = &mut finding.outcome {
                *got = format!("{count} of {times} were not so, the first: {got}");
            }
        }
    }
    findings
}

/// Checks one answer: a finding for the status, one for each header, and one for each thing expected of the body. Without an answer all
/// of them are broken, for the reason that there was none. What the findings are is the same for every answer to a request.
pub(crate) fn answer(scope: &Scope, expectation: &HttpExpectation, evidence: &ProbeEvidence) -> Vec<Finding> {
    let scope = &scope.only(&expectation.proves);
    let request = format!("{} {}", expectation.method, printable(&expectation.path));
    let status = &expectation.status;
    let mut findings =
        vec![answered(scope, (CheckId::HttpStatus, (request.as_str(), "")), &status.at, evidence, |answer| {
            let expected = format!("status {}", status.value);
            let got = (answer.status != status.value)
                .then(|| format!("status {} with the body {}", answer.status, body(answer)));
            (expected, got)
        })];
    for (header, declared) in &expectation.headers {
        findings.push(answered(
            scope,
            (CheckId::HttpHeader, (request.as_str(), header)),
            &declared.at,
            evidence,
            |answer| {
                let expected = format!("{header} that matches {}", pattern(&declared.value));
                // Header names are the same in upper and lower case; the evidence has them in lower case.
                let values = answer.headers.get(&header.to_ascii_lowercase()).map(Vec::as_slice).unwrap_or_default();
                if values.iter().any(|value| declared.value.is_match(value)) {
                    return (expected, None);
                }
                let values: Vec<_> = values.iter().map(|value| quoted(value)).collect();
                let got = if values.is_empty() { format!("no {header} header") } else { values.join(" and ") };
                (expected, Some(got))
            },
        ));
    }
    for declared in &expectation.headers_absent {
        let check = (CheckId::HttpHeaderAbsent, (request.as_str(), declared.value.as_str()));
        findings.push(answered(scope, check, &declared.at, evidence, |answer| {
            let values = answer.headers.get(&declared.value.to_ascii_lowercase());
            let words = |values: &Vec<String>| format!("{}: {}", declared.value, quoted(&values.join(", ")));
            (format!("no {} header", declared.value), values.map(words))
        }));
    }
    if expectation.method == "HEAD" {
        findings.push(answered(
            scope,
            (CheckId::HttpBody, (request.as_str(), "")),
            &expectation.at,
            evidence,
            |answer| ("no body".to_owned(), (!answer.body.is_empty()).then(|| body(answer))),
        ));
    }
    findings.extend(of_body(scope, expectation, &request, evidence));
    findings
}

fn of_body(scope: &Scope, expectation: &HttpExpectation, request: &str, evidence: &ProbeEvidence) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(expectation.length.as_ref().map(|declared| {
        answered(scope, (CheckId::HttpLength, (request, "")), &declared.at, evidence, |answer| {
            let got = answer.body.len();
            (format!("a body of {} bytes", declared.value), (got != declared.value).then(|| format!("{got} bytes")))
        })
    }));
    findings.extend(expectation.sha256.as_ref().map(|declared| {
        answered(scope, (CheckId::HttpSha256, (request, "")), &declared.at, evidence, |answer| {
            let got = hex::encode(Sha256::digest(&answer.body));
            let expected = format!("a body with the SHA-256 {}", declared.value);
            (expected, (got != declared.value).then(|| format!("{got} of {} bytes", answer.body.len())))
        })
    }));
    findings.extend(expectation.body.as_ref().map(|declared| {
        answered(scope, (CheckId::HttpBody, (request, "")), &declared.at, evidence, |answer| {
            let expected = format!("a body that matches {}", pattern(&declared.value));
            (expected, (!declared.value.is_match(&text(answer))).then(|| body(answer)))
        })
    }));
    findings.extend(expectation.body_absent.as_ref().map(|declared| {
        let without = pattern(&declared.value);
        answered(scope, (CheckId::HttpBodyAbsent, (request, &without)), &declared.at, evidence, |answer| {
            let expected = format!("a body that does not match {without}");
            (expected, declared.value.is_match(&text(answer)).then(|| body(answer)))
        })
    }));
    findings
}

/// A finding about an answer, from what is expected and, when it is not so, what came.
fn answered(
    scope: &Scope,
    (id, subject): (CheckId, (&str, &str)),
    at: &At,
    evidence: &ProbeEvidence,
    judge: impl Fn(&HttpEvidence) -> (String, Option<String>),
) -> Finding {
    scope.holds(id, subject, at, || match evidence {
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
        Self { status: 0, headers: BTreeMap::new(), body: Vec::new() }
    }
}

/// The body for patterns, invalid UTF-8 replaced.
fn text(answer: &HttpEvidence) -> Cow<'_, str> {
    String::from_utf8_lossy(&answer.body)
}

fn body(answer: &HttpEvidence) -> String {
    if answer.body.is_empty() { "\"\" (empty)".to_owned() } else { quoted(&text(answer)) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::time::Duration;

    use super::super::samples::{at, broken, declared, held, regex, scope};
    use super::*;

    fn check(scope: &Scope, expectation: &HttpExpectation, evidence: &[ProbeEvidence]) -> Vec<Finding> {
        of_all(evidence.iter().map(|evidence| super::answer(scope, expectation, evidence)).collect())
    }

    fn check_one(expectation: &HttpExpectation, evidence: ProbeEvidence) -> Vec<Finding> {
        check(&scope(), expectation, &[evidence])
    }

    fn request() -> HttpExpectation {
        HttpExpectation {
            headers: BTreeMap::from([("Content-Type".to_owned(), declared(regex("text/plain")))]),
            body: Some(declared(regex("^Hello"))),
            body_absent: Some(declared(regex("Traceback"))),
            ..HttpExpectation::get(at(1))
        }
    }

    fn answer(status: u16, content_type: &str, body: &str) -> ProbeEvidence {
        ProbeEvidence::Answered(HttpEvidence {
            status,
            headers: BTreeMap::from([("content-type".to_owned(), vec![content_type.to_owned()])]),
            body: body.as_bytes().to_vec(),
        })
    }

    #[test]
    fn the_expected_answer_holds() {
        assert_eq!(held(&check_one(&request(), answer(200, "text/plain; charset=utf-8", "Hello World!"))), 4);
    }

    #[test]
    fn another_status_breaks() {
        let findings = check_one(&request(), answer(500, "text/plain", "Hello\x1b"));
        assert_eq!(broken(&findings), ("GET / status", "status 200", "status 500 with the body \"Hello\\u{1b}\""));
    }

    #[test]
    fn another_header_breaks() {
        let findings = check_one(&request(), answer(200, "text/html", "Hello"));
        assert_eq!(
            broken(&findings),
            ("GET / header Content-Type", "Content-Type that matches /text/plain/", "\"text/html\"")
        );
        let bare =
            ProbeEvidence::Answered(HttpEvidence { status: 200, headers: BTreeMap::new(), body: b"Hello".to_vec() });
        assert_eq!(broken(&check_one(&request(), bare)).2, "no Content-Type header");
    }

    #[test]
    fn a_header_that_must_not_be_there_breaks() {
        let without = |name: &str| HttpExpectation {
            headers_absent: vec![declared(name.to_owned())],
            ..HttpExpectation::get(at(1))
        };
        assert_eq!(held(&check_one(&without("X-Powered-By"), answer(200, "text/plain", "Hello"))), 2);
        assert_eq!(
            broken(&check_one(&without("Content-Type"), answer(200, "text/plain", "Hello"))),
            ("GET / without header Content-Type", "no Content-Type header", "Content-Type: \"text/plain\"")
        );
    }

    #[test]
    fn another_body_breaks() {
        let findings = check_one(&request(), answer(200, "text/plain", "Bye"));
        assert_eq!(broken(&findings), ("GET / body", "a body that matches /^Hello/", "\"Bye\""));
    }

    #[test]
    fn a_body_that_must_not_be_there_breaks() {
        let findings = check_one(&request(), answer(200, "text/plain", "Hello Traceback"));
        assert_eq!(
            broken(&findings),
            ("GET / body without /Traceback/", "a body that does not match /Traceback/", "\"Hello Traceback\"")
        );
    }

    #[test]
    fn no_answer_breaks_every_assertion_and_says_why() {
        let findings = check_one(&request(), ProbeEvidence::Died { exit_code: 3 });
        assert_eq!(findings.len(), 4);
        assert!(findings.iter().all(Finding::is_broken));
        assert_eq!(
            broken(&findings[..1]),
            ("GET / status", "status 200", "no answer: the container ended with exit code 3 before it answered")
        );
        let silent = ProbeEvidence::Silent { waited: Duration::from_secs(30), fault: "connection refused".to_owned() };
        let findings = check_one(&request(), silent);
        assert!(findings.iter().all(Finding::is_broken));
        assert_eq!(broken(&findings[..1]).2, "no answer in 30.0 s; last fault: connection refused");
    }

    #[test]
    fn length_and_hash_are_those_of_the_bytes() {
        let hash = "185f8db32271fe25f561a6fc938b2e264306ec304eda518007d1764826381969";
        let of = |length, hash: &str| HttpExpectation {
            length: Some(declared(length)),
            sha256: Some(declared(hash.to_owned())),
            ..HttpExpectation::get(at(1))
        };
        assert_eq!(held(&check_one(&of(5, hash), answer(200, "text/plain", "Hello"))), 3);
        assert_eq!(
            broken(&check_one(&of(6, hash), answer(200, "text/plain", "Hello"))),
            ("GET / length", "a body of 6 bytes", "5 bytes")
        );
        let findings = check_one(&of(5, hash), answer(200, "text/plain", "hello"));
        assert_eq!(broken(&findings).0, "GET / sha256");
    }

    #[test]
    fn an_answer_to_head_has_no_body() {
        let head = HttpExpectation { method: "HEAD".to_owned(), ..HttpExpectation::get(at(1)) };
        assert_eq!(held(&check_one(&head, answer(200, "text/plain", ""))), 2);
        assert_eq!(
            broken(&check_one(&head, answer(200, "text/plain", "Hello"))),
            ("HEAD / body", "no body", "\"Hello\"")
        );
    }

    #[test]
    fn every_answer_of_several_must_be_as_expected() {
        let answers = |bad: u16| {
            [answer(200, "text/plain", "Hello"), answer(bad, "text/plain", "Hello"), answer(bad, "text/plain", "Hello")]
        };
        assert_eq!(held(&check(&scope(), &request(), &answers(200))), 4);
        assert_eq!(
            broken(&check(&scope(), &request(), &answers(503))),
            (
                "GET / status of 3 requests",
                "status 200",
                "2 of 3 were not so, the first: status 503 with the body \"Hello\""
            )
        );
    }
}
