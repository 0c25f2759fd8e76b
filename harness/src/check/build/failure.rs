//! A failed build: in which phase, and with what.

use crate::check::evidence::BuildEnd;
use crate::check::phase;
use crate::suite::scenario::Phase;

/// The build step's program: a build fails in the build step when this returned non-zero.
const BUILD_STEP: &str = "mod_wsgi-docker-build";

/// By how many lines an error can overtake what was written before it to the other stream.
pub(super) const OVERTAKING: usize = 10;

pub(super) struct Failure<'a> {
    /// Whether the build step failed, and not another instruction.
    pub(super) in_build_step: bool,
    /// The phases announced, in order.
    phases: Vec<Phase>,
    /// Where that phase's lines begin, after its announcement.
    pub(super) start: usize,
    /// Where lines of that phase can stand at the earliest, though they were written after its announcement.
    pub(super) reach: usize,
    pub(super) exit_code: Option<i64>,
    pub(super) message: &'a str,
}

impl<'a> Failure<'a> {
    /// The failure, if it is one, with its whole log: the last phase announced is the one that failed.
    pub(super) fn of(end: &'a BuildEnd, log: &[String], folders: &[&str]) -> Option<Self> {
        let BuildEnd::Failed { command, exit_code, message } = end else { return None };
        let phases = phase::phases(log, folders);
        let mut ends = phases.iter().rev().map(|(_, index)| index + 1);
        let start = ends.next().unwrap_or(0);
        let before = ends.next().unwrap_or(0);
        Some(Self {
            in_build_step: command.as_deref().is_some_and(runs_build_step),
            phases: phases.into_iter().map(|(phase, _)| phase).collect(),
            start,
            reach: before.max(start.saturating_sub(OVERTAKING)),
            exit_code: *exit_code,
            message,
        })
    }

    /// The phase of the build step that failed.
    pub(super) fn phase(&self) -> Option<Phase> {
        self.phases.last().copied().filter(|_| self.in_build_step)
    }

    pub(super) fn announced(&self, phase: Phase) -> bool {
        self.phases.contains(&phase)
    }

    pub(super) fn words(&self) -> String {
        let place = match (self.in_build_step, self.phases.last()) {
            (true, Some(phase)) => format!("in phase {}", phase::name(*phase)),
            (true, None) => "in the build step, before its first phase".to_owned(),
            (false, _) => "outside the build step".to_owned(),
        };
        match self.exit_code {
            Some(code) => format!("it failed {place} with exit code {code}"),
            None => format!("it failed {place} without an exit code"),
        }
    }
}

/// Whether a command line names the build step's program as one of its words.
pub(super) fn runs_build_step(command: &str) -> bool {
    let words = command.split(|character: char| character.is_whitespace() || "\"'`;&|()[],".contains(character));
    words.filter_map(|word| word.rsplit('/').next()).any(|word| word == BUILD_STEP)
}
