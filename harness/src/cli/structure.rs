//! Files of container-structure-test: read for a run, and as scenarios of their own or tests of one that there is.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;
use sha2::{Digest, Sha256};

use super::Failure;
use super::select::Loaded;
use crate::cli::arguments::{ImageArg, StructureArgs};
use crate::run::tally::ExitCode;
use crate::suite::scenario::{BuildOutcome, Scenario, Subject};
use crate::suite::structure::{self, MAX_FILE, StructureTest};

/// How the names of scenarios begin that are made of a file.
const PREFIX: &str = "structure";

/// What structure tests a run has.
#[derive(Debug, Default)]
pub(super) struct Structure {
    /// The scenarios that have them.
    pub tested: BTreeSet<String>,
    /// Those of them that are none of the suite's.
    pub besides: BTreeSet<String>,
    texts: Vec<String>,
}

impl Structure {
    /// The digest of what is run, from that of the suite.
    pub(super) fn digest(&self, suite: String) -> String {
        if self.texts.is_empty() {
            return suite;
        }
        let parts = std::iter::once(&suite).chain(&self.texts);
        let hash =
            parts.fold(Sha256::new(), |hash, part| hash.chain_update(part.len().to_le_bytes()).chain_update(part));
        format!("sha256:{}", hex::encode(hash.finalize()))
    }
}

/// A file that was read.
pub(super) struct Read {
    /// Its absolute path, by which reports name it.
    path: PathBuf,
    pub text: String,
    tests: StructureTest,
}

/// Reads a file.
pub(super) fn read(path: &Path) -> Result<Read, Failure> {
    let unreadable = |why: &dyn fmt::Display| Failure::usage(format!("{} cannot be read: {why}", path.display()), None);
    let file = File::open(path).map_err(|error| unreadable(&error))?;
    let mut text = String::new();
    // It need not be a file that says how large it is.
    file.take(MAX_FILE + 1).read_to_string(&mut text).map_err(|error| unreadable(&error))?;
    if text.len() as u64 > MAX_FILE {
        return Err(unreadable(&format!("it has more than {MAX_FILE} bytes")));
    }
    let path = std::path::absolute(path).map_err(|error| unreadable(&error))?;
    let tests = structure::load(&path, text.clone())
        .map_err(|faults| Failure { code: ExitCode::Usage, text: faults.render(120) })?;
    Ok(Read { path, text, tests })
}

/// Adds the tests that a command line names to what is loaded.
pub(super) fn add(arguments: &StructureArgs, loaded: &mut Loaded) -> Result<Structure, Failure> {
    let mut added = Structure::default();
    for path in &arguments.files {
        let Read { path, text, tests } = read(path)?;
        added.texts.push(text);
        let name = match ImageArg::from_str(&arguments.on, false) {
            Ok(image) => {
                let name = add_scenario(&path, image, &tests, loaded);
                added.besides.insert(name.clone());
                name
            }
            Err(_) => add_to(&arguments.on, &tests, loaded)?,
        };
        added.tested.insert(name);
    }
    Ok(added)
}

/// Adds a scenario of an image of the candidate; its name, which is that of the file, with a number where there is one.
fn add_scenario(path: &Path, image: ImageArg, tests: &StructureTest, loaded: &mut Loaded) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
    let words = stem.split(|character: char| !character.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let first = std::iter::once(PREFIX).chain(words).collect::<Vec<_>>().join("-");
    let is_free =
        |name: &String| !loaded.iter().any(|(_, scenarios)| scenarios.iter().any(|other| other.name == *name));
    let mut numbered = (2..).map(|number: usize| format!("{first}-{number}"));
    let name = if is_free(&first) { first.clone() } else { numbered.find(is_free).unwrap_or_default() };
    for (cell, scenarios) in loaded {
        let scenario = Scenario::of_structure(&name, image.subject(), cell.dialect, path, tests.clone());
        scenarios.push(Arc::new(scenario));
    }
    name
}

/// Adds the tests to a scenario of the suite; its name.
fn add_to(name: &str, tests: &StructureTest, loaded: &mut Loaded) -> Result<String, Failure> {
    let mut found = false;
    for (_, scenarios) in loaded {
        for scenario in scenarios.iter_mut().filter(|scenario| scenario.name == name) {
            found = true;
            let builds =
                scenario.build.as_ref().is_some_and(|build| matches!(build.outcome.value, BuildOutcome::Success));
            if scenario.subject == Subject::Application && !builds {
                return Err(Failure::usage(
                    format!("the scenario {name} does not always leave an image"),
                    Some("name one whose build must succeed"),
                ));
            }
            Arc::make_mut(scenario).structure.push(tests.clone());
        }
    }
    if !found {
        let what = format!("`{name}` is neither base-image nor onbuild-image, nor a scenario");
        return Err(Failure::usage(what, Some("`wsgi-proof list` prints the scenarios")));
    }
    Ok(name.to_owned())
}
