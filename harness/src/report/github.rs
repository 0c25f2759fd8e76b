//! Annotations and a step summary for GitHub Actions: a failure shows at its line in the pull request.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::markdown::plain;
use super::texts::changed;
use super::{Reporter, annotations};
use crate::host::outgoing::shown;
use crate::isolation::Isolation;
use crate::outcome::ScenarioReport;
use crate::run::event::Event;
use crate::run::tally::Tally;

/// As many annotations of a step as GitHub shows.
const ANNOTATIONS: usize = 10;
/// The most that GitHub takes for a summary, in bytes.
const SUMMARY: usize = 1 << 20;

/// Writes workflow commands, and the summary at the end.
pub(crate) struct GithubReporter {
    out: Box<dyn Write + Send>,
    summary: Option<PathBuf>,
    scenarios: PathBuf,
    annotations: usize,
    tally: Tally,
    rows: String,
    shortfalls: Vec<String>,
    isolation: Isolation,
}

impl GithubReporter {
    /// Writes annotations to `out` and appends the summary to a file, if there is one; `scenarios` is the folder that
    /// scenario files are named under.
    pub(crate) fn new(out: Box<dyn Write + Send>, summary: Option<PathBuf>, scenarios: &Path) -> Self {
        let (tally, rows) = (Tally::default(), String::new());
        Self {
            out,
            summary,
            scenarios: scenarios.to_owned(),
            annotations: 0,
            tally,
            rows,
            shortfalls: Vec::new(),
            isolation: Isolation::default(),
        }
    }

    fn scenario(&mut self, report: &ScenarioReport) -> io::Result<()> {
        let (at, name) = (&report.at, &report.label);
        for (finding, expected, got) in annotations::of(report) {
            let title = format!("{name}: {}", finding.check());
            let text = format!("expected {expected}\ngot {got}");
            let kind = annotations::severity(finding.level);
            self.annotate(kind, &finding.at.file, finding.at.line, &title, &text)?;
        }
        if let Some(fault) = &report.fault {
            self.annotate("error", &at.file, at.line, &format!("{name}: inconclusive"), &fault.what)?;
        }
        let _ = writeln!(self.rows, "| {} | {} | {} |", report.verdict.word(), plain(name), plain(&report.summary));
        Ok(())
    }

    fn annotate(&mut self, kind: &str, file: &Path, line: usize, title: &str, text: &str) -> io::Result<()> {
        if self.annotations == ANNOTATIONS {
            return Ok(());
        }
        self.annotations += 1;
        let file = property(&self.scenarios.join(file).display().to_string());
        self.command(&format!("::{kind} file={file},line={line},title={}::{}", property(title), data(text)))
    }

    /// Written at once: what else goes to the same place does not come in between.
    fn command(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(format!("{text}\n").as_bytes())
    }

    fn summary(&self) -> String {
        let tally = &self.tally;
        let mut text = format!(
            "### wsgi-proof: {} passed, {} passed with warnings, {} failed, {} inconclusive, {} skipped, of {}\n\n",
            tally.pass, tally.warn, tally.fail, tally.error, tally.skip, tally.planned
        );
        for shortfall in &self.shortfalls {
            text.push_str(&format!("- less than the assertion lock: {}\n", plain(shortfall)));
        }
        for (what, ways) in
            [("isolation broken", &self.isolation.broken), ("isolation weakened", &self.isolation.weakened)]
        {
            for way in ways {
                text.push_str(&format!("- {what}: {}\n", plain(way)));
            }
        }
        if let Some(why) = &self.isolation.untold {
            text.push_str(&format!("- isolation inconclusive: {}\n", plain(why)));
        }
        text.push_str("\n| verdict | scenario | summary |\n|---|---|---|\n");
        text.push_str(&self.rows);
        if text.len() > SUMMARY {
            const CUT: &str = "\n(cut: the report files have the rest)\n";
            let mut end = SUMMARY - CUT.len();
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            text.truncate(end);
            text.push_str(CUT);
        }
        text
    }
}

impl Reporter for GithubReporter {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        self.tally.add(event);
        match &changed(event, &shown) {
            Event::ScenarioFinished(report) => self.scenario(report),
            Event::RunStarted(_)
            | Event::PreparationStarted { .. }
            | Event::PreparationProgress { .. }
            | Event::PreparationFinished { .. }
            | Event::ScenarioStarted { .. }
            | Event::ScenarioStage { .. } => Ok(()),
            Event::RunFinished(finish) => {
                self.shortfalls.clone_from(&finish.shortfalls);
                self.isolation.clone_from(&finish.isolation);
                for shortfall in &finish.shortfalls {
                    self.command(&format!("::error title=less than the assertion lock::{}", data(shortfall)))?;
                }
                Ok(())
            }
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()?;
        let Some(path) = &self.summary else { return Ok(()) };
        let no_link = OFlags::NOFOLLOW.bits().cast_signed();
        let mut file = OpenOptions::new().append(true).create(true).custom_flags(no_link).open(path)?;
        file.write_all(self.summary().as_bytes())
    }
}

/// A message of a workflow command, escaped.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a workflow command, escaped.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
