//! Mutation testing: changes of the reference's own scripts, each of which the suite must notice. They come from the scripts' syntax
//! trees.

mod bug;
pub(crate) mod campaign;
mod case;
mod diff;
mod equivalent;
mod operators;
mod results;
mod since;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use sha2::{Digest, Sha256};

pub use bug::Bug;
pub(crate) use case::Case;
pub(crate) use diff::unified;
pub(crate) use equivalent::Equivalents;
pub(crate) use results::{Results, inputs};
pub(crate) use since::changed_lines;

/// The scripts of `images/base` that are mutated.
pub const SCRIPTS: [&str; 4] =
    ["mod_wsgi-docker-build", "mod_wsgi-docker-environment", "mod_wsgi-docker-folder", "mod_wsgi-docker-start"];

/// A kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Operator {
    /// A statement is taken out.
    DeleteStatement,
    /// A condition, or an operand of one, is negated.
    NegateTest,
    /// `&&` and `||`, `==` and `!=` change folders.
    SwapConnective,
    /// An option of a command is taken out, with its value.
    DropFlag,
    /// A number becomes another.
    ChangeNumber,
    /// Two neighbouring statements change folders.
    SwapNeighbours,
    /// A failing command is passed over.
    SwallowStatus,
    /// A path or a name becomes another.
    ChangeName,
    /// A program is not run in the script's place, but below it.
    DropExec,
    /// Quotes around an expansion are taken away.
    DropQuoting,
    /// A redirection is taken away.
    DropRedirect,
    /// A variable is not exported.
    DropExport,
    /// A loop or function goes on, or ends, otherwise.
    ChangeControl,
    /// An expansion is taken without its operator.
    PlainExpansion,
    /// Another shell runs the script.
    ChangeInterpreter,
    /// The output of a program goes through a pipe.
    PipeOutput,
    /// The output of a program of the application's is held until all who write it have ended.
    HoldOutput,
    /// A test of a file's kind or mode becomes another.
    ChangeTest,
    /// All arguments become one.
    JoinWords,
    /// A pattern loses what holds it to the beginning or the end, or what does not.
    ChangeAnchor,
    /// Programs run in a locale that is not UTF-8.
    SetLocale,
    /// A bug that the real project had, written by hand.
    HandWritten,
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::DeleteStatement => "delete-statement",
            Self::NegateTest => "negate-test",
            Self::SwapConnective => "swap-connective",
            Self::DropFlag => "drop-flag",
            Self::ChangeNumber => "change-number",
            Self::SwapNeighbours => "swap-neighbours",
            Self::SwallowStatus => "swallow-status",
            Self::ChangeName => "change-name",
            Self::DropExec => "drop-exec",
            Self::DropQuoting => "drop-quoting",
            Self::DropRedirect => "drop-redirect",
            Self::DropExport => "drop-export",
            Self::ChangeControl => "change-control",
            Self::PlainExpansion => "plain-expansion",
            Self::ChangeInterpreter => "change-interpreter",
            Self::PipeOutput => "pipe-output",
            Self::HoldOutput => "hold-output",
            Self::ChangeTest => "change-test",
            Self::JoinWords => "join-words",
            Self::ChangeAnchor => "change-anchor",
            Self::SetLocale => "set-locale",
            Self::HandWritten => "hand-written",
        })
    }
}

/// A change of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutant {
    /// What tells it from others, as long as its lines stay the same.
    pub id: String,
    /// The script that it is a change of.
    pub file: String,
    /// The kind of change.
    pub operator: Operator,
    /// The line, counted from 1.
    pub line: usize,
    /// The script as changed.
    pub text: String,
}

/// A change, before it is one of a script: other text for a stretch of it.
struct Edit {
    operator: Operator,
    span: Range<usize>,
    replacement: String,
}

/// Why there are no mutants.
#[derive(Debug, thiserror::Error)]
#[error("{file} cannot be parsed as a shell script")]
pub struct Unparsable {
    pub file: String,
}

/// The mutants of a script: valid, each another text than the script and all others.
///
/// # Errors
/// When the script cannot be parsed.
pub fn mutants(file: &str, source: &str) -> Result<Vec<Mutant>, Unparsable> {
    let unparsable = || Unparsable { file: file.to_owned() };
    let mut parser = operators::parser().ok_or_else(unparsable)?;
    let tree = parser.parse(source, None).filter(|tree| !tree.root_node().has_error()).ok_or_else(unparsable)?;
    let mut ordinals: BTreeMap<String, usize> = BTreeMap::new();
    let mut found: Vec<Mutant> = Vec::new();
    for Edit { operator, span, replacement } in operators::edits(&tree, source) {
        let text = format!("{}{replacement}{}", &source[..span.start], &source[span.end..]);
        let valid = parser.parse(&text, None).is_some_and(|tree| !tree.root_node().has_error());
        if !valid || text == source || found.iter().any(|other| other.text == text) {
            continue;
        }
        let line = source[..span.start].matches('\n').count() + 1;
        let lines = whole_lines(source, &span);
        let key = format!("{file}\0{operator}\0{lines}\0{}\0{replacement}", &source[span.clone()]);
        let ordinal = ordinals.entry(key.clone()).or_default();
        let id = hex::encode(&Sha256::digest(format!("{key}\0{ordinal}"))[..4]);
        *ordinal += 1;
        found.push(Mutant { id, file: file.to_owned(), operator, line, text });
    }
    found.sort_by_key(|mutant| mutant.line);
    Ok(found)
}

/// The lines that a stretch touches.
fn whole_lines<'s>(source: &'s str, span: &Range<usize>) -> &'s str {
    let start = source[..span.start].rfind('\n').map_or(0, |index| index + 1);
    let end = source[span.end..].find('\n').map_or(source.len(), |index| span.end + index);
    &source[start..end]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const TESTS: &str = "set -e\nif [[ -x $x && $x =~ ^a+$ || $y == *b ]]; then\n    \"$x\" \"$@\"\nfi\n";
    const SCRIPT: &str = "#!/usr/bin/env bash\nset -e\nif [[ -f a.txt && $x == y ]]; then\n    pip install -r a.txt -U\nfi\nexec run --port 80 \"$@\" 2> /dev/null\n";

    fn texts(operator: Operator) -> Vec<String> {
        texts_of(SCRIPT, operator)
    }

    fn texts_of(script: &str, operator: Operator) -> Vec<String> {
        let of = |mutant: &Mutant| mutant.operator == operator;
        let changed = |mutant: Mutant| {
            let line = mutant.text.lines().zip(script.lines()).find(|(now, before)| now != before);
            line.map_or_else(String::new, |(now, _)| now.trim().to_owned())
        };
        mutants("s", script).unwrap().into_iter().filter(of).map(changed).collect()
    }

    #[test]
    fn each_operator_does_what_it_says() {
        assert!(texts(Operator::DeleteStatement).contains(&":".to_owned()));
        assert_eq!(texts(Operator::DropExec), ["run --port 80 \"$@\" 2> /dev/null"]);
        assert_eq!(texts(Operator::ChangeNumber), ["exec run --port 81 \"$@\" 2> /dev/null"]);
        assert_eq!(texts(Operator::DropQuoting), ["exec run --port 80 $@ 2> /dev/null"]);
        assert_eq!(texts(Operator::DropRedirect), ["exec run --port 80 \"$@\""]);
        assert_eq!(texts(Operator::ChangeInterpreter), ["#!/bin/sh"]);
        assert_eq!(texts(Operator::SwallowStatus), ["pip install -r a.txt -U || true"]);
        let flags = texts(Operator::DropFlag);
        assert!(flags.contains(&"pip install -r a.txt".to_owned()), "{flags:?}");
        let swapped = texts(Operator::SwapConnective);
        assert!(swapped.contains(&"if [[ -f a.txt || $x == y ]]; then".to_owned()), "{swapped:?}");
        assert!(swapped.contains(&"if [[ -f a.txt && $x != y ]]; then".to_owned()), "{swapped:?}");
        let names = texts(Operator::ChangeName);
        assert!(names.contains(&"pip install -r a.txt-other -U".to_owned()), "{names:?}");
        let negated = texts(Operator::NegateTest);
        assert!(negated.contains(&"if [[ ! -f a.txt && $x == y ]]; then".to_owned()), "{negated:?}");
    }

    #[test]
    fn tests_patterns_and_programs_of_others_change() {
        let texts = |operator| texts_of(TESTS, operator);
        assert_eq!(texts(Operator::ChangeTest), ["if [[ -r $x && $x =~ ^a+$ || $y == *b ]]; then"]);
        let anchors = [
            "if [[ -x $x && $x =~ a+$ || $y == *b ]]; then",
            "if [[ -x $x && $x =~ ^a+ || $y == *b ]]; then",
            "if [[ -x $x && $x =~ ^a+$ || $y == b ]]; then",
        ];
        assert_eq!(texts(Operator::ChangeAnchor), anchors);
        assert_eq!(texts(Operator::JoinWords), ["\"$x\" \"$*\""]);
        assert_eq!(texts(Operator::PipeOutput), ["\"$x\" \"$@\" | cat"]);
        assert!(texts(Operator::HoldOutput)[0].starts_with("__held=$(\"$x\" \"$@\" 2>&1) || {"));
        assert_eq!(texts(Operator::SetLocale), ["export LC_ALL=C"]);
    }

    #[test]
    fn an_id_stays_when_another_line_changes() {
        let ids = |text: &str| mutants("s", text).unwrap().into_iter().map(|mutant| mutant.id).collect::<Vec<_>>();
        let longer = format!("{SCRIPT}echo done\n");
        let kept = ids(&longer);
        // The last statement has a neighbour now; all else is as it was.
        assert!(ids(SCRIPT).iter().all(|id| kept.contains(id)));
    }

    #[test]
    fn what_is_no_shell_script_is_an_error() {
        assert!(mutants("s", "if then fi (").is_err());
    }
}
