//! What git keeps of the repository's root and of its sizes: a report or an archive that came in by mistake stays in the history.

use std::io;
use std::process::Command;

use crate::root;

/// What there is at the root.
const ROOT: [&str; 26] = [
    ".cargo",
    ".ci",
    ".editorconfig",
    ".gitattributes",
    ".github",
    ".gitignore",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "SECURITY.md",
    "_typos.toml",
    "action",
    "action.yml",
    "clippy.toml",
    "container",
    "deny.toml",
    "docs",
    "harness",
    "images",
    "rustfmt.toml",
    "scenarios",
    "tests",
    "xtask",
];
/// The most that a file has, in bytes. The largest is Cargo.lock.
const MOST: u64 = 256 << 10;

/// The files that should not be there, and why.
fn strangers() -> io::Result<Vec<String>> {
    let output = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output()?;
    if !output.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let mut strangers = Vec::new();
    for path in text.split_terminator('\0') {
        let first = path.split('/').next().unwrap_or(path);
        let size = root().join(path).symlink_metadata().map_or(0, |metadata| metadata.len());
        if !ROOT.contains(&first) {
            strangers.push(format!("{path}: nothing of this name is known at the root"));
        } else if size > MOST {
            strangers.push(format!("{path}: {size} bytes"));
        }
    }
    Ok(strangers)
}

#[test]
fn the_repository_keeps_what_is_known() {
    assert_eq!(strangers().unwrap_or_else(|error| vec![error.to_string()]), Vec::<String>::new());
}
