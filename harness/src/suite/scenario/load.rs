//! From the folder of the scenarios to valid [`Scenario`]s, or to every fault at once.
//!
//! A scenario is a folder with a `scenario.toml`. Other folders (`repositories`) and files are none of the loader's
//! business, except that a folder with an `app/` and no `scenario.toml` is a scenario that would silently never run.
//!
//! A file goes through three stages: TOML, shape (unknown keys, wrong types: [`super::file`]), meaning
//! ([`super::resolve`]). Within a stage every fault is reported; a file with a fault in one stage is not taken to the
//! next, where its faults would only lead to follow-up ones. Files do not wait for each other.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::de::{DeArray, DeTable, DeValue};

use super::diagnostic::{Diagnostic, Diagnostics, Source};
use super::file::ScenarioFile;
use super::resolve;
use super::{Scenario, Setting};

/// The name of the scenario file in a scenario's folder.
pub const SCENARIO_FILE: &str = "scenario.toml";

/// The application's folder in a scenario's folder.
pub const APP_FOLDER: &str = "app";

/// The folder of a volume's files in a scenario's folder.
pub const VOLUME_FOLDER: &str = "volume";

/// Loads every scenario below `root` for one cell, sorted by name.
///
/// # Errors
/// All faults of all scenario files and folders.
pub fn load(root: &Path, setting: &Setting<'_>) -> Result<Vec<Scenario>, Diagnostics> {
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
        let resolved =
            typed(&source).and_then(|file| resolve::scenario(name, &root.join(name), &source, &file, setting));
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

/// The file as typed, or every fault of its TOML, or else of its shape.
fn typed(source: &Source) -> Result<ScenarioFile, Vec<Diagnostic>> {
    let (mut document, errors) = DeTable::parse_recoverable(source.text());
    if !errors.is_empty() {
        return Err(errors.iter().map(|error| shape_fault(source, error)).collect());
    }
    // Deserialization stops at its first error: take the part in question away and ask again, for the next one.
    let mut faults = Vec::new();
    let mut removed: Vec<String> = Vec::new();
    loop {
        match ScenarioFile::deserialize(toml::Deserializer::from(document.clone())) {
            Ok(file) if faults.is_empty() => return Ok(file),
            Ok(_) => return Err(faults),
            Err(error) => {
                let follow_up = removed.iter().any(|key| error.message() == format!("missing field `{key}`"));
                if !follow_up {
                    faults.push(shape_fault(source, &error));
                }
                match error.span().and_then(|span| remove(document.get_mut(), &span)) {
                    Some(key) => removed.push(key),
                    None => return Err(faults),
                }
            }
        }
    }
}

/// Removes the entry whose key or value is at `span`, and returns its key. A missing field's span is that of its whole
/// table, which then goes too, unless it is the document. The innermost entry goes: a list of tables has the span of
/// its first one.
fn remove(table: &mut DeTable<'_>, span: &Range<usize>) -> Option<String> {
    let inner = table.iter_mut().find_map(|(key, value)| remove_within(key.get_ref(), value.get_mut(), span));
    if inner.is_some() {
        return inner;
    }
    let found = table.iter().find(|(key, value)| key.span() == *span || value.span() == *span);
    let key = found.map(|(key, _)| key.get_ref().to_string())?;
    table.remove(key.as_str());
    Some(key)
}

fn remove_within(key: &str, value: &mut DeValue<'_>, span: &Range<usize>) -> Option<String> {
    match value {
        DeValue::Table(table) => remove(table, span),
        DeValue::Array(items) => {
            let inner = items.iter_mut().find_map(|item| remove_within(key, item.get_mut(), span));
            if inner.is_some() {
                return inner;
            }
            if let Some(index) = items.iter().position(|item| item.span() == *span) {
                let mut kept = DeArray::new();
                items
                    .iter()
                    .enumerate()
                    .filter(|(other, _)| *other != index)
                    .for_each(|(_, item)| kept.push(item.clone()));
                *items = kept;
                return Some(key.to_owned());
            }
            None
        }
        _ => None,
    }
}

fn shape_fault(source: &Source, error: &toml::de::Error) -> Diagnostic {
    let span = error.span().unwrap_or(0..0);
    let (message, rest) = match error.message().split_once(", expected") {
        Some((message, expected)) => (message, Some(format!("expected{expected}"))),
        None => (error.message(), None),
    };
    let fault = Diagnostic::at(source, span, message.replace('\n', "; "));
    match rest {
        Some(expected) => fault.label("here").help(expected.replace('\n', "; ")),
        None => fault.label("here"),
    }
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
