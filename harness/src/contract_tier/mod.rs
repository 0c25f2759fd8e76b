//! The contract tier: the build and start steps of a candidate, run in a sandbox with stubs for pip, apt-get, git, hg and
//! mod_wsgi-express. The scenarios are the same; of what they declare, that is asserted which does not take the real tools, and
//! beside it what follows from the application folder: which tools must have been called, with which effect, in which order.

mod build;
mod calls;
mod files;
mod recipe;
pub(crate) mod requirements;
pub(crate) mod sandbox;
mod serve;
mod start;
pub(crate) mod stub;
pub(crate) mod tier;
mod ways;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::beneath::{BeneathError, Folder};
use crate::check;
use crate::check::captured::Captured;
use crate::check::evidence::{CommandEnd, CommandEvidence};
use crate::check::scope::Scope;
use crate::contract_tier::requirements::Pip;
use crate::contract_tier::sandbox::{Bounds, Candidate, End, SandboxError, Sandboxes, Start, Workspace};
use crate::contract_tier::stub::record::{Failing, Orders};
use crate::host::snapshot::Snapshot;
use crate::outcome::{Finding, Level, Log, NotRun, Stage, with_causes};
use crate::suite::dialect::Dialect;
use crate::suite::limits::Limits;
use crate::suite::scenario::{
    CommandExpectation, ContextError, FileExpectation, MAX_CONTEXT, Scenario, Subject, build_context,
};

/// The variable that tells the steps their dialect.
const DIALECT: &str = "MOD_WSGI_DOCKER_DIALECT";
const APP: &str = "/app";
/// Programs that the sandbox has, or has stubs of; commands of others inspect an image.
const COMMANDS: [&str; 3] = ["git", "hg", "mod_wsgi-docker-shell"];

/// Why a result is inconclusive.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TierError {
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    #[error(transparent)]
    Context(#[from] ContextError),
    /// The candidate left more than is read, or what cannot be read: a finding, and no error.
    #[error("the candidate left {what} in {APP}")]
    Left { what: String },
    /// Whether there are such packages is not known here, so what came after proves nothing.
    #[error("apt-get was asked for {}, which its stub does not know", names.join(", "))]
    Packages { names: Vec<String> },
    /// The real pip may have it, so what came after proves nothing.
    #[error("the build step uses {name} of pip's own modules, which the stub of pip does not have")]
    Module { name: String },
    /// This program failed over what it read or wrote.
    #[error("internal error: {what}")]
    Internal { what: String },
}

/// What the candidate left is its own doing; anything else is not.
impl From<BeneathError> for TierError {
    fn from(error: BeneathError) -> Self {
        match error {
            BeneathError::Bound(bound) => Self::Left { what: bound.to_string() },
            BeneathError::Special { path, kind } => {
                Self::Left { what: format!("a {kind} in the place of a file (`{}`)", path.display()) }
            }
            BeneathError::Io { path, source } if source.kind() == ErrorKind::PermissionDenied => {
                Self::Left { what: format!("what its own user may not read (`{}`)", path.display()) }
            }
            BeneathError::Io { path, source } => SandboxError::io(path)(source).into(),
            error @ BeneathError::Link { .. } => SandboxError::io(APP)(io::Error::other(error)).into(),
        }
    }
}

impl TierError {
    /// What to do about it.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Sandbox(error) => Some(error.hint()),
            Self::Packages { .. } | Self::Module { .. } => Some("the image tier tells"),
            Self::Internal { .. } => Some("this is a bug of wsgi-proof; please report it"),
            Self::Context(_) | Self::Left { .. } => None,
        }
    }
}

/// What a scenario came to.
#[derive(Debug, Default)]
pub(crate) struct Examined {
    pub findings: Vec<Finding>,
    pub logs: Vec<Log>,
    /// How long each stage took.
    pub stages: Vec<(Stage, Duration)>,
    /// What was not done, and why.
    pub not_run: Vec<NotRun>,
    /// What the build step asked of pip's own modules, and the stub does not have.
    pub module: Option<String>,
    /// Packages of the system that were asked for, and that no stub knows.
    pub packages: BTreeSet<String>,
}

/// Why a scenario does not apply in the contract tier, if so.
pub(crate) fn not_applicable(scenario: &Scenario) -> Option<String> {
    if let Some(reason) = scenario.not_in_contract_tier.as_ref().or(scenario.not_applicable.as_ref()) {
        return Some(reason.value.clone());
    }
    if scenario.subject != Subject::Application {
        return Some("it inspects an image".to_owned());
    }
    if let Some(reason) = build::takes_real_tools(scenario) {
        return Some(reason.to_owned());
    }
    if scenario.serve.as_ref().is_some_and(|serve| serve.start.terminal) {
        return Some("it needs a terminal, which a sandbox does not have".to_owned());
    }
    match recipe_of(scenario) {
        Ok(recipe) if !recipe.starts && scenario.serve.is_some() => {
            Some("its Dockerfile requires an engine: the start step is not its ENTRYPOINT".to_owned())
        }
        Ok(_) => None,
        Err(why) => Some(why),
    }
}

fn recipe_of(scenario: &Scenario) -> Result<recipe::Recipe, String> {
    let app = scenario.app.as_deref().unwrap_or(Path::new(""));
    let text = Folder::open(app).and_then(|app| app.text(Path::new("Dockerfile"), MAX_CONTEXT));
    recipe::read(&text.map_err(|error| format!("its Dockerfile: {}", with_causes(&error)))?)
}

/// The examination of a candidate by one scenario.
struct Examination<'a> {
    sandboxes: &'a Sandboxes,
    candidate: &'a Candidate,
    scenario: &'a Scenario,
    scope: &'a Scope,
    /// The variant's pip, which the stub stands for.
    pip: Pip,
    limits: Limits,
    workspace: Workspace,
    /// The sandbox's files.
    root: files::Root,
    failing: Option<Failing>,
    /// The application folder after the build step, for as long as nothing else has run.
    built: Option<Snapshot>,
    examined: Examined,
}

/// Tries a candidate in a scenario that applies. The findings of the start come after those of the build. What was found stays where the
/// rest is inconclusive, with the reason.
pub(crate) async fn examine(
    sandboxes: &Sandboxes,
    candidate: &Candidate,
    scenario: &Scenario,
    scope: &Scope,
    pip: Pip,
    limits: Limits,
) -> (Examined, Option<TierError>) {
    let mut examined = Examined::default();
    let into = &mut examined;
    let ended: Result<(), TierError> = async {
        let Ok(recipe) = recipe_of(scenario) else { return Ok(()) };
        let archive = Arc::new(build_context(scenario)?);
        let limits = limits.with(&scenario.limits);
        // Where a phase has several tools that can fail, each has its turn.
        for failing in build::failing(scenario).into_iter().map(Some).chain([None]) {
            if failing.is_none() && build::must_fail(scenario) && !into.findings.is_empty() {
                return Ok(());
            }
            let (workspace, root) = workspace(sandboxes, pip, &archive).await?;
            let examined = std::mem::take(into);
            let mut examination = Examination {
                sandboxes,
                candidate,
                scenario,
                scope,
                pip,
                limits,
                workspace,
                root,
                failing,
                built: None,
                examined,
            };
            let ended = examination.all(&recipe).await;
            *into = examination.examined;
            match ended {
                Err(TierError::Left { what }) => {
                    let at = &scenario.summary.at;
                    into.findings.push(check::limit::left(&scope.at(Stage::Examine), "candidate", APP, &what, at));
                    return Ok(());
                }
                ended => ended?,
            }
            if let Some(name) = into.module.take() {
                into.findings.clear();
                return Err(TierError::Module { name });
            }
            // Those that the application asks for itself are its own affair.
            into.packages.retain(|name| !has(&archive, name.as_bytes()));
            if !into.packages.is_empty() {
                into.findings.retain(Finding::is_broken);
                if into.findings.iter().any(|finding| finding.level == Level::Must) {
                    return Ok(());
                }
                return Err(TierError::Packages { names: into.packages.iter().cloned().collect() });
            }
        }
        Ok(())
    }
    .await;
    (examined, ended.err())
}

/// Whether some bytes have others in them.
fn has(bytes: &[u8], others: &[u8]) -> bool {
    bytes.windows(others.len().max(1)).any(|window| window == others)
}

/// A sandbox with the application in it, and its root.
async fn workspace(
    sandboxes: &Sandboxes,
    pip: Pip,
    archive: &Arc<Vec<u8>>,
) -> Result<(Workspace, files::Root), TierError> {
    let workspace = sandboxes.workspace(&Orders::of(pip))?;
    let (folder, user, archive) = (workspace.root(), workspace.user(), Arc::clone(archive));
    let root = aside(move || {
        sandbox::unpack(&archive, &folder.join("app"), user)?;
        Ok(files::Root::of_sandbox(&folder, user)?)
    });
    let root = root.await?;
    Ok((workspace, root))
}

/// The application folder as it is.
async fn snapshot(root: &files::Root) -> Result<Snapshot, TierError> {
    let root = root.clone();
    aside(move || Ok(root.snapshot(None)?)).await
}

/// Reads or writes what may take long, or hang, where it holds up no other task, no signal and no limit.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, TierError> + Send + 'static,
) -> Result<T, TierError> {
    // Nothing else ends it than a panic, or the end of the program.
    let ended = tokio::task::spawn_blocking(work).await;
    ended.unwrap_or_else(|error| Err(TierError::Internal { what: format!("what is in {APP}: {error}") }))
}

impl Examination<'_> {
    /// Builds, and where stubs have no orders to fail, looks at what was built, and starts it.
    async fn all(&mut self, recipe: &recipe::Recipe) -> Result<(), TierError> {
        let built = self.build(recipe.builds).await?;
        if built && self.failing.is_none() {
            if !self.root.has_app() {
                // No sandbox can be started in it.
                return Err(TierError::Left { what: "something else in the place of the folder".to_owned() });
            }
            self.look().await?;
            self.serve(&recipe.command).await?;
        }
        Ok(())
    }

    /// How a program of the candidate's is started, and how long it may run.
    fn start(&self, command: Vec<String>, time: Duration) -> Start<'_> {
        let environment = BTreeMap::from([(DIALECT.to_owned(), self.scenario.dialect.name().to_owned())]);
        Start {
            candidate: self.candidate,
            command,
            by_shell: false,
            environment,
            user: (0, 0),
            read_only: false,
            keeps_tmp: false,
            tmpfs: Vec::new(),
            volume: None,
            bounds: Bounds {
                time,
                memory: self.limits.memory().into(),
                processes: self.limits.processes,
                disk: self.limits.disk(),
                log: self.limits.log(),
            },
        }
    }

    async fn run(&self, start: &Start<'_>) -> Result<End, TierError> {
        Ok(self.sandboxes.run(&self.workspace, start).await?)
    }

    /// The folder of the application that has hooks and variables.
    fn folder(&self, root: &files::Root) -> &'static str {
        match self.scenario.dialect {
            Dialect::Docker => ".docker",
            Dialect::Whiskey if root.is_folder(&root.in_app(".whiskey")) => ".whiskey",
            Dialect::Whiskey if root.is_folder(&root.in_app(".docker")) => ".docker",
            Dialect::Whiskey => ".whiskey",
        }
    }

    /// Looks at the files and runs the commands that do not take an image.
    async fn look(&mut self) -> Result<(), TierError> {
        let begun = Instant::now();
        for expectation in &self.scenario.files {
            self.file(expectation).await?;
        }
        let commands: Vec<&CommandExpectation> = self
            .scenario
            .commands
            .iter()
            .filter(|command| command.run.value.first().is_some_and(|name| COMMANDS.contains(&name.as_str())))
            .collect();
        for command in commands {
            self.built = None;
            let mut words = command.run.value.clone();
            if words.first().is_some_and(|name| name.starts_with("mod_wsgi-docker-")) {
                words[0] = format!("/usr/local/bin/{}", words[0]);
            }
            let end = self.run(&self.start(words, self.limits.command())).await?;
            let ended = end.exit_code.map_or(CommandEnd::TimedOut(end.took), CommandEnd::Exited);
            let evidence = CommandEvidence { end: ended, output: end.log };
            self.add(check::command::check(&self.scope.at(Stage::Examine), command, &evidence));
        }
        self.examined.stages.push((Stage::Examine, begun.elapsed()));
        Ok(())
    }

    async fn file(&mut self, expectation: &FileExpectation) -> Result<(), TierError> {
        let path = PathBuf::from(&expectation.path);
        if ["/usr", "/etc", "/run", "/tmp"].iter().any(|image| path.starts_with(image)) {
            return Ok(());
        }
        let root = self.root.clone();
        let evidence = aside(move || Ok(root.look(&path)?)).await?;
        self.add(check::file::check(&self.scope.at(Stage::Examine), expectation, &evidence));
        Ok(())
    }

    fn add(&mut self, findings: Vec<Finding>) {
        self.examined.findings.extend(findings);
    }

    fn log(&mut self, title: &str, log: Captured) {
        self.examined.logs.push(Log { title: title.to_owned(), lines: log.reported() });
    }
}
