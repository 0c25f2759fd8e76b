//! The model of the contract: what a build and a start step must do with an application, worked out from the application alone.

use std::collections::BTreeMap;

use super::application::{
    Action, Application, End, Executable, Hook, Kind, Line, Name, Place, Requirements, Target, Tool,
};
use crate::suite::dialect::Dialect;
use crate::suite::scenario::Phase;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Prediction {
    /// What happens in the build, in this order.
    pub(super) build: Vec<Happening>,
    /// How the build fails; `None` where it succeeds.
    pub(super) build_failure: Option<Failure>,
    /// What happens at the start, in this order; nothing where the build fails.
    pub(super) start: Vec<Happening>,
    /// How the start ends where it does not serve.
    pub(super) start_failure: Option<StartFailure>,
    /// The variables of `user_vars` that the application gets, with their values.
    pub(super) variables: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Happening {
    /// A hook runs; at the start, with this value of the variable that it tells.
    Hook(Name, Option<String>),
    Git,
    Mercurial,
    /// pip installs what is asked for.
    Pip,
}

/// How a build fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) phase: Phase,
    pub(super) end: End,
    pub(super) cause: Cause,
}

/// Why a build fails in its phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// The hook fails; or what is to be installed cannot be.
    Itself,
    /// A hook has broken the tool.
    BrokenTool,
    /// requirements.txt is there and is no file.
    NoFile,
}

/// How a start ends that does not serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StartFailure {
    /// A hook fails, and ends so.
    Hook(End),
    /// What CMD names is not there: with any exit code other than 0.
    NothingToServe,
}

/// The variable whose value hooks tell.
pub(super) const GREETING: &str = "GREETING";
/// What apt ends with.
const APT: End = End::Exit(100);
/// What pip ends with.
const PIP: End = End::Exit(1);

/// What must happen with an application.
pub(super) fn predict(application: &Application) -> Prediction {
    let mut state = State::of(application);
    let mut build = Vec::new();
    let build_failure = state.build(&mut build);
    let mut start = Vec::new();
    let start_failure = if build_failure.is_some() { None } else { state.start(&mut start) };
    Prediction { build, build_failure, start, start_failure, variables: state.values() }
}

/// The application folder as it changes.
struct State<'a> {
    application: &'a Application,
    hooks: [Option<Hook>; 4],
    requirements: Option<(Place, Requirements)>,
    setup_py: bool,
    variables: BTreeMap<String, String>,
    /// How tools end, and why, that cannot install anything.
    broken: BTreeMap<Tool, (End, Cause)>,
}

impl<'a> State<'a> {
    fn of(application: &'a Application) -> Self {
        Self {
            application,
            hooks: application.hooks.clone(),
            requirements: application.requirements.clone(),
            setup_py: application.setup_py.is_some_and(Place::is_file),
            variables: application
                .user_vars
                .iter()
                .filter(|variable| variable.place.is_file())
                .map(|variable| (variable.name.clone(), variable.value.clone()))
                .collect(),
            broken: BTreeMap::new(),
        }
    }

    fn build(&mut self, happenings: &mut Vec<Happening>) -> Option<Failure> {
        let failure = |phase, end, cause| Some(Failure { phase, end, cause });
        if let Some(end) = self.hook(Name::PreBuild, None, happenings) {
            return failure(Phase::PreBuild, end, Cause::Itself);
        }
        let lines: Option<Vec<Line>> = match &self.requirements {
            Some((place, _)) if !place.is_file() => {
                happenings.push(Happening::Pip);
                return failure(Phase::Pip, PIP, Cause::NoFile);
            }
            Some((_, requirements)) => Some(as_read(requirements)),
            // The dialect whiskey gave up looking for a setup.py.
            None if self.setup_py && self.application.dialect == Dialect::Docker => Some(vec![Line::Itself]),
            None => None,
        };
        if let Some(lines) = lines {
            let impossible = |line: &Line| match line {
                Line::MissingPath => true,
                Line::Itself => !self.setup_py,
                _ => false,
            };
            // pip reads no further than what it refuses, so it runs nothing for what comes after.
            let readable = lines.iter().position(impossible).unwrap_or(lines.len());
            if lines[..readable].iter().any(|line| line.needs_git()) {
                happenings.push(Happening::Git);
                if let Some((end, cause)) = self.broken.get(&Tool::Apt) {
                    return failure(Phase::Git, *end, *cause);
                }
            }
            if lines[..readable].iter().any(|line| line.needs_mercurial()) {
                happenings.push(Happening::Mercurial);
                if let Some((end, cause)) = self.broken.get(&Tool::PipForMercurial) {
                    return failure(Phase::Mercurial, *end, *cause);
                }
            }
            happenings.push(Happening::Pip);
            if let Some((end, cause)) = self.broken.get(&Tool::Pip) {
                return failure(Phase::Pip, *end, *cause);
            }
            if readable < lines.len() {
                return failure(Phase::Pip, PIP, Cause::Itself);
            }
        }
        self.hook(Name::Build, None, happenings).and_then(|end| failure(Phase::Build, end, Cause::Itself))
    }

    /// How the start ends where it does not serve.
    fn start(&mut self, happenings: &mut Vec<Happening>) -> Option<StartFailure> {
        for name in [Name::DeployEnv, Name::Deploy] {
            let greeting = self.greeting();
            if let Some(end) = self.hook(name, Some(greeting), happenings) {
                return Some(StartFailure::Hook(end));
            }
        }
        (self.application.target == Target::MissingScript).then_some(StartFailure::NothingToServe)
    }

    /// Runs a hook if there is one that runs; how it ends where it fails.
    fn hook(&mut self, name: Name, greeting: Option<String>, happenings: &mut Vec<Happening>) -> Option<End> {
        let hook = self.hooks[name as usize].clone().filter(|hook| runs(hook) && self.application.folder_counts())?;
        happenings.push(Happening::Hook(name, greeting));
        hook.actions.iter().for_each(|action| self.act(action));
        Some(hook.end).filter(|end| *end != End::Exit(0))
    }

    fn act(&mut self, action: &Action) {
        match action {
            Action::WriteRequirements(requirements) => self.requirements = Some((Place::File, requirements.clone())),
            Action::RemoveRequirements => self.requirements = None,
            Action::WriteSetupPy => self.setup_py = true,
            // A tool that is broken does not come so far.
            Action::ForbidGit => {
                self.broken.entry(Tool::Apt).or_insert((APT, Cause::Itself));
            }
            Action::ForbidMercurial => {
                self.broken.entry(Tool::PipForMercurial).or_insert((PIP, Cause::Itself));
            }
            Action::Break(tool, end) => {
                self.broken.insert(*tool, (*end, Cause::BrokenTool));
            }
            Action::Print(_) | Action::LeaveProcess => {}
            Action::SetExecutable(name, executable) => {
                let executable = if *executable { Executable::All } else { Executable::Nobody };
                if let Some(hook) = &mut self.hooks[*name as usize] {
                    hook.kind = match hook.kind {
                        Kind::File(_) => Kind::File(executable),
                        Kind::Link(_) => Kind::Link(executable),
                        other => other,
                    };
                }
            }
            Action::RemoveHook(name) => self.hooks[*name as usize] = None,
            Action::SetVariable(name, value) => {
                self.variables.insert(name.clone(), value.clone());
            }
            Action::UnsetVariable(name) => {
                self.variables.remove(name);
            }
        }
    }

    /// The value that a hook tells of the variable that it tells.
    fn greeting(&self) -> String {
        self.values().remove(GREETING).unwrap_or_else(|| "unset".to_owned())
    }

    /// The variables as they are set, without a newline at the end.
    fn values(&self) -> BTreeMap<String, String> {
        let value = |text: &str| text.strip_suffix('\n').unwrap_or(text).to_owned();
        let there = self.variables.iter().filter(|_| self.application.folder_counts());
        there.map(|(name, text)| (name.clone(), value(text))).collect()
    }
}

/// The lines in the order in which they are read: those of the files that are named come last.
fn as_read(requirements: &Requirements) -> Vec<Line> {
    let mut lines = requirements.lines.clone();
    lines.sort_by_key(|(_, file)| *file);
    lines.into_iter().map(|(line, _)| line).collect()
}

/// Whether what stands in a hook's place is run.
fn runs(hook: &Hook) -> bool {
    matches!(hook.kind, Kind::File(executable) | Kind::Link(executable) if executable.by_root())
}

#[cfg(test)]
mod tests {
    use super::super::application::{Interpreter, Layout, Linked, RequirementFile, Variable};
    use super::*;
    use crate::suite::scenario::Signal;

    fn application() -> Application {
        Application {
            dialect: Dialect::Docker,
            layout: Layout::Own,
            hooks: [None, None, None, None],
            requirements: None,
            setup_py: None,
            user_vars: Vec::new(),
            linked: Linked::Nothing,
            extras: Vec::new(),
            target: Target::Script,
            options: false,
            given: Vec::new(),
        }
    }

    fn hook(actions: Vec<Action>, code: u8) -> Hook {
        Hook { kind: Kind::File(Executable::All), interpreter: Interpreter::Sh, actions, end: End::Exit(code) }
    }

    fn requirements(lines: &[Line]) -> Requirements {
        let lines = lines.iter().map(|line| (*line, RequirementFile::Root)).collect();
        Requirements { lines, crlf: false, ended: true }
    }

    #[test]
    fn the_phases_come_in_order_and_stop_where_one_fails() {
        let mut app = application();
        app.hooks = [Some(hook(Vec::new(), 0)), Some(hook(Vec::new(), 7)), Some(hook(Vec::new(), 0)), None];
        app.requirements = Some((Place::Link, requirements(&[Line::Mercurial, Line::Git])));
        let predicted = predict(&app);
        let expected = [
            Happening::Hook(Name::PreBuild, None),
            Happening::Git,
            Happening::Mercurial,
            Happening::Pip,
            Happening::Hook(Name::Build, None),
        ];
        assert_eq!(predicted.build, expected);
        assert_eq!(
            predicted.build_failure,
            Some(Failure { phase: Phase::Build, end: End::Exit(7), cause: Cause::Itself })
        );
        assert_eq!(predicted.start, []);
    }

    #[test]
    fn hooks_change_what_comes_after_them() {
        let mut app = application();
        let actions =
            vec![Action::WriteSetupPy, Action::SetExecutable(Name::Build, true), Action::RemoveHook(Name::Deploy)];
        app.hooks[0] = Some(hook(actions, 0));
        app.hooks[1] = Some(Hook { kind: Kind::File(Executable::Nobody), ..hook(Vec::new(), 0) });
        app.hooks[2] = Some(hook(vec![Action::SetVariable(GREETING.to_owned(), "hi\n".to_owned())], 0));
        app.hooks[3] = Some(hook(Vec::new(), 1));
        let predicted = predict(&app);
        let expected = [Happening::Hook(Name::PreBuild, None), Happening::Pip, Happening::Hook(Name::Build, None)];
        assert_eq!(predicted.build, expected);
        assert_eq!(predicted.start, [Happening::Hook(Name::DeployEnv, Some("unset".to_owned()))]);
        assert_eq!(predicted.start_failure, None);
    }

    #[test]
    fn the_dialects_differ_in_folders_and_setup_py() {
        let mut app = application();
        app.setup_py = Some(Place::File);
        app.layout = Layout::Other;
        app.hooks[1] = Some(hook(Vec::new(), 0));
        assert_eq!(predict(&app).build, [Happening::Pip]);
        app.dialect = Dialect::Whiskey;
        assert_eq!(predict(&app).build, [Happening::Hook(Name::Build, None)]);
    }
    #[test]
    fn what_is_no_file_is_not_read() {
        let mut app = application();
        app.setup_py = Some(Place::Folder);
        let variable = |place| Variable { name: GREETING.to_owned(), value: "hi".to_owned(), place };
        app.user_vars = vec![variable(Place::DanglingLink)];
        app.hooks[3] = Some(hook(Vec::new(), 0));
        let tells = |app: &Application| predict(app).start;
        assert_eq!(predict(&app).build, []);
        assert_eq!(tells(&app), [Happening::Hook(Name::Deploy, Some("unset".to_owned()))]);
        assert!(predict(&app).variables.is_empty());
        app.user_vars = vec![variable(Place::Link)];
        assert_eq!(predict(&app).variables.into_iter().collect::<Vec<_>>(), [(GREETING.to_owned(), "hi".to_owned())]);
        assert_eq!(tells(&app), [Happening::Hook(Name::Deploy, Some("hi".to_owned()))]);
        app.requirements = Some((Place::Folder, requirements(&[])));
        assert_eq!(predict(&app).build_failure, Some(Failure { phase: Phase::Pip, end: PIP, cause: Cause::NoFile }));
    }

    #[test]
    fn a_broken_tool_fails_the_build_where_it_is_used() {
        let broken = |tool, end| Action::Break(tool, end);
        let killed = End::Signal(Signal::Kill);
        let mut app = application();
        let actions = vec![broken(Tool::Apt, killed), Action::ForbidGit, broken(Tool::Pip, End::Exit(3))];
        app.hooks[0] = Some(hook(actions, 0));
        assert_eq!(predict(&app).build_failure, None);
        app.requirements = Some((Place::File, requirements(&[Line::Index])));
        let failure = |phase, end| Some(Failure { phase, end, cause: Cause::BrokenTool });
        assert_eq!(predict(&app).build_failure, failure(Phase::Pip, End::Exit(3)));
        app.requirements = Some((Place::File, requirements(&[Line::Git])));
        assert_eq!(predict(&app).build_failure, failure(Phase::Git, killed));
    }

    #[test]
    fn what_comes_after_a_refused_line_needs_nothing() {
        let mut app = application();
        let mut lines = requirements(&[Line::Git, Line::MissingPath]);
        lines.lines[0].1 = RequirementFile::Included;
        app.requirements = Some((Place::File, lines));
        let predicted = predict(&app);
        assert_eq!(predicted.build, [Happening::Pip]);
        assert_eq!(predicted.build_failure, Some(Failure { phase: Phase::Pip, end: PIP, cause: Cause::Itself }));
    }

    #[test]
    fn root_runs_what_anyone_may() {
        let mut app = application();
        for executable in [Executable::Owner, Executable::Group, Executable::Others, Executable::Nobody] {
            app.hooks[1] = Some(Hook { kind: Kind::Link(executable), ..hook(Vec::new(), 0) });
            assert_eq!(predict(&app).build.is_empty(), executable == Executable::Nobody);
        }
    }
}
