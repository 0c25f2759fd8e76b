//! Files of container-structure-test (schema version 2.0.0): what an image must be, as people have it written down already. What they
//! mean is what that program does with them, version 1.22 (its `docker` driver); what would lead out of a run's isolation is refused.

mod expand;
mod file;
mod resolve;

use regex::Regex;

pub(crate) use expand::expand;
pub(crate) use resolve::{MAX_FILE, load};

use super::scenario::Declared;
use crate::outcome::At;

/// The tests of a file.
#[derive(Debug, Clone, Default)]
pub(crate) struct StructureTest {
    /// Whether its findings speak for the clauses that the scenario proves; otherwise they are MUSTs by themselves, and of no clause.
    pub speaks_for_clauses: bool,
    /// Variables that every test has beside the image's; their values may name those.
    pub environment: Vec<(String, String)>,
    /// The user that commands are started as, instead of the image's.
    pub user: Option<String>,
    pub commands: Vec<CommandTest>,
    pub files: Vec<ExistenceTest>,
    pub contents: Vec<ContentTest>,
    pub metadata: MetadataTest,
}

impl StructureTest {
    /// Whether it asks for nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.commands.is_empty() && self.files.is_empty() && self.contents.is_empty() && self.metadata.is_empty()
    }
}

/// A command in a container, and what it must come to. `$NAME` and `${NAME}` in it are variables of the image.
#[derive(Debug, Clone)]
pub(crate) struct CommandTest {
    pub name: String,
    pub at: At,
    /// Commands whose changes the image of this test has.
    pub setup: Vec<Vec<String>>,
    /// The program and its arguments.
    pub run: Vec<String>,
    /// Variables of its own, beside the image's and those of the file.
    pub environment: Vec<(String, String)>,
    pub exit_code: i64,
    pub output: Patterns,
    pub error: Patterns,
}

/// Patterns that must be found in a text, and patterns that must not. Unlike those of scenarios they look at the text as a whole: `^` is
/// its beginning, `$` its end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Patterns {
    pub expected: Vec<Declared<Regex>>,
    pub excluded: Vec<Declared<Regex>>,
}

/// What must be at a path; a link is looked at itself.
#[derive(Debug, Clone)]
pub(crate) struct ExistenceTest {
    pub name: String,
    pub at: At,
    /// `$NAME` and `${NAME}` in it are variables of the image.
    pub path: String,
    pub should_exist: bool,
    /// Its kind and mode in letters, such as `-rw-r--r--`.
    pub permissions: Option<Declared<String>>,
    pub user: Option<Declared<i64>>,
    pub group: Option<Declared<i64>>,
    pub executable_by: Option<Declared<ExecutableBy>>,
}

/// Who can execute a file: the bits of its mode of which one must be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ExecutableBy {
    pub words: &'static str,
    pub bits: u32,
}

/// What a file must have in it; links are followed.
#[derive(Debug, Clone)]
pub(crate) struct ContentTest {
    pub name: String,
    pub at: At,
    pub path: String,
    pub content: Patterns,
}

/// What the image's configuration must be.
#[derive(Debug, Clone, Default)]
pub(crate) struct MetadataTest {
    pub environment: Vec<Declared<Named>>,
    /// Variables that are not set.
    pub unset: Vec<Declared<String>>,
    pub labels: Vec<Declared<Named>>,
    /// Ports by their numbers, without a protocol.
    pub exposed: Vec<Declared<String>>,
    pub unexposed: Vec<Declared<String>>,
    pub volumes: Vec<Declared<String>>,
    pub unmounted: Vec<Declared<String>>,
    pub entry_point: Option<Declared<Vec<String>>>,
    pub command: Option<Declared<Vec<String>>>,
    pub working_directory: Option<Declared<String>>,
    pub user: Option<Declared<String>>,
}

/// A variable or a label.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    pub name: String,
    pub value: Value,
}

/// What a value must be.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    /// Exactly this.
    Text(String),
    /// Something in which this is found.
    Pattern(Regex),
}

impl MetadataTest {
    fn is_empty(&self) -> bool {
        let Self {
            environment,
            unset,
            labels,
            exposed,
            unexposed,
            volumes,
            unmounted,
            entry_point,
            command,
            working_directory,
            user,
        } = self;
        let lists = [unset, exposed, unexposed, volumes, unmounted].iter().all(|list| list.is_empty());
        let named = environment.is_empty() && labels.is_empty();
        let words = entry_point.is_none() && command.is_none();
        lists && named && words && working_directory.is_none() && user.is_none()
    }
}
