//! Loading the scenarios for the cells asked for, and selecting among them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Failure;
use super::filter::{Filter, Predicate};
use super::structure::{self, Structure};
use crate::cli::arguments::{BuilderArgs, CellArgs, SelectArgs, StructureArgs};
use crate::host::folders::Folders;
use crate::outcome::with_causes;
use crate::run::shard::Shard;
use crate::run::tally::ExitCode;
use crate::suite::builder::Builder;
use crate::suite::cell::Cell;
use crate::suite::contract::Contract;
use crate::suite::dialect::Dialect;
use crate::suite::scenario::{self, Scenario, Setting};
use crate::suite::toml_file::TomlError;
use crate::suite::variant::{self, Variant};

/// Cells, each with its scenarios.
pub(super) type Loaded = Vec<(Cell, Vec<Arc<Scenario>>)>;

/// The cells that the command line names, of a command that knows no builders.
pub(super) fn cells(folders: &Folders, arguments: &CellArgs) -> Result<Vec<Cell>, Failure> {
    cells_of(folders, arguments, &BuilderArgs::default())
}

/// The cells that the command line names.
pub(super) fn cells_of(folders: &Folders, arguments: &CellArgs, builders: &BuilderArgs) -> Result<Vec<Cell>, Failure> {
    let variants = Variant::select(&folders.images(), &arguments.variant)
        .map_err(|error| Failure::usage(with_causes(&error), None))?;
    let (dialects, builders) = (arguments.dialects(), builders.builders());
    let mut cells = Vec::new();
    for variant in variants {
        for dialect in &dialects {
            let cell = |builder| Cell { variant: variant.clone(), dialect: *dialect, builder };
            cells.extend(builders.iter().copied().map(cell));
        }
    }
    Ok(cells)
}

/// Every variant in every dialect: which clauses hold, and what covers them, does not depend on the builder.
pub(super) fn all_cells(folders: &Folders) -> Result<Vec<Cell>, Failure> {
    let variants =
        Variant::select(&folders.images(), &[variant::ALL.to_owned()]).map_err(|error| Failure::usage(error, None))?;
    let builder = Builder::default();
    let cells = variants
        .into_iter()
        .flat_map(|variant| Dialect::ALL.map(|dialect| Cell { variant: variant.clone(), dialect, builder }));
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

/// As [`select_with`], without structure tests.
pub(super) fn select(
    folders: &Folders,
    cells: Vec<Cell>,
    arguments: &SelectArgs,
) -> Result<(Loaded, Option<Contract>), Failure> {
    let (loaded, contract, _) = select_with(folders, cells, arguments, &StructureArgs::default())?;
    Ok((loaded, contract))
}

/// Loads all scenarios for these cells, with the structure tests of a command line, and selects among them. Each filter must select
/// something: one among several that does not is a slip of the pen, and would make a run that does less than it says.
pub(super) fn select_with(
    folders: &Folders,
    cells: Vec<Cell>,
    arguments: &SelectArgs,
    structure: &StructureArgs,
) -> Result<(Loaded, Option<Contract>, Structure), Failure> {
    let filters = read(&arguments.filters)?;
    let (mut loaded, contract) = load(folders, cells)?;
    let structure = structure::add(structure, &mut loaded)?;
    let tested = &structure.tested;
    let nothing = |what: &str, hint| Failure::new(ExitCode::NothingSelected, &what, Some(hint));
    let all = || loaded.iter().flat_map(|(_, scenarios)| scenarios);
    let count = names(&loaded).len();
    if count == 0 {
        return Err(nothing("the suite has no scenarios", "a scenario is a folder in scenarios/ with a scenario.toml"));
    }
    // Also under a `not`, which would select everything for a name that is misspelt.
    let idle = |predicate: &&Predicate| !all().any(|scenario| predicate.is_true_of(scenario));
    let idle: Vec<&Predicate> = filters.iter().flat_map(Filter::predicates).filter(idle).collect();
    if let [first, ..] = idle[..] {
        let texts: Vec<String> = idle.iter().map(ToString::to_string).collect();
        let what = format!("no scenario matches {} ({count} scenarios)", texts.join(", "));
        return Err(nothing(&what, first.hint()));
    }
    for (filter, text) in filters.iter().zip(&arguments.filters) {
        if !all().any(|scenario| filter.selects(scenario)) {
            let what = format!("no scenario matches {text}, though each part of it matches some");
            return Err(nothing(&what, "`wsgi-proof list FILTER` prints what a filter selects"));
        }
    }
    for (_, scenarios) in &mut loaded {
        let all = filters.is_empty() && tested.is_empty();
        let is_named = |scenario: &Scenario| filters.iter().any(|filter| filter.selects(scenario));
        scenarios.retain(|scenario| all || tested.contains(&scenario.name) || is_named(scenario));
    }
    if let Some(among) = &arguments.among {
        for (_, scenarios) in &mut loaded {
            scenarios.retain(|scenario| among.contains(&scenario.name));
        }
        if loaded.iter().all(|(_, scenarios)| scenarios.is_empty()) {
            return Err(nothing(
                "no scenario that is selected has changed",
                "it may be gone, or not match the filters",
            ));
        }
    }
    Ok((loaded, contract, structure))
}

/// The names of scenarios.
fn names(loaded: &Loaded) -> BTreeSet<String> {
    loaded.iter().flat_map(|(_, scenarios)| scenarios).map(|scenario| scenario.name.clone()).collect()
}

/// The filters of a command line.
fn read(filters: &[String]) -> Result<Vec<Filter>, Failure> {
    let hint = "an expression has name(PART), name(=NAME) and clause(ID), with `and`, `or`, `not` and parentheses";
    let read = |filter: &String| Filter::read(filter).map_err(|error| Failure::usage(error, Some(hint)));
    filters.iter().map(read).collect()
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
