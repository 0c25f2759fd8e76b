//! Names of wheels, and what they ask for.

use std::str::FromStr;
use std::sync::LazyLock;

use pep440_rs::Version;
use regex::Regex;

use super::pip::Pip;
use super::refused::Refused;
use crate::suite::project_name::normalised;

/// What pip before 10 takes for the name of a wheel.
static LEGACY: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^(.+?)-([0-9].*?)(?:(?:-[0-9].*?)?-.+?-.+?-.+?\.whl|\.dist-info)$").ok());

/// The requirement `NAME==VERSION` that a wheel stands for, by its file's name.
pub(super) fn requirement(file: &str, pip: Pip) -> Result<String, Refused> {
    let invalid = || Refused::error(format!("{file} is not a valid wheel filename."));
    if pip.is_legacy() {
        let found = LEGACY.as_ref().and_then(|form| form.captures(file)).ok_or_else(invalid)?;
        return Ok(format!("{}=={}", found[1].replace('_', "-"), found[2].replace('_', "-")));
    }
    let stem = file.strip_suffix(".whl").ok_or_else(invalid)?;
    let parts: Vec<&str> = stem.split('-').collect();
    let (name, version, build, tags) = match parts.as_slice() {
        [name, version, tags @ ..] if tags.len() == 3 => (name, version, None, tags),
        [name, version, build, tags @ ..] if tags.len() == 3 => (name, version, Some(build), tags),
        _ => return Err(invalid()),
    };
    let newest = pip.is_newest();
    let of_name = |character: char| character.is_alphanumeric() || character == '_' || character == '.';
    let valid = name.chars().all(of_name)
        && !name.contains("__")
        && !(newest && name.is_empty())
        && build.is_none_or(|build| build.starts_with(|first: char| first.is_ascii_digit()))
        && !(newest && tags.iter().any(|tag| tag.split('.').any(str::is_empty)))
        && (!newest || tags[0].split('.').all(is_identifier));
    let version = Version::from_str(version).map_err(|_| invalid())?;
    if valid { Ok(format!("{}=={version}", normalised(name))) } else { Err(invalid()) }
}

fn is_identifier(text: &str) -> bool {
    text.starts_with(|first: char| first.is_alphabetic() || first == '_')
        && text.chars().all(|character| character.is_alphanumeric() || character == '_')
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::contract_tier::requirements::samples::{NEW, OLD};

    #[test]
    fn a_wheel_stands_for_its_version() {
        for pip in [OLD, NEW] {
            assert_eq!(requirement("six-1.17.0-py2.py3-none-any.whl", pip).unwrap(), "six==1.17.0");
            assert_eq!(requirement("six.whl", pip).unwrap_err().exit_code, 1);
        }
        assert_eq!(requirement("A_b-1.0-1-py3-none-any.whl", NEW).unwrap(), "a-b==1.0");
        assert!(requirement("six-x-py3-none-any.whl", NEW).is_err());
    }
}
