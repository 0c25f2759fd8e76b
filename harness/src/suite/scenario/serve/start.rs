//! How the container of a scenario file is started, resolved.

use std::collections::BTreeMap;
use std::path::Path;

use crate::suite::scenario::file::{ServeTable, Typed, VolumeKey};
use crate::suite::scenario::files::is_plain;
use crate::suite::scenario::load::VOLUME_FOLDER;
use crate::suite::scenario::resolve::Resolver;
use crate::suite::scenario::{StartSettings, Volume};

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
    let modes = resolver.volume(&folder, key.span(), &table.volume_modes);
    let dialect_folder = Some(resolver.setting().cell.dialect.folder());
    Some(Volume { folder, modes, dialect_folder, writable: *key.get() == VolumeKey::ReadWrite })
}
