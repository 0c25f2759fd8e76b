//! `wsgi-proof new`: a scenario to begin with, of nothing or of an application.

mod application;

use std::path::Path;

use tempfile::TempDir;

use super::pack::EJECT_FIRST;
use super::reporters::Audience;
use super::run::{Job, usual};
use super::{Failure, listen, output};
use crate::check::phase::name;
use crate::cli::arguments::{NewArgs, RunArgs, SelectArgs};
use crate::host::written;
use crate::report::read;
use crate::run::signals::Signals;
use crate::run::tally::ExitCode;
use crate::suite::scenario::{APP_FOLDER, Phase, SCENARIO_FILE, is_kebab_case};
use crate::suite::tier::Tier;
use application::Application;

const SERVED: &str = "[build]\noutcome = \"success\"\n\n[serve]\n\n[[serve.http]]\npath = \"/\"\nstatus = 200\n";
const BUILT: &str =
    "nothing_to_serve = \"it does not answer with 200 at /: say why\"\n\n[build]\noutcome = \"success\"\n";
/// The phases that a build may fail in, in the order in which they are tried.
const PHASES: [Phase; 5] = [Phase::Build, Phase::PreBuild, Phase::Pip, Phase::Git, Phase::Mercurial];
/// As many of them are tried in the contract tier. Its stubs fail where a scenario expects it: pip after hooks that fail by themselves, and
/// git and Mercurial not at all, since nothing else fails there.
const WITH_STUBS: usize = 3;
/// As many lines of a log are tried.
const LINES: usize = 3;
/// The longest one, in bytes.
const LONGEST: usize = 200;
const HELLO: &str = "[build]\noutcome = \"success\"\n\n[serve]\n\n[[serve.http]]\npath = \"/\"\nbody = '^Hello!$'\n";

pub(super) async fn new(arguments: &NewArgs) -> Result<ExitCode, Failure> {
    let (name, from_app) = (&arguments.name, &arguments.from_app);
    let folders = arguments.folders.find()?;
    if folders.carried {
        return Err(Failure::usage("the suite that this program carries cannot be changed", Some(EJECT_FIRST)));
    }
    if !is_kebab_case(name) {
        let what = format!("`{name}` is no name of a scenario");
        return Err(Failure::usage(what, Some("use lower-case words and digits, joined by single hyphens")));
    }
    let application = match from_app {
        Some(folder) => Application::read(folder)?,
        None => Application::hello(),
    };
    let folder = folders.scenarios().join(name);
    std::fs::create_dir(&folder).map_err(|error| unmade(&folder, &error))?;
    let expected = if from_app.is_some() { SERVED } else { HELLO };
    if let Err(failure) =
        application.write(&folder.join(APP_FOLDER)).and_then(|()| write(arguments, &application, &folder, expected))
    {
        // Nobody else has anything in it yet.
        drop(std::fs::remove_dir_all(&folder));
        return Err(failure);
    }
    let code = match from_app {
        Some(_) => record(arguments, &application, &folder).await?,
        None => ExitCode::Pass,
    };
    output::line(format_args!("wrote {}", folder.join(SCENARIO_FILE).display()))?;
    for left_out in &application.left_out {
        output::line(format_args!("left out: {left_out}"))?;
    }
    output::line(format_args!("next: edit it, then `wsgi-proof run --tier contract ={name}`"))?;
    Ok(code)
}

/// Runs the application until the scenario expects what comes of it.
async fn record(arguments: &NewArgs, application: &Application, folder: &Path) -> Result<ExitCode, Failure> {
    let attempts = Attempts::new(arguments, application, folder)?;
    let phases = if arguments.tier == Tier::Contract { &PHASES[..WITH_STUBS] } else { &PHASES };
    let mut outcomes = vec![
        ("it is built and answers".to_owned(), SERVED.to_owned(), None),
        ("it is built, and does not answer with 200".to_owned(), BUILT.to_owned(), None),
    ];
    outcomes.extend(
        phases.iter().map(|phase| (format!("it fails in phase {}", name(*phase)), failure(*phase, "."), Some(*phase))),
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

fn failure(phase: Phase, because: &str) -> String {
    let (phase, because) = (name(phase), toml::Value::from(because));
    format!("[build]\noutcome = \"failure\"\nphase = \"{phase}\"\nnonzero = true\nbecause = {because}\n")
}

/// Runs of the application, each with another expectation.
struct Attempts<'a> {
    arguments: &'a NewArgs,
    application: &'a Application,
    folder: &'a Path,
    signals: Signals,
    report: TempDir,
}

impl<'a> Attempts<'a> {
    fn new(arguments: &'a NewArgs, application: &'a Application, folder: &'a Path) -> Result<Self, Failure> {
        let report = tempfile::tempdir().map_err(|error| unmade(&std::env::temp_dir(), &error))?;
        Ok(Self { arguments, application, folder, signals: listen()?, report })
    }

    /// How a run with this expectation ends.
    async fn holds(&self, expected: &str) -> Result<ExitCode, Failure> {
        let arguments = self.arguments;
        write(arguments, self.application, self.folder, expected)?;
        let run = RunArgs {
            select: SelectArgs { filters: vec![format!("={}", arguments.name)], ..SelectArgs::default() },
            reach: arguments.reach.clone(),
            report: Some(self.report.path().to_owned()),
            ..usual(&arguments.folders, &arguments.cells, arguments.tier)
        };
        Ok(Job::of(run)?.run(&self.signals, Audience::Nobody).await?.code)
    }

    /// Has the scenario name the last of these lines that is one of the failing phase, or else any line.
    async fn narrow(&self, phase: Phase, lines: &[String]) -> Result<(), Failure> {
        for line in lines {
            let expected = failure(phase, &format!("^{}$", regex::escape(line)));
            if self.holds(&expected).await? == ExitCode::Pass {
                return Ok(());
            }
        }
        write(self.arguments, self.application, self.folder, &failure(phase, "."))
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

fn write(arguments: &NewArgs, application: &Application, folder: &Path, expected: &str) -> Result<(), Failure> {
    let head = [("summary", &arguments.summary), ("source", &arguments.source)];
    let head: toml::Table = head.into_iter().map(|(key, value)| (key.to_owned(), value.as_str().into())).collect();
    let mut text = head.to_string();
    // Keys of no table come before all tables.
    let (keys, tables) = expected.split_at(expected.find('[').unwrap_or(0));
    text.push_str(if keys.is_empty() { "\n" } else { keys });
    text.push_str(&application.modes());
    text.push_str(tables);
    let file = folder.join(SCENARIO_FILE);
    written::file(&file, text.as_bytes()).map_err(|error| unmade(&file, &error))
}

fn unmade(path: &Path, error: &std::io::Error) -> Failure {
    let what = format!("cannot write {}: {error}", path.display());
    match error.kind() {
        std::io::ErrorKind::AlreadyExists => Failure::usage(what, Some("choose another name")),
        _ => Failure::infrastructure(what, None),
    }
}
