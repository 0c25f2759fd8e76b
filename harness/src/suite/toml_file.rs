//! The files in TOML that a suite declares, read with every fault at once: its place in the file, and what to do about it.
//!
//! A file goes through three stages: TOML, shape (unknown keys, wrong types), meaning. Within a stage every fault is reported; a
//! file with a fault in one stage is not taken to the next, where its faults would only lead to follow-up ones.

use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use crate::beneath::{BeneathError, Folder};

use super::diagnostic::{Diagnostic, Diagnostics, Faults, Source};

/// How wide a fault is shown, in columns.
const WIDTH: usize = 120;
/// The most that a file may have, in bytes.
pub(crate) const MAX_FILE: u64 = 16 << 20;

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TomlError {
    /// It cannot be read.
    #[error("{} cannot be read: {why}", path.display())]
    Unreadable { path: PathBuf, why: std::io::Error },
    /// It is not valid: all of its faults.
    #[error("{} is not valid\n\n{}", path.display(), faults.render(WIDTH).trim_end())]
    Invalid { path: PathBuf, faults: Diagnostics },
}

/// Reads a file; what it means is then checked by its reader, who reports to the collector and finishes it.
///
/// # Errors
/// When the file cannot be read, is not TOML, or does not have the shape.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<(T, Faults), TomlError> {
    match text(path) {
        Ok(text) => parse(path, text),
        Err(why) => Err(TomlError::Unreadable { path: path.to_owned(), why: why.into() }),
    }
}

/// The text of a file that is no link: what its faults show of it is that of the suite, and of nothing else.
fn text(path: &Path) -> Result<String, BeneathError> {
    let folder = Folder::open(path.parent().unwrap_or(Path::new("")))?;
    folder.text(path.file_name().map_or(path, Path::new), MAX_FILE)
}

/// Reads a file that need not be there.
///
/// # Errors
/// As [`read`], but for a file that is not there.
pub(crate) fn read_if_there<T: DeserializeOwned>(path: &Path) -> Result<Option<(T, Faults)>, TomlError> {
    match read(path) {
        Err(TomlError::Unreadable { why, .. }) if why.kind() == std::io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}

/// Reads the text of a file.
///
/// # Errors
/// When it is not TOML, or does not have the shape.
pub(crate) fn parse<T: DeserializeOwned>(path: &Path, text: String) -> Result<(T, Faults), TomlError> {
    let source = Source::new(path, text);
    match typed(&source) {
        Ok(value) => Ok((value, Faults::new(source))),
        Err(found) => Err(invalid(path, found)),
    }
}

fn invalid(path: &Path, found: Vec<Diagnostic>) -> TomlError {
    let of = if found.iter().all(|fault| fault.file == path) {
        path.file_name().unwrap_or(path.as_os_str()).display().to_string()
    } else {
        "these files".to_owned()
    };
    TomlError::Invalid { path: path.to_owned(), faults: Diagnostics::new(found).of(of) }
}

impl Faults {
    /// Reports another version of a file than the one that this program reads.
    pub(crate) fn version(&mut self, version: &Spanned<u32>, read: u32) {
        if *version.get_ref() != read {
            self.at(version.span(), format!("this program reads version {read}"));
        }
    }

    /// What was found, as an error; the value, if nothing was.
    ///
    /// # Errors
    /// When faults were reported.
    pub(crate) fn finish<T>(self, value: T) -> Result<T, TomlError> {
        let path = self.source().file().to_owned();
        self.check(value).map_err(|found| invalid(&path, found))
    }
}

/// The file as typed, or every fault of its TOML, or else of its shape.
pub(crate) fn typed<T: DeserializeOwned>(source: &Source) -> Result<T, Vec<Diagnostic>> {
    let (mut document, errors) = DeTable::parse_recoverable(source.text());
    if !errors.is_empty() {
        return Err(errors.iter().map(|error| shape_fault(source, error)).collect());
    }
    // Deserialization stops at its first error: take the part in question away and ask again, for the next one.
    let mut faults = Vec::new();
    let mut removed: Vec<String> = Vec::new();
    loop {
        match T::deserialize(toml::Deserializer::from(document.clone())) {
            Ok(file) if faults.is_empty() => return Ok(file),
            Ok(_) => return Err(faults),
            Err(error) => {
                let follow_up = removed.iter().any(|key| error.message() == format!("missing field `{key}`"));
                if !follow_up {
                    faults.push(shape_fault(source, &error));
                }
                match error.span().and_then(|span| remove(document.get_mut(), &span)) {
                    Some(key) => removed.push(key),
                    None => return Err(faults),
                }
            }
        }
    }
}

/// Removes the entry whose key or value is at `span`, and returns its key. A missing field's span is that of its whole
/// table, which then goes too, unless it is the document. The innermost entry goes: a list of tables has the span of
/// its first one.
fn remove(table: &mut DeTable<'_>, span: &Range<usize>) -> Option<String> {
    let inner = table.iter_mut().find_map(|(key, value)| remove_within(key.get_ref(), value.get_mut(), span));
    if inner.is_some() {
        return inner;
    }
    let found = table.iter().find(|(key, value)| key.span() == *span || value.span() == *span);
    let key = found.map(|(key, _)| key.get_ref().to_string())?;
    table.remove(key.as_str());
    Some(key)
}

fn remove_within(key: &str, value: &mut DeValue<'_>, span: &Range<usize>) -> Option<String> {
    match value {
        DeValue::Table(table) => remove(table, span),
        DeValue::Array(items) => {
            let inner = items.iter_mut().find_map(|item| remove_within(key, item.get_mut(), span));
            if inner.is_some() {
                return inner;
            }
            if let Some(index) = items.iter().position(|item| item.span() == *span) {
                let mut kept = DeArray::new();
                items
                    .iter()
                    .enumerate()
                    .filter(|(other, _)| *other != index)
                    .for_each(|(_, item)| kept.push(item.clone()));
                *items = kept;
                return Some(key.to_owned());
            }
            None
        }
        _ => None,
    }
}

fn shape_fault(source: &Source, error: &toml::de::Error) -> Diagnostic {
    let span = error.span().unwrap_or(0..0);
    let (message, rest) = match error.message().split_once(", expected") {
        Some((message, expected)) => (message, Some(format!("expected{expected}"))),
        None => (error.message(), None),
    };
    let fault = Diagnostic::at(source, span, message.replace('\n', "; "));
    match rest {
        Some(expected) => fault.label("here").help(expected.replace('\n', "; ")),
        None => fault.label("here"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Entry {
        size: u32,
        #[serde(default)]
        names: Vec<String>,
    }

    fn lines(text: &str) -> Vec<String> {
        let error = parse::<BTreeMap<String, Entry>>(Path::new("x/sample.toml"), text.to_owned()).unwrap_err();
        let TomlError::Invalid { faults, .. } = &error else { unreachable!("{error}") };
        faults.to_string().lines().map(str::to_owned).collect()
    }

    #[test]
    fn every_fault_of_the_shape_comes_at_once() {
        assert_eq!(
            lines("[a]\nsize = 'x'\n[b]\nsize = 1\nname = 3\n[c]\nsize = 1\nnames = [1]\n"),
            [
                "x/sample.toml:2:8: invalid type: string \"x\"",
                "x/sample.toml:5:1: unknown field `name`",
                "x/sample.toml:8:10: invalid type: integer `1`",
            ]
        );
    }

    #[test]
    fn a_fault_of_the_meaning_is_shown_with_its_line() {
        let text = "version = 2\n".to_owned();
        let (value, mut faults) = parse::<BTreeMap<String, Spanned<u32>>>(Path::new("x/sample.toml"), text).unwrap();
        faults.version(&value["version"], 1);
        let shown = faults.finish(()).unwrap_err().to_string();
        assert!(shown.starts_with("x/sample.toml is not valid\n"), "{shown}");
        assert!(shown.contains("1 \u{2502} version = 2") && shown.ends_with("1 fault in sample.toml"), "{shown}");
    }

    #[test]
    fn a_file_that_is_not_there_is_an_error_or_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none.toml");
        assert!(read_if_there::<Entry>(&path).unwrap().is_none());
        assert!(read::<Entry>(&path).unwrap_err().to_string().contains("none.toml cannot be read: "));
    }
}
