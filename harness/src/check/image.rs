//! The image's configuration.

use std::collections::BTreeMap;

use regex::Regex;

use super::evidence::{ImageEvidence, SizeEvidence};
use super::scope::Scope;
use super::text::{other_list, pattern, quoted};
use crate::outcome::{CheckId, Finding};
use crate::suite::scenario::{Declared, ImageExpectation};

/// A megabyte, in bytes.
const MEGABYTE: u64 = 1_000_000;

/// Checks an image's configuration: a finding for each declared key, variable and label.
pub(crate) fn check(scope: &Scope, expectation: &ImageExpectation, evidence: &ImageEvidence) -> Vec<Finding> {
    let ImageExpectation {
        triggers,
        entry_point,
        command,
        exposed_ports,
        working_directory,
        user,
        max_megabytes,
        environment,
        labels,
    } = expectation;
    let mut findings = Vec::new();
    findings.extend(exact(scope, CheckId::ImageTriggers, triggers.as_ref(), &evidence.triggers));
    findings.extend(exact(scope, CheckId::ImageEntryPoint, entry_point.as_ref(), &evidence.entry_point));
    findings.extend(exact(scope, CheckId::ImageCommand, command.as_ref(), &evidence.command));
    findings.extend(exposed_ports.as_ref().map(|ports| {
        let ports = Declared { value: sorted(&ports.value), at: ports.at.clone() };
        exact_list(scope, CheckId::ImageExposedPorts, &ports, &sorted(&evidence.exposed_ports))
    }));
    findings.extend(same(
        scope,
        CheckId::ImageWorkingDirectory,
        working_directory.as_ref(),
        &evidence.working_directory,
    ));
    findings.extend(same(scope, CheckId::ImageUser, user.as_ref(), &evidence.user));
    findings.extend(max_megabytes.as_ref().map(|limit| {
        scope.holds(CheckId::ImageSize, (), &limit.at, || {
            let expected = format!("at most {} MB", limit.value);
            match evidence.size {
                Some(SizeEvidence { bytes, whole: true }) if bytes <= limit.value.saturating_mul(MEGABYTE) => None,
                Some(SizeEvidence { bytes, whole }) => {
                    let size = bytes.div_ceil(MEGABYTE);
                    Some((expected, if whole { format!("{size} MB") } else { format!("more than {size} MB") }))
                }
                None => Some((expected, "it was not looked at".to_owned())),
            }
        })
    }));
    findings.extend(named(scope, CheckId::ImageEnvironment, environment, &evidence.environment));
    findings.extend(named(scope, CheckId::ImageLabel, labels, &evidence.labels));
    findings
}

fn exact(scope: &Scope, id: CheckId, expected: Option<&Declared<Vec<String>>>, got: &[String]) -> Option<Finding> {
    expected.map(|expected| exact_list(scope, id, expected, got))
}

fn exact_list(scope: &Scope, id: CheckId, expected: &Declared<Vec<String>>, got: &[String]) -> Finding {
    scope.holds(id, (), &expected.at, || other_list(&expected.value, got))
}

fn same(scope: &Scope, id: CheckId, expected: Option<&Declared<String>>, got: &str) -> Option<Finding> {
    expected.map(|expected| {
        scope.holds(id, (), &expected.at, || (expected.value != got).then(|| (quoted(&expected.value), quoted(got))))
    })
}

fn named<'a>(
    scope: &'a Scope,
    id: CheckId,
    expected: &'a BTreeMap<String, Declared<Regex>>,
    got: &'a BTreeMap<String, String>,
) -> impl Iterator<Item = Finding> + 'a {
    expected.iter().map(move |(key, value)| {
        scope.holds(id, key, &value.at, || {
            let got = match got.get(key) {
                Some(text) if value.value.is_match(text) => return None,
                Some(text) => quoted(text),
                None => "it is not set".to_owned(),
            };
            Some((format!("a value that is {}", pattern(&value.value)), got))
        })
    })
}

fn sorted(items: &[String]) -> Vec<String> {
    let mut items = items.to_vec();
    items.sort();
    items.dedup();
    items
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::super::samples::{broken, declared, held, log, regex, scope};
    use super::*;

    fn evidence() -> ImageEvidence {
        ImageEvidence {
            triggers: log(&["COPY . /app", "RUN mod_wsgi-docker-build"]),
            entry_point: log(&["mod_wsgi-docker-start"]),
            command: log(&["wsgi.py"]),
            exposed_ports: log(&["443/tcp", "80/tcp"]),
            working_directory: "/app".to_owned(),
            user: String::new(),
            environment: BTreeMap::from([("LANG".to_owned(), "C.UTF-8".to_owned())]),
            labels: BTreeMap::from([("version".to_owned(), "1.0\x1b[2J".to_owned())]),
            size: Some(SizeEvidence { bytes: 400_000_001, whole: true }),
            ..ImageEvidence::default()
        }
    }

    fn list_of(items: &[&str]) -> Declared<Vec<String>> {
        declared(log(items))
    }

    fn text(value: &str) -> Declared<String> {
        declared(value.to_owned())
    }

    fn value(name: &str, pattern: &str) -> BTreeMap<String, Declared<Regex>> {
        BTreeMap::from([(name.to_owned(), declared(regex(&format!("^(?:{pattern})$"))))])
    }

    #[test]
    fn the_very_configuration_holds() {
        let expectation = ImageExpectation {
            triggers: Some(list_of(&["COPY . /app", "RUN mod_wsgi-docker-build"])),
            entry_point: Some(list_of(&["mod_wsgi-docker-start"])),
            command: Some(list_of(&["wsgi.py"])),
            exposed_ports: Some(list_of(&["80/tcp", "443/tcp"])),
            working_directory: Some(text("/app")),
            user: Some(text("")),
            max_megabytes: Some(declared(401)),
            environment: value("LANG", r"C\.UTF-8"),
            labels: value("version", r"1\.0.*"),
        };
        assert_eq!(held(&check(&scope(), &expectation, &evidence())), 9);
    }

    #[test]
    fn nothing_declared_asserts_nothing() {
        assert_eq!(check(&scope(), &ImageExpectation::default(), &evidence()), []);
    }

    #[test]
    fn each_key_breaks() {
        let none = ImageExpectation::default;
        let cases = [
            (
                ImageExpectation { triggers: Some(list_of(&["RUN mod_wsgi-docker-build", "COPY . /app"])), ..none() },
                "image triggers",
                "[\"COPY . /app\", \"RUN mod_wsgi-docker-build\"] (the same entries in another order)",
            ),
            (
                ImageExpectation { entry_point: Some(list_of(&[])), ..none() },
                "image entry point",
                "[\"mod_wsgi-docker-start\"] (unexpected \"mod_wsgi-docker-start\")",
            ),
            (
                ImageExpectation { command: Some(list_of(&["app.py"])), ..none() },
                "image command",
                "[\"wsgi.py\"] (missing \"app.py\"; unexpected \"wsgi.py\")",
            ),
            (
                ImageExpectation { exposed_ports: Some(list_of(&["80/tcp"])), ..none() },
                "image exposed ports",
                "[\"443/tcp\", \"80/tcp\"] (unexpected \"443/tcp\")",
            ),
            (ImageExpectation { working_directory: Some(text("/")), ..none() }, "image working directory", "\"/app\""),
            (ImageExpectation { user: Some(text("www-data")), ..none() }, "image user", "\"\""),
            (ImageExpectation { max_megabytes: Some(declared(400)), ..none() }, "image size", "401 MB"),
            (
                ImageExpectation { environment: value("LANG", "UTF-8"), ..none() },
                "image environment LANG",
                "\"C.UTF-8\"",
            ),
            (
                ImageExpectation { environment: value("HOME", ".*"), ..none() },
                "image environment HOME",
                "it is not set",
            ),
            (ImageExpectation { labels: value("version", "2"), ..none() }, "image label version", "\"1.0\\u{1b}[2J\""),
        ];
        for (expectation, name, got) in cases {
            let findings = check(&scope(), &expectation, &evidence());
            let (check, _, came) = broken(&findings);
            assert_eq!((check, came), (name, got));
        }
    }

    #[test]
    fn a_value_is_matched_as_a_whole_and_shown_as_typed() {
        let expectation = ImageExpectation { labels: value("version", "1"), ..ImageExpectation::default() };
        assert_eq!(broken(&check(&scope(), &expectation, &evidence())).1, "a value that is /1/");
    }
}
