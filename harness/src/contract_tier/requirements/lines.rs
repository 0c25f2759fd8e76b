//! From text to lines, as pip's `preprocess` does it: lines, continuations, comments, variables, in this order.

use std::collections::BTreeMap;

use super::pip::Pip;

/// How much a line may say, in bytes.
const MAX_LINE: usize = 1 << 20;
/// What a line takes beside its own bytes.
const OVERHEAD: usize = 64;
/// The ends of lines.
const ENDS: [char; 10] = ['\n', '\r', '\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{85}', '\u{2028}', '\u{2029}'];

/// The lines of a file that have anything in them, without comments, each with what continues it. `room` is how much they may have
/// together, in bytes; `None` where they have more: a variable may have a long value.
pub(super) fn lines(
    text: &str,
    pip: Pip,
    environment: &BTreeMap<String, String>,
    room: &mut usize,
) -> Option<Vec<String>> {
    let mut lines = Vec::new();
    for line in (Joined { rest: text, pip }) {
        let line = pip.strip(without_comment(&line, pip));
        if line.is_empty() {
            continue;
        }
        take(room, line.len() + OVERHEAD)?;
        if line.len() > MAX_LINE {
            return None;
        }
        lines.push(if pip.is_legacy() { line.to_owned() } else { expanded(line, environment, room)? });
    }
    Some(lines)
}

/// Takes some of the room, if there is as much.
fn take(room: &mut usize, bytes: usize) -> Option<()> {
    *room = room.checked_sub(bytes)?;
    Some(())
}

/// The next line, by `str.splitlines`, which knows more ends of lines than a line feed.
fn split<'a>(text: &mut &'a str) -> Option<&'a str> {
    let rest = *text;
    // Few bytes can begin an end; to look at each character takes much longer.
    let begins = |byte: u8| matches!(byte, b'\n'..=b'\r' | 0x1c..=0x1e | 0xc2 | 0xe2);
    let mut candidates = rest.bytes().enumerate().filter(|(_, byte)| begins(*byte)).map(|(index, _)| index);
    let Some(end) = candidates.find(|index| rest[*index..].starts_with(ENDS)) else {
        *text = "";
        return (!rest.is_empty()).then_some(rest);
    };
    let (line, rest) = rest.split_at(end);
    *text = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix(ENDS)).unwrap_or(rest);
    Some(line)
}

/// Joins lines that end in a backslash with the next ones. A comment is not continued, and ends what it continues.
struct Joined<'a> {
    rest: &'a str,
    pip: Pip,
}

impl Iterator for Joined<'_> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let mut begun: Option<String> = None;
        while let Some(line) = split(&mut self.rest) {
            let comment = line.trim_start_matches(|character| self.pip.separates(character)).starts_with('#');
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
            return Some(whole);
        }
        begun
    }
}

/// A line without its comment, which begins the line or follows white space.
fn without_comment(line: &str, pip: Pip) -> &str {
    let begins = |index: usize| line[..index].chars().next_back().is_none_or(|before| pip.separates(before));
    line.match_indices('#').map(|(index, _)| index).find(|index| begins(*index)).map_or(line, |index| &line[..index])
}

/// A line with the values of variables that have one; their names are of capital letters, digits and `_`.
/// `None` where that is more than there is room for.
fn expanded(line: &str, environment: &BTreeMap<String, String>, room: &mut usize) -> Option<String> {
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
            let variable = format!("${{{name}}}");
            let grown = expanded.matches(&variable).count().saturating_mul(value.len());
            if grown.saturating_add(expanded.len()) > MAX_LINE {
                return None;
            }
            expanded = expanded.replace(&variable, value);
            take(room, expanded.len())?;
        }
    }
    Some(expanded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract_tier::requirements::samples::{NEW, OLD};

    fn of(text: &str, pip: Pip) -> Vec<String> {
        let environment = [("HOST", "h"), ("EMPTY", ""), ("lower", "l")];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        lines(text, pip, &environment, &mut 10_000).unwrap_or_default()
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

    /// A variable may have 128 KiB, and a line may name it often.
    #[test]
    fn what_comes_of_variables_is_bounded() {
        let environment = [("A".to_owned(), "a".repeat(100_000))].into();
        let room = || 16 << 20;
        let of = |text: &str, pip| lines(text, pip, &environment, &mut room());
        assert_eq!(of("-f ${A}${A}", NEW).map(|lines| lines[0].len()), Some(200_003));
        assert_eq!(of(&format!("-f {}", "${A}".repeat(11)), NEW), None);
        assert_eq!(of(&"${A}".repeat(200_000), NEW), None);
        assert_eq!(of(&"-f ${A}${A}${A}\n".repeat(20), NEW), None);
        assert_eq!(of(&"-f ${A}${A}${A}\n".repeat(20), OLD).map(|lines| lines.len()), Some(20));
        // Lines take memory beside what they say; one that says nothing does not.
        assert_eq!(of(&"a\n".repeat(1_000_000), NEW), None);
        assert_eq!(of(&"# a\n".repeat(1_000_000), NEW), Some(Vec::new()));
        assert_eq!(of(&"n".repeat(MAX_LINE + 1), NEW), None);
    }

    #[test]
    fn variables_since_pip_10() {
        let line = "x-${HOST}-${EMPTY}-${lower}-$HOST-${HOST";
        assert_eq!(of(line, NEW), ["x-h-${EMPTY}-${lower}-$HOST-${HOST"]);
        assert_eq!(of(line, OLD), [line]);
    }
}
