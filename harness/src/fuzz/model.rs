//! The model of the contract: what a build and a start step must do with an application, worked out from the application alone.

use std::collections::BTreeMap;

use super::application::{Action, Application, Hook, Kind, Line, Name, Requirements, Target};
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
    pub(super) code: u8,
}

/// How a start ends that does not serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StartFailure {
    /// A hook fails, with this exit code.
    Hook(u8),
    /// What CMD names is not there: with any exit code other than 0.
    NothingToServe,
}

/// The variable whose value hooks tell.
pub(super) const GREETING: &str = "GREETING";
/// What apt ends with.
const APT: u8 = 100;

/// What must happen with an application.
pub(super) fn predict(application: &Application) -> Prediction {
    let mut state = State::of(application);
    let mut build = Vec::new();
    let build_failure = state.build(&mut build);
    let mut start = Vec::new();
    let start_failure = if build_failure.is_some() { None } else { state.start(&mut start) };
    Prediction { build, build_failure, start, start_failure }
}

/// The application folder as it changes.
struct State<'a> {
    application: &'a Application,
    hooks: [Option<Hook>; 4],
    requirements: Option<Requirements>,
    setup_py: bool,
    variables: BTreeMap<String, String>,
    git_forbidden: bool,
    mercurial_forbidden: bool,
}

impl<'a> State<'a> {
    fn of(application: &'a Application) -> Self {
        Self {
            application,
            hooks: application.hooks.clone(),
            requirements: application.requirements.clone(),
            setup_py: application.setup_py,
            variables: application.user_vars.iter().cloned().collect(),
            git_forbidden: false,
            mercurial_forbidden: false,
        }
    }

    fn build(&mut self, happenings: &mut Vec<Happening>) -> Option<Failure> {
        if let Some(code) = self.hook(Name::PreBuild, None, happenings) {
            return Some(Failure { phase: Phase::PreBuild, code });
        }
        let lines: Option<Vec<Line>> = match &self.requirements {
            Some(requirements) => Some(requirements.lines.iter().map(|(line, _)| *line).collect()),
            // The dialect whiskey gave up looking for a setup.py.
            None if self.setup_py && self.application.dialect == Dialect::Docker => Some(vec![Line::Itself]),
            None => None,
        };
        if let Some(lines) = lines {
            if lines.iter().any(|line| line.needs_git()) {
                happenings.push(Happening::Git);
                if self.git_forbidden {
                    return Some(Failure { phase: Phase::Git, code: APT });
                }
            }
            if lines.iter().any(|line| line.needs_mercurial()) {
                happenings.push(Happening::Mercurial);
                if self.mercurial_forbidden {
                    return Some(Failure { phase: Phase::Mercurial, code: 1 });
                }
            }
            happenings.push(Happening::Pip);
            let impossible = |line: &Line| match line {
                Line::MissingPath => true,
                Line::Itself => !self.setup_py,
                _ => false,
            };
            if lines.iter().any(impossible) {
                return Some(Failure { phase: Phase::Pip, code: 1 });
            }
        }
        self.hook(Name::Build, None, happenings).map(|code| Failure { phase: Phase::Build, code })
    }

    /// How the start ends where it does not serve.
    fn start(&mut self, happenings: &mut Vec<Happening>) -> Option<StartFailure> {
        for name in [Name::DeployEnv, Name::Deploy] {
            let greeting = self.greeting();
            if let Some(code) = self.hook(name, Some(greeting), happenings) {
                return Some(StartFailure::Hook(code));
            }
        }
        (self.application.target == Target::MissingScript).then_some(StartFailure::NothingToServe)
    }

    /// Runs a hook if there is one that runs; its exit code where it fails.
    fn hook(&mut self, name: Name, greeting: Option<String>, happenings: &mut Vec<Happening>) -> Option<u8> {
        let hook = self.hooks[name as usize].clone().filter(|hook| runs(hook) && self.application.folder_counts())?;
        happenings.push(Happening::Hook(name, greeting));
        hook.actions.iter().for_each(|action| self.act(action));
        Some(hook.end.code()).filter(|code| *code != 0)
    }

    fn act(&mut self, action: &Action) {
        match action {
            Action::WriteRequirements(requirements) => self.requirements = Some(requirements.clone()),
            Action::RemoveRequirements => self.requirements = None,
            Action::WriteSetupPy => self.setup_py = true,
            Action::ForbidGit => self.git_forbidden = true,
            Action::ForbidMercurial => self.mercurial_forbidden = true,
            Action::SetExecutable(name, executable) => {
                if let Some(hook) = &mut self.hooks[*name as usize] {
                    hook.kind = match hook.kind {
                        Kind::File(_) => Kind::File(*executable),
                        Kind::Link(_) => Kind::Link(*executable),
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
        let value = self.variables.get(GREETING).map(|value| value.strip_suffix('\n').unwrap_or(value).to_owned());
        value.unwrap_or_else(|| "unset".to_owned())
    }
}

/// Whether what stands in a hook's place is run.
fn runs(hook: &Hook) -> bool {
    matches!(hook.kind, Kind::File(true) | Kind::Link(true))
}

#[cfg(test)]
mod tests {
    use super::super::application::{End, Interpreter, Layout, RequirementFile};
    use super::*;

    fn application() -> Application {
        Application {
            dialect: Dialect::Docker,
            layout: Layout::Own,
            hooks: [None, None, None, None],
            requirements: None,
            setup_py: false,
            user_vars: Vec::new(),
            extras: Vec::new(),
            target: Target::Script,
            options: false,
            given: Vec::new(),
        }
    }

    fn hook(actions: Vec<Action>, code: u8) -> Hook {
        Hook { kind: Kind::File(true), interpreter: Interpreter::Sh, actions, end: End::Exit(code) }
    }

    fn requirements(lines: &[Line]) -> Requirements {
        let lines = lines.iter().map(|line| (*line, RequirementFile::Root)).collect();
        Requirements { lines, crlf: false, ended: true }
    }

    #[test]
    fn the_phases_come_in_order_and_stop_where_one_fails() {
        let mut app = application();
        app.hooks = [Some(hook(Vec::new(), 0)), Some(hook(Vec::new(), 7)), Some(hook(Vec::new(), 0)), None];
        app.requirements = Some(requirements(&[Line::Mercurial, Line::Git]));
        let predicted = predict(&app);
        let expected = [
            Happening::Hook(Name::PreBuild, None),
            Happening::Git,
            Happening::Mercurial,
            Happening::Pip,
            Happening::Hook(Name::Build, None),
        ];
        assert_eq!(predicted.build, expected);
        assert_eq!(predicted.build_failure, Some(Failure { phase: Phase::Build, code: 7 }));
        assert_eq!(predicted.start, []);
    }

    #[test]
    fn hooks_change_what_comes_after_them() {
        let mut app = application();
        let actions =
            vec![Action::WriteSetupPy, Action::SetExecutable(Name::Build, true), Action::RemoveHook(Name::Deploy)];
        app.hooks[0] = Some(hook(actions, 0));
        app.hooks[1] = Some(Hook { kind: Kind::File(false), ..hook(Vec::new(), 0) });
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
        app.setup_py = true;
        app.layout = Layout::Other;
        app.hooks[1] = Some(hook(Vec::new(), 0));
        assert_eq!(predict(&app).build, [Happening::Pip]);
        app.dialect = Dialect::Whiskey;
        assert_eq!(predict(&app).build, [Happening::Hook(Name::Build, None)]);
    }
}
