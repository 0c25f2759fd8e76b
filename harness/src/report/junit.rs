//! JUnit XML in the Jenkins flavour: an assertion that does not hold is a `<failure>`, a fault of the
//! infrastructure an `<error>`. Names are unique and `file` is set, since some readers drop what looks like a duplicate.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::Reporter;
use super::texts::changed;
use crate::check::printable;
use crate::host::outgoing::shown;
use crate::host::written;
use crate::isolation::Isolation;
use crate::outcome::{Level, Outcome, ScenarioReport, Verdict};
use crate::run::event::{Event, RunEnd};
use crate::run::tally::{ExitCode, Tally};

/// Collects test cases and writes the document at the end.
pub(crate) struct JunitReporter {
    target: Target,
    scenarios: PathBuf,
    planned: usize,
    cases: Vec<TestCase>,
    end: Option<RunEnd>,
    tally: Tally,
    shortfalls: Vec<String>,
    isolation: Isolation,
    undeclared: Vec<String>,
}

/// Where the document goes.
enum Target {
    File(PathBuf),
    /// Standard output, where a CI system could take a line for a command.
    Stdout(Box<dyn Write + Send>),
}

/// A case that belongs to no scenario, in words that say what it is.
fn of_the_run(name: &str, kind: NonSuccessKind, message: String, description: &[String]) -> TestCase {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(message);
    if !description.is_empty() {
        status.set_description(description.join("\n"));
    }
    let mut case = TestCase::new(name, status);
    case.set_classname("wsgi-proof");
    case
}

impl JunitReporter {
    /// A reporter that writes to `path`; `scenarios` is the folder that scenario files are named under.
    pub(crate) fn new(path: PathBuf, scenarios: &Path) -> Self {
        Self::with(Target::File(path), scenarios)
    }

    /// One that writes to standard output.
    pub(crate) fn to(out: Box<dyn Write + Send>, scenarios: &Path) -> Self {
        Self::with(Target::Stdout(out), scenarios)
    }

    fn with(target: Target, scenarios: &Path) -> Self {
        Self {
            target,
            scenarios: scenarios.to_owned(),
            planned: 0,
            cases: Vec::new(),
            end: None,
            tally: Tally::default(),
            shortfalls: Vec::new(),
            isolation: Isolation::default(),
            undeclared: Vec::new(),
        }
    }

    fn case(&self, report: &ScenarioReport) -> TestCase {
        let status = match report.verdict {
            Verdict::Pass | Verdict::Warn | Verdict::Caught => TestCaseStatus::success(),
            Verdict::Skip => {
                let mut status = TestCaseStatus::skipped();
                status.set_message(report.not_run.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "));
                status
            }
            Verdict::Fail => {
                let broken: Vec<_> = report.findings.iter().filter(|finding| finding.is_broken()).collect();
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                status.set_message(broken.iter().map(|finding| finding.check()).collect::<Vec<_>>().join("; "));
                let mut text = String::new();
                for finding in broken {
                    if let Outcome::Broken { expected, got } = &finding.outcome {
                        let at = self.scenarios.join(&finding.at.file);
                        text.push_str(&format!(
                            "{} ({}:{})\n  expected: {expected}\n  got:      {got}\n",
                            finding.check(),
                            at.display(),
                            finding.at.line
                        ));
                    }
                }
                text.push_str(&format!("reproduce: {}\n", report.reproduce));
                status.set_description(text);
                status
            }
            Verdict::Error => {
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
                match &report.fault {
                    Some(fault) => {
                        status.set_message(fault.what.clone());
                        status.set_description(fault.hint.clone().unwrap_or_default());
                    }
                    None => drop(status.set_message("no assertion was made")),
                }
                status
            }
        };
        let folder = self.scenarios.join(report.at.file.parent().unwrap_or(Path::new("")));
        let mut case = TestCase::new(report.label.clone(), status);
        case.set_classname(folder.display().to_string());
        let warnings: Vec<String> = report
            .findings
            .iter()
            .filter(|finding| finding.level == Level::Should && report.verdict == Verdict::Warn)
            .filter_map(|finding| match &finding.outcome {
                Outcome::Broken { expected, got } => {
                    Some(format!("warning: {}: expected {expected}, got {got}", finding.check()))
                }
                Outcome::Held => None,
            })
            .collect();
        if !warnings.is_empty() {
            case.set_system_err(warnings.join("\n"));
        }
        case.set_time(report.took);
        case.extra.insert("file".into(), self.scenarios.join(&report.at.file).display().to_string().into());
        case.extra.insert("line".into(), report.at.line.to_string().into());
        let log: Vec<String> = report
            .logs
            .iter()
            .flat_map(|log| std::iter::once(format!("== {} ==", log.title)).chain(log.lines.iter().cloned()))
            .collect();
        if !log.is_empty() {
            case.set_system_out(log.join("\n"));
        }
        case
    }
}

impl Reporter for JunitReporter {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        self.tally.add(event);
        // What XML 1.0 does not permit is among what is made visible.
        let visible = match self.target {
            Target::File(_) => printable,
            Target::Stdout(_) => shown,
        };
        match &changed(event, &visible) {
            Event::RunStarted(start) => {
                self.planned = start.planned;
                // Stands until the run's end writes over it: a killed run leaves "did not finish", not an older green file.
                if matches!(self.target, Target::File(_)) {
                    return self.finish();
                }
            }
            Event::ScenarioFinished(report) => self.cases.push(self.case(report)),
            Event::RunFinished(finish) => {
                self.end = Some(finish.end);
                self.shortfalls.clone_from(&finish.shortfalls);
                self.isolation.clone_from(&finish.isolation);
                self.undeclared.clone_from(&finish.undeclared);
            }
            Event::PreparationStarted { .. }
            | Event::PreparationProgress { .. }
            | Event::PreparationFinished { .. }
            | Event::ScenarioStarted { .. }
            | Event::ScenarioStage { .. } => {}
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        let mut suite = TestSuite::new("wsgi-proof");
        suite.add_test_cases(self.cases.iter().cloned());
        let mut is_told = self.tally.fail + self.tally.error > 0;
        let mut tell = |case| {
            suite.add_test_case(case);
            is_told = true;
        };
        if self.end != Some(RunEnd::Completed) || self.cases.len() != self.planned {
            let message =
                format!("the run did not finish: {} of {} scenarios reported", self.cases.len(), self.planned);
            tell(of_the_run("run", NonSuccessKind::Error, message, &[]));
        }
        if !self.shortfalls.is_empty() {
            let message = "the run covered less than assertions.lock".to_owned();
            tell(of_the_run("assertion lock", NonSuccessKind::Failure, message, &self.shortfalls));
        }
        if !self.undeclared.is_empty() {
            let message = "builds requested files that no scenario declares".to_owned();
            tell(of_the_run("undeclared requests", NonSuccessKind::Error, message, &self.undeclared));
        }
        // A run that is not green for any other reason, such as one in which all was skipped.
        let code = self.tally.exit_code();
        if !is_told && self.isolation.is_sound() && code != ExitCode::Pass {
            let message = match code {
                ExitCode::NothingSelected => "no scenario ran, so nothing is proved".to_owned(),
                code => format!("the run ends with exit code {}", code as u8),
            };
            suite.add_test_case(of_the_run("run", NonSuccessKind::Error, message, &[]));
        }
        let Isolation { tried, weakened, broken, untold } = &self.isolation;
        if !tried.is_empty() || untold.is_some() {
            let mut status = TestCaseStatus::success();
            if !self.isolation.is_sound() {
                status = TestCaseStatus::non_success(NonSuccessKind::Error);
                status.set_message("isolation broken or inconclusive: results cannot be trusted");
                status.set_description(broken.iter().chain(untold).cloned().collect::<Vec<_>>().join("\n"));
            }
            let mut case = TestCase::new("isolation", status);
            case.set_classname("wsgi-proof");
            let tried = tried.iter().map(|way| format!("tried: {way}"));
            let weakened = weakened.iter().map(|way| format!("weakened: {way}"));
            case.set_system_out(tried.chain(weakened).collect::<Vec<_>>().join("\n"));
            suite.add_test_case(case);
        }
        let mut report = Report::new("wsgi-proof");
        report.add_test_suite(suite);
        let text = report.to_string().map_err(io::Error::other)?;
        match &mut self.target {
            Target::File(path) => written::file(path, text.as_bytes()),
            Target::Stdout(out) => out.write_all(text.as_bytes()).and_then(|()| out.flush()),
        }
    }
}
