//! `[modes]` and `[serve.volume_modes]`: modes of files, as octal digits.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::suite::scenario::Declared;
use crate::suite::scenario::resolver::Resolver;
use crate::suite::scenario::typed::Typed;

/// The declared modes, each of a file or folder that is there and inside the application folder; with the names of the
/// table and of the folder, for faults.
pub(super) fn resolve(
    resolver: &mut Resolver<'_>,
    app: Option<&Path>,
    declared: &BTreeMap<Typed<String>, Typed<String>>,
    (table, folder): (&str, &str),
) -> BTreeMap<PathBuf, u32> {
    let mut modes = BTreeMap::new();
    for (path, typed) in declared {
        if let Err(reason) = app.map_or(Ok(()), |app| inside(app, path.get())) {
            resolver
                .fault(path.span(), format!("`[{table}]` names a path that {reason}"))
                .advice(format!("paths are relative to `{folder}/`, such as \".docker/action_hooks/build\""));
        }
        if let Some(bits) = mode(resolver, typed) {
            modes.insert(PathBuf::from(path.get()), bits.value);
        }
    }
    modes
}

/// The mode of a file.
pub(super) fn mode(resolver: &mut Resolver<'_>, typed: &Typed<String>) -> Option<Declared<u32>> {
    match octal(typed.get()) {
        Ok(bits) => Some(resolver.declared(typed, bits)),
        Err(reason) => {
            resolver
                .fault(typed.span(), "the mode is not valid")
                .label(reason)
                .advice("write it as three or four octal digits, such as \"0755\"");
            None
        }
    }
}

/// Permission bits, from three or four octal digits.
fn octal(text: &str) -> Result<u32, &'static str> {
    if !text.bytes().all(|byte| matches!(byte, b'0'..=b'7')) {
        return Err("not an octal number");
    }
    match text.len() {
        3 | 4 => u32::from_str_radix(text, 8).map_err(|_| "not an octal number"),
        _ => Err("not three or four digits"),
    }
}

/// Whether the path names something in the application folder; if not, why, as the end of a sentence.
fn inside(app: &Path, path: &str) -> Result<(), &'static str> {
    let relative = Path::new(path);
    if relative.is_absolute() {
        return Err("is absolute");
    }
    if relative.components().any(|component| component == Component::ParentDir) {
        return Err("leaves the application folder");
    }
    let canonical: PathBuf = relative.components().collect();
    let normal = relative.components().all(|component| matches!(component, Component::Normal(_)));
    if path.is_empty() || !normal || canonical.as_os_str() != relative.as_os_str() {
        return Err("is not in its plain form");
    }
    let Ok(metadata) = fs::symlink_metadata(app.join(relative)) else {
        return Err("does not exist");
    };
    let (Ok(root), Ok(real)) = (app.canonicalize(), app.join(relative).canonicalize()) else {
        return Err("is a link to nothing");
    };
    if !real.starts_with(root) {
        return Err("leaves the application folder through a symbolic link");
    }
    if metadata.is_symlink() {
        return Err("is a symbolic link, which has no mode of its own");
    }
    Ok(())
}
