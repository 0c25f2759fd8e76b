//! Loading the scenarios and selecting among them.

use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;

use super::Failure;
use crate::cli::SelectArgs;
use crate::contract::Contract;
use crate::scenario::{self, Scenario};
use crate::verdict::ExitCode;

/// Loads all scenarios, every one of which must be valid, and the contract if the suite has one.
pub(super) fn load(root: &Path) -> Result<(Vec<Scenario>, Option<Contract>), Failure> {
    let scenarios = scenario::load(root).map_err(|diagnostics| Failure {
        code: ExitCode::Usage,
        text: diagnostics.render(std::io::stderr().is_terminal(), 120),
    })?;
    let contract = Contract::load(root, scenarios.iter()).map_err(|error| {
        Failure::usage(error, Some("`proves` in a scenario names clauses of scenarios/contract.toml"))
    })?;
    Ok((scenarios, contract))
}

/// Loads all scenarios and selects among them.
pub(super) fn select(root: &Path, arguments: &SelectArgs) -> Result<Vec<Arc<Scenario>>, Failure> {
    let (scenarios, _) = load(root)?;
    let known = scenarios.len();
    let selected: Vec<Arc<Scenario>> =
        scenarios.into_iter().filter(|scenario| matches(&scenario.name, &arguments.filters)).map(Arc::new).collect();
    if selected.is_empty() {
        return Err(Failure::new(
            ExitCode::NothingSelected,
            &format!("no scenario matches {} (there are {known})", arguments.filters.join(", ")),
            Some("`wsgi-proof list` shows their names"),
        ));
    }
    Ok(selected)
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
