//! The build step in the sandbox.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use regex::Regex;

use super::calls::{self, Asked, Remains};
use super::{APP, Examination, TierError, aside, files, snapshot};
use crate::beneath::Folder;
use crate::check;
use crate::check::evidence::{BuildEnd, BuildEvidence, Change, ChangeKind};
use crate::check::limit::Exceeded;
use crate::check::scope::Scope;
use crate::check::text::first_of;
use crate::contract_tier::requirements::{Pip, Reader, Requirement, Vcs, resolved};
use crate::contract_tier::sandbox::{End, Start};
use crate::contract_tier::stub::apt;
use crate::contract_tier::stub::record::{Call, Effect, Failing, Failure, Orders, Tool};
use crate::host::snapshot::Snapshot;
use crate::outcome::{At, CheckId, ClauseId, Finding, Stage};
use crate::suite::scenario::{BuildExpectation, BuildOutcome, Declared, FailureCode, MAX_CONTEXT, Phase, Scenario};

/// The build step's program.
const STEP: &str = "/usr/local/bin/mod_wsgi-docker-build";
/// What the application asks for, in its folder.
const REQUIREMENTS: &str = "requirements.txt";
/// The message of a stub that has orders to fail.
const MESSAGE: &str = "wsgi-proof makes this tool fail";
/// How many packages that no stub knows are looked for in the application.
const MAX_PACKAGES: usize = 50;
/// Where apt has its package lists.
const LISTS: &str = "/var/lib/apt/lists";
/// Where apt has the archives that it fetched.
const ARCHIVES: &str = "/var/cache/apt/archives";

impl Examination<'_> {
    /// Runs the build step, and checks what came of it; says whether there is something to go on with.
    pub(super) async fn build(&mut self, runs: bool) -> Result<bool, TierError> {
        let Some(expectation) = &self.scenario.build else { return Ok(true) };
        if !runs {
            return Ok(true);
        }
        let at = self.scenario.summary.at.clone();
        let failure = self.failing.and_then(|at| told_failure(at, expectation));
        self.workspace.order(&Orders { failure: failure.clone(), older: true, ..Orders::of(self.pip) })?;
        let root = self.root.clone();
        let came_with_requirements = root.is_there(&root.in_app(REQUIREMENTS));
        let came_with = listed(&root);
        let hooks = root.in_app(self.folder(&root)).join("action_hooks");
        let has_hook = |name: &str| root.is_there(&hooks.join(name));
        let (has_pre_build_hook, has_build_hook) = (has_hook("pre-build"), has_hook("build"));
        // What hooks change is theirs.
        let is_left =
            !has_pre_build_hook && !has_build_hook && matches!(expectation.outcome.value, BuildOutcome::Success);
        let before = if is_left { Some(snapshot(&root).await?) } else { None };
        // By `RUN` in shell form.
        let start = Start { by_shell: true, ..self.start(vec![STEP.to_owned()], self.limits.build()) };
        let end = self.run(&start).await?;
        self.examined.stages.push((Stage::Build, end.took));
        let calls = self.workspace.calls();
        self.examined.module = calls.iter().find_map(|call| match &call.effect {
            Effect::Unknown(name) => Some(name.clone()),
            _ => None,
        });
        let unknown: BTreeSet<String> = calls.iter().flat_map(unknown_packages).collect();
        self.examined.packages.extend(unknown.into_iter().take(MAX_PACKAGES));
        let expected = adapted(expectation, failure.as_ref());
        let scope = self.scope.at(Stage::Build);
        self.add(check::build::check(&scope, &expected, &evidence(&end, self.limits.build())));
        let Ok(log) = end.log.all() else {
            // As in images, nothing more is said of a build that wrote more than it may.
            self.log("build log", end.log);
            return Ok(false);
        };
        let succeeded = end.exit_code == Some(0);
        let findings = match &expectation.outcome.value {
            BuildOutcome::Success if succeeded => {
                let left = self.left(&calls).await?;
                let (scope, at, dialect) = (scope.clone(), at.clone(), self.scenario.dialect);
                // A candidate chooses how much there is to compare.
                let findings = aside(move || {
                    let asked = Asked {
                        at,
                        dialect,
                        requirements: left.requirements,
                        mentioned: mentioned(&left.listed),
                        setup_py: left.setup_py,
                        came_with_requirements,
                        changed_requirements: !has_pre_build_hook && !has_build_hook && left.listed != came_with,
                        has_pre_build_hook,
                        pre_releases: asks_for_pre_releases(&left.listed),
                    };
                    Ok(calls::succeeded(&scope, &asked, &calls, &left.remains))
                });
                let mut findings = findings.await?;
                if let Some(before) = before {
                    let scope = self.scope.at(Stage::Build);
                    findings.extend(self.untouched(&scope, before, &self.scenario.summary.at).await?);
                }
                findings
            }
            BuildOutcome::Success | BuildOutcome::Either { .. } => Vec::new(),
            // Where nothing failed there is nothing after it; that nothing failed is told.
            BuildOutcome::Failure { .. } if succeeded => Vec::new(),
            BuildOutcome::Failure { phase, .. } => {
                calls::failed(&scope, phase.value, &at, &calls, failure.as_ref().map(|_| MESSAGE), log)
            }
        };
        self.add(findings);
        self.log("build log", end.log);
        Ok(succeeded && matches!(expectation.outcome.value, BuildOutcome::Success))
    }

    /// What the build step left.
    async fn left(&self, calls: &[Call]) -> Result<Left, TierError> {
        let (root, pip) = (self.root.clone(), self.pip);
        let last = calls.iter().rev().find(|call| call.tool == Tool::Pip);
        let environment = last.map(|call| call.environment.clone()).unwrap_or_default();
        let checkouts: Vec<PathBuf> = calls.iter().flat_map(checkouts).collect();
        aside(move || {
            Ok(Left {
                requirements: requirements(&root, pip, &environment)?,
                listed: listed(&root),
                setup_py: root.is_file(&root.in_app("setup.py")),
                remains: Remains {
                    lists: root.entries(Path::new(LISTS))?,
                    archives: root.entries(Path::new(ARCHIVES))?,
                    gone: checkouts.into_iter().filter(|path| path.starts_with(APP) && !root.is_there(path)).collect(),
                },
            })
        })
        .await
    }

    /// The folder of the application that has hooks and variables, where it is a link the one that it leads to.
    fn real_folder(&self) -> Result<String, TierError> {
        let folder = self.folder(&self.root);
        let target = self.root.target(&self.root.in_app(folder))?;
        Ok(target.map_or_else(|| folder.to_owned(), |target| target.to_string_lossy().into_owned()))
    }

    /// That the build step itself changed nothing of the application's.
    async fn untouched(&mut self, scope: &Scope, before: Snapshot, at: &At) -> Result<Option<Finding>, TierError> {
        let (root, folder) = (self.root.clone(), self.real_folder()?);
        let changes = aside(move || {
            let parent = format!("{APP}/{folder}");
            let kept = format!("{parent}/tmp");
            // What is made beside a folder or a file in its place is not what the build step may make.
            let made_folder = root.is_folder(&root.in_app(&folder));
            let made_list = root.is_file(&root.in_app(REQUIREMENTS));
            let own = |change: &Change| {
                let made = (change.path == format!("{APP}/{REQUIREMENTS}") && made_list)
                    || (change.path == parent && made_folder);
                Path::new(&change.path).starts_with(&kept) || (change.kind == ChangeKind::Added && made)
            };
            let now = root.snapshot(Some(&before))?;
            let mut changes = before.changes(&now, APP);
            changes.retain(|change| !own(change));
            Ok((changes, now))
        });
        let (changes, now) = changes.await?;
        self.built = Some(now);
        Ok(scope.holds_for(ClauseId::build(30), CheckId::BuildLeavesFiles, (), at, || {
            let expected = "the build step to leave the application's files as they are".to_owned();
            (!changes.is_empty()).then(|| (expected, first_of(&changes)))
        }))
    }
}

/// What a build step left.
struct Left {
    /// What requirements.txt asks for now, with the variables that pip last had; `None` where there is none.
    requirements: Option<Vec<Requirement>>,
    /// The content of requirements.txt.
    listed: Vec<u8>,
    setup_py: bool,
    remains: Remains,
}

fn requirements(
    root: &files::Root,
    pip: Pip,
    environment: &BTreeMap<String, String>,
) -> Result<Option<Vec<Requirement>>, TierError> {
    if !root.is_there(&root.in_app(REQUIREMENTS)) {
        return Ok(None);
    }
    let files = files::Noting::new(root);
    let reader = Reader { pip, folder: APP, environment, files: &files };
    let read = reader.file(REQUIREMENTS, false).and_then(|asked| resolved(asked, pip));
    // What pip could read, and this program does not, is not what nobody asks for.
    if let Some(error) = files.first() {
        return Err(error.into());
    }
    match read {
        Ok(requirements) => Ok(Some(requirements)),
        Err(refused) if refused.beyond => {
            Err(TierError::Left { what: format!("more requirement files than are read ({refused})") })
        }
        // One that pip cannot read has failed the build.
        Err(_) => Ok(Some(Vec::new())),
    }
}

/// The content of requirements.txt; nothing where there is none.
fn listed(root: &files::Root) -> Vec<u8> {
    root.content(&root.in_app(REQUIREMENTS)).unwrap_or_default()
}

/// The tools of version control whose prefix stands anywhere in requirements.txt.
fn mentioned(listed: &[u8]) -> Vec<Vcs> {
    let text = String::from_utf8_lossy(listed).to_ascii_lowercase();
    [Vcs::Git, Vcs::Mercurial].into_iter().filter(|vcs| text.contains(vcs.prefix())).collect()
}

/// Whether requirements.txt has pip take pre-releases of all.
fn asks_for_pre_releases(listed: &[u8]) -> bool {
    let text = String::from_utf8_lossy(listed);
    text.contains("--pre") && text.split_whitespace().any(|word| word == "--pre")
}

/// The packages that a call asked for, and that no stub knows.
fn unknown_packages(call: &Call) -> Vec<String> {
    match &call.effect {
        Effect::Packages { names, .. } => names.iter().filter(|name| !apt::is_known(name)).cloned().collect(),
        _ => Vec::new(),
    }
}

/// Where a call checked out what is editable.
fn checkouts(call: &Call) -> Vec<PathBuf> {
    match &call.effect {
        Effect::Projects(projects) => projects.iter().filter_map(|one| one.checkout.clone()).collect(),
        _ => Vec::new(),
    }
}

/// Whether the build must fail.
pub(super) fn must_fail(scenario: &Scenario) -> bool {
    scenario.build.as_ref().is_some_and(|build| matches!(build.outcome.value, BuildOutcome::Failure { .. }))
}

/// Where stubs must fail, one after the other, where the scenario expects a failure of a real tool.
pub(super) fn failing(scenario: &Scenario) -> Vec<Failing> {
    let outcome = scenario.build.as_ref().map(|build| &build.outcome.value);
    let Some(BuildOutcome::Failure { phase, .. }) = outcome else { return Vec::new() };
    match phase.value {
        Phase::PreBuild | Phase::Build => Vec::new(),
        Phase::Git => vec![Failing::AptUpdate, Failing::AptInstall],
        Phase::Mercurial => vec![Failing::Mercurial],
        // Nobody needs pip to tell that there is nothing to read.
        Phase::Pip if scenario.app.as_deref().is_some_and(has_no_file) => Vec::new(),
        Phase::Pip => vec![Failing::Requirements],
    }
}

/// Why a build that must succeed cannot be judged with stubs, if so: what they would let pass may fail with the real tools.
pub(super) fn takes_real_tools(scenario: &Scenario) -> Option<&'static str> {
    let app = scenario.app.as_deref().filter(|_| !must_fail(scenario))?;
    let asks_for = |file: &str, words: [&str; 2]| {
        // The loader has refused what leads out of the folder; a link inside is followed.
        let text = Folder::open(app).and_then(|app| app.into_root().read(Path::new(file), MAX_CONTEXT));
        let text = text.unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        words.iter().any(|word| text.contains(word))
    };
    if asks_for(REQUIREMENTS, ["+ssh://", "git://"]) {
        Some("it needs a server of git over ssh, or of git's own protocol, which stubs do not stand for")
    } else if asks_for("setup.py", ["git+", "hg+"]) {
        Some("its setup.py asks for version control, which stubs do not read")
    } else {
        None
    }
}

/// Whether an application's requirements.txt is there, and is not a file.
fn has_no_file(app: &Path) -> bool {
    let list = app.join(REQUIREMENTS);
    list.symlink_metadata().is_ok() && !list.is_file()
}

/// The orders to stubs to fail.
fn told_failure(at: Failing, expectation: &BuildExpectation) -> Option<Failure> {
    let BuildOutcome::Failure { exit_code, .. } = &expectation.outcome.value else { return None };
    let (asked, signal) = match &exit_code.value {
        FailureCode::OneOf(codes) => (codes.first().and_then(|code| i32::try_from(*code).ok()), None),
        FailureCode::NonZero => (None, None),
        FailureCode::OfSignal(signal) => (None, Some(*signal)),
    };
    let exit_code = asked.unwrap_or_else(|| usual_exit_code(at));
    Some(Failure { at, exit_code, signal, message: MESSAGE.to_owned() })
}

/// What the real tool ends with when it fails.
fn usual_exit_code(at: Failing) -> i32 {
    match at {
        Failing::AptUpdate | Failing::AptInstall => 100,
        Failing::Mercurial | Failing::Requirements => 1,
    }
}

/// The expectation without what takes the real tools.
fn adapted(expectation: &BuildExpectation, failure: Option<&Failure>) -> BuildExpectation {
    let mut adapted = BuildExpectation { tool_log: Vec::new(), ..expectation.clone() };
    if let (BuildOutcome::Failure { because, .. }, Some(_)) = (&mut adapted.outcome.value, failure)
        && let Ok(message) = Regex::new(MESSAGE)
    {
        *because = Declared { value: message, at: because.at.clone() };
    }
    adapted
}

fn evidence(end: &End, limit: Duration) -> BuildEvidence {
    let ended = match end.exit_code {
        // The tier stops a step sooner than a scenario asks.
        None => BuildEnd::Exceeded(end.log.cut().unwrap_or(Exceeded::BuildTime(limit.min(end.took)))),
        Some(0) => BuildEnd::Built { image: String::new() },
        Some(code) => BuildEnd::Failed {
            command: Some(STEP.to_owned()),
            exit_code: Some(code),
            message: format!("The build step returned {code}"),
        },
    };
    BuildEvidence { end: ended, log: end.log.clone() }
}
