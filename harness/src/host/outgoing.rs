//! What leaves the program: texts for standard output and standard error. None of it has secrets, moves a cursor, or is a command
//! for the CI system that shows it.

use std::fmt::Display;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, ErrorKind, Write};
use std::sync::LazyLock;

use regex::Regex;

use crate::check::printable;
use crate::outcome::redacted;

/// How commands to a CI system begin that are found anywhere in a line: Azure Pipelines' `##vso[` and `##[`, which GitHub's runner
/// takes as well, and that of `TeamCity`.
static MARK: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?i)##([a-z-]*\[)").ok());

/// The text without secrets, and without what a CI system would take for a command. What was changed can be seen.
pub(crate) fn harmless(text: &str) -> String {
    let text = redacted(text);
    let text = match &*MARK {
        Some(mark) if text.contains("##") => mark.replace_all(&text, "# #$1"),
        _ => text.as_ref().into(),
    };
    if !text.contains("::") {
        return text.into_owned();
    }
    // GitHub's commands begin a line.
    let line = |line: &str| match line.trim_start().strip_prefix("::") {
        Some(rest) => format!("{}: :{rest}", &line[..line.len() - line.trim_start().len()]),
        None => line.to_owned(),
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// The text as it can be shown to a person, whoever wrote it.
pub(crate) fn shown(text: &str) -> String {
    harmless(&printable(text))
}

/// JSON that says the same, and in which no line has what CI systems take for the beginning of a command.
pub(crate) fn without_marks(json: &str) -> String {
    json.replace("##", r"#\u0023")
}

/// The text between commands that have GitHub's runner take nothing in it for a command. The end is part of it, so whoever writes it
/// leaves the runner as it was; nobody can end it sooner, since the word is random.
pub(crate) fn between_stops(text: &str) -> String {
    let random = RandomState::new();
    let token = format!("{:016x}{:016x}", random.hash_one(1), random.hash_one(2));
    let end = if text.ends_with('\n') { "" } else { "\n" };
    format!("::stop-commands::{token}\n{text}{end}::{token}::\n")
}

/// Whether this runs in a workflow of GitHub Actions.
pub(crate) fn is_workflow() -> bool {
    std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true")
}

/// A line for standard error, whose reader may have gone.
pub(crate) fn complain(text: impl Display) {
    drop(writeln!(io::stderr().lock(), "{}", shown(&text.to_string())));
}

/// Standard error for what libraries say in their diagnostics.
#[derive(Debug, Default)]
pub struct Diagnostics;

impl Write for Diagnostics {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::stderr().lock().write_all(shown(&String::from_utf8_lossy(bytes)).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Standard output of a run. A reader that has gone (`run | head`) is no fault: the run goes on, for its report files and its exit
/// code, and prints nothing more.
#[derive(Debug, Default)]
pub(crate) struct Stdout {
    is_closed: bool,
}

impl Stdout {
    fn unless_closed<T>(&mut self, result: io::Result<T>, otherwise: T) -> io::Result<T> {
        match result {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.is_closed = true;
                Ok(otherwise)
            }
            result => result,
        }
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_closed {
            return Ok(bytes.len());
        }
        let written = io::stdout().write(bytes);
        self.unless_closed(written, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.is_closed {
            return Ok(());
        }
        let flushed = io::stdout().flush();
        self.unless_closed(flushed, ())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn commands_of_ci_systems_become_text() {
        for (text, harmless_text) in [
            ("::error::x", ": :error::x"),
            ("  ::set-output name=a::b\n::add-mask::c", "  : :set-output name=a::b\n: :add-mask::c"),
            ("\u{3000}\t::error::x", "\u{3000}\t: :error::x"),
            ("log ##[error]x", "log # #[error]x"),
            ("##vso[task.setvariable variable=x]y", "# #vso[task.setvariable variable=x]y"),
            ("##VSO[task.complete]", "# #VSO[task.complete]"),
            ("##teamcity[message]", "# #teamcity[message]"),
            ("###[group]", "## #[group]"),
        ] {
            assert_eq!(harmless(text), harmless_text);
        }
    }

    #[test]
    fn other_texts_stay_as_they_are() {
        for text in ["", "a\n", "std::io::Error", "## A heading", "# ##", "see https://host:80/", "a ::b"] {
            assert_eq!(harmless(text), text);
        }
    }

    #[test]
    fn nobody_can_guess_where_commands_begin_again() {
        let texts = [between_stops("one"), between_stops("one\n")];
        let tokens = texts.clone().map(|text| {
            let (first, rest) = text.split_once('\n').unwrap();
            let token = first.strip_prefix("::stop-commands::").unwrap().to_owned();
            assert_eq!(rest, format!("one\n::{token}::\n"));
            token
        });
        assert_ne!(tokens[0], tokens[1]);
        assert_eq!(tokens[0].len(), 32);
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

        #[test]
        fn no_text_is_a_command_or_acts_on_a_terminal(text in "([a-z ]{0,3}|::|##|\\[|vso|\n|\r|\t|\u{b}|\u{85}|\u{2028}|\u{3000}|\\PC|\\p{C}){0,20}") {
            let text = shown(&text);
            for line in text.lines() {
                proptest::prop_assert!(!line.trim_start().starts_with("::"), "{:?}", text);
                proptest::prop_assert!(!line.contains("##[") && !line.to_lowercase().contains("##vso["), "{:?}", text);
                proptest::prop_assert!(!line.chars().any(char::is_control), "{:?}", text);
            }
        }
    }
}
