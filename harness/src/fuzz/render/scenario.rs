//! The scenario file of a generated application: what the model predicts.

use std::collections::BTreeMap;

use serde::Serialize;

use super::NOT_TO_RUN;
use super::hook::{BROKEN_TOOL, WAITED_FOR};
use crate::fuzz::application::{Application, End, Executable, ExtraFolder, Kind, Layout, Name};
use crate::fuzz::model::{Cause, Failure, GREETING, Happening, Prediction, StartFailure};
use crate::suite::dialect::Dialect;
use crate::suite::scenario::{Phase, Signal};

#[derive(Serialize)]
struct ScenarioTable {
    summary: String,
    source: String,
    proves: Vec<&'static str>,
    keep_folders: bool,
    not_applicable: Vec<NotApplicable>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    modes: BTreeMap<String, String>,
    build: Build,
    #[serde(skip_serializing_if = "Option::is_none")]
    serve: Option<Serve>,
}

#[derive(Serialize)]
struct NotApplicable {
    dialects: [Dialect; 1],
    because: &'static str,
}

#[derive(Serialize)]
struct Build {
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<Phase>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonzero: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<Signal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phases: Option<Vec<Phase>>,
    log: Vec<String>,
    log_absent: Vec<String>,
}

#[derive(Serialize)]
struct Serve {
    log: Vec<String>,
    log_absent: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    environment: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    http: Vec<Http>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<Ended>,
}

#[derive(Serialize)]
struct Http {
    path: &'static str,
    body: String,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    proves: &'static [&'static str],
}

#[derive(Serialize)]
struct Ended {
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonzero: Option<bool>,
    within_seconds: u32,
}

pub(super) fn scenario(
    application: &Application,
    prediction: &Prediction,
    modes: BTreeMap<String, String>,
    origin: &str,
) -> String {
    let other = match application.dialect {
        Dialect::Docker => Dialect::Whiskey,
        Dialect::Whiskey => Dialect::Docker,
    };
    let table = ScenarioTable {
        summary: "The build and the start step do with this application what the contract says".to_owned(),
        source: origin.to_owned(),
        proves: proves(application, prediction),
        keep_folders: true,
        not_applicable: vec![NotApplicable {
            dialects: [other],
            because: "the folders have the names that they have in the other dialect",
        }],
        modes,
        build: build(prediction),
        serve: prediction.build_failure.is_none().then(|| serve(application, prediction)),
    };
    toml::to_string(&table).unwrap_or_else(|error| format!("# {error}\n"))
}

fn build(prediction: &Prediction) -> Build {
    let mut phases = Vec::new();
    let mut log = Vec::new();
    for happening in &prediction.build {
        phases.push(match happening {
            Happening::Hook(Name::PreBuild, _) => Phase::PreBuild,
            Happening::Hook(..) => Phase::Build,
            Happening::Git => Phase::Git,
            Happening::Mercurial => Phase::Mercurial,
            Happening::Pip => Phase::Pip,
        });
        log.extend(line_of(happening));
    }
    let failure = prediction.build_failure;
    let mut because = None;
    if let Some(failure) = failure {
        because = Some(match failure.phase {
            _ if failure.cause == Cause::BrokenTool => format!("^{BROKEN_TOOL}$"),
            _ if failure.cause == Cause::NoFile => r"requirements\.txt".to_owned(),
            Phase::PreBuild | Phase::Build => log.pop().unwrap_or_default(),
            Phase::Git => "git.*no installation candidate".to_owned(),
            Phase::Mercurial => {
                "(?i)(no matching distribution|could not find a version|conflicting dependencies|cannot install|no installation candidate)"
                    .to_owned()
            }
            Phase::Pip => "(?i)(vendor/none|not installable|does not appear to be a python project)".to_owned(),
        });
    }
    let (exit_code, signal) = failure.map_or((None, None), ends);
    Build {
        outcome: if failure.is_some() { "failure" } else { "success" },
        phase: failure.map(|failure| failure.phase),
        exit_code,
        nonzero: (failure.is_some() && exit_code.is_none() && signal.is_none()).then_some(true),
        signal,
        because,
        // Who looks itself whether there is a file need not come to the phase.
        phases: failure.is_none_or(|failure| failure.cause != Cause::NoFile).then_some(phases),
        log,
        log_absent: absent(&prediction.build),
    }
}

fn serve(application: &Application, prediction: &Prediction) -> Serve {
    let mut log: Vec<String> = prediction.start.iter().filter_map(line_of).collect();
    let mut log_absent = absent(&prediction.start);
    let end = prediction.start_failure.map(|failure| match failure {
        StartFailure::Hook(end) => {
            let exit_code = exactly(end);
            Ended { exit_code, nonzero: exit_code.is_none().then_some(true), within_seconds: 20 }
        }
        StartFailure::NothingToServe => Ended { exit_code: None, nonzero: Some(true), within_seconds: 20 },
    });
    match prediction.start_failure {
        Some(StartFailure::Hook(_)) => log_absent.push("resuming normal operations".to_owned()),
        Some(StartFailure::NothingToServe) => log.push("no-such-script\\.wsgi".to_owned()),
        None => {}
    }
    Serve {
        environment: application.given.iter().cloned().collect(),
        log,
        log_absent,
        http: if end.is_none() { requests(prediction) } else { Vec::new() },
        end,
    }
}

/// That the application answers, and which variables it has.
fn requests(prediction: &Prediction) -> Vec<Http> {
    let pairs = prediction.variables.iter().map(|(name, value)| format!("{name}={}", hex::encode(value)));
    let variables = format!(r"\A{}\z", pairs.collect::<Vec<_>>().join(" "));
    vec![
        Http { path: "/", body: "^generated$".to_owned(), proves: &[] },
        Http { path: "/variables", body: variables, proves: &["START-7"] },
    ]
}

/// The exit code, where it is the hook's or the tool's own: what comes of a signal is not prescribed.
fn exactly(end: End) -> Option<u8> {
    match end {
        End::Exit(code) => Some(code),
        End::Signal(_) => None,
    }
}

/// The exit code and the signal that a failure is declared with. Stubs end by the signal; hooks do so themselves.
fn ends(failure: Failure) -> (Option<u8>, Option<Signal>) {
    match (failure.cause, failure.end) {
        (Cause::BrokenTool, End::Signal(signal)) => (None, Some(signal)),
        // Which of the two tools that miss it fails the build is open, and who looks for a file may fail as it likes.
        _ if [Phase::Git, Phase::Mercurial].contains(&failure.phase) || failure.cause == Cause::NoFile => (None, None),
        (_, end) => (exactly(end), None),
    }
}

/// The line of a log that shows that something has happened.
fn line_of(happening: &Happening) -> Option<String> {
    match happening {
        Happening::Hook(name, greeting) => {
            let greeting = greeting.as_ref().map_or_else(String::new, |greeting| format!(", {GREETING} is {greeting}"));
            Some(format!("^fuzz: {} in /app as 0{greeting}$", name.text()))
        }
        // What tools say is theirs, and may not be shown.
        Happening::Git | Happening::Mercurial | Happening::Pip => None,
    }
}

/// What no log may have where this happens: the words of hooks that do not run.
fn absent(happenings: &[Happening]) -> Vec<String> {
    let runs =
        |name: Name| happenings.iter().any(|happening| matches!(happening, Happening::Hook(one, _) if *one == name));
    let hooks = Name::ALL.into_iter().filter(|name| !runs(*name));
    let mut absent: Vec<String> = hooks.map(|name| format!("^fuzz: {} in", name.text())).collect();
    absent.extend([NOT_TO_RUN, WAITED_FOR].map(str::to_owned));
    absent
}

/// The clauses that speak for what happens: SHOULDs alone where the application has what only later history copes with.
fn proves(application: &Application, prediction: &Prediction) -> Vec<&'static str> {
    let kind = |wanted: fn(Kind) -> bool| application.hooks().any(|(_, hook)| wanted(hook.kind));
    let mut shoulds = Vec::new();
    if kind(|kind| matches!(kind, Kind::Folder | Kind::DanglingLink)) {
        shoulds.push("BUILD-9");
    }
    if application.includes_version_control() {
        shoulds.push("BUILD-22");
    }
    let failure = prediction.build_failure;
    let reads_no_file = application.requirements.as_ref().is_some_and(|(place, _)| !place.is_file());
    if reads_no_file && failure.is_none_or(|failure| failure.phase != Phase::PreBuild) {
        shoulds.push("BUILD-46");
    }
    if shoulds.is_empty() {
        shoulds = beside(prediction);
        shoulds.extend(musts(application, prediction));
    } else {
        shoulds.extend(beside(prediction));
    }
    shoulds
}

/// The SHOULDs that have checks of their own, and so speak for nothing else.
fn beside(prediction: &Prediction) -> Vec<&'static str> {
    match prediction.build_failure.map(|failure| failure.phase) {
        Some(Phase::Git | Phase::Mercurial) => return vec!["BUILD-42"],
        Some(_) => return Vec::new(),
        None => {}
    }
    let mut clauses = vec!["BUILD-19", "BUILD-39", "BUILD-40"];
    clauses.extend(match prediction.start_failure {
        None => ["START-7", "START-8", "START-20", "START-22"].as_slice(),
        Some(StartFailure::Hook(_)) => &["START-8", "START-9", "START-20"],
        Some(StartFailure::NothingToServe) => &["START-8", "START-10", "START-20"],
    });
    clauses
}

fn musts(application: &Application, prediction: &Prediction) -> Vec<&'static str> {
    let mut clauses = vec!["BUILD-1", "BUILD-3"];
    if application
        .hooks()
        .any(|(_, hook)| matches!(hook.kind, Kind::File(Executable::Nobody) | Kind::Link(Executable::Nobody)))
    {
        clauses.push("BUILD-4");
    }
    if application.extras.iter().any(|extra| extra.folder == ExtraFolder::Application) {
        clauses.push("BUILD-27");
    }
    if application.requirements.is_none() && application.setup_py.is_some_and(|place| !place.is_file()) {
        clauses.push("BUILD-14");
    }
    match application.layout {
        Layout::Both => clauses.push("BUILD-36"),
        Layout::Other if application.dialect == Dialect::Docker => clauses.push("BUILD-37"),
        Layout::Other => clauses.push("BUILD-34"),
        Layout::Own => {}
    }
    match prediction.build_failure.map(|failure| failure.phase) {
        Some(Phase::PreBuild | Phase::Build) => clauses.push("BUILD-6"),
        Some(Phase::Git | Phase::Mercurial) => clauses.push("BUILD-38"),
        Some(Phase::Pip) => clauses.push("BUILD-20"),
        None => clauses.push("START-1"),
    }
    clauses
}
