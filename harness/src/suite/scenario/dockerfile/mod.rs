//! The Dockerfile of an application, read before anything is built: that a builder can follow it, and that what it makes is the
//! candidate's. The contract tier follows it instruction by instruction.

mod fetched;
mod here_document;
mod read;
mod stages;
#[cfg(test)]
mod tests;
mod unclear;

use std::fs;
use std::path::Path;

use crate::beneath::Folder;
use crate::suite::diagnostic::{Diagnostic, Source};
use crate::suite::scenario::load::unreadable;
use crate::suite::scenario::resolver::Resolver;
use crate::suite::scenario::{APP_FOLDER, Declared};
use crate::suite::toml_file::MAX_FILE;

pub(crate) use fetched::{begun_with, by_trigger};
pub(crate) use read::{Does, Unreadable, read};

/// Its name, in the application's folder.
pub(crate) const FILE: &str = "Dockerfile";
/// A file that takes the place of `.dockerignore`, but only for `BuildKit`.
const IGNORE_FILE: &str = "Dockerfile.dockerignore";
/// Why a scenario does not apply that has what only `BuildKit` knows.
const WHY: &str = "is for BuildKit alone, so that it cannot be told what a build would fetch";

/// What a Dockerfile names that `BuildKit` fetches and runs in the place of its own reader, and in which line: no network of a run keeps
/// the engine from it.
pub(crate) fn frontend(text: &str) -> Option<(usize, String)> {
    let (place, name) = unclear::syntax(text.strip_prefix('\u{feff}').unwrap_or(text))?;
    Some((text[..place].matches('\n').count() + 1, format!("the syntax directive names `{}`", name.escape_debug())))
}

/// Reports what is wrong with the Dockerfile of a scenario. Why it cannot be built by every builder, if so.
pub(super) fn check(resolver: &mut Resolver<'_>, scenario: &str, app: &Path) -> Option<Declared<String>> {
    let folder = Path::new(scenario).join(APP_FOLDER);
    let path = folder.join(FILE);
    // A link inside the folder is followed, as a builder does.
    let text = match Folder::open(app).and_then(|app| app.into_root().text(Path::new(FILE), MAX_FILE)) {
        Ok(text) => text,
        // A link out of the folder is reported with the folder; what it leads to is not read.
        Err(_) if app.join(FILE).is_symlink() => return None,
        Err(error) => {
            resolver.report(unreadable(&path, error));
            return None;
        }
    };
    let source = Source::new(&path, text);
    let file = match read(source.text()) {
        Ok(file) => file,
        Err(unreadable) => {
            let fault = Diagnostic::at(&source, source.line(unreadable.line), unreadable.why);
            let fault = fault.label("no builder can follow this");
            resolver.report(fault.help("the suite builds nothing that it cannot read as the builder does"));
            return None;
        }
    };
    if let Some((line, what)) = frontend(source.text()) {
        let fault = Diagnostic::at(&source, source.line(line), what).label("BuildKit would fetch it");
        resolver.report(fault.help("leave it out: what is used is the builder's own"));
    }
    for fault in stages::faults(&source, &file) {
        resolver.report(fault);
    }
    if let Some((place, what)) = &file.only_buildkit {
        let (line, _) = source.position(place.start);
        let value = format!("{what} in line {line} of its Dockerfile {WHY}");
        return Some(Declared { value, at: source.at(place) });
    }
    if fs::symlink_metadata(app.join(IGNORE_FILE)).is_ok() {
        let ignore = Source::new(&folder.join(IGNORE_FILE), String::new());
        return Some(Declared { value: format!("its {IGNORE_FILE} {WHY}"), at: ignore.at(&(0..0)) });
    }
    None
}
