//! What a run came to, in a word and a sentence.

use std::fmt;

use crate::report::counted;
use crate::report::read::RunRead;

/// The verdict of a run.
#[derive(Debug, PartialEq, Eq, serde::Serialize)]
pub(super) struct Sentence {
    /// `pass`, `fail`, `error` or `skip`, as scenarios have them.
    pub verdict: &'static str,
    pub word: &'static str,
    pub text: String,
}

impl fmt::Display for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}. {}", self.word, self.text)
    }
}

impl Sentence {
    /// By the exit code, which follows from the verdicts alone.
    pub(super) fn of(run: &RunRead) -> Self {
        let tally = &run.tally;
        let passed = tally.pass + tally.warn + tally.caught;
        let tried = passed + tally.fail + tally.error;
        let (verdict, word, text) = match run.exit_code {
            0 if tally.warn > 0 => (
                "warn",
                "Passed, with warnings",
                format!(
                    "No MUST is broken. In {} a SHOULD is, which `--strict` counts as a failure.",
                    counted(tally.warn, "scenario")
                ),
            ),
            0 if tally.caught > 0 => (
                "pass",
                "Caught",
                format!("The control broke the contract where it must, in {}.", counted(tally.caught, "scenario")),
            ),
            0 => (
                "pass",
                "Passed",
                format!(
                    "All {} of {} that apply held.",
                    counted(tally.assertions, "assertion"),
                    counted(tried, "scenario")
                ),
            ),
            1 if tally.fail == 0 => {
                ("fail", "Failed", "The run covered less than its assertion lock says it must.".to_owned())
            }
            1 => (
                "fail",
                "Failed",
                format!("The candidate broke the contract in {} of {}.", tally.fail, counted(tried, "scenario")),
            ),
            4 => (
                "skip",
                "Nothing was tried",
                "No scenario applies to the candidate, so nothing is known of it.".to_owned(),
            ),
            _ if run.end.as_deref() != Some("completed") => (
                "error",
                "Not complete",
                format!(
                    "The run did not come to its end: {} of {} are reported, and nothing is known of the others.",
                    tried + tally.skip,
                    counted(tally.planned, "scenario")
                ),
            ),
            _ => (
                "error",
                "Inconclusive",
                match tally.error {
                    0 => "The run cannot be relied on: see below.".to_owned(),
                    count => format!(
                        "The suite could not decide {} of {}. That is never a pass.",
                        count,
                        counted(tried, "scenario")
                    ),
                },
            ),
        };
        Self { verdict, word, text }
    }
}
