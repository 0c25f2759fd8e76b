//! The folders of a suite: which of them are scenarios, and what looks like a scenario and would silently never run.
//!
//! Scenarios are one folder deep, and their file is `scenario.toml`. The folder `repositories` is the fixtures', and hidden folders are
//! those of editors and tools.

use std::fs;
use std::path::{Path, PathBuf};

use crate::suite::diagnostic::Diagnostic;

/// The name of the scenario file in a scenario's folder.
pub(crate) const SCENARIO_FILE: &str = "scenario.toml";

/// The application's folder in a scenario's folder.
pub(crate) const APP_FOLDER: &str = "app";

/// The folder of a volume's files in a scenario's folder.
pub(crate) const VOLUME_FOLDER: &str = "volume";

/// The folder beside the scenarios that has the repositories of the fixtures.
const REPOSITORIES: &str = "repositories";

/// How deep scenarios are looked for where they must not be.
const DEPTH: usize = 6;

/// The names of the folders with a scenario file, sorted.
pub(super) fn scenarios(root: &Path, faults: &mut Vec<Diagnostic>) -> Vec<String> {
    let unreadable = |error: std::io::Error| {
        Diagnostic::of(root, format!("the folder of the scenarios cannot be read: {error}"))
            .help("--scenarios names the folder that has a folder for each scenario")
    };
    let entries = match fs::read_dir(root).and_then(Iterator::collect::<Result<Vec<_>, _>>) {
        Ok(entries) => entries,
        Err(error) => {
            faults.push(unreadable(error));
            return Vec::new();
        }
    };
    let mut names = Vec::new();
    for entry in entries {
        let (path, name) = (entry.path(), PathBuf::from(entry.file_name()));
        let is_hidden = name.as_os_str().as_encoded_bytes().starts_with(b".");
        if path.is_dir() {
            // A link counts, even a dangling one: its author means a scenario.
            if fs::symlink_metadata(path.join(SCENARIO_FILE)).is_ok() {
                match entry.file_name().into_string() {
                    Ok(name) => names.push(name),
                    Err(name) => faults.push(bad_name(&name.to_string_lossy())),
                }
                faults.extend(never_run(&path, &name));
            } else if !is_hidden && name != Path::new(REPOSITORIES) {
                let found = never_run(&path, &name);
                faults.extend(if found.is_empty() { vec![without_file(&path, &name)] } else { found });
            }
        } else if is_scenario_file(&name) {
            faults.push(
                Diagnostic::of(&name, "a scenario file that is in no scenario's folder never runs")
                    .help(format!("move it into a folder: `NAME/{SCENARIO_FILE}`")),
            );
        } else if !is_hidden && !path.exists() {
            faults.push(Diagnostic::of(&name, "the link leads nowhere").help("remove it, or mend it"));
        }
    }
    names.sort();
    names
}

/// A folder that is no scenario's, and has nothing in it that looks like one.
fn without_file(path: &Path, name: &Path) -> Diagnostic {
    let message = if path.join(APP_FOLDER).is_dir() {
        format!("the folder has `{APP_FOLDER}/` but no `{SCENARIO_FILE}`")
    } else {
        format!("the folder has no `{SCENARIO_FILE}`")
    };
    Diagnostic::of(name, message).help(format!("write `{}`, or remove the folder", name.join(SCENARIO_FILE).display()))
}

/// What looks like a scenario in a folder of the suite, and never runs: files with another spelling, and scenarios in folders of
/// folders. Applications and volumes may hold anything.
fn never_run(folder: &Path, name: &Path) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    let mut waiting = vec![(PathBuf::new(), 0)];
    while let Some((inner, depth)) = waiting.pop() {
        let Ok(entries) = fs::read_dir(folder.join(&inner)) else { continue };
        for entry in entries.flatten() {
            let path = inner.join(entry.file_name());
            let shown = name.join(&path);
            // Links are not followed.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                let is_content = [APP_FOLDER, VOLUME_FOLDER].iter().any(|content| entry.file_name() == *content);
                if !is_content && depth < DEPTH {
                    waiting.push((path, depth + 1));
                }
            } else if !is_scenario_file(Path::new(&entry.file_name())) {
            } else if depth > 0 {
                faults.push(
                    Diagnostic::of(&shown, "a scenario in a folder of a folder never runs")
                        .help("move its folder up: the folders of scenarios are beside each other"),
                );
            } else if entry.file_name() != SCENARIO_FILE {
                faults.push(
                    Diagnostic::of(&shown, format!("a scenario file that is not named `{SCENARIO_FILE}` never runs"))
                        .help(format!("rename it to `{}`", name.join(SCENARIO_FILE).display())),
                );
            }
        }
    }
    faults
}

/// Whether a file is named as that of a scenario, whatever the case, or as if it were in another format.
fn is_scenario_file(name: &Path) -> bool {
    let is = |part: Option<&std::ffi::OsStr>, words: &[&str]| {
        part.is_some_and(|part| words.iter().any(|word| part.eq_ignore_ascii_case(word)))
    };
    is(name.file_stem(), &["scenario"]) && is(name.extension(), &["toml", "yaml", "yml", "json"])
}

/// The fault of a name that is not in kebab case.
pub(super) fn bad_name(name: &str) -> Diagnostic {
    Diagnostic::of(Path::new(&name.escape_debug().to_string()), "the name of a scenario's folder is not in kebab case")
        .help("use lower-case letters, digits and single hyphens, such as `hello-wsgi`")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::suite::diagnostic::Diagnostics;

    /// What comes of files at these paths, all in one suite.
    fn found(paths: &[&str]) -> (Vec<String>, String) {
        let root = tempfile::tempdir().unwrap();
        for path in paths {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        symlink("nowhere", root.path().join(".#editor")).unwrap();
        let mut faults = Vec::new();
        let names = scenarios(root.path(), &mut faults);
        (names, Diagnostics::new(faults).to_string())
    }

    #[test]
    fn scenarios_are_beside_each_other() {
        let fine = ["a/scenario.toml", "a/app/scenario.yaml", "a/volume/x/Scenario.toml", "b/scenario.toml"];
        let beside =
            ["contract.toml", "scenario.schema.json", "repositories/x.git/scenario.toml", ".idea/x/workspace.xml"];
        assert_eq!(found(&[&fine[..], &beside[..]].concat()), (vec!["a".to_owned(), "b".to_owned()], String::new()));
    }

    #[test]
    fn what_would_never_run_is_told() {
        for (path, told) in [
            ("x/Scenario.toml", "x/Scenario.toml: a scenario file that is not named `scenario.toml` never runs"),
            ("x/scenario.TOML", "x/scenario.TOML: a scenario file that is not named `scenario.toml` never runs"),
            ("x/scenario.yaml", "x/scenario.yaml: a scenario file that is not named `scenario.toml` never runs"),
            ("x/y/scenario.toml", "x/y/scenario.toml: a scenario in a folder of a folder never runs"),
            ("x/y/z/scenario.yml", "x/y/z/scenario.yml: a scenario in a folder of a folder never runs"),
            ("a/more/scenario.toml", "a/more/scenario.toml: a scenario in a folder of a folder never runs"),
            ("scenario.toml", "scenario.toml: a scenario file that is in no scenario's folder never runs"),
            ("x/app/wsgi.py", "x: the folder has `app/` but no `scenario.toml`"),
            ("x/notes.md", "x: the folder has no `scenario.toml`"),
        ] {
            assert_eq!(found(&["a/scenario.toml", path]), (vec!["a".to_owned()], told.to_owned()), "{path}");
        }
    }

    #[test]
    fn a_link_to_nothing_is_told() {
        let root = tempfile::tempdir().unwrap();
        symlink("nowhere", root.path().join("gone")).unwrap();
        let mut faults = Vec::new();
        assert!(scenarios(root.path(), &mut faults).is_empty());
        assert_eq!(Diagnostics::new(faults).to_string(), "gone: the link leads nowhere");
    }
}
