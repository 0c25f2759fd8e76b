//! The files of `user_vars`, each of which is a variable.

use std::ffi::{OsStr, OsString};
use std::fs::DirEntry;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// A variable's name and value.
pub type Variable = (OsString, OsString);

/// The variables, sorted: the name of a file, and its content but for the last line end.
pub fn read(folder: &Path) -> Vec<Variable> {
    let mut variables: Vec<Variable> = files(folder)
        .filter(|entry| is_name(&entry.file_name()))
        .filter_map(|entry| {
            let mut value = std::fs::read(entry.path()).ok()?;
            if value.last() == Some(&b'\n') {
                value.pop();
            }
            Some((entry.file_name(), OsString::from_vec(value)))
        })
        .collect();
    variables.sort();
    variables
}

/// The files that no variable can be named after, sorted.
pub fn passed_over(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        files(folder).filter(|entry| !is_name(&entry.file_name())).map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn files(folder: &Path) -> impl Iterator<Item = DirEntry> {
    let entries = std::fs::read_dir(folder.join("user_vars")).into_iter().flatten().flatten();
    entries.filter(|entry| entry.path().is_file())
}

fn is_name(name: &OsStr) -> bool {
    let name = name.as_bytes();
    let letter = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
    name.first().is_some_and(letter) && name.iter().all(|byte| letter(byte) || byte.is_ascii_digit())
}
