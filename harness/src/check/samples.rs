//! Expectations and findings for the tests of the checks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use regex::{Regex, RegexBuilder};

use super::captured::Captured;
use super::scope::Scope;
use crate::outcome::{At, Finding, Outcome};
use crate::suite::dialect::Dialect;
use crate::suite::scenario::Declared;

/// A pattern as the loader compiles one for texts.
pub(crate) fn regex(pattern: &str) -> Regex {
    RegexBuilder::new(pattern).multi_line(true).build().unwrap()
}

pub(crate) fn at(line: usize) -> At {
    At { file: "sample/scenario.toml".into(), line }
}

pub(crate) fn declared<T>(value: T) -> Declared<T> {
    declared_at(value, 1)
}

pub(crate) fn declared_at<T>(value: T, line: usize) -> Declared<T> {
    Declared { value, at: at(line) }
}

pub(crate) fn log(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

/// Lines that are all.
pub(crate) fn captured(lines: &[&str]) -> Captured {
    log(lines).into()
}

/// How many findings there are, all of which hold.
pub(crate) fn held(findings: &[Finding]) -> usize {
    let broken: Vec<_> = findings.iter().filter(|finding| finding.is_broken()).collect();
    assert!(broken.is_empty(), "{broken:#?}");
    findings.len()
}

/// The one broken finding: what was checked, expected, and got.
pub(crate) fn broken(findings: &[Finding]) -> (&str, &str, &str) {
    let broken: Vec<_> = findings.iter().filter(|finding| finding.is_broken()).collect();
    let [finding] = broken.as_slice() else { panic!("not one broken finding: {findings:#?}") };
    let Outcome::Broken { expected, got } = &finding.outcome else { unreachable!() };
    // Its words last as long as the test.
    (finding.check().leak(), expected, got)
}

/// The scope of a scenario without a contract.
pub(crate) fn scope() -> Scope {
    Scope::new(None, &[], Dialect::Docker)
}
