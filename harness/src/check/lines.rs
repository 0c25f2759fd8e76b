//! Lines of a log: those that must be there in order, and those that must not be there.

use regex::Regex;

use super::captured::Captured;
use super::scope::Scope;
use super::text::{excerpt, pattern, tail};
use crate::outcome::{CheckId, Finding};
use crate::suite::scenario::Declared;

/// How many lines of a log a finding shows.
const TAIL: usize = 5;

/// The checks of a log.
pub(crate) struct LogChecks {
    /// The log's name in findings: `build log`, `container log`.
    name: &'static str,
    /// Which of several; empty where there is one.
    of: String,
    present: CheckId,
    absent: CheckId,
    should: CheckId,
}

impl LogChecks {
    pub(crate) const fn new(name: &'static str, present: CheckId, absent: CheckId, should: CheckId) -> Self {
        Self { name, of: String::new(), present, absent, should }
    }

    /// The checks of one of several logs.
    pub(crate) fn of(self, number: usize) -> Self {
        Self { of: number.to_string(), ..self }
    }

    fn subject(&self, regex: &Regex) -> (String, String) {
        (self.of.clone(), pattern(regex))
    }

    fn words(&self) -> String {
        format!("{} {}", self.name, self.of).trim_end().to_owned()
    }

    /// A finding for each pattern. Each must match a line after the one that the pattern before it matched. Of a log that was cut there
    /// are none about what it lacks: nothing is known of that.
    pub(crate) fn check(
        &self,
        scope: &Scope,
        present: &[Declared<Regex>],
        absent: &[Declared<Regex>],
        log: &Captured,
    ) -> Vec<Finding> {
        let mut findings = self.in_order(scope, present, log);
        findings.extend(absent.iter().filter_map(|declared| {
            let found = log.first(&declared.value);
            let known = found.is_some() || log.cut().is_none();
            known.then(|| {
                scope.holds(self.absent, self.subject(&declared.value), &declared.at, || {
                    let (index, line) = found?;
                    let expected = format!("no line of the {} that matches {}", self.words(), pattern(&declared.value));
                    Some((expected, format!("line {}: {}", index + 1, excerpt(line))))
                })
            })
        }));
        findings
    }

    /// A finding for each line that should be there, wherever it stands.
    pub(crate) fn should(&self, scope: &Scope, patterns: &[Declared<Regex>], log: &Captured) -> Vec<Finding> {
        let findings = patterns.iter().filter_map(|declared| {
            let found = log.any(|line| declared.value.is_match(line))?;
            Some(scope.holds(self.should, self.subject(&declared.value), &declared.at, || {
                let expected = format!("a line of the {} that matches {}", self.words(), pattern(&declared.value));
                (!found).then(|| (expected, none_of(log.read_part())))
            }))
        });
        findings.collect()
    }

    fn in_order(&self, scope: &Scope, present: &[Declared<Regex>], captured: &Captured) -> Vec<Finding> {
        let log = captured.read_part();
        // The earliest match leaves the most lines for the patterns that follow, so no other choice can do better.
        let mut last: Option<(usize, &Regex)> = None;
        let mut findings = Vec::new();
        for declared in present {
            let regex = &declared.value;
            let start = last.map_or(0, |(index, _)| index + 1);
            let found = (start..log.len()).find(|index| regex.is_match(&log[*index]));
            if found.is_none() && captured.cut().is_some() {
                // It may stand where nobody has read, and what is to follow it then, too.
                break;
            }
            findings.push(scope.holds(self.present, self.subject(regex), &declared.at, || {
                if found.is_some() {
                    return None;
                }
                let mut expected = format!("a line of the {} that matches {}", self.words(), pattern(regex));
                if let Some((index, earlier)) = last {
                    expected = format!("{expected}, after line {} which matches {}", index + 1, pattern(earlier));
                }
                let got = match log[..start].iter().position(|line| regex.is_match(line)) {
                    Some(index) => format!("only line {}, which is not after it: {}", index + 1, excerpt(&log[index])),
                    None => none_of(log),
                };
                Some((expected, got))
            }));
            if let Some(index) = found {
                last = Some((index, regex));
            }
        }
        findings
    }
}

/// That no line of the log matched, with its end to look at.
pub(crate) fn none_of(log: &[String]) -> String {
    match log.len() {
        0 => "no lines at all".to_owned(),
        1 => format!("only this line:\n{}", tail(log, TAIL)),
        count if count <= TAIL => format!("only these lines:\n{}", tail(log, TAIL)),
        count => format!("none of its {count} lines, which end:\n{}", tail(log, TAIL)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::super::captured::tests::cut;
    use super::super::samples::{broken, captured, declared, held, regex, scope};
    use super::*;

    const BUILD: LogChecks =
        LogChecks::new("build log", CheckId::BuildLog, CheckId::BuildLogAbsent, CheckId::BuildLogShould);

    fn patterns(items: &[&str]) -> Vec<Declared<Regex>> {
        items.iter().map(|item| declared(regex(item))).collect()
    }

    #[test]
    fn lines_in_order_hold() {
        let findings =
            BUILD.check(&scope(), &patterns(&["^a", "b", "b"]), &patterns(&["d"]), &captured(&["x", "a", "b", "b"]));
        assert_eq!(held(&findings), 4);
    }

    #[test]
    fn a_line_that_is_not_there_breaks() {
        let findings = BUILD.check(&scope(), &patterns(&["a", "z"]), &[], &captured(&["a", "b"]));
        let (check, expected, got) = broken(&findings);
        assert_eq!(check, "build log has /z/");
        assert_eq!(expected, "a line of the build log that matches /z/, after line 1 which matches /a/");
        assert_eq!(got, "only these lines:\na\nb");
    }

    #[test]
    fn lines_out_of_order_break() {
        let findings = BUILD.check(&scope(), &patterns(&["b", "a"]), &[], &captured(&["a", "b"]));
        let (_, expected, got) = broken(&findings);
        assert_eq!(expected, "a line of the build log that matches /a/, after line 2 which matches /b/");
        assert_eq!(got, "only line 1, which is not after it: a");
    }

    #[test]
    fn one_line_does_not_count_twice() {
        let findings = BUILD.check(&scope(), &patterns(&["a", "a"]), &[], &captured(&["a"]));
        let (_, _, got) = broken(&findings);
        assert_eq!(got, "only line 1, which is not after it: a");
    }

    #[test]
    fn an_empty_log_breaks() {
        let findings = BUILD.check(&scope(), &patterns(&["a"]), &[], &captured(&[]));
        let (_, _, got) = broken(&findings);
        assert_eq!(got, "no lines at all");
    }

    #[test]
    fn a_line_that_must_be_absent_breaks() {
        let findings = BUILD.check(&scope(), &[], &patterns(&["Trace"]), &captured(&["a", "Traceback\x1b[0m"]));
        let (check, expected, got) = broken(&findings);
        assert_eq!(check, "build log without /Trace/");
        assert_eq!(expected, "no line of the build log that matches /Trace/");
        assert_eq!(got, "line 2: Traceback\\u{1b}[0m");
    }

    #[test]
    fn of_a_log_that_was_cut_only_what_it_has_is_told() {
        let log = cut(&["a", "b"]);
        assert_eq!(held(&BUILD.check(&scope(), &patterns(&["a", "z", "a"]), &patterns(&["c"]), &log)), 1);
        assert_eq!(broken(&BUILD.check(&scope(), &[], &patterns(&["b"]), &log)).0, "build log without /b/");
        assert_eq!(held(&BUILD.should(&scope(), &patterns(&["a", "z"]), &log)), 1);
    }
}
