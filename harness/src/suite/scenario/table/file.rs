//! `[[file]]`: what must be at paths of the image's file system.

use regex::Regex;
use schemars::JsonSchema;
use serde::Deserialize;

use super::modes;
use crate::outcome::ClauseId;
use crate::suite::scenario::Declared;
use crate::suite::scenario::pattern::Purpose;
use crate::suite::scenario::resolver::Resolver;
use crate::suite::scenario::typed::Typed;

/// What must be at a path of the image's file system.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileTable {
    /// The absolute path.
    pub(crate) path: Typed<String>,
    /// What must be there.
    #[schemars(extend("default" = "exists"))]
    pub(crate) state: Option<Typed<StateKey>>,
    /// Its mode in octal, such as `"0755"`.
    pub(crate) mode: Option<Typed<String>>,
    /// Its owner as numbers, `uid:gid`.
    pub(crate) owner: Option<Typed<String>>,
    /// A regular expression searched for in its content.
    pub(crate) content: Option<Typed<String>>,
    /// The clauses that it speaks for, of those that the scenario proves; without it those that take its checks.
    #[serde(default)]
    pub(crate) proves: Vec<Typed<String>>,
}

/// What must be at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum StateKey {
    /// Something is there.
    Exists,
    /// Nothing is there.
    Absent,
    /// A directory without entries, or nothing.
    Empty,
}

/// What must be at a path of the image's file system.
#[derive(Debug, Clone)]
pub(crate) struct FileExpectation {
    pub path: String,
    /// What must be there.
    pub state: Declared<FileState>,
    /// The clauses that it speaks for, where it names them itself.
    pub proves: Vec<Declared<ClauseId>>,
}

/// What must be at a path.
#[derive(Debug, Clone)]
pub(crate) enum FileState {
    Exists {
        mode: Option<Declared<u32>>,
        /// Its numeric owner, `uid:gid`.
        owner: Option<Declared<String>>,
        /// A pattern found in its content.
        content: Option<Declared<Regex>>,
    },
    Absent,
    /// A directory without entries, or nothing.
    Empty,
}

/// Resolves the entries, each of a path of its own.
pub(super) fn resolve(resolver: &mut Resolver<'_>, tables: &[Typed<FileTable>]) -> Vec<FileExpectation> {
    let mut files = Vec::new();
    for (index, table) in tables.iter().enumerate() {
        let path = &table.get().path;
        if tables[..index].iter().any(|earlier| earlier.get().path.get() == path.get()) {
            resolver
                .fault(path.span(), format!("`{}` has two `[[file]]` entries", path.get().escape_debug()))
                .advice("put what must hold of a path into one entry");
        }
        if !path.get().starts_with('/') {
            resolver.fault(path.span(), "the path is not absolute").advice("paths are those of the image: \"/app/x\"");
        } else if !is_plain(path.get()) {
            resolver
                .fault(path.span(), "the path is not in its plain form")
                .advice("write it without `.`, `..`, double and trailing slashes");
        }
        files.push(file(resolver, table));
    }
    files
}

fn file(resolver: &mut Resolver<'_>, typed: &Typed<FileTable>) -> FileExpectation {
    let table = typed.get();
    let state = table.state.as_ref().map_or(StateKey::Exists, |state| *state.get());
    if state != StateKey::Exists {
        let mode = table.mode.as_ref().map(|typed| ("mode", typed.span()));
        let owner = table.owner.as_ref().map(|typed| ("owner", typed.span()));
        let content = table.content.as_ref().map(|typed| ("content", typed.span()));
        let word = if state == StateKey::Absent { "absent" } else { "empty" };
        for (key, span) in [mode, owner, content].into_iter().flatten() {
            resolver
                .fault(span, format!("`{key}` of a path that must be {word}"))
                .label("only for `state = \"exists\"`");
        }
    }
    let mode = table.mode.as_ref().and_then(|mode| modes::mode(resolver, mode));
    if let Some(owner) = &table.owner {
        let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !owner.get().split_once(':').is_some_and(|(user, group)| number(user) && number(group)) {
            resolver.fault(owner.span(), "the owner is not `uid:gid`").advice("write numbers, such as \"0:0\"");
        }
    }
    let content = resolver.optional(table.content.as_ref(), Purpose::Text);
    let value = match state {
        StateKey::Exists => FileState::Exists {
            mode,
            owner: table.owner.as_ref().map(|owner| resolver.declared(owner, owner.get().clone())),
            content,
        },
        StateKey::Absent => FileState::Absent,
        StateKey::Empty => FileState::Empty,
    };
    let at = table.state.as_ref().map_or_else(|| table.path.span(), Typed::span);
    let proves = resolver.clauses(&table.proves);
    FileExpectation { path: resolver.text(&table.path), state: Declared { value, at: resolver.at(&at) }, proves }
}

/// Whether an absolute path has no empty, `.` or `..` parts; `/` itself is plain.
pub(super) fn is_plain(path: &str) -> bool {
    path == "/" || path.split('/').skip(1).all(|part| !matches!(part, "" | "." | ".."))
}
