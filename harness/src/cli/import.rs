//! `wsgi-proof import`: scenarios of what people have already.

use std::path::Path;

use super::new::{can_be_written, unmade};
use super::{Failure, output, select, structure};
use crate::cli::arguments::{ImportArgs, ImportSource, ImportStructureArgs};
use crate::host::written;
use crate::run::tally::ExitCode;
use crate::suite::scenario::SCENARIO_FILE;

/// The tests' file, in the scenario's folder.
const TESTS: &str = "structure.yaml";

pub(super) fn import(arguments: &ImportArgs) -> Result<ExitCode, Failure> {
    match &arguments.source {
        ImportSource::StructureTest(arguments) => structure_test(arguments),
    }
}

/// Writes a scenario of an image, with the file beside it as it is.
fn structure_test(arguments: &ImportStructureArgs) -> Result<ExitCode, Failure> {
    let ImportStructureArgs { file, name, on, proves, cells, folders } = arguments;
    let folders = folders.find()?;
    can_be_written(&folders, name)?;
    let text = structure::read(file)?.text;
    // A suite that cannot be loaded is told before anything is written.
    let (_, contract) = select::load(&folders, select::cells(&folders, cells)?)?;
    if contract.is_some() && proves.is_empty() {
        return Err(Failure::usage(
            "the suite has a contract, and the tests speak for no clause of it",
            Some("name one with --proves; `wsgi-proof contract` prints them"),
        ));
    }
    let shown = file.file_name().unwrap_or_default().to_string_lossy();
    let mut head = toml::Table::new();
    head.insert("summary".to_owned(), format!("The {} passes the structure tests of {shown}", on.word()).into());
    head.insert("source".to_owned(), format!("container-structure-test: {shown}").into());
    let clauses: Vec<String> = proves.iter().map(ToString::to_string).collect();
    if !clauses.is_empty() {
        head.insert("proves".to_owned(), clauses.into());
    }
    head.insert("subject".to_owned(), on.word().into());
    head.insert("structure_tests".to_owned(), vec![TESTS.to_owned()].into());
    let folder = folders.scenarios().join(name);
    std::fs::create_dir(&folder).map_err(|error| unmade(&folder, &error))?;
    let made = write(&folder, &head.to_string(), &text)
        .and_then(|()| select::load(&folders, select::cells(&folders, cells)?).map(drop));
    if let Err(failure) = made {
        // Nobody else has anything in it yet, and what cannot be loaded would hold up every run.
        drop(std::fs::remove_dir_all(&folder));
        return Err(failure);
    }
    output::line(format_args!("wrote {}", folder.join(SCENARIO_FILE).display()))?;
    output::line(format_args!("next: edit it, then `wsgi-proof run ={name}`"))?;
    Ok(ExitCode::Pass)
}

fn write(folder: &Path, scenario: &str, tests: &str) -> Result<(), Failure> {
    for (name, text) in [(SCENARIO_FILE, scenario), (TESTS, tests)] {
        let file = folder.join(name);
        written::file(&file, text.as_bytes()).map_err(|error| unmade(&file, &error))?;
    }
    Ok(())
}
