//! From the folder of the scenarios to valid [`Scenario`]s, or to every fault at once.
//!
//! [`super::folders`] finds the scenarios. Each file is read as [`toml_file`] says; [`super::table`] is the last stage, the meaning.
//! Files do not wait for each other.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

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
    let mut first = BTreeMap::new();
    let loaded = in_parallel(&names, &|name| scenario(root, setting, name));
    for (name, loaded) in names.iter().zip(loaded) {
        faults.extend(fault_of_name(name, &mut first));
        match loaded {
            Ok(scenario) => scenarios.push(scenario),
            Err(found) => faults.extend(found),
        }
    }
    if faults.is_empty() { Ok(scenarios) } else { Err(Diagnostics::new(faults)) }
}

/// Loads one.
fn scenario(root: &Path, setting: &Setting<'_>, name: &str) -> Result<Scenario, Vec<Diagnostic>> {
    let relative = Path::new(name).join(SCENARIO_FILE);
    let text = Folder::open(root).and_then(|root| root.text(&relative, toml_file::MAX_FILE));
    let source = Source::new(&relative, text.map_err(|error| vec![unreadable(&relative, error)])?);
    let file = toml_file::typed(&source)?;
    let mut resolver = Resolver::new(&source, setting);
    let scenario = table::resolve(&mut resolver, name, &root.join(name), &file);
    resolver.finish(scenario)
}

/// What comes of each name, in their order, by as many threads as there are cores.
fn in_parallel<T: Send>(names: &[String], load: &(dyn Fn(&str) -> T + Sync)) -> Vec<T> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let work = || {
        let indices = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        let taken = indices.map_while(|index| Some((index, load(names.get(index)?))));
        taken.collect::<Vec<_>>()
    };
    let mut loaded = std::thread::scope(|scope| {
        // Where no more threads can be had this one does what is left.
        let others: Vec<_> =
            (1..cores).filter_map(|_| std::thread::Builder::new().spawn_scoped(scope, work).ok()).collect();
        let mut loaded = work();
        for thread in others {
            loaded.extend(thread.join().unwrap_or_else(|cause| resume_unwind(cause)));
        }
        loaded
    });
    loaded.sort_by_key(|(index, _)| *index);
    loaded.into_iter().map(|(_, one)| one).collect()
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

/// What is wrong with a name. `first` has the names so far, by how a file system that ignores case knows them.
fn fault_of_name<'a>(name: &'a str, first: &mut BTreeMap<String, &'a str>) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    if !is_kebab_case(name) {
        faults.push(folders::bad_name(name));
    }
    // The second of the two says it, so that it is said once.
    match first.entry(name.to_ascii_lowercase()) {
        Entry::Vacant(place) => drop(place.insert(name)),
        Entry::Occupied(first) => faults.push(
            Diagnostic::of(Path::new(name), format!("the name differs from that of `{}` only in case", first.get()))
                .help("names must be unique on file systems that ignore case, too"),
        ),
    }
    faults
}

/// Whether the text is lower-case ASCII words, joined by single hyphens.
pub(crate) fn is_kebab_case(text: &str) -> bool {
    text.split('-')
        .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()))
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
