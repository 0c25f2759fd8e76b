//! Requirement files, as far as it takes to know which tools of version control they need.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The lines of a requirement file without comments and in lower case, and those of the files that it names, each once. What cannot
/// be read is for pip to complain about.
pub fn lines(file: &Path) -> Vec<String> {
    let mut found = Vec::new();
    collect(file, &mut BTreeSet::new(), &mut found);
    found
}

fn collect(file: &Path, seen: &mut BTreeSet<PathBuf>, found: &mut Vec<String>) {
    let Ok(path) = file.canonicalize() else { return };
    let Ok(content) = std::fs::read(&path) else { return };
    if !seen.insert(path) {
        return;
    }
    for line in String::from_utf8_lossy(&content).lines() {
        let line = without_comment(line).trim();
        found.push(line.to_lowercase());
        if let Some(named) = named_file(line) {
            collect(&file.parent().unwrap_or(Path::new("")).join(named), seen, found);
        }
    }
}

/// A comment begins a line or follows white space.
fn without_comment(line: &str) -> &str {
    let begins = |index: &usize| line[..*index].chars().next_back().is_none_or(char::is_whitespace);
    line.match_indices('#').map(|(index, _)| index).find(begins).map_or(line, |index| &line[..index])
}

/// The file that a line has pip read, too.
fn named_file(line: &str) -> Option<&str> {
    let value = match line.strip_prefix("--requirement") {
        Some(rest) => rest.strip_prefix(|first: char| first == '=' || first.is_whitespace())?,
        None => line.strip_prefix("-r")?,
    };
    Some(value.trim()).filter(|value| !value.is_empty())
}
