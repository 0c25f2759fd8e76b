//! `[[rebuild]]`: the build done again on the layer cache.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use regex::Regex;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::outcome::At;
use crate::suite::scenario::Declared;
use crate::suite::scenario::resolver::Resolver;
use crate::suite::scenario::typed::Typed;

/// The build done again on the layer cache, which the first build of a scenario never uses.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RebuildTable {
    /// Text that files get at their end first, by path relative to `app/`.
    #[serde(default)]
    pub(crate) append: BTreeMap<Typed<String>, Typed<String>>,
    /// Regular expressions for lines that the log must have, in this order.
    #[serde(default)]
    pub(crate) log: Vec<Typed<String>>,
    /// Regular expressions for lines that the log must not have.
    #[serde(default)]
    pub(crate) log_absent: Vec<Typed<String>>,
}

/// The build done again on the layer cache.
#[derive(Debug, Clone)]
pub(crate) struct Rebuild {
    pub at: At,
    /// Text that files get at their end first, by path relative to the application folder.
    pub append: BTreeMap<PathBuf, String>,
    /// Lines that the log must have, in this order.
    pub log: Vec<Declared<Regex>>,
    /// Lines that the log must not have.
    pub log_absent: Vec<Declared<Regex>>,
}

/// Resolves the builds that are done again.
pub(super) fn resolve(resolver: &mut Resolver<'_>, app: Option<&Path>, tables: &[Typed<RebuildTable>]) -> Vec<Rebuild> {
    tables.iter().map(|typed| rebuild(resolver, app, typed)).collect()
}

fn rebuild(resolver: &mut Resolver<'_>, app: Option<&Path>, typed: &Typed<RebuildTable>) -> Rebuild {
    let table = typed.get();
    if table.log.is_empty() && table.log_absent.is_empty() {
        resolver.fault(typed.span(), "`[[rebuild]]` asserts nothing").advice("give it `log` or `log_absent`");
    }
    let mut append = BTreeMap::new();
    for (path, text) in &table.append {
        if app.is_some_and(|app| !is_plain(Path::new(path.get())) || !app.join(path.get()).is_file()) {
            resolver
                .fault(path.span(), "`append` names no file of the application")
                .advice("paths are relative to `app/`, such as \"wsgi.py\"");
        }
        if text.get().is_empty() {
            resolver.fault(text.span(), "nothing is appended").label("the context would be the same");
        }
        append.insert(PathBuf::from(path.get()), text.get().clone());
    }
    let (log, log_absent) = resolver.lines(&table.log, &table.log_absent);
    Rebuild { at: resolver.at(&typed.span()), append, log, log_absent }
}

/// Whether a path is relative and has nothing but names.
pub(super) fn is_plain(path: &Path) -> bool {
    let normal = path.components().all(|component| matches!(component, Component::Normal(_)));
    normal && !path.as_os_str().is_empty()
}
