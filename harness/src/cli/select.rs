//! Loading the scenarios for the cells asked for, and selecting among them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Failure;
use crate::cli::arguments::{CellArgs, SelectArgs};
use crate::host::folders::Folders;
use crate::outcome::with_causes;
use crate::run::shard::Shard;
use crate::run::tally::ExitCode;
use crate::suite::cell::Cell;
use crate::suite::contract::Contract;
use crate::suite::dialect::Dialect;
use crate::suite::scenario::{self, Scenario, Setting};
use crate::suite::toml_file::TomlError;
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

/// Loads all scenarios for these cells, every one of which must be valid, and the contract unless it has no clauses.
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
        let scenarios = scenario::load(&root, &setting)
            .map_err(|diagnostics| Failure { code: ExitCode::Usage, text: diagnostics.render(120) })?;
        loaded.push((cell, scenarios.into_iter().map(Arc::new).collect()));
    }
    let contract = Contract::load(&root, &loaded).map_err(|error| {
        let hint = match error {
            TomlError::Unreadable { .. } => "copy it from the suite that this one is made from; a file with `version = 1` and no clauses says that there is no contract",
            TomlError::Invalid { .. } => "`proves` in a scenario lists clauses of scenarios/contract.toml",
        };
        Failure::usage(error, Some(hint))
    })?;
    Ok((loaded, contract))
}

/// Loads all scenarios for these cells and selects among them. Each filter must select something.
pub(super) fn select(
    folders: &Folders,
    cells: Vec<Cell>,
    arguments: &SelectArgs,
) -> Result<(Loaded, Option<Contract>), Failure> {
    let (mut loaded, contract) = load(folders, cells)?;
    let nothing = |what: &str, hint| Failure::new(ExitCode::NothingSelected, &what, Some(hint));
    let known: BTreeSet<&str> =
        loaded.iter().flat_map(|(_, scenarios)| scenarios).map(|scenario| scenario.name.as_str()).collect();
    if known.is_empty() {
        return Err(nothing("the suite has no scenarios", "a scenario is a folder in scenarios/ with a scenario.toml"));
    }
    let idle = idle(&arguments.filters, |filter| known.iter().any(|name| matches(name, filter)));
    if !idle.is_empty() {
        let what = format!("no scenario matches {} ({} scenarios)", idle.join(", "), known.len());
        return Err(nothing(&what, "`wsgi-proof list` prints their names"));
    }
    for (_, scenarios) in &mut loaded {
        let is_selected = |name: &str| arguments.filters.iter().any(|filter| matches(name, filter));
        scenarios.retain(|scenario| arguments.filters.is_empty() || is_selected(&scenario.name));
    }
    Ok((loaded, contract))
}

/// Leaves what a shard has, of all that was selected; how much that was.
pub(super) fn keep(shard: Shard, loaded: &mut Loaded) -> usize {
    let mut place = 0;
    for (_, scenarios) in loaded {
        scenarios.retain(|_| {
            place += 1;
            shard.has(place - 1)
        });
    }
    place
}

/// The filters that select nothing: one among several is a slip of the pen, and would make a run that does less than it says.
pub(super) fn idle(filters: &[String], selects: impl Fn(&str) -> bool) -> Vec<&str> {
    filters.iter().map(String::as_str).filter(|filter| !selects(filter)).collect()
}

fn matches(name: &str, filter: &str) -> bool {
    match filter.strip_prefix('=') {
        Some(exact) => name == exact,
        None => name.contains(filter),
    }
}

#[cfg(test)]
mod tests {
    use super::{idle, matches};

    #[test]
    fn filters() {
        assert!(matches("failing-build-hook", "hook"));
        assert!(!matches("failing-build-hook", "django"));
        assert!(matches("hello", "=hello"));
        assert!(!matches("hello-wsgi", "=hello"));
    }

    #[test]
    fn each_filter_selects_something() {
        let filters = ["hello", "=hello", "django"].map(str::to_owned);
        assert_eq!(idle(&filters, |filter| matches("hello-wsgi", filter)), ["=hello", "django"]);
        assert!(idle(&[], |_| false).is_empty());
    }
}
