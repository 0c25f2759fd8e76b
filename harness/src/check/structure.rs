//! Tests of container-structure-test files.

use std::collections::BTreeMap;

use regex::Regex;

use super::captured::is_in_part;
use super::evidence::{ApartEvidence, CommandEnd, ContentEvidence, EntryEvidence, EntryKind, ImageEvidence};
use super::scope::Scope;
use super::text::{excerpt, list, other_list, pattern, quoted};
use crate::outcome::{At, CheckId, Finding};
use crate::suite::scenario::Declared;
use crate::suite::structure::{CommandTest, ContentTest, ExistenceTest, MetadataTest, Named, Patterns, Value};

/// The name of the test of the image's configuration, which has none of its own.
const METADATA: &str = "metadata";

/// A finding of a test.
struct Of<'a> {
    scope: &'a Scope,
    name: &'a str,
}

impl Of<'_> {
    fn holds(&self, what: impl Into<String>, at: &At, broken: impl FnOnce() -> Option<(String, String)>) -> Finding {
        let subject = (excerpt(self.name), what.into());
        self.scope.holds(CheckId::StructureTest, subject, at, broken)
    }

    /// What a text must and must not have in it. Of one that was cut it is not known what the rest has: there is no finding about that.
    fn patterns(&self, what: &str, patterns: &Patterns, text: &str, whole: bool) -> Vec<Finding> {
        let finding = |declared: &Declared<Regex>, wanted: bool| {
            let found = if whole { declared.value.is_match(text) } else { is_in_part(&declared.value, text) };
            let (has, matches) = if wanted { ("has", "matches") } else { ("without", "does not match") };
            let pattern = pattern(&declared.value);
            let got = || if text.is_empty() { format!("no {what}") } else { format!("{what}:\n{}", excerpt(text)) };
            (found || whole).then(|| {
                self.holds(format!("{what} {has} {pattern}"), &declared.at, || {
                    (found != wanted).then(|| (format!("{what} that {matches} {pattern}"), got()))
                })
            })
        };
        let expected = patterns.expected.iter().filter_map(|declared| finding(declared, true));
        let excluded = patterns.excluded.iter().filter_map(|declared| finding(declared, false));
        expected.chain(excluded).collect()
    }
}

/// Checks a command: its exit code, and what it wrote. Where that was cut there is a finding for the limit.
pub(crate) fn command(scope: &Scope, test: &CommandTest, evidence: &ApartEvidence) -> Vec<Finding> {
    let of = Of { scope, name: &test.name };
    let texts = [&evidence.output, &evidence.error].map(|bytes| String::from_utf8_lossy(bytes));
    let [output, error] = &texts;
    let mut findings = vec![of.holds("exit code", &test.at, || {
        (evidence.end != Ok(CommandEnd::Exited(test.exit_code))).then(|| {
            let mut got = how_it_ended(evidence);
            if evidence.end.is_ok() {
                got += &format!(", standard output:\n{}\nstandard error:\n{}", excerpt(output), excerpt(error));
            }
            (format!("exit code {}", test.exit_code), got)
        })
    })];
    if evidence.end.is_ok() {
        let whole = evidence.cut.is_none();
        findings.extend(of.patterns("standard output", &test.output, output, whole));
        findings.extend(of.patterns("standard error", &test.error, error, whole));
    }
    findings.extend(cut(scope, test, evidence));
    findings
}

fn how_it_ended(evidence: &ApartEvidence) -> String {
    match &evidence.end {
        Ok(end) => end.to_string(),
        Err(message) => format!("the command cannot be started: {}", excerpt(message)),
    }
}

/// The finding for a limit that cut what a command wrote, or stopped it.
fn cut(scope: &Scope, test: &CommandTest, evidence: &ApartEvidence) -> Option<Finding> {
    evidence.cut.map(|cut| cut.finding(scope, &format!("structure test {}", excerpt(&test.name)), &test.at))
}

/// The finding for a container of a test that the engine refuses.
pub(crate) fn refused(scope: &Scope, test: &CommandTest, message: &str) -> Finding {
    let of = Of { scope, name: &test.name };
    of.holds("container starts", &test.at, || {
        Some((
            "a container of the image that starts".to_owned(),
            format!("the engine refuses it: {}", excerpt(message)),
        ))
    })
}

/// The finding for a command of a test's set-up that failed: the test itself was not tried.
pub(crate) fn setup_failed(
    scope: &Scope,
    test: &CommandTest,
    command: &[String],
    evidence: &ApartEvidence,
) -> Vec<Finding> {
    let of = Of { scope, name: &test.name };
    let failed = of.holds("set-up", &test.at, || {
        let got = how_it_ended(evidence);
        let said = [&evidence.output, &evidence.error].map(|bytes| String::from_utf8_lossy(bytes)).concat();
        Some((format!("exit code 0 of {}", list(command)), format!("{got}\n{}", excerpt(&said))))
    });
    std::iter::once(failed).chain(cut(scope, test, evidence)).collect()
}

/// Checks what is at a path itself.
pub(crate) fn existence(scope: &Scope, test: &ExistenceTest, evidence: Option<EntryEvidence>) -> Vec<Finding> {
    let of = Of { scope, name: &test.name };
    let path = excerpt(&test.path);
    let words = |evidence: Option<EntryEvidence>| {
        evidence.map_or_else(|| "nothing there".to_owned(), |entry| permissions(&entry))
    };
    if !test.should_exist {
        return vec![of.holds(format!("{path} is absent"), &test.at, || {
            evidence.is_some().then(|| ("nothing there".to_owned(), words(evidence)))
        })];
    }
    let mut findings = vec![of.holds(format!("{path} exists"), &test.at, || {
        evidence.is_none().then(|| ("a file, a directory or a link".to_owned(), words(evidence)))
    })];
    findings.extend(test.permissions.as_ref().map(|declared| {
        of.holds(format!("{path} permissions"), &declared.at, || {
            let got = words(evidence);
            (declared.value != got).then(|| (quoted(&declared.value), got))
        })
    }));
    findings.extend(test.executable_by.as_ref().map(|declared| {
        of.holds(format!("{path} executable by {}", declared.value.words), &declared.at, || {
            let can = evidence.is_some_and(|entry| entry.mode & declared.value.bits != 0);
            (!can).then(|| (format!("executable by {}", declared.value.words), words(evidence)))
        })
    }));
    let owners = [
        ("user", &test.user, evidence.map(|entry| entry.user)),
        ("group", &test.group, evidence.map(|entry| entry.group)),
    ];
    for (what, declared, got) in owners {
        findings.extend(declared.as_ref().map(|declared| {
            of.holds(format!("{path} {what}"), &declared.at, || {
                let got = got.and_then(|got| i64::try_from(got).ok());
                let words = got.map_or_else(|| "nothing there".to_owned(), |got| format!("{what} {got}"));
                (got != Some(declared.value)).then(|| (format!("{what} {}", declared.value), words))
            })
        }));
    }
    findings
}

/// The kind and mode of an entry in letters, as Go's `FileMode` has them.
fn permissions(entry: &EntryEvidence) -> String {
    let kind = match entry.kind {
        EntryKind::File => "",
        EntryKind::Directory => "d",
        EntryKind::Link => "L",
    };
    let special = [(0o4000, 'u'), (0o2000, 'g'), (0o1000, 't')];
    let special: String = special.iter().filter(|(bit, _)| entry.mode & bit != 0).map(|(_, letter)| letter).collect();
    let before = format!("{kind}{special}");
    // Three for each of user, group and others, from the highest bit on.
    let letter = |(bit, letter): (u32, char)| if entry.mode & (1 << bit) == 0 { '-' } else { letter };
    let letters: String = (0..9).rev().zip("rwx".chars().cycle()).map(letter).collect();
    format!("{}{letters}", if before.is_empty() { "-" } else { &before })
}

/// Checks the content of a file.
pub(crate) fn content(scope: &Scope, test: &ContentTest, evidence: &ContentEvidence) -> Vec<Finding> {
    let of = Of { scope, name: &test.name };
    let path = excerpt(&test.path);
    let is_file = |got: Option<&str>| {
        of.holds(format!("{path} is a file"), &test.at, || got.map(|got| ("a file".to_owned(), got.to_owned())))
    };
    let (bytes, size) = match evidence {
        ContentEvidence::File { content, size } => (content, *size),
        ContentEvidence::NoFile(got) => return vec![is_file(Some(got))],
    };
    let read = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let words = String::from_utf8_lossy(bytes);
    let found = of.patterns("content", &test.content, &words, read >= size);
    let undecided = test.content.expected.len() + test.content.excluded.len() > found.len();
    let mut findings = vec![is_file(None)];
    findings.extend(found);
    if undecided {
        findings.push(of.holds(format!("{path} can be read"), &test.at, || {
            let got = format!("a file of {size} bytes; what the rest has cannot be known");
            Some((format!("a file of at most {read} bytes"), got))
        }));
    }
    findings
}

/// Checks the image's configuration.
pub(crate) fn metadata(scope: &Scope, test: &MetadataTest, evidence: &ImageEvidence) -> Vec<Finding> {
    let MetadataTest {
        environment,
        unset,
        labels,
        exposed,
        unexposed,
        volumes,
        unmounted,
        entry_point,
        command,
        working_directory,
        user,
    } = test;
    let of = &Of { scope, name: METADATA };
    // By their numbers alone.
    let ports: Vec<String> =
        evidence.exposed_ports.iter().map(|port| port.split('/').next().unwrap_or_default().to_owned()).collect();
    let mut findings = named(of, "variable", environment, &evidence.environment);
    findings.extend(unset.iter().map(|declared| {
        of.holds(format!("variable {} not set", excerpt(&declared.value)), &declared.at, || {
            let value = evidence.environment.get(&declared.value)?;
            Some(("no such variable".to_owned(), quoted(value)))
        })
    }));
    findings.extend(named(of, "label", labels, &evidence.labels));
    findings.extend(members(of, "port", (exposed, "exposed"), (unexposed, "not exposed"), &ports));
    findings.extend(members(of, "volume", (volumes, "there"), (unmounted, "not there"), &evidence.volumes));
    for (what, declared, got) in
        [("entry point", entry_point, &evidence.entry_point), ("command", command, &evidence.command)]
    {
        findings.extend(
            declared.as_ref().map(|declared| of.holds(what, &declared.at, || other_list(&declared.value, got))),
        );
    }
    let texts = [("working directory", working_directory, &evidence.working_directory), ("user", user, &evidence.user)];
    for (what, declared, got) in texts {
        findings.extend(declared.as_ref().map(|declared| {
            of.holds(what, &declared.at, || (declared.value != *got).then(|| (quoted(&declared.value), quoted(got))))
        }));
    }
    findings
}

fn named(of: &Of<'_>, what: &str, expected: &[Declared<Named>], got: &BTreeMap<String, String>) -> Vec<Finding> {
    let finding = |declared: &Declared<Named>| {
        let Named { name, value } = &declared.value;
        of.holds(format!("{what} {}", excerpt(name)), &declared.at, || {
            let got = got.get(name);
            let (is_so, expected) = match value {
                Value::Text(text) => (got == Some(text), quoted(text)),
                Value::Pattern(regex) => {
                    (got.is_some_and(|got| regex.is_match(got)), format!("a value that matches {}", pattern(regex)))
                }
            };
            (!is_so).then(|| (expected, got.map_or_else(|| "it is not set".to_owned(), |got| quoted(got))))
        })
    };
    expected.iter().map(finding).collect()
}

/// What a list must have, and must not have.
fn members(
    of: &Of<'_>,
    what: &str,
    (there, is_there): (&[Declared<String>], &str),
    (absent, is_absent): (&[Declared<String>], &str),
    got: &[String],
) -> Vec<Finding> {
    let finding = |declared: &Declared<String>, wanted: bool| {
        let words = if wanted { is_there } else { is_absent };
        of.holds(format!("{what} {} {words}", excerpt(&declared.value)), &declared.at, || {
            (got.contains(&declared.value) != wanted).then(|| (words.to_owned(), list(got)))
        })
    };
    let there = there.iter().map(|declared| finding(declared, true));
    there.chain(absent.iter().map(|declared| finding(declared, false))).collect()
}

#[cfg(test)]
#[path = "structure_tests.rs"]
mod tests;
