//! Regular expressions of scenario files: compiled for their purpose, with faults that point inside the pattern.

use std::ops::Range;

use regex::{Regex, RegexBuilder};

use super::placeholder;
use super::typed::Typed;
use crate::suite::cell::Cell;
use crate::suite::diagnostic::{Diagnostic, Source};

/// What a pattern is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It must be found in a line of a log.
    Line,
    /// It must not be found in any line of a log.
    AbsentLine,
    /// It must be found in a text of several lines.
    Text,
    /// It must not be found in a text of several lines.
    AbsentText,
    /// It must match a whole value.
    Whole,
}

/// A text that hardly any pattern is meant to match.
const UNLIKELY: &str = "\u{1}";

const WHOLE_OPENING: &str = "^(?:";
const WHOLE_CLOSING: &str = ")$";

/// Compiles a pattern for its purpose.
pub(super) fn compile(
    source: &Source,
    typed: &Typed<String>,
    purpose: Purpose,
    cell: &Cell,
) -> Result<Regex, Box<Diagnostic>> {
    let pattern = placeholder::fill(typed.get(), cell, regex::escape)
        .map_err(|unknown| unknown_placeholder(source, typed, &unknown))?;
    let pattern = pattern.as_ref();
    let build = |pattern: &str| {
        let multi_line = matches!(purpose, Purpose::Text | Purpose::AbsentText);
        RegexBuilder::new(pattern).multi_line(multi_line).build()
    };
    // The pattern as typed comes first, so that a fault speaks of that and not of the anchored one.
    let mut regex = build(pattern).map_err(|error| fault(source, typed, &error))?;
    if purpose == Purpose::Whole {
        regex =
            build(&format!("{WHOLE_OPENING}{pattern}{WHOLE_CLOSING}")).map_err(|error| fault(source, typed, &error))?;
    }
    let (matches_anything, consequence) = match purpose {
        Purpose::Line => (regex.is_match(""), "every line matches it, so it asserts nothing"),
        Purpose::AbsentLine => (regex.is_match(""), "every line matches it, so it can never hold"),
        Purpose::Text => {
            (regex.is_match("") && regex.is_match(UNLIKELY), "every text matches it, so it asserts nothing")
        }
        Purpose::AbsentText => {
            (regex.is_match("") && regex.is_match(UNLIKELY), "every text matches it, so it can never hold")
        }
        Purpose::Whole => (false, ""),
    };
    if matches_anything {
        return Err(Diagnostic::at(source, typed.span(), "the pattern matches the empty string")
            .label(consequence)
            .help("write what must be seen, such as 'error: .+'")
            .into());
    }
    Ok(regex)
}

/// The fault of a placeholder that there is not.
pub(super) fn unknown_placeholder(
    source: &Source,
    typed: &Typed<String>,
    unknown: &placeholder::UnknownPlaceholder,
) -> Box<Diagnostic> {
    let known: Vec<String> = Cell::PLACEHOLDERS.iter().map(|name| format!("@{{{name}}}")).collect();
    Diagnostic::at(source, typed.span(), format!("there is no placeholder `@{{{}}}`", unknown.0.escape_debug()))
        .help(format!("there are {}", known.join(", ")))
        .into()
}

/// A compiled pattern as it was typed, without the anchors that a pattern for a whole value gets.
pub(crate) fn as_typed(regex: &Regex) -> &str {
    let text = regex.as_str();
    text.strip_prefix(WHOLE_OPENING).and_then(|rest| rest.strip_suffix(WHOLE_CLOSING)).unwrap_or(text)
}

fn fault(source: &Source, typed: &Typed<String>, error: &regex::Error) -> Diagnostic {
    let text = error.to_string();
    let reason = text.lines().rev().find_map(|line| line.strip_prefix("error: ")).unwrap_or(&text).replace('\n', " ");
    let span = inside(source, typed, &text).unwrap_or_else(|| typed.span());
    Diagnostic::at(source, span, "the regular expression is not valid").label(reason).help(
        "the syntax is that of Rust's `regex` crate; write patterns in single quotes, where a backslash is itself",
    )
}

/// The bytes of the file that the regex parser's own caret points at: its message repeats the pattern, indented, with
/// carets on the next line. Works for patterns typed on one line without escapes, which are all but a few.
fn inside(source: &Source, typed: &Typed<String>, message: &str) -> Option<Range<usize>> {
    let pattern = typed.get();
    let (start, end) = (typed.span().start + 1, typed.span().end.checked_sub(1)?);
    if source.text().get(start..end)? != pattern {
        return None;
    }
    let mut lines = message.lines().skip_while(|line| line.trim_start() != pattern.trim_start());
    let indent = lines.next()?.strip_suffix(pattern.as_str())?.chars().count();
    let carets = lines.next()?;
    let first = carets.chars().take_while(|character| *character == ' ').count().checked_sub(indent)?;
    let count = carets.chars().filter(|character| *character == '^').count();
    let byte = |column: usize| pattern.char_indices().nth(column).map_or(pattern.len(), |(offset, _)| offset);
    (count > 0).then(|| start + byte(first)..start + byte(first + count))
}
