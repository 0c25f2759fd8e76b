//! Loading the scenarios for the cells asked for, and selecting among them.

use std::io::IsTerminal;
use std::sync::Arc;

use super::Failure;
use crate::cli::arguments::{CellArgs, SelectArgs};
use crate::host::folders::Folders;
use crate::outcome::with_causes;
use crate::run::tally::ExitCode;
use crate::suite::cell::Cell;
use crate::suite::contract::Contract;
use crate::suite::dialect::Dialect;
use crate::suite::scenario::{self, Scenario, Setting};
use crate::suite::variant::{self, Variant};

/// Cells, each with its scenarios.
pub(super) type Loaded = Vec<(Cell, Vec<Arc<Scenario>>)>;

/// The cells that the command line names.
pub(super) fn cells(folders: &Folders, arguments: &CellArgs) -> Result<Vec<Cell>, Failure> {
    let variants = Variant::select(&folders.images(), &arguments.variant)
        .map_err(|error| Failure::usage(with_causes(&error), None))?;
    let dialects = arguments.dialects();
    let cells = variants
        .into_iter()
        .flat_map(|variant| dialects.iter().map(move |dialect| Cell { variant: variant.clone(), dialect: *dialect }));
    Ok(cells.collect())
}

/// Every cell that there is.
pub(super) fn all_cells(folders: &Folders) -> Result<Vec<Cell>, Failure> {
    let variants =
        Variant::select(&folders.images(), &[variant::ALL.to_owned()]).map_err(|error| Failure::usage(error, None))?;
    let cells =
        variants.into_iter().flat_map(|variant| Dialect::ALL.map(|dialect| Cell { variant: variant.clone(), dialect }));
    Ok(cells.collect())
}

/// Loads all scenarios for these cells, every one of which must be valid, and the contract if the suite has one.
pub(super) fn load(folders: &Folders, cells: Vec<Cell>) -> Result<(Loaded, Option<Contract>), Failure> {
    let root = folders.scenarios();
    let variants: Vec<String> = Variant::all(&folders.images())
        .map_err(|error| Failure::usage(with_causes(&error), None))?
        .into_iter()
        .map(|variant| variant.name)
        .collect();
    let mut loaded = Vec::new();
    for cell in cells {
        let setting = Setting { cell: &cell, variants: &variants };
        let scenarios = scenario::load(&root, &setting).map_err(|diagnostics| Failure {
            code: ExitCode::Usage,
            text: diagnostics.render(std::io::stderr().is_terminal(), 120),
        })?;
        loaded.push((cell, scenarios.into_iter().map(Arc::new).collect()));
    }
    let contract = Contract::load(&root, &loaded).map_err(|error| {
        Failure::usage(error, Some("`proves` in a scenario lists clauses of scenarios/contract.toml"))
    })?;
    Ok((loaded, contract))
}

/// Loads all scenarios for these cells and selects among them.
pub(super) fn select(
    folders: &Folders,
    cells: Vec<Cell>,
    arguments: &SelectArgs,
) -> Result<(Loaded, Option<Contract>), Failure> {
    let (mut loaded, contract) = load(folders, cells)?;
    let known = loaded.first().map_or(0, |(_, scenarios)| scenarios.len());
    for (_, scenarios) in &mut loaded {
        scenarios.retain(|scenario| matches(&scenario.name, &arguments.filters));
    }
    if loaded.iter().all(|(_, scenarios)| scenarios.is_empty()) {
        return Err(Failure::new(
            ExitCode::NothingSelected,
            &format!("no scenario matches {} ({known} scenarios)", arguments.filters.join(", ")),
            Some("`wsgi-proof list` prints their names"),
        ));
    }
    Ok((loaded, contract))
}

fn matches(name: &str, filters: &[String]) -> bool {
    filters.is_empty()
        || filters.iter().any(|filter| match filter.strip_prefix('=') {
            Some(exact) => name == exact,
            None => name.contains(filter.as_str()),
        })
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn filters() {
        let of = |filters: &[&str]| filters.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert!(matches("failing-build-hook", &of(&[])));
        assert!(matches("failing-build-hook", &of(&["django", "hook"])));
        assert!(!matches("failing-build-hook", &of(&["django"])));
        assert!(matches("hello", &of(&["=hello"])));
        assert!(!matches("hello-wsgi", &of(&["=hello"])));
    }
}
