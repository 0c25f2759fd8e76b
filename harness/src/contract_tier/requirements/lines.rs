//! From text to lines, as pip's `preprocess` does it: lines, continuations, comments, variables, in this order.

use std::collections::BTreeMap;

use super::pip::Pip;

/// The lines of a file that have anything in them, without comments, each with what continues it.
pub(super) fn lines(text: &str, pip: Pip, environment: &BTreeMap<String, String>) -> Vec<String> {
    let joined = joined(split(text), pip);
    let bare = joined.iter().map(|line| pip.strip(without_comment(line, pip))).filter(|line| !line.is_empty());
    bare.map(|line| if pip.is_legacy() { line.to_owned() } else { expanded(line, environment) }).collect()
}

/// `str.splitlines`, which knows more ends of lines than a line feed.
fn split(text: &str) -> Vec<&str> {
    let ends = ['\n', '\r', '\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{85}', '\u{2028}', '\u{2029}'];
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some((end, character)) = rest.char_indices().find(|(_, character)| ends.contains(character)) {
        lines.push(&rest[..end]);
        rest = &rest[end + character.len_utf8()..];
        if character == '\r' {
            rest = rest.strip_prefix('\n').unwrap_or(rest);
        }
    }
    if !rest.is_empty() {
        lines.push(rest);
    }
    lines
}

/// Joins lines that end in a backslash with the next ones. A comment is not continued, and ends what it continues.
fn joined(lines: Vec<&str>, pip: Pip) -> Vec<String> {
    let mut joined = Vec::new();
    let mut begun: Option<String> = None;
    for line in lines {
        let comment = line.trim_start_matches(|character| pip.separates(character)).starts_with('#');
        if line.ends_with('\\') && !comment {
            begun.get_or_insert_default().push_str(line.trim_matches('\\'));
            continue;
        }
        let mut whole = begun.take().unwrap_or_default();
        if comment {
            // So that it is a comment in what it continues, too.
            whole.push(' ');
        }
        whole.push_str(line);
        joined.push(whole);
    }
    joined.extend(begun);
    joined
}

/// A line without its comment, which begins the line or follows white space.
fn without_comment(line: &str, pip: Pip) -> &str {
    let begins = |index: usize| line[..index].chars().next_back().is_none_or(|before| pip.separates(before));
    line.match_indices('#').map(|(index, _)| index).find(|index| begins(*index)).map_or(line, |index| &line[..index])
}

/// A line with the values of variables that have one; their names are of capital letters, digits and `_`.
fn expanded(line: &str, environment: &BTreeMap<String, String>) -> String {
    let mut names = Vec::new();
    let mut rest = line;
    while let Some(start) = rest.find("${") {
        rest = &rest[start + 2..];
        let end = rest.find(|character: char| !matches!(character, 'A'..='Z' | '0'..='9' | '_')).unwrap_or(rest.len());
        if end > 0 && rest[end..].starts_with('}') {
            names.push(&rest[..end]);
        }
    }
    let mut expanded = line.to_owned();
    for name in names {
        if let Some(value) = environment.get(name).filter(|value| !value.is_empty()) {
            expanded = expanded.replace(&format!("${{{name}}}"), value);
        }
    }
    expanded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract_tier::requirements::samples::{NEW, OLD};

    fn of(text: &str, pip: Pip) -> Vec<String> {
        let environment = [("HOST", "h"), ("EMPTY", ""), ("lower", "l")];
        lines(text, pip, &environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
    }

    #[test]
    fn lines_end_as_python_has_it() {
        assert_eq!(
            of("a\rb\r\nc\u{b}d\u{c}e\u{1c}f\u{85}g\u{2028}h\u{1f}i", NEW),
            ["a", "b", "c", "d", "e", "f", "g", "h\u{1f}i"]
        );
    }

    #[test]
    fn continuations_come_before_comments() {
        assert_eq!(of("# no \\\na\nb \\\n  c # d \\\ne\nf\\\n# g\nh\\", NEW), ["a", "b   c", "f", "h"]);
        assert_eq!(of("a#b #c", NEW), ["a#b"]);
        assert_eq!(of("a\u{a0}#b", NEW), ["a"]);
        assert_eq!(of("a\u{a0}#b", OLD), ["a\u{a0}#b"]);
    }

    #[test]
    fn variables_since_pip_10() {
        let line = "x-${HOST}-${EMPTY}-${lower}-$HOST-${HOST";
        assert_eq!(of(line, NEW), ["x-h-${EMPTY}-${lower}-$HOST-${HOST"]);
        assert_eq!(of(line, OLD), [line]);
    }
}
