//! The application folder of a scenario: that it is there, that it can be built, that declared modes fit it.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use super::context;
use super::diagnostic::{Diagnostic, Source};
use super::file::Typed;
use super::load::APP_FOLDER;

/// The application folder, checked. `span` is the place in the file that calls for one.
pub(super) fn folder(folder: &Path, source: &Source, span: Range<usize>) -> Result<PathBuf, Box<Diagnostic>> {
    let app = folder.join(APP_FOLDER);
    match fs::symlink_metadata(&app) {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => return Err(Box::new(Diagnostic::at(source, span, format!("`{APP_FOLDER}` is not a folder")))),
        Err(_) => {
            return Err(Diagnostic::at(source, span, format!("the scenario has no `{APP_FOLDER}/` folder"))
                .label("an application is built from it")
                .help(format!(
                    "add `{APP_FOLDER}/` with a Dockerfile, or say `subject = \"onbuild-image\"` or `\"base-image\"`"
                ))
                .into());
        }
    }
    if !app.join("Dockerfile").is_file() {
        return Err(Diagnostic::at(source, span, format!("`{APP_FOLDER}/` has no `Dockerfile`"))
            .label("the application is built with it")
            .help("a Dockerfile of two lines will do: `ARG IMAGE` and `FROM ${IMAGE}`")
            .into());
    }
    Ok(app)
}

/// What keeps the folder from being a build context, if anything does.
pub(super) fn context_fault(app: &Path, source: &Source, span: Range<usize>) -> Option<Diagnostic> {
    let error = context::entries(app).err()?;
    let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
    Some(Diagnostic::at(source, span, format!("{error}{cause}")).label("the application of this one"))
}

/// The declared modes, each of a file or folder that is there and inside the application folder; with the names of the
/// table and of the folder, for faults.
pub(super) fn modes(
    app: Option<&Path>,
    declared: &BTreeMap<Typed<String>, Typed<String>>,
    (table, folder): (&str, &str),
    source: &Source,
    faults: &mut Vec<Diagnostic>,
) -> BTreeMap<PathBuf, u32> {
    let mut modes = BTreeMap::new();
    for (path, mode) in declared {
        let place = app.map_or(Ok(()), |app| inside(app, path.get()));
        if let Err(reason) = &place {
            faults.push(
                Diagnostic::at(source, path.span(), format!("`[{table}]` names a path that {reason}"))
                    .help(format!("paths are relative to `{folder}/`, such as \".docker/action_hooks/build\"")),
            );
        }
        match octal(mode.get()) {
            Ok(bits) => {
                modes.insert(PathBuf::from(path.get()), bits);
            }
            Err(reason) => faults.push(bad_mode(source, mode, reason)),
        }
    }
    modes
}

/// The fault of a mode that [`octal`] refused.
pub(super) fn bad_mode(source: &Source, mode: &Typed<String>, reason: &'static str) -> Diagnostic {
    Diagnostic::at(source, mode.span(), "the mode is not valid")
        .label(reason)
        .help("write it as three or four octal digits, such as \"0755\"")
}

/// Permission bits, from three or four octal digits.
pub(super) fn octal(text: &str) -> Result<u32, &'static str> {
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
