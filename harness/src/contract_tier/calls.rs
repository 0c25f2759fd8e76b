//! What the build step had pip, apt-get and the like do, held against what the application asks for. For the contract tier, where
//! stubs write down how they are called. It is effects that count, and not the words of a command line.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::requirements::{Requirement, Source, Vcs};
use super::stub::record::{Call, Effect, Installed, Tool};
use super::ways::{Same, Way, stays, ways};
use crate::check::few::Few;
use crate::check::lines;
use crate::check::scope::Scope;
use crate::check::text::{excerpt, list};
use crate::outcome::{At, CheckId, ClauseId, Finding};
use crate::suite::dialect::Dialect;
use crate::suite::scenario::Phase;

const APPLICATION: &str = "/app";

/// What an application asks for, as it is when the build step has ended.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Asked {
    /// Where the scenario says so.
    pub at: At,
    pub dialect: Dialect,
    /// The requirements of requirements.txt, with the files that it names; `None` when there is none.
    pub requirements: Option<Vec<Requirement>>,
    /// The tools of version control whose prefix stands anywhere in requirements.txt, be it in a comment.
    pub mentioned: Vec<Vcs>,
    /// Whether there is a setup.py.
    pub setup_py: bool,
    /// Whether there was a requirements.txt before the build step ran.
    pub came_with_requirements: bool,
    /// Whether the build step itself, and no hook, has changed the one that was there.
    pub changed_requirements: bool,
    /// Whether the pre-build hook could have written one.
    pub has_pre_build_hook: bool,
    /// Whether requirements.txt itself asks for pre-releases.
    pub pre_releases: bool,
}

/// What is left behind when the build step has ended.
#[derive(Debug, Clone, Default)]
pub(super) struct Remains {
    /// Entries of apt's package lists.
    pub lists: Vec<String>,
    /// Fetched archives of packages.
    pub archives: Vec<String>,
    /// Checkouts of editable requirements that have gone.
    pub gone: Vec<PathBuf>,
}

impl Asked {
    /// The requirements that must get installed.
    fn wanted(&self) -> Vec<Requirement> {
        match &self.requirements {
            // What the build step wrote into it proves nothing of what it had to write.
            Some(_) if self.dialect == Dialect::Docker && self.setup_py && self.wrote_requirements() => vec![itself()],
            // One that has a marker may not apply.
            Some(requirements) => {
                let certain: BTreeSet<_> = requirements.iter().filter(|one| !one.marked).cloned().collect();
                certain.into_iter().collect()
            }
            None if self.installs_setup_py() => vec![itself()],
            None => Vec::new(),
        }
    }

    /// Whether the application is installed for its setup.py.
    fn installs_setup_py(&self) -> bool {
        self.dialect == Dialect::Docker && self.setup_py && self.requirements.is_none()
    }

    /// Whether requirements.txt can only have been written by the build step.
    fn wrote_requirements(&self) -> bool {
        self.requirements.is_some() && !self.came_with_requirements && !self.has_pre_build_hook
    }
}

/// The application folder, as an editable requirement.
fn itself() -> Requirement {
    Requirement {
        source: Source::Path(PathBuf::from(APPLICATION)),
        editable: true,
        marked: false,
        direct: true,
        usual_case: true,
        hashed: false,
        names_pre_release: false,
    }
}

/// Checks the calls of a build step that succeeded.
pub(super) fn succeeded(scope: &Scope, asked: &Asked, calls: &[Call], remains: &Remains) -> Vec<Finding> {
    let wanted = asked.wanted();
    let installed: Vec<(usize, &Installed)> = installed(calls).collect();
    let (stays, gone) = stays(&installed, calls);
    let ways = ways(&stays);
    // Words for all of them are made once: there may be as many that are missing.
    let all: Vec<String> = installed.iter().map(|(_, one)| words(&one.requirement)).collect();
    let all = list(&all);
    let mut findings = Few::default();
    for requirement in &wanted {
        let clause = clause_of(requirement, asked);
        let Way { found, elsewhere } = ways.get(&Same::of(requirement)).copied().unwrap_or_default();
        findings.extend(scope.holds_for(clause, CheckId::RequirementInstalled, words(requirement), &asked.at, || {
            let got = || match elsewhere {
                Some(option) => format!("pip installed it elsewhere ({})", excerpt(option)),
                None if gone.contains(&Same::of(requirement)) => "pip uninstalled it afterwards".to_owned(),
                None => format!("pip installed {all}"),
            };
            found.is_none().then(|| ("pip to install it where the application finds it".to_owned(), got()))
        }));
        if let Some(one) = found {
            findings.extend(scope.holds_for(clause, CheckId::RequirementWhole, words(requirement), &asked.at, || {
                let expected = "pip to install it with what it needs".to_owned();
                (!one.less.is_empty()).then(|| (expected, format!("pip was called with {}", list(&one.less))))
            }));
            let released = !one.pre_release || asked.pre_releases || !takes_a_release(&one.requirement);
            findings.extend(scope.holds_for(
                ClauseId::build(50),
                CheckId::RequirementReleased,
                words(requirement),
                &asked.at,
                || {
                    (!released).then(|| {
                        ("a release of it".to_owned(), "pip was called with --pre (or --all-releases)".to_owned())
                    })
                },
            ));
            findings.extend(scope.holds_for(
                ClauseId::build(25),
                CheckId::RequirementUpgraded,
                words(requirement),
                &asked.at,
                || {
                    let got = "the older release that was there was left (no -U?)";
                    (!one.fresh).then(|| ("a newer release to be installed over an older".to_owned(), got.to_owned()))
                },
            ));
        }
    }
    findings.extend(no_setup_py(scope, asked, &wanted, &installed));
    findings.extend(git_first(scope, asked, &wanted, calls));
    for vcs in [Vcs::Git, Vcs::Mercurial] {
        findings.extend(version_control(scope, vcs, asked, &wanted, calls, &installed));
    }
    if wanted.iter().any(|one| one.vcs() == Some(Vcs::Git)) {
        findings.extend(nothing_left(
            scope,
            ClauseId::build(16),
            (CheckId::PackageListsLeft, "package lists"),
            &asked.at,
            &remains.lists,
        ));
        findings.extend(nothing_left(
            scope,
            ClauseId::build(39),
            (CheckId::ArchivesLeft, "fetched archives of packages"),
            &asked.at,
            &remains.archives,
        ));
    }
    if wanted.iter().any(|one| one.editable && one.vcs().is_some()) {
        let gone: Vec<String> = remains.gone.iter().map(|path| path.display().to_string()).collect();
        findings.extend(scope.holds_for(ClauseId::build(19), CheckId::CheckoutsKept, (), &asked.at, || {
            (!gone.is_empty())
                .then(|| ("checkouts of editable requirements to stay".to_owned(), format!("gone: {}", list(&gone))))
        }));
    }
    findings.finish()
}

/// Checks the calls of a build step that had to fail in this phase, for the reason of a stub that was told to fail with this
/// message where `message` says so: it must fail, pass the message on, and call nothing more.
pub(super) fn failed(
    scope: &Scope,
    phase: Phase,
    at: &At,
    calls: &[Call],
    message: Option<&str>,
    log: &[String],
) -> Vec<Finding> {
    let (allowed, clause, after): (&[Tool], _, _) = match phase {
        Phase::PreBuild => (&[], ClauseId::build(6), ClauseId::build(6)),
        // pip, which misses the tool, may be what fails the build in the end.
        Phase::Git | Phase::Mercurial => (&[Tool::Apt, Tool::Pip], ClauseId::build(38), ClauseId::build(42)),
        Phase::Pip => (&[Tool::Apt, Tool::Pip], ClauseId::build(20), ClauseId::build(20)),
        Phase::Build => return Vec::new(),
    };
    let mut findings = Vec::new();
    if let Some(message) = message {
        let failed = calls.iter().position(|call| call.exit_code != 0);
        findings.extend(scope.holds_for(clause, CheckId::ToolMessage, (), at, || {
            // A build that did not come so far ends otherwise, which is another finding.
            let found = failed.is_none() || log.iter().any(|line| line.contains(message));
            (!found).then(|| (format!("its message `{message}` in the log"), lines::none_of(log)))
        }));
        findings.extend(scope.holds_for(after, CheckId::NothingAfterTool, (), at, || {
            let failed = failed?;
            // To try again what failed, in whatever way, and to fail again, is to have called nothing after it. Neither is a
            // package that is asked for though the lists could not be fetched: they may be older ones.
            let again = |call: &&Call| call.exit_code != 0 && call.tool == calls[failed].tool;
            let after = calls[failed + 1..].iter().filter(|call| !again(call));
            let after: Vec<String> = after.map(call_words).collect();
            (!after.is_empty())
                .then(|| ("nothing to be called after it".to_owned(), format!("called: {}", list(&after))))
        }));
    } else {
        findings.extend(scope.holds_for(clause, CheckId::NothingAfterHook, (), at, || {
            let after: Vec<String> = calls
                .iter()
                .filter(|call| call.tool == Tool::Pip && !allowed.contains(&call.tool))
                .map(call_words)
                .collect();
            (!after.is_empty())
                .then(|| ("nothing to be called after it".to_owned(), format!("called: {}", list(&after))))
        }));
    }
    findings
}

/// The application itself must not be installed unless it asks for it.
fn no_setup_py(
    scope: &Scope,
    asked: &Asked,
    wanted: &[Requirement],
    installed: &[(usize, &Installed)],
) -> Option<Finding> {
    let clause = match (asked.dialect, &asked.requirements) {
        _ if !asked.setup_py && !asked.came_with_requirements && !asked.has_pre_build_hook => ClauseId::build(14),
        _ if !asked.setup_py => return None,
        (_, Some(_)) if !asked.wrote_requirements() => ClauseId::build(12),
        (Dialect::Whiskey, _) => ClauseId::build(33),
        (Dialect::Docker, _) => return None,
    };
    let own_words = asked.wrote_requirements() || asked.changed_requirements;
    let wants_itself = wanted.iter().any(|one| one.source == itself().source) && !own_words;
    let installs_itself = installed.iter().any(|(_, one)| one.requirement.source == itself().source);
    scope.holds_for(clause, CheckId::SetupPyLeftAlone, (), &asked.at, || {
        (installs_itself && !wants_itself)
            .then(|| ("the application not to be installed itself".to_owned(), "pip installed /app".to_owned()))
    })
}

/// The tool of version control is installed before it is needed, and only where it is needed.
fn version_control(
    scope: &Scope,
    vcs: Vcs,
    asked: &Asked,
    wanted: &[Requirement],
    calls: &[Call],
    installed: &[(usize, &Installed)],
) -> Vec<Finding> {
    let at = &asked.at;
    let program = vcs.program();
    let place = calls.iter().position(|call| brings(call, vcs));
    let needed: Vec<&Requirement> = wanted.iter().filter(|one| one.vcs() == Some(vcs)).collect();
    let Some(first) = needed.first() else {
        // A pre-build hook may install what it likes.
        if asked.has_pre_build_hook {
            return Vec::new();
        }
        // What only looks like such a requirement is another matter.
        let clause = ClauseId::build(if asked.mentioned.contains(&vcs) { 40 } else { 18 });
        let finding = scope.holds_for(clause, CheckId::VcsNotInstalled, program, at, || {
            let place = place?;
            Some((format!("no {program}, which nothing needs"), call_words(&calls[place])))
        });
        return finding.into_iter().collect();
    };
    let own = if vcs == Vcs::Git { ClauseId::build(16) } else { ClauseId::build(17) };
    let clause = match () {
        () if needed.iter().all(|one| !one.usual_case) => ClauseId::build(23),
        () if needed.iter().all(|one| !one.direct) => ClauseId::build(22),
        () => own,
    };
    let mut findings = Vec::new();
    findings.extend(scope.holds_for(clause, CheckId::VcsInstalled, program, at, || {
        place.is_none().then(|| (format!("{program} to be installed for {}", words(first)), "it was not".to_owned()))
    }));
    let use_of = installed.iter().find(|(_, one)| one.requirement.vcs() == Some(vcs)).map(|(index, _)| *index);
    if let (Some(place), Some(use_of)) = (place, use_of) {
        findings.extend(scope.holds_for(ClauseId::build(1), CheckId::VcsBeforeRequirements, program, at, || {
            (place > use_of)
                .then(|| (format!("{program} to be installed before them"), "it was installed after".to_owned()))
        }));
        if let Effect::Packages { recommended: true, .. } = &calls[place].effect {
            findings.extend(scope.holds_for(ClauseId::build(39), CheckId::GitAlone, (), at, || {
                Some(("git without recommended packages".to_owned(), call_words(&calls[place])))
            }));
        }
    }
    findings
}

/// Git is installed before Mercurial, where both are needed.
fn git_first(scope: &Scope, asked: &Asked, wanted: &[Requirement], calls: &[Call]) -> Option<Finding> {
    let needs = |vcs| wanted.iter().any(|one| one.vcs() == Some(vcs));
    if !needs(Vcs::Git) || !needs(Vcs::Mercurial) {
        return None;
    }
    let place = |vcs| calls.iter().position(|call| brings(call, vcs));
    let (git, mercurial) = (place(Vcs::Git)?, place(Vcs::Mercurial)?);
    scope.holds_for(ClauseId::build(1), CheckId::GitBeforeMercurial, (), &asked.at, || {
        (git > mercurial)
            .then(|| ("git to be installed before Mercurial".to_owned(), "it was installed after".to_owned()))
    })
}

fn nothing_left(
    scope: &Scope,
    clause: ClauseId,
    (id, what): (CheckId, &str),
    at: &At,
    left: &[String],
) -> Option<Finding> {
    scope.holds_for(clause, id, (), at, || {
        (!left.is_empty()).then(|| (format!("no {what}"), format!("left: {}", list(left))))
    })
}

/// Whether a call brings the tool.
fn brings(call: &Call, vcs: Vcs) -> bool {
    match &call.effect {
        Effect::Packages { names, .. } => match vcs {
            Vcs::Git => names.iter().any(|name| name == "git" || name == "git-core"),
            Vcs::Mercurial => names.iter().any(|name| name == "mercurial"),
        },
        Effect::Projects(projects) => {
            vcs == Vcs::Mercurial && projects.iter().any(|one| is_mercurial(&one.requirement))
        }
        _ => false,
    }
}

/// Whether pip chooses the version, among releases.
fn takes_a_release(requirement: &Requirement) -> bool {
    matches!(requirement.source, Source::Index { pinned: None, .. }) && !requirement.names_pre_release
}

fn is_mercurial(requirement: &Requirement) -> bool {
    matches!(&requirement.source, Source::Index { name, .. } if name == "mercurial")
}

/// What pip installed, each with the place of its call.
fn installed(calls: &[Call]) -> impl Iterator<Item = (usize, &Installed)> {
    calls.iter().enumerate().flat_map(|(index, call)| match &call.effect {
        Effect::Projects(projects) => projects.iter().map(move |one| (index, one)).collect::<Vec<_>>(),
        _ => Vec::new(),
    })
}

/// The clause that has a requirement be installed.
fn clause_of(requirement: &Requirement, asked: &Asked) -> ClauseId {
    match &requirement.source {
        Source::Path(path) if path.as_os_str() == APPLICATION && !asked.came_with_requirements => ClauseId::build(13),
        Source::Path(_) if requirement.editable => ClauseId::build(24),
        Source::Path(_) | Source::Archive { .. } | Source::Foreign { .. } => ClauseId::build(15),
        Source::Repository { .. } if requirement.editable => ClauseId::build(19),
        Source::Index { .. } | Source::Repository { .. } if !requirement.direct => ClauseId::build(15),
        Source::Index { .. } | Source::Repository { .. } => ClauseId::build(21),
    }
}

fn words(requirement: &Requirement) -> String {
    let name = match &requirement.source {
        Source::Index { name, .. } => name.clone(),
        Source::Repository { vcs, name, .. } => format!("{name} ({})", vcs.prefix()),
        Source::Path(path) => path.display().to_string(),
        Source::Archive { address, .. } => address.clone(),
        Source::Foreign { program } => format!("({program})"),
    };
    let name = excerpt(&name);
    if requirement.editable { format!("-e {name}") } else { name }
}

fn call_words(call: &Call) -> String {
    let tool = match call.tool {
        Tool::Apt => "apt-get",
        Tool::Pip => "pip",
        Tool::Git => "git",
        Tool::Hg => "hg",
        Tool::ModWsgiExpress => "mod_wsgi-express",
    };
    excerpt(&format!("{tool} {}", call.arguments.join(" ")))
}
