//! How the container of `[serve]` is started: arguments, environment, user, file systems.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use super::ServeTable;
use crate::suite::scenario::resolver::Resolver;
use crate::suite::scenario::table::file::is_plain;
use crate::suite::scenario::table::modes;
use crate::suite::scenario::typed::Typed;
use crate::suite::scenario::{VOLUME_FOLDER, app};

/// What a container may do with its volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum VolumeKey {
    /// Only read it.
    ReadOnly,
    /// Read and write it.
    ReadWrite,
}

/// How a container is started, where it is not as the image says.
#[derive(Debug, Clone, Default)]
pub(crate) struct StartSettings {
    /// Arguments instead of the image's `CMD`.
    pub arguments: Option<Vec<String>>,
    pub environment: BTreeMap<String, String>,
    pub user: Option<String>,
    /// Whether its root is read-only.
    pub read_only: bool,
    /// Paths at which it has temporary file systems, and whether programs there can be executed.
    pub tmpfs: BTreeMap<String, bool>,
    /// What is mounted in the application's place.
    pub volume: Option<Volume>,
    /// Whether it has a terminal.
    pub terminal: bool,
}

/// The files of a volume.
#[derive(Debug, Clone)]
pub(crate) struct Volume {
    /// The folder that they are taken from.
    pub folder: PathBuf,
    /// Modes of files that differ from the default, by their path in the folder.
    pub modes: BTreeMap<PathBuf, u32>,
    /// The name that a folder `.docker` gets: the dialect's; none where folders keep their names.
    pub dialect_folder: Option<&'static str>,
    /// Whether the container may write there.
    pub writable: bool,
}

/// Resolves the keys of `[serve]` about the start; `folder` is the scenario's folder.
pub(super) fn resolve(resolver: &mut Resolver<'_>, folder: &Path, typed: &Typed<ServeTable>) -> StartSettings {
    let table = typed.get();
    if let Some(user) = &table.user {
        let word = |text: &str| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
        };
        let (name, group) = user.get().split_once(':').unwrap_or((user.get(), "0"));
        if !word(name) || !word(group) {
            resolver.fault(user.span(), "this cannot be a user").advice("write \"uid\", \"uid:gid\" or names");
        }
    }
    let arguments = table.arguments.as_ref().map(|arguments| resolver.arguments(arguments, "arguments"));
    StartSettings {
        arguments: arguments.flatten(),
        environment: environment(resolver, &table.environment),
        user: table.user.as_ref().map(|user| user.get().clone()),
        read_only: table.read_only.as_ref().is_some_and(|read_only| *read_only.get()),
        tmpfs: tmpfs(resolver, &table.tmpfs),
        volume: volume(resolver, folder, typed),
        terminal: table.terminal.as_ref().is_some_and(|terminal| *terminal.get()),
    }
}

fn tmpfs(resolver: &mut Resolver<'_>, declared: &[Typed<String>]) -> BTreeMap<String, bool> {
    let mut found = BTreeMap::new();
    for typed in declared {
        let (path, exec) = typed.get().strip_suffix(":exec").map_or((typed.get().as_str(), false), |path| (path, true));
        if !is_absolute(path) {
            not_absolute(resolver, typed);
        }
        if found.insert(path.to_owned(), exec).is_some() {
            resolver.fault(typed.span(), format!("`{}` is there twice", path.escape_debug()));
        }
    }
    found
}

/// Reports a path that is not absolute and plain.
pub(super) fn path(resolver: &mut Resolver<'_>, path: &Typed<String>) {
    if !is_absolute(path.get()) {
        not_absolute(resolver, path);
    }
}

fn is_absolute(path: &str) -> bool {
    path.starts_with('/') && is_plain(path)
}

fn not_absolute(resolver: &mut Resolver<'_>, path: &Typed<String>) {
    resolver
        .fault(path.span(), "the path is not absolute and in its plain form")
        .advice("paths are those in the container: \"/app/x\"");
}

fn environment(
    resolver: &mut Resolver<'_>,
    declared: &BTreeMap<Typed<String>, Typed<String>>,
) -> BTreeMap<String, String> {
    for (name, value) in declared {
        if name.get().is_empty() || name.get().contains(['=', '\0']) {
            resolver.fault(name.span(), "this cannot be the name of a variable");
        }
        if value.get().contains('\0') {
            resolver.fault(value.span(), "a variable's value cannot have this character");
        }
    }
    declared.iter().map(|(name, value)| (name.get().clone(), value.get().clone())).collect()
}

/// The volume; its folder is there exactly if the file asks for it.
fn volume(resolver: &mut Resolver<'_>, folder: &Path, typed: &Typed<ServeTable>) -> Option<Volume> {
    let table = typed.get();
    let folder = folder.join(VOLUME_FOLDER);
    let there = std::fs::symlink_metadata(&folder).is_ok_and(|metadata| metadata.is_dir());
    let Some(key) = &table.volume else {
        if there {
            resolver
                .fault(typed.span(), format!("the scenario has a `{VOLUME_FOLDER}/` folder that nothing mounts"))
                .advice("add `volume = \"read-only\"` or `\"read-write\"`");
        }
        if let Some(path) = table.volume_modes.keys().next() {
            resolver.fault(path.span(), "`[serve.volume_modes]` without a `volume`");
        }
        return None;
    };
    if !there {
        resolver
            .fault(key.span(), format!("the scenario has no `{VOLUME_FOLDER}/` folder"))
            .label("what is mounted on /app is taken from it");
        return None;
    }
    app::can_be_context(resolver, &folder, key.span());
    let modes = modes::resolve(resolver, Some(&folder), &table.volume_modes, ("serve.volume_modes", VOLUME_FOLDER));
    let dialect_folder = Some(resolver.cell().dialect.folder());
    Some(Volume { folder, modes, dialect_folder, writable: *key.get() == VolumeKey::ReadWrite })
}
