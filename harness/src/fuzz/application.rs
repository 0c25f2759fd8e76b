//! A generated application: what is in its folder, in the terms of the contract.

use crate::suite::dialect::Dialect;

/// The folder of an application, and how its container is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Application {
    /// The dialect that it is built in.
    pub(super) dialect: Dialect,
    /// Where its hooks and variables are.
    pub(super) layout: Layout,
    /// The hooks, in the order of [`Name::ALL`].
    pub(super) hooks: [Option<Hook>; 4],
    pub(super) requirements: Option<Requirements>,
    /// Whether there is a setup.py.
    pub(super) setup_py: bool,
    /// Files of `user_vars`: names and contents.
    pub(super) user_vars: Vec<(String, String)>,
    /// What else is there, and must not matter.
    pub(super) extras: Vec<Extra>,
    pub(super) target: Target,
    /// Options in CMD before it.
    pub(super) options: bool,
    /// Variables given to the container.
    pub(super) given: Vec<(String, String)>,
}

/// Where hooks and variables are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// In the dialect's folder.
    Own,
    /// In the folder of the other dialect alone.
    Other,
    /// In the dialect's folder, and there is the other one too, with hooks that must not run.
    Both,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    PreBuild,
    Build,
    DeployEnv,
    Deploy,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hook {
    pub(super) kind: Kind,
    pub(super) interpreter: Interpreter,
    pub(super) actions: Vec<Action>,
    pub(super) end: End,
}

/// The file type of a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A file; executable or not.
    File(bool),
    /// A link to such a file.
    Link(bool),
    Folder,
    /// A link to nothing.
    DanglingLink,
}

/// What runs a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interpreter {
    Bash,
    Sh,
    Python,
}

/// How a hook ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// With this exit code.
    Exit(u8),
    Killed,
}

/// What a hook does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    WriteRequirements(Requirements),
    RemoveRequirements,
    WriteSetupPy,
    /// Has no release of git be installed.
    ForbidGit,
    /// Has no release of Mercurial be installed.
    ForbidMercurial,
    /// Makes a hook executable, or takes that away.
    SetExecutable(Name, bool),
    RemoveHook(Name),
    SetVariable(String, String),
    UnsetVariable(String),
}

/// A requirements.txt, with the files that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Requirements {
    /// Its lines, each in one of the files.
    pub(super) lines: Vec<(Line, RequirementFile)>,
    /// Whether lines end as those of Windows do.
    pub(super) crlf: bool,
    /// Whether the last line has an end.
    pub(super) ended: bool,
}

/// The file that a line is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum RequirementFile {
    Root,
    /// A file that it names.
    Included,
    /// A file that that one names.
    Nested,
}

/// A line of a requirement file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    Blank,
    Comment,
    CommentOnVersionControl,
    /// A project that is not for this Python.
    Marked,
    Index,
    IndexIndented,
    IndexWithComment,
    Git,
    GitInCapitals,
    GitEditable,
    GitNamed,
    Mercurial,
    MercurialInCapitals,
    MercurialEditable,
    Local,
    LocalEditable,
    /// The application folder itself.
    Itself,
    MissingPath,
}

/// Something that must not matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Extra {
    pub(super) folder: ExtraFolder,
    pub(super) name: String,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ExtraFolder {
    Application,
    Hooks,
    Variables,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Script,
    Module,
    MissingScript,
}

impl Application {
    /// The folder that has the hooks and variables.
    pub(super) fn folder(&self) -> &'static str {
        match self.layout {
            Layout::Own | Layout::Both => self.dialect.folder(),
            Layout::Other => self.other_folder(),
        }
    }

    /// The folder of the other dialect.
    pub(super) fn other_folder(&self) -> &'static str {
        match self.dialect {
            Dialect::Docker => Dialect::Whiskey.folder(),
            Dialect::Whiskey => Dialect::Docker.folder(),
        }
    }

    /// Whether the folder counts: `.docker` does everywhere, `.whiskey` in its own dialect.
    pub(super) fn folder_counts(&self) -> bool {
        !(self.dialect == Dialect::Docker && self.layout == Layout::Other)
    }

    /// Whether a requirement file beside requirements.txt asks for version control, now or once a hook has written it.
    pub(super) fn includes_version_control(&self) -> bool {
        let written = self.hooks().flat_map(|(_, hook)| &hook.actions).filter_map(|action| match action {
            Action::WriteRequirements(requirements) => Some(requirements),
            _ => None,
        });
        let mut lines = self.requirements.iter().chain(written).flat_map(|requirements| &requirements.lines);
        lines.any(|(line, file)| *file != RequirementFile::Root && (line.needs_git() || line.needs_mercurial()))
    }

    /// Its hooks, with their names.
    pub(super) fn hooks(&self) -> impl Iterator<Item = (Name, &Hook)> {
        Name::ALL.into_iter().zip(&self.hooks).filter_map(|(name, hook)| Some((name, hook.as_ref()?)))
    }
}

impl Name {
    /// In the order in which they run.
    pub(super) const ALL: [Self; 4] = [Self::PreBuild, Self::Build, Self::DeployEnv, Self::Deploy];

    pub(super) fn text(self) -> &'static str {
        match self {
            Self::PreBuild => "pre-build",
            Self::Build => "build",
            Self::DeployEnv => "deploy-env",
            Self::Deploy => "deploy",
        }
    }
}

impl End {
    /// The exit code, as a shell has it.
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Exit(code) => code,
            Self::Killed => 128 + 9,
        }
    }
}

impl Line {
    /// The project that it asks for; one and the same cannot be asked for twice.
    pub(super) fn project(self) -> Option<&'static str> {
        match self {
            Self::Blank | Self::Comment | Self::CommentOnVersionControl | Self::Marked => None,
            Self::Index | Self::IndexIndented | Self::IndexWithComment => Some("six"),
            Self::Git | Self::GitInCapitals | Self::GitEditable | Self::GitNamed => Some("greeting"),
            Self::Mercurial | Self::MercurialInCapitals | Self::MercurialEditable => Some("salutation"),
            Self::Local | Self::LocalEditable => Some("local"),
            Self::Itself => Some("generated"),
            Self::MissingPath => Some("none"),
        }
    }

    pub(super) fn needs_git(self) -> bool {
        matches!(self, Self::Git | Self::GitInCapitals | Self::GitEditable | Self::GitNamed)
    }

    pub(super) fn needs_mercurial(self) -> bool {
        matches!(self, Self::Mercurial | Self::MercurialInCapitals | Self::MercurialEditable)
    }
}
