//! What is at a path of the image.

use regex::Regex;

use super::captured::is_in_part;
use super::evidence::FileEvidence;
use super::scope::Scope;
use super::text::{excerpt, list, pattern, printable, quoted};
use crate::outcome::{CheckId, Finding};
use crate::suite::scenario::{Declared, FileExpectation, FileState};

/// Checks a path: a finding for its state, and one for each of mode, owner and content that is declared.
pub(crate) fn check(scope: &Scope, expectation: &FileExpectation, evidence: &FileEvidence) -> Vec<Finding> {
    let scope = &scope.only(&expectation.proves);
    let path = printable(&expectation.path);
    let at = &expectation.state.at;
    match &expectation.state.value {
        FileState::Exists { mode, owner, content } => {
            let mut findings = vec![scope.holds(CheckId::FileExists, &path, at, || {
                (*evidence == FileEvidence::Absent).then(|| ("something there".to_owned(), nothing()))
            })];
            findings.extend(mode.as_ref().map(|mode| check_mode(scope, &path, mode, evidence)));
            findings.extend(owner.as_ref().map(|owner| check_owner(scope, &path, owner, evidence)));
            findings.extend(content.as_ref().map(|content| check_content(scope, &path, content, evidence)));
            findings
        }
        FileState::Absent => vec![scope.holds(CheckId::FileAbsent, &path, at, || {
            (*evidence != FileEvidence::Absent).then(|| (nothing(), words(evidence)))
        })],
        FileState::Empty => vec![scope.holds(CheckId::FileEmpty, &path, at, || match evidence {
            FileEvidence::Absent => None,
            FileEvidence::Directory { entries, all: true, .. } if entries.is_empty() => None,
            _ => Some(("a directory without entries, or nothing".to_owned(), words(evidence))),
        })],
    }
}

fn check_mode(scope: &Scope, path: &str, mode: &Declared<u32>, evidence: &FileEvidence) -> Finding {
    scope.holds(CheckId::FileMode, path, &mode.at, || {
        let got = match evidence {
            FileEvidence::Absent => nothing(),
            FileEvidence::File { mode: got, .. } | FileEvidence::Directory { mode: got, .. } => {
                // The type of the file is no matter of its mode.
                let got = got & 0o7777;
                if got == mode.value {
                    return None;
                }
                format!("mode {got:04o}")
            }
        };
        Some((format!("mode {:04o}", mode.value), got))
    })
}

fn check_owner(scope: &Scope, path: &str, owner: &Declared<String>, evidence: &FileEvidence) -> Finding {
    scope.holds(CheckId::FileOwner, path, &owner.at, || {
        let got = match evidence {
            FileEvidence::Absent => nothing(),
            FileEvidence::File { owner: got, .. } | FileEvidence::Directory { owner: got, .. } => {
                if *got == owner.value {
                    return None;
                }
                format!("owner {}", printable(got))
            }
        };
        Some((format!("owner {}", printable(&owner.value)), got))
    })
}

fn check_content(scope: &Scope, path: &str, content: &Declared<Regex>, evidence: &FileEvidence) -> Finding {
    scope.holds(CheckId::FileContent, path, &content.at, || {
        let got = match evidence {
            FileEvidence::Absent => nothing(),
            FileEvidence::Directory { .. } => "a directory".to_owned(),
            FileEvidence::File { content: bytes, size, .. } => {
                let text = String::from_utf8_lossy(bytes);
                let read = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                let is_whole = read >= *size;
                let found = if is_whole { content.value.is_match(&text) } else { is_in_part(&content.value, &text) };
                if found {
                    return None;
                }
                let cut = if is_whole {
                    String::new()
                } else {
                    format!(" (only the first {read} of {size} bytes were read; what the rest has cannot be known)")
                };
                if text.is_empty() { "an empty file".to_owned() } else { format!("{}{cut}", excerpt(&text)) }
            }
        };
        Some((format!("content that matches {}", pattern(&content.value)), got))
    })
}

fn nothing() -> String {
    "nothing there".to_owned()
}

fn words(evidence: &FileEvidence) -> String {
    const SHOWN: usize = 8;
    match evidence {
        FileEvidence::Absent => nothing(),
        FileEvidence::File { size: 0, .. } => "an empty file".to_owned(),
        FileEvidence::File { size, .. } => format!("a file of {size} bytes"),
        FileEvidence::Directory { entries, all: false, .. } => {
            format!(
                "a directory of which only a part was read, with the entries {}",
                list(&entries[..entries.len().min(SHOWN)])
            )
        }
        FileEvidence::Directory { entries, .. } => match entries.as_slice() {
            [] => "a directory without entries".to_owned(),
            [one] => format!("a directory with the entry {}", quoted(one)),
            several if several.len() <= SHOWN => format!("a directory with the entries {}", list(several)),
            several => format!("a directory with {} entries, first {}", several.len(), list(&several[..SHOWN])),
        },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::super::samples::{broken, declared, held, log, regex, scope};
    use super::*;

    fn expectation(value: FileState) -> FileExpectation {
        FileExpectation { path: "/app/x".to_owned(), state: declared(value), proves: Vec::new() }
    }

    fn exists(mode: Option<u32>, owner: Option<&str>, content: Option<&str>) -> FileExpectation {
        expectation(FileState::Exists {
            mode: mode.map(declared),
            owner: owner.map(|owner| declared(owner.to_owned())),
            content: content.map(|content| declared(regex(content))),
        })
    }

    fn file(content: &str) -> FileEvidence {
        FileEvidence::File {
            mode: 0o100_755,
            owner: "0:0".to_owned(),
            content: content.as_bytes().to_vec(),
            size: content.len() as u64,
        }
    }

    fn directory(entries: &[&str]) -> FileEvidence {
        FileEvidence::Directory { mode: 0o755, owner: "0:0".to_owned(), entries: log(entries), all: true }
    }

    #[test]
    fn what_is_declared_of_a_file_holds() {
        assert_eq!(held(&check(&scope(), &exists(Some(0o755), Some("0:0"), Some("^two$")), &file("one\ntwo\n"))), 4);
        assert_eq!(held(&check(&scope(), &exists(None, None, None), &directory(&[]))), 1);
    }

    #[test]
    fn a_file_that_is_not_there_breaks_everything_about_it() {
        let findings = check(&scope(), &exists(Some(0o755), Some("0:0"), Some("x")), &FileEvidence::Absent);
        assert_eq!(findings.len(), 4);
        assert!(findings.iter().all(Finding::is_broken));
        assert_eq!(broken(&findings[..1]), ("file /app/x exists", "something there", "nothing there"));
    }

    #[test]
    fn another_mode_breaks() {
        let findings = check(&scope(), &exists(Some(0o644), None, None), &file(""));
        assert_eq!(broken(&findings), ("file /app/x mode", "mode 0644", "mode 0755"));
    }

    #[test]
    fn another_owner_breaks() {
        let findings = check(&scope(), &exists(None, Some("33:33"), None), &directory(&[]));
        assert_eq!(broken(&findings), ("file /app/x owner", "owner 33:33", "owner 0:0"));
    }

    #[test]
    fn other_content_breaks() {
        let expectation = exists(None, None, Some("^three$"));
        let findings = check(&scope(), &expectation, &file("one\n\x1b]0;two"));
        assert_eq!(broken(&findings), ("file /app/x content", "content that matches /^three$/", "one\n\\u{1b}]0;two"));
        assert_eq!(broken(&check(&scope(), &expectation, &file(""))).2, "an empty file");
        assert_eq!(broken(&check(&scope(), &expectation, &directory(&[]))).2, "a directory");
    }

    /// A pattern that fits the part by its end may not fit the whole.
    #[test]
    fn of_content_that_was_read_in_part_only_what_is_there_is_known() {
        let part = FileEvidence::File { mode: 0o644, owner: "0:0".to_owned(), content: b"one\ntwo".to_vec(), size: 9 };
        let of = |pattern| check(&scope(), &exists(None, None, Some(pattern)), &part);
        assert_eq!(held(&of("^one$")), 2);
        let told = "one\ntwo (only the first 7 of 9 bytes were read; what the rest has cannot be known)";
        for pattern in [r"\A[^x]*\z", "two", "three"] {
            assert_eq!(broken(&of(pattern)).2, told);
        }
    }

    #[test]
    fn a_directory_that_was_read_in_part_is_not_known_to_be_empty() {
        let part = FileEvidence::Directory { mode: 0o755, owner: "0:0".to_owned(), entries: Vec::new(), all: false };
        assert!(check(&scope(), &expectation(FileState::Empty), &part)[0].is_broken());
    }

    #[test]
    fn an_absent_path_must_be_absent() {
        let expectation = expectation(FileState::Absent);
        assert_eq!(held(&check(&scope(), &expectation, &FileEvidence::Absent)), 1);
        let findings = check(&scope(), &expectation, &directory(&["a"]));
        assert_eq!(broken(&findings), ("file /app/x is absent", "nothing there", "a directory with the entry \"a\""));
        assert_eq!(broken(&check(&scope(), &expectation, &file("abc"))).2, "a file of 3 bytes");
    }

    #[test]
    fn an_empty_directory_must_be_empty() {
        let expectation = expectation(FileState::Empty);
        assert_eq!(held(&check(&scope(), &expectation, &FileEvidence::Absent)), 1);
        assert_eq!(held(&check(&scope(), &expectation, &directory(&[]))), 1);
        let findings = check(&scope(), &expectation, &directory(&["lock", "partial"]));
        assert_eq!(broken(&findings).2, "a directory with the entries [\"lock\", \"partial\"]");
        assert!(check(&scope(), &expectation, &file(""))[0].is_broken());
    }
}
