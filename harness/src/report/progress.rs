//! What is under way, on a terminal: a line for each thing, and how far the whole run has come.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::run::tally::Tally;

/// A line of something under way.
const LINE: &str = "  {spinner} {elapsed:>4} {prefix:<28} {wide_msg}";
/// The last line.
const WHOLE: &str = "  {pos} of {len} scenarios, {msg}{elapsed} so far, about {eta} left";

/// The lines, on standard error.
#[derive(Default)]
pub(super) struct Progress {
    lines: MultiProgress,
    under_way: BTreeMap<String, ProgressBar>,
    whole: Option<ProgressBar>,
}

impl Progress {
    /// Something is under way, and what is being done.
    pub(super) fn begin(&mut self, name: &str, message: &str) {
        let line = self.under_way.entry(name.to_owned()).or_insert_with(|| {
            let line = ProgressBar::new_spinner();
            let line = match &self.whole {
                Some(whole) => self.lines.insert_before(whole, line),
                None => self.lines.add(line),
            };
            styled(&line, LINE);
            line.set_prefix(name.to_owned());
            line.enable_steady_tick(Duration::from_millis(120));
            line
        });
        line.set_message(message.to_owned());
    }

    /// It has ended.
    pub(super) fn end(&mut self, name: &str) {
        if let Some(line) = self.under_way.remove(name) {
            line.finish_and_clear();
        }
    }

    /// How far the run has come.
    pub(super) fn advance(&mut self, tally: &Tally) {
        let whole = self.whole.get_or_insert_with(|| {
            let line = self.lines.add(ProgressBar::new(tally.planned as u64));
            styled(&line, WHOLE);
            line
        });
        let bad = [(tally.fail, "failed, "), (tally.error, "inconclusive, ")];
        let bad = bad.into_iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}"));
        whole.set_message(bad.collect::<String>());
        whole.set_position(tally.reported() as u64);
    }

    /// Takes the lines away.
    pub(super) fn clear(&mut self) {
        for line in std::mem::take(&mut self.under_way).into_values().chain(self.whole.take()) {
            line.finish_and_clear();
        }
    }

    /// Writes something else to the terminal, above the lines.
    pub(super) fn suspend(&self, write: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        self.lines.suspend(write)
    }
}

fn styled(line: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        line.set_style(style);
    }
}
