//! The report that a person reads: a line a scenario as it finishes, a block for each that did not pass, a summary.
//! On a terminal, spinners show what is under way; without one there are only the plain lines.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use console::Style;

use super::Reporter;
use super::progress::Progress;
use super::texts::changed;
use super::wrap::wrap;
use super::wrong::AllWrong;
use crate::check::printable;
use crate::host::outgoing::{between_stops, harmless};
use crate::outcome::{Finding, Level, Log, Outcome, ScenarioReport, Verdict, listed};
use crate::run::event::{Event, PreparationEnd, RunEnd, RunFinish, RunStart};
use crate::run::tally::{ExitCode, Tally};

/// How many lines of a log a failing scenario shows.
const LOG_LINES: usize = 20;
/// How long such a line is, in columns, at the most.
const LOG_WIDTH: usize = 1000;
/// Of how many causes the end tells more than the scenarios, and how many scenarios of each it names: what fits on a screen.
const CAUSES: usize = 5;
const NAMES: usize = 8;
/// How much of the digest of a suite is shown: as much as tells suites apart.
const SUITE: usize = "sha256:".len() + 12;

/// Writes lines for a person.
pub(crate) struct TerminalReporter {
    out: Box<dyn Write + Send>,
    color: bool,
    width: Option<usize>,
    scenarios: PathBuf,
    tally: Tally,
    wrong: AllWrong,
    progress: Option<Progress>,
    workflow: bool,
}

impl TerminalReporter {
    /// Writes to `out`, coloured or not, wrapped at a width if there is one, with spinners on standard error or not;
    /// `scenarios` is the folder that scenario files are named under.
    pub(crate) fn new(
        out: Box<dyn Write + Send>,
        color: bool,
        width: Option<usize>,
        progress: bool,
        scenarios: &Path,
    ) -> Self {
        Self {
            out,
            color,
            width,
            scenarios: scenarios.to_owned(),
            tally: Tally::default(),
            wrong: AllWrong::default(),
            progress: progress.then(Progress::default),
            workflow: false,
        }
    }

    /// The same, which says to GitHub's runner whether it is one that reads that nothing in it is a command.
    pub(crate) fn in_workflow(self, workflow: bool) -> Self {
        Self { workflow, ..self }
    }

    fn style(&self, style: Style) -> Style {
        style.force_styling(self.color)
    }

    fn head(&self, word: &str) -> String {
        let style = match word {
            "PASS" | "READY" | "CAUGHT" => Style::new().green().bold(),
            "FAIL" => Style::new().red().bold(),
            "ERROR" => Style::new().magenta().bold(),
            _ => Style::new().yellow().bold(),
        };
        self.style(style).apply_to(format!("{word:>8}")).to_string()
    }

    fn dim(&self, text: &str) -> String {
        self.style(Style::new().dim()).apply_to(text).to_string()
    }

    fn print(&mut self, text: &str) -> io::Result<()> {
        let wrapped = self.width.map(|width| wrap(text, width));
        let mut text = harmless(wrapped.as_deref().unwrap_or(text));
        // A single line of ours has its command at its beginning, or none.
        if self.workflow && text.trim_end().contains('\n') {
            text = between_stops(&text);
        }
        let out = &mut self.out;
        let mut write = || out.write_all(text.as_bytes()).and_then(|()| out.flush());
        match &self.progress {
            Some(progress) => progress.suspend(write),
            None => write(),
        }
    }

    fn begin(&mut self, name: &str, message: &str) {
        if let Some(progress) = &mut self.progress {
            progress.begin(name, message);
        }
    }

    fn end(&mut self, name: &str) {
        if let Some(progress) = &mut self.progress {
            progress.end(name);
        }
    }

    fn advance(&mut self) {
        if let Some(progress) = &mut self.progress {
            progress.advance(&self.tally);
        }
    }

    fn opening(&self, start: &RunStart) -> String {
        let cells: Vec<String> = start.cells.iter().map(ToString::to_string).collect();
        let mut text = format!(
            "wsgi-proof {}: {} scenarios, {}{}, run {}\n",
            env!("CARGO_PKG_VERSION"),
            start.planned,
            cells.join(", "),
            if start.strict { ", strict" } else { "" },
            start.run
        );
        let suite = start.suite.as_ref().map(|digest| digest.chars().take(SUITE).collect::<String>());
        let rows = [
            ("engine", Some(&start.engine)),
            ("candidate", Some(&start.candidate)),
            ("suite", suite.as_ref()),
            ("isolation", Some(&start.isolation)),
        ];
        for (name, value) in rows.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            text.push_str(&format!("  {} {value}\n", self.dim(&format!("{name:<10}"))));
        }
        let store =
            if start.offline { "offline: missing files are errors" } else { "online: missing files are downloaded" };
        text.push_str(&format!("  {} {store}\n\n", self.dim("fixtures  ")));
        text
    }

    fn preparation(&self, what: &str, took: Duration, end: &PreparationEnd) -> String {
        match end {
            PreparationEnd::Ready { note } => {
                format!("{} {} {what}  {}\n", self.head("READY"), seconds(took), self.dim(note))
            }
            PreparationEnd::Failed { why, log } => {
                let mut text = format!("{} {} {what}: {why}\n", self.head("FAIL"), seconds(took));
                text.push_str(&self.log(&Log { title: "build log".into(), lines: log.clone() }));
                text
            }
            PreparationEnd::Error(fault) => {
                let mut text = format!("{} {} {what}: {}\n", self.head("ERROR"), seconds(took), fault.what);
                if let Some(hint) = &fault.hint {
                    text.push_str(&format!("           hint: {hint}\n"));
                }
                text
            }
        }
    }

    fn scenario(&self, report: &ScenarioReport) -> String {
        let word = report.verdict.word().to_uppercase();
        let line =
            format!("{} {} {:<30} {}", self.head(&word), seconds(report.took), report.label, self.dim(&report.summary));
        let mut text = match self.width {
            Some(width) => console::truncate_str(&line, width, "…").into_owned(),
            None => line,
        };
        text.push('\n');
        match report.verdict {
            Verdict::Pass => return text,
            Verdict::Skip => {
                for reason in &report.not_run {
                    text.push_str(&format!("           skipped: {reason}\n"));
                }
                return text;
            }
            Verdict::Warn | Verdict::Caught | Verdict::Fail | Verdict::Error => {}
        }
        if !report.proves.is_empty() {
            text.push_str(&format!("           {}\n", self.dim(&format!("covers {}", listed(&report.proves)))));
        }
        for finding in &report.findings {
            text.push_str(&self.finding(finding));
        }
        if let Some(fault) = &report.fault {
            text.push_str(&format!("           inconclusive: {}\n", indented(&fault.what)));
            if let Some(hint) = &fault.hint {
                text.push_str(&format!("           hint: {hint}\n"));
            }
        }
        for reason in &report.not_run {
            text.push_str(&format!("           not run: {reason}\n"));
        }
        if matches!(report.verdict, Verdict::Fail | Verdict::Error) {
            for log in &report.logs {
                text.push_str(&self.log(log));
            }
            text.push_str(&format!("           reproduce: {}\n\n", report.reproduce));
        }
        text
    }

    fn finding(&self, finding: &Finding) -> String {
        let Outcome::Broken { expected, got } = &finding.outcome else { return String::new() };
        let at = self.dim(&format!("({}:{})", self.scenarios.join(&finding.at.file).display(), finding.at.line));
        let (mark, style) = match finding.level {
            Level::Must => ("×", Style::new().red()),
            Level::Should => ("!", Style::new().yellow()),
        };
        let mark = self.style(style).apply_to(mark).to_string();
        let clauses = match finding.clauses.as_slice() {
            [] => String::new(),
            clauses => format!("  {} {}", finding.level.word(), listed(clauses)),
        };
        format!(
            "         {mark} {}{clauses}  {at}\n           expected  {}\n           got       {}\n",
            finding.check(),
            indented(expected),
            indented(got)
        )
    }

    fn log(&self, log: &Log) -> String {
        let lines: Vec<&String> = log.lines.iter().filter(|line| !is_builders(line)).collect();
        let shown = lines.len().min(LOG_LINES);
        let mut text = if shown == lines.len() {
            format!("           {}:\n", log.title)
        } else {
            format!("           {} (last {shown} of {} lines):\n", log.title, lines.len())
        };
        for line in &lines[lines.len() - shown..] {
            let line = console::truncate_str(line, LOG_WIDTH, "…");
            text.push_str(&format!("           {} {line}\n", self.dim("│")));
        }
        text
    }

    /// What did not pass, once more: the scenarios by cause, and of the worst causes what was expected and what came.
    fn tell(&self, wrong: AllWrong, text: &mut String) {
        for (number, cause) in wrong.worst_first().into_iter().enumerate() {
            for name in cause.scenarios.iter().take(NAMES) {
                text.push_str(&format!("{} {name}\n", self.head(&cause.verdict.to_uppercase())));
            }
            let more = cause.scenarios.len().saturating_sub(NAMES);
            if more > 0 {
                text.push_str(&format!("         and {more} more, above\n"));
            }
            if number < CAUSES {
                text.extend(cause.what.finding.as_ref().map(|finding| self.finding(finding)));
                text.extend(
                    cause.what.fault.as_ref().map(|why| format!("           inconclusive: {}\n", indented(why))),
                );
            }
        }
    }

    fn closing(&self, finish: &RunFinish, wrong: AllWrong) -> String {
        let tally = &self.tally;
        let mut text = String::from("\n");
        // A single scenario has been told of just now.
        if tally.planned > 1 {
            self.tell(wrong, &mut text);
        }
        let mut counts = vec![format!("{} passed", tally.pass)];
        for (count, word) in [
            (tally.warn, "passed with warnings"),
            (tally.caught, "caught as the control lists"),
            (tally.fail, "failed"),
            (tally.error, "inconclusive"),
            (tally.skip, "skipped"),
        ] {
            if count > 0 {
                counts.push(format!("{count} {word}"));
            }
        }
        if tally.reported() < tally.planned {
            counts.push(format!("{} not reported", tally.planned - tally.reported()));
        }
        let code = tally.exit_code();
        let style = if code == ExitCode::Pass { Style::new().green().bold() } else { Style::new().red().bold() };
        let line = format!(
            "{} of {} scenarios: {}; {} assertions",
            tally.reported(),
            tally.planned,
            counts.join(", "),
            tally.assertions
        );
        text.push_str(&format!(
            "{} in {:.2} s, harness CPU {:.2} s\n",
            self.style(style).apply_to(line),
            finish.took.as_secs_f64(),
            finish.own.as_secs_f64()
        ));
        let mark = self.style(Style::new().red()).apply_to("×").to_string();
        for shortfall in &finish.shortfalls {
            text.push_str(&format!("{mark} less than the assertion lock: {shortfall}\n"));
        }
        for flaky in &finish.flaky {
            text.push_str(&format!("{mark} flaky: {flaky}\n"));
        }
        for request in &finish.undeclared {
            text.push_str(&format!(
                "{mark} undeclared request: {request}, neither in packages.lock nor declared absent by a scenario\n"
            ));
        }
        for way in &finish.isolation.broken {
            text.push_str(&format!("{mark} isolation broken: results cannot be trusted: {way}\n"));
        }
        if let Some(why) = &finish.isolation.untold {
            text.push_str(&format!("{mark} isolation inconclusive: {why}\n"));
        }
        for way in &finish.isolation.weakened {
            text.push_str(&format!("isolation weakened: {way}\n"));
        }
        if finish.end == RunEnd::TimeIsOver {
            text.push_str("time limit of the run reached; scenarios not reported are inconclusive\n  hint: --run-seconds raises the limit\n");
        }
        text.push_str(&format!("fixtures: {}\n", finish.fixtures));
        for note in &finish.notes {
            text.push_str(&format!("note: {note}\n"));
        }
        text
    }
}

impl Reporter for TerminalReporter {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        self.tally.add(event);
        match &changed(event, &printable) {
            Event::RunStarted(start) => {
                self.print(&self.opening(start))?;
                self.advance();
                Ok(())
            }
            Event::PreparationStarted { what } => {
                self.begin(what, "");
                Ok(())
            }
            Event::PreparationProgress { what, line } => {
                self.begin(what, line);
                Ok(())
            }
            Event::PreparationFinished { what, took, end } => {
                self.end(what);
                self.print(&self.preparation(what, *took, end))
            }
            Event::ScenarioStarted { label } => {
                self.begin(label, "");
                Ok(())
            }
            Event::ScenarioStage { label, stage } => {
                self.begin(label, stage.word());
                Ok(())
            }
            Event::ScenarioFinished(report) => {
                self.end(&report.label);
                self.wrong.add(report);
                self.advance();
                self.print(&self.scenario(report))
            }
            Event::RunFinished(finish) => {
                if let Some(progress) = &mut self.progress {
                    progress.clear();
                }
                let wrong = std::mem::take(&mut self.wrong);
                self.print(&self.closing(finish, wrong))
            }
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Whether a line of a build's log is the builder's own bookkeeping. The report files have it; here it would displace the
/// output of the steps.
fn is_builders(line: &str) -> bool {
    line.starts_with(" ---> ") || line.starts_with("Removing intermediate container ")
}

/// A duration in a column of fixed width.
fn seconds(took: Duration) -> String {
    format!("[{:>7.2} s]", took.as_secs_f64())
}

/// Further lines of a text stand under its first.
fn indented(text: &str) -> String {
    text.trim_end().replace('\n', "\n                     ")
}
