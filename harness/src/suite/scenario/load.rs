//! From the folder of the scenarios to valid [`Scenario`]s, or to every fault at once.
//!
//! A scenario is a folder with a `scenario.toml`. Other folders (`repositories`) and files are none of the loader's
//! business, except that a folder with an `app/` and no `scenario.toml` is a scenario that would silently never run.
//!
//! Each file is read as [`toml_file`] says; [`super::table`] is the last stage, the meaning. Files do not wait for each other.

use std::fs;
use std::path::{Path, PathBuf};

use super::resolver::Resolver;
use super::table;
use super::{Scenario, Setting};
use crate::suite::diagnostic::{Diagnostic, Diagnostics, Source};
use crate::suite::toml_file;

/// The name of the scenario file in a scenario's folder.
pub(crate) const SCENARIO_FILE: &str = "scenario.toml";

/// The application's folder in a scenario's folder.
pub(crate) const APP_FOLDER: &str = "app";

/// The folder of a volume's files in a scenario's folder.
pub(crate) const VOLUME_FOLDER: &str = "volume";

/// Loads every scenario below `root` for one cell, sorted by name.
///
/// # Errors
/// All faults of all scenario files and folders.
pub(crate) fn load(root: &Path, setting: &Setting<'_>) -> Result<Vec<Scenario>, Diagnostics> {
    let mut faults = Vec::new();
    let mut scenarios = Vec::new();
    let names = scenario_folders(root, &mut faults);
    for name in &names {
        check_name(name, &names, &mut faults);
        let relative = Path::new(name).join(SCENARIO_FILE);
        let text = match fs::read_to_string(root.join(&relative)) {
            Ok(text) => text,
            Err(error) => {
                faults.push(Diagnostic::of(&relative, format!("the file cannot be read: {error}")));
                continue;
            }
        };
        let source = Source::new(&relative, text);
        let resolved = toml_file::typed(&source).and_then(|file| {
            let mut resolver = Resolver::new(&source, setting);
            let scenario = table::resolve(&mut resolver, name, &root.join(name), &file);
            resolver.finish(scenario)
        });
        match resolved {
            Ok(scenario) => scenarios.push(scenario),
            Err(found) => faults.extend(found),
        }
    }
    if faults.is_empty() { Ok(scenarios) } else { Err(Diagnostics::new(faults)) }
}

/// The names of the folders with a scenario file, sorted.
fn scenario_folders(root: &Path, faults: &mut Vec<Diagnostic>) -> Vec<String> {
    let unreadable = |error: std::io::Error| {
        Diagnostic::of(root, format!("the folder of the scenarios cannot be read: {error}"))
            .help("--scenarios names the folder that has a folder for each scenario")
    };
    let entries = match fs::read_dir(root).and_then(Iterator::collect::<Result<Vec<_>, _>>) {
        Ok(entries) => entries,
        Err(error) => {
            faults.push(unreadable(error));
            return Vec::new();
        }
    };
    let mut names = Vec::new();
    for entry in entries {
        let folder = entry.path();
        if !folder.is_dir() {
            continue;
        }
        // A link counts, even a dangling one: its author means a scenario.
        if fs::symlink_metadata(folder.join(SCENARIO_FILE)).is_ok() {
            match entry.file_name().into_string() {
                Ok(name) => names.push(name),
                Err(name) => faults.push(bad_name(&name.to_string_lossy())),
            }
        } else if folder.join(APP_FOLDER).is_dir() {
            let name = PathBuf::from(entry.file_name());
            faults.push(
                Diagnostic::of(&name, format!("the folder has `{APP_FOLDER}/` but no `{SCENARIO_FILE}`"))
                    .help(format!("write `{}`, or remove the folder", name.join(SCENARIO_FILE).display())),
            );
        }
    }
    names.sort();
    names
}

fn bad_name(name: &str) -> Diagnostic {
    Diagnostic::of(Path::new(&name.escape_debug().to_string()), "the name of a scenario's folder is not in kebab case")
        .help("use lower-case letters, digits and single hyphens, such as `hello-wsgi`")
}

fn check_name(name: &str, names: &[String], faults: &mut Vec<Diagnostic>) {
    if !is_kebab_case(name) {
        faults.push(bad_name(name));
    }
    // The second of the two says it, so that it is said once.
    if let Some(first) = names.iter().take_while(|other| *other != name).find(|other| other.eq_ignore_ascii_case(name))
    {
        faults.push(
            Diagnostic::of(Path::new(name), format!("the name differs from that of `{first}` only in case"))
                .help("names must be unique on file systems that ignore case, too"),
        );
    }
}

/// Whether the text is lower-case ASCII words, joined by single hyphens.
pub(super) fn is_kebab_case(text: &str) -> bool {
    text.split('-')
        .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()))
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
