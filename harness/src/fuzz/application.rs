//! A generated application: what is in its folder, in the terms of the contract.

use crate::suite::dialect::Dialect;
use crate::suite::scenario::Signal;

/// The folder of an application, and how its container is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Application {
    /// The dialect that it is built in.
    pub(super) dialect: Dialect,
    /// Where its hooks and variables are.
    pub(super) layout: Layout,
    /// The hooks, in the order of [`Name::ALL`].
    pub(super) hooks: [Option<Hook>; 4],
    pub(super) requirements: Option<(Place, Requirements)>,
    pub(super) setup_py: Option<Place>,
    /// Entries of `user_vars`, each with a name of its own.
    pub(super) user_vars: Vec<Variable>,
    pub(super) linked: Linked,
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

/// Which folder is a link to one that has what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Linked {
    Nothing,
    /// The one that has the hooks' and the variables'.
    Folder,
    Hooks,
    Variables,
}

/// What stands where the contract looks for a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    File,
    /// A link to such a file.
    Link,
    Folder,
    /// A link to nothing.
    DanglingLink,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) place: Place,
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
    File(Executable),
    /// A link to such a file.
    Link(Executable),
    Folder,
    /// A link to nothing.
    DanglingLink,
}

/// For whom a file is executable. It is for root where it is for anyone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Executable {
    Nobody,
    All,
    Owner,
    Group,
    Others,
}

/// What runs a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interpreter {
    Bash,
    Sh,
    Python,
}

/// How a hook or a tool ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// With this exit code.
    Exit(u8),
    Signal(Signal),
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
    /// Has a tool end so, whatever it is to install.
    Break(Tool, End),
    Print(Output),
    /// Leaves a process behind that has the hook's standard streams.
    LeaveProcess,
    /// Makes a hook executable, or takes that away.
    SetExecutable(Name, bool),
    RemoveHook(Name),
    SetVariable(String, String),
    UnsetVariable(String),
}

/// What installs something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tool {
    Apt,
    /// pip, where it is to install Mercurial.
    PipForMercurial,
    /// pip, where it is to install the requirements.
    Pip,
}

/// What a hook prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Output {
    pub(super) text: Text,
    /// Whether on standard error.
    pub(super) to_errors: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text {
    NotUtf8,
    Nul,
    CarriageReturns,
    Escapes,
    /// The last line has no end.
    Unended,
    /// So many bytes.
    Large {
        bytes: u32,
        in_one_line: bool,
    },
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
        let mut lines = self.listed().into_iter().chain(written).flat_map(|requirements| &requirements.lines);
        lines.any(|(line, file)| *file != RequirementFile::Root && (line.needs_git() || line.needs_mercurial()))
    }

    /// What it asks for, where that can be read.
    pub(super) fn listed(&self) -> Option<&Requirements> {
        self.requirements.as_ref().filter(|(place, _)| place.is_file()).map(|(_, requirements)| requirements)
    }

    /// Whether a hook does such a thing.
    pub(super) fn does(&self, such: impl Fn(&Action) -> bool) -> bool {
        self.hooks().flat_map(|(_, hook)| &hook.actions).any(such)
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

impl Place {
    /// Whether there is a file to read.
    pub(super) fn is_file(self) -> bool {
        matches!(self, Self::File | Self::Link)
    }
}

impl Executable {
    /// Whether root can execute it.
    pub(super) fn by_root(self) -> bool {
        self != Self::Nobody
    }

    /// The mode, in octal digits; `None` for that of a file of which nothing is said.
    pub(super) fn mode(self) -> Option<&'static str> {
        match self {
            Self::Nobody => None,
            Self::All => Some("0755"),
            Self::Owner => Some("0744"),
            Self::Group => Some("0654"),
            Self::Others => Some("0645"),
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
