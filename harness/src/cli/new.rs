//! `wsgi-proof new`: a scenario to begin with, of nothing or of an application.

mod application;

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::pack::EJECT_FIRST;
use super::reporters::Audience;
use super::run::{Job, usual};
use super::{Failure, host, listen, output, select};
use crate::check::phase::name;
use crate::cli::arguments::{NewArgs, RunArgs, SelectArgs};
use crate::host::folders::Folders;
use crate::host::written;
use crate::outcome::ClauseId;
use crate::report::read;
use crate::run::signals::Signals;
use crate::run::tally::ExitCode;
use crate::suite::scenario::{APP_FOLDER, Phase, SCENARIO_FILE, is_kebab_case};
use crate::suite::tier::Tier;
use application::Application;

/// What a scenario expects, and the clause that this speaks for where its author names none.
#[derive(Debug, Clone)]
struct Expected {
    text: String,
    clause: ClauseId,
}

/// The phases that a build may fail in, in the order in which they are tried.
const PHASES: [Phase; 5] = [Phase::Build, Phase::PreBuild, Phase::Pip, Phase::Git, Phase::Mercurial];
/// As many of them are tried in the contract tier. Its stubs fail where a scenario expects it: pip after hooks that fail by themselves, and
/// git and Mercurial not at all, since nothing else fails there.
const WITH_STUBS: usize = 3;
/// As many lines of a log are tried.
const LINES: usize = 3;
/// The longest one, in bytes.
const LONGEST: usize = 200;

impl Expected {
    fn of(clause: ClauseId, text: &str) -> Self {
        Self { text: text.to_owned(), clause }
    }

    fn hello() -> Self {
        let text = "[build]\noutcome = \"success\"\n\n[serve]\n\n[[serve.http]]\npath = \"/\"\nbody = '^Hello!$'\n";
        Self::of(ClauseId::start(1), text)
    }

    fn served() -> Self {
        let text = "[build]\noutcome = \"success\"\n\n[serve]\n\n[[serve.http]]\npath = \"/\"\nstatus = 200\n";
        Self::of(ClauseId::start(1), text)
    }

    fn built() -> Self {
        let text =
            "nothing_to_serve = \"it does not answer with 200 at /: say why\"\n\n[build]\noutcome = \"success\"\n";
        Self::of(ClauseId::build(14), text)
    }

    fn failed(phase: Phase, because: &str) -> Self {
        let clause = match phase {
            Phase::PreBuild | Phase::Build => 6,
            Phase::Pip => 20,
            Phase::Git | Phase::Mercurial => 38,
        };
        let (phase, because) = (name(phase), toml::Value::from(because));
        let text =
            format!("[build]\noutcome = \"failure\"\nphase = \"{phase}\"\nnonzero = true\nbecause = {because}\n");
        Self { text, clause: ClauseId::build(clause) }
    }
}

pub(super) async fn new(arguments: &NewArgs) -> Result<ExitCode, Failure> {
    let (name, from_app) = (&arguments.name, &arguments.from_app);
    let folders = arguments.folders.find()?;
    can_be_written(&folders, name)?;
    let application = match from_app {
        Some(folder) => Application::read(folder)?,
        None => Application::hello(),
    };
    // A suite that cannot be loaded is told before anything is written.
    let (_, contract) = select::load(&folders, select::cells(&folders, &arguments.cells)?)?;
    let draft = Draft {
        arguments,
        application: &application,
        folder: folders.scenarios().join(name),
        has_contract: contract.is_some(),
    };
    if from_app.is_some() && arguments.tier == Tier::Image {
        // The program replaces itself with the engine chosen, and must not find its own folder then.
        host::endpoint(&folders.cache, false, arguments.reach.name()).await?;
    }
    std::fs::create_dir(&draft.folder).map_err(|error| unmade(&draft.folder, &error))?;
    let code = match make(&draft, &folders).await {
        Ok(code) => code,
        Err(failure) => {
            // Nobody else has anything in it yet, and what cannot be loaded would hold up every run.
            drop(std::fs::remove_dir_all(&draft.folder));
            return Err(failure);
        }
    };
    output::line(format_args!("wrote {}", draft.folder.join(SCENARIO_FILE).display()))?;
    for left_out in &application.left_out {
        output::line(format_args!("left out: {left_out}"))?;
    }
    output::line(format_args!("next: edit it, then `wsgi-proof run --tier contract ={name}`"))?;
    Ok(code)
}

/// Refuses a suite that cannot be changed, and what is no name of a scenario.
pub(super) fn can_be_written(folders: &Folders, name: &str) -> Result<(), Failure> {
    if folders.carried {
        return Err(Failure::usage("the suite that this program carries cannot be changed", Some(EJECT_FIRST)));
    }
    if !is_kebab_case(name) {
        let what = format!("`{name}` is no name of a scenario");
        return Err(Failure::usage(what, Some("use lower-case words and digits, joined by single hyphens")));
    }
    Ok(())
}

/// Writes the scenario, and has it expect what comes of the application.
async fn make(draft: &Draft<'_>, folders: &Folders) -> Result<ExitCode, Failure> {
    draft.application.write(&draft.folder.join(APP_FOLDER))?;
    if draft.arguments.from_app.is_some() {
        return record(draft).await;
    }
    draft.write(&Expected::hello())?;
    // It may prove a clause that there is not. A run would say so, too.
    select::load(folders, select::cells(folders, &draft.arguments.cells)?)?;
    Ok(ExitCode::Pass)
}

/// Runs the application until the scenario expects what comes of it.
async fn record(draft: &Draft<'_>) -> Result<ExitCode, Failure> {
    let attempts = Attempts::new(draft)?;
    let arguments = draft.arguments;
    let phases = if arguments.tier == Tier::Contract { &PHASES[..WITH_STUBS] } else { &PHASES };
    let mut outcomes = vec![
        ("it is built and answers".to_owned(), Expected::served(), None),
        ("it is built, and does not answer with 200".to_owned(), Expected::built(), None),
    ];
    outcomes.extend(
        phases
            .iter()
            .map(|phase| (format!("it fails in phase {}", name(*phase)), Expected::failed(*phase, "."), Some(*phase))),
    );
    let mut lines = Vec::new();
    for (what, expected, phase) in outcomes {
        match attempts.holds(&expected).await? {
            ExitCode::Pass => {
                output::line(format_args!("{}: {what}", arguments.name))?;
                if let Some(phase) = phase {
                    attempts.narrow(phase, &lines).await?;
                }
                return Ok(ExitCode::Pass);
            }
            // A run that passes keeps no log.
            ExitCode::Fail if lines.is_empty() => lines = attempts.last_lines()?,
            ExitCode::Fail => {}
            // Nothing is known of it; the scenario stays, to be run again.
            other => {
                let what = format!("nothing came of running `{}`: it was not tried, or inconclusive", arguments.name);
                output::complain(format_args!("warning: {what} (exit code {})", other as u8));
                return Ok(other);
            }
        }
    }
    output::complain(format_args!("warning: `{}` ends in another way than any that is known here", arguments.name));
    Ok(ExitCode::Fail)
}

/// The scenario that is being written.
struct Draft<'a> {
    arguments: &'a NewArgs,
    application: &'a Application,
    folder: PathBuf,
    /// Whether the suite has clauses, of which each scenario proves some.
    has_contract: bool,
}

impl Draft<'_> {
    fn write(&self, expected: &Expected) -> Result<(), Failure> {
        let NewArgs { summary, source, proves, .. } = self.arguments;
        let mut head = toml::Table::new();
        head.insert("summary".to_owned(), summary.as_str().into());
        head.insert("source".to_owned(), source.as_str().into());
        let clauses = if proves.is_empty() && self.has_contract { vec![expected.clause] } else { proves.clone() };
        if !clauses.is_empty() {
            let clauses: Vec<String> = clauses.iter().map(ToString::to_string).collect();
            head.insert("proves".to_owned(), clauses.into());
        }
        let mut text = head.to_string();
        // Keys of no table come before all tables.
        let (keys, tables) = expected.text.split_at(expected.text.find('[').unwrap_or(0));
        text.push_str(if keys.is_empty() { "\n" } else { keys });
        text.push_str(&self.application.modes());
        text.push_str(tables);
        let file = self.folder.join(SCENARIO_FILE);
        written::file(&file, text.as_bytes()).map_err(|error| unmade(&file, &error))
    }
}

/// Runs of the application, each with another expectation.
struct Attempts<'a> {
    draft: &'a Draft<'a>,
    signals: Signals,
    report: TempDir,
}

impl<'a> Attempts<'a> {
    fn new(draft: &'a Draft<'a>) -> Result<Self, Failure> {
        let report = tempfile::tempdir().map_err(|error| unmade(&std::env::temp_dir(), &error))?;
        Ok(Self { draft, signals: listen()?, report })
    }

    /// How a run with this expectation ends.
    async fn holds(&self, expected: &Expected) -> Result<ExitCode, Failure> {
        let arguments = self.draft.arguments;
        self.draft.write(expected)?;
        let run = RunArgs {
            select: SelectArgs::of(vec![format!("={}", arguments.name)]),
            reach: arguments.reach.clone(),
            report: Some(self.report.path().to_owned()),
            ..usual(&arguments.folders, &arguments.cells, arguments.tier)
        };
        Ok(Job::of(run)?.run(&self.signals, Audience::Nobody).await?.code)
    }

    /// Has the scenario name the last of these lines that is one of the failing phase, or else any line.
    async fn narrow(&self, phase: Phase, lines: &[String]) -> Result<(), Failure> {
        for line in lines {
            let expected = Expected::failed(phase, &format!("^{}$", regex::escape(line)));
            if self.holds(&expected).await? == ExitCode::Pass {
                return Ok(());
            }
        }
        self.draft.write(&Expected::failed(phase, "."))
    }

    /// The last lines of the logs of the run before, the last one first.
    fn last_lines(&self) -> Result<Vec<String>, Failure> {
        let report = read::read(&self.report.path().join("report.json"))?;
        let logs = report.scenarios.into_iter().take(1).flat_map(|scenario| scenario.logs);
        let mut lines: Vec<String> = logs.flat_map(|log| log.lines).collect();
        lines.retain(|line| !line.trim().is_empty() && line.len() <= LONGEST);
        Ok(lines.into_iter().rev().take(LINES).collect())
    }
}

/// A file or folder that could not be written.
pub(super) fn unmade(path: &Path, error: &std::io::Error) -> Failure {
    let what = format!("cannot write {}: {error}", path.display());
    match error.kind() {
        std::io::ErrorKind::AlreadyExists => Failure::usage(what, Some("choose another name")),
        _ => Failure::infrastructure(what, None),
    }
}
