//! Changes of files of the candidate, each a text that another stands in for.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::Replacements;
use crate::beneath::Folder;
use crate::suite::diagnostic::Faults;
use crate::suite::scenario::MAX_CONTEXT;

/// A change of a file of the candidate.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    /// The file, relative to `images`: `base/mod_wsgi-docker-build`.
    file: String,
    /// The text that is replaced; it must be there, once.
    from: String,
    /// What it is replaced by.
    to: String,
}

/// Makes changes of the files of `images`, or of those that stand in for them already. It is a fault when a file is not one of the
/// candidate's, cannot be read, or does not have the text once.
pub(crate) fn apply(
    changes: &[Spanned<Change>],
    images: &Path,
    base: &mut Replacements,
    onbuild: &mut Replacements,
    faults: &mut Faults,
) {
    for change in changes {
        if let Err((why, advice)) = make(change.get_ref(), images, base, onbuild) {
            faults.at(change.span(), why).advice(advice);
        }
    }
}

/// Makes a change; otherwise, why not, and what to do about it.
fn make(
    Change { file, from, to }: &Change,
    images: &Path,
    base: &mut Replacements,
    onbuild: &mut Replacements,
) -> Result<(), (String, &'static str)> {
    let (replacements, name) = match file.split_once('/') {
        Some(("base", name)) => (&mut *base, name),
        Some(("onbuild", name)) => (&mut *onbuild, name),
        _ => {
            return Err((
                format!("`{file}` is neither in base/ nor in onbuild/"),
                "files are named as in `images`, such as \"base/Dockerfile\"",
            ));
        }
    };
    let place = PathBuf::from(name);
    let content = match replacements.iter().position(|(path, _)| *path == place) {
        Some(index) => replacements.swap_remove(index).1,
        None => Folder::open(images)
            .and_then(|images| images.read(Path::new(file), MAX_CONTEXT))
            .map_err(|error| (format!("{file}: {}", std::io::Error::from(error)), "name a file that is there"))?,
    };
    let text = String::from_utf8_lossy(&content).into_owned();
    if text.matches(from.as_str()).count() != 1 {
        return Err((format!("`{from}` is not once in {file}"), "bring the change up to date"));
    }
    replacements.push((place, text.replace(from.as_str(), to).into_bytes()));
    Ok(())
}
