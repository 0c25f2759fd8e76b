//! `[fixtures]`: what the fixtures must take into account.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::suite::scenario::load::is_kebab_case;
use crate::suite::scenario::resolver::Resolver;
use crate::suite::scenario::typed::Typed;

/// What the fixtures must take into account.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FixturesTable {
    /// Projects that the build may look up in the package index without finding them, with normalised names.
    #[serde(default)]
    pub(crate) absent_packages: Vec<Typed<String>>,
}

/// Resolves the projects that the build may look up without finding them.
pub(super) fn resolve(resolver: &mut Resolver<'_>, table: Option<&FixturesTable>) -> Vec<String> {
    let declared = table.map(|fixtures| fixtures.absent_packages.as_slice()).unwrap_or_default();
    for name in declared {
        if !is_kebab_case(name.get()) {
            resolver
                .fault(name.span(), "the package's name is not normalised")
                .label("as the index is asked for it")
                .advice("use lower case, and one hyphen for each run of `-`, `_` and `.`");
        }
    }
    declared.iter().map(|name| name.get().clone()).collect()
}
