//! From the folder of the scenarios to valid [`Scenario`]s, or to every fault at once.
//!
//! [`super::folders`] finds the scenarios. Each file is read as [`toml_file`] says; [`super::table`] is the last stage, the meaning.
//! Files do not wait for each other.

use std::path::Path;

use super::folders::{self, SCENARIO_FILE};
use super::resolver::Resolver;
use super::table;
use super::{Scenario, Setting};
use crate::beneath::{BeneathError, Folder};
use crate::suite::diagnostic::{Diagnostic, Diagnostics, Source};
use crate::suite::toml_file;

/// Loads every scenario below `root` for one cell, sorted by name.
///
/// # Errors
/// All faults of all scenario files and folders.
pub(crate) fn load(root: &Path, setting: &Setting<'_>) -> Result<Vec<Scenario>, Diagnostics> {
    let mut faults = Vec::new();
    let mut scenarios = Vec::new();
    let names = folders::scenarios(root, &mut faults);
    for name in &names {
        check_name(name, &names, &mut faults);
        let relative = Path::new(name).join(SCENARIO_FILE);
        let text = match Folder::open(root).and_then(|root| root.text(&relative, toml_file::MAX_FILE)) {
            Ok(text) => text,
            Err(error) => {
                faults.push(unreadable(&relative, error));
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

/// The fault of a file that cannot be read.
pub(super) fn unreadable(file: &Path, error: BeneathError) -> Diagnostic {
    let hint = error.hint();
    let fault = Diagnostic::of(file, format!("the file cannot be read: {}", std::io::Error::from(error)));
    match hint {
        Some(hint) => fault.help(hint),
        None => fault,
    }
}

fn check_name(name: &str, names: &[String], faults: &mut Vec<Diagnostic>) {
    if !is_kebab_case(name) {
        faults.push(folders::bad_name(name));
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
pub(crate) fn is_kebab_case(text: &str) -> bool {
    text.split('-')
        .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()))
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
