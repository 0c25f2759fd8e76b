//! `[[rebuild]]` and `[generate]` of a scenario file, resolved.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::file::{GenerateTable, RebuildTable, Typed};
use super::resolve::Resolver;
use super::{Generate, Rebuild};

/// The most files that are made for a build.
const MOST_FILES: u32 = 100_000;

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

/// Resolves the files that are made for the build.
pub(super) fn generate(
    resolver: &mut Resolver<'_>,
    app: Option<&Path>,
    typed: &Typed<GenerateTable>,
) -> Option<Generate> {
    let table = typed.get();
    let folder = PathBuf::from(table.folder.get());
    if !is_plain(&folder) || app.is_some_and(|app| app.join(&folder).exists()) {
        resolver
            .fault(table.folder.span(), "files cannot be made there")
            .label("must be a folder, relative to `app/`, that `app/` does not have");
        return None;
    }
    let Ok(files @ 1..=MOST_FILES) = u32::try_from(*table.files.get()) else {
        resolver.fault(table.files.span(), "so many files cannot be made").label(format!("must be 1 to {MOST_FILES}"));
        return None;
    };
    Some(Generate { folder, files })
}

/// Whether a path is relative and has nothing but names.
fn is_plain(path: &Path) -> bool {
    let normal = path.components().all(|component| matches!(component, Component::Normal(_)));
    normal && !path.as_os_str().is_empty()
}
