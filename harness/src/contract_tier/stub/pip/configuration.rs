//! pip's configuration files: each line stands for an option, as a variable does (`pip config`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The variable that names another file, or none where it is the null device.
const VARIABLE: &str = "PIP_CONFIG_FILE";
const NONE: &str = "/dev/null";

/// The variables, and those that lines of configuration files for this command stand for: variables go first.
pub(super) fn with_files(command: &str, environment: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let texts: Vec<String> = files(environment).iter().map(|path| read(path)).collect();
    with(command, environment, &texts)
}

/// The files, those that count more later.
fn files(environment: &BTreeMap<String, String>) -> Vec<PathBuf> {
    let named = environment.get(VARIABLE).filter(|name| !name.is_empty());
    if named.is_some_and(|name| name == NONE) {
        return Vec::new();
    }
    let mut files = vec![PathBuf::from("/etc/xdg/pip/pip.conf"), PathBuf::from("/etc/pip.conf")];
    let home = environment.get("HOME").map(Path::new);
    files.extend(home.map(|home| home.join(".pip/pip.conf")));
    let own = environment.get("XDG_CONFIG_HOME").map(PathBuf::from).or_else(|| home.map(|home| home.join(".config")));
    files.extend(own.map(|own| own.join("pip/pip.conf")));
    files.push(PathBuf::from("/usr/local/wsgi/pip.conf"));
    files.extend(named.map(PathBuf::from));
    files
}

fn read(path: &Path) -> String {
    std::fs::read(path).map(|text| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default()
}

fn with(command: &str, environment: &BTreeMap<String, String>, texts: &[String]) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    for wanted in ["global", command] {
        for text in texts {
            for (section, name, value) in settings(text) {
                if section == wanted {
                    let name = name.trim_start_matches('-').replace('-', "_").to_uppercase();
                    variables.insert(format!("PIP_{name}"), value);
                }
            }
        }
    }
    variables.extend(environment.iter().map(|(name, value)| (name.clone(), value.clone())));
    variables
}

/// Sections, names and values, as Python's `configparser` reads them.
fn settings(text: &str) -> Vec<(String, String, String)> {
    let mut section = "";
    let mut settings: Vec<(String, String, String)> = Vec::new();
    for line in text.lines() {
        let words = line.trim();
        if words.is_empty() || words.starts_with(['#', ';']) {
            continue;
        }
        if line.starts_with(char::is_whitespace) {
            if let Some((.., value)) = settings.last_mut() {
                *value = format!("{value} {words}");
            }
        } else if let Some(name) = words.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
            section = name;
        } else if let Some((name, value)) = words.split_once(['=', ':']) {
            settings.push((section.to_owned(), name.trim().to_owned(), value.trim().to_owned()));
        }
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_line_stands_for_an_option_and_a_variable_goes_first() {
        let texts = [
            "# a comment\n[install]\nno-deps = true\n[global]\ntimeout: 5\nfind-links =\n    a\n    b\n".to_owned(),
            "[global]\nno-deps = false\n[download]\ndest = x\n".to_owned(),
        ];
        let found = with("install", &variables(&[("PIP_TIMEOUT", "9")]), &texts);
        let expected = [("PIP_FIND_LINKS", " a b"), ("PIP_NO_DEPS", "true"), ("PIP_TIMEOUT", "9")];
        assert_eq!(found, variables(&expected));
    }

    #[test]
    fn the_null_device_stands_for_no_file() {
        assert!(files(&variables(&[("PIP_CONFIG_FILE", "/dev/null")])).is_empty());
        let found = files(&variables(&[("HOME", "/root"), ("PIP_CONFIG_FILE", "/x")]));
        assert!(found.contains(&PathBuf::from("/root/.config/pip/pip.conf")));
        assert_eq!(found.last(), Some(&PathBuf::from("/x")));
    }
}
