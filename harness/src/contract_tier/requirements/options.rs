//! Options in a line of a requirement file: which a pip knows there, and what it accepts as their values.

use super::optparse::{Given, Known};
use super::pip::Pip;
use super::refused::Refused;

const SHARED: &[Known] = &[
    (&["--constraint", "-c"], true),
    (&["--editable", "-e"], true),
    (&["--requirement", "-r"], true),
    (&["--no-index"], false),
    (&["--index-url", "-i", "--pypi-url"], true),
    (&["--find-links", "-f"], true),
    (&["--extra-index-url"], true),
    (&["--no-binary"], true),
    (&["--only-binary"], true),
    (&["--pre"], false),
    (&["--trusted-host"], true),
    (&["--require-hashes"], false),
    (&["--hash"], true),
];

/// What pip before 10 knows beside.
const LEGACY: &[Known] = &[
    (&["--allow-external"], true),
    (&["--allow-all-external"], false),
    (&["--no-allow-external"], false),
    (&["--allow-unverified", "--allow-insecure"], true),
    (&["--no-allow-insecure"], false),
    (&["--use-wheel"], false),
    (&["--no-use-wheel"], false),
    (&["--always-unzip", "-Z"], false),
    (&["--process-dependency-links"], false),
    (&["--install-option"], true),
    (&["--global-option"], true),
];

/// What today's pip knows beside.
const MODERN: &[Known] = &[
    (&["--prefer-binary"], false),
    (&["--all-releases"], true),
    (&["--only-final"], true),
    (&["--use-feature"], true),
    (&["--config-settings", "-C"], true),
];

/// What pip knows since 26.1.
const NEWEST: &[Known] = &[(&["--no-require-hashes"], false)];

/// The features of `--use-feature` that pip 26.0 and 26.3 both know.
const FEATURES: [&str; 5] =
    ["fast-deps", "build-constraint", "inprocess-build-deps", "truststore", "no-binary-enable-wheel-cache"];
const NEWEST_FEATURE: &str = "venv-isolation";

/// What the options of a line say, as far as it decides what is asked for: pip heeds the first of each in a line.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) requirement: Option<String>,
    pub(super) constraint: Option<String>,
    pub(super) editable: Option<String>,
    /// Whether hashes are required, and whether they are not.
    pub(super) hashes: [bool; 2],
    /// Whether there is a hash.
    pub(super) hashed: bool,
}

impl Options {
    pub(super) fn parse(words: Vec<String>, pip: Pip) -> Result<Self, Refused> {
        let lists: &[&[Known]] = match () {
            () if pip.is_legacy() => &[SHARED, LEGACY],
            () if pip.is_newest() => &[SHARED, MODERN, NEWEST],
            () => &[SHARED, MODERN],
        };
        let given = Given::parse(words, lists).map_err(Refused::error)?;
        for (name, value) in &given.options {
            check(name, value.as_deref().unwrap_or_default(), pip).map_err(Refused::error)?;
        }
        let first = |name| given.values(name).next().map(str::to_owned);
        Ok(Self {
            requirement: first("--requirement"),
            constraint: first("--constraint"),
            editable: first("--editable"),
            hashed: given.has("--hash"),
            hashes: ["--require-hashes", "--no-require-hashes"].map(|name| given.has(name)),
        })
    }
}

/// Whether a value is one for its option.
fn check(name: &str, value: &str, pip: Pip) -> Result<(), String> {
    let good = match name {
        "--hash" => {
            let algorithm = value.split_once(':').map_or("", |(algorithm, _)| algorithm);
            ["sha256", "sha384", "sha512"].contains(&algorithm)
        }
        "--config-settings" => value.contains('='),
        "--no-binary" | "--only-binary" | "--all-releases" | "--only-final" => {
            pip.is_legacy() || !value.starts_with('-')
        }
        "--use-feature" => FEATURES.contains(&value) || (pip.is_newest() && value == NEWEST_FEATURE),
        _ => true,
    };
    if good { Ok(()) } else { Err(format!("option {name}: invalid value: '{value}'")) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::contract_tier::requirements::samples::{NEW, OLD};

    fn parse(line: &str, pip: Pip) -> Result<Options, Refused> {
        Options::parse(line.split(' ').map(str::to_owned).collect(), pip)
    }

    #[test]
    fn the_first_of_each_counts_wherever_it_stands() {
        let options = parse("--pre -r a.txt -r b.txt words --constr=c.txt -- -e x", NEW).unwrap();
        let expected =
            Options { requirement: Some("a.txt".into()), constraint: Some("c.txt".into()), ..Options::default() };
        assert_eq!(options, expected);
        assert_eq!(parse("-ra.txt --ed .", NEW).unwrap().editable.unwrap(), ".");
    }

    #[test]
    fn what_the_parser_refuses() {
        for line in ["--no-such", "-x", "-r", "--pre=1", "--re x", "--hash=md5:0", "--use-feature=x", "-C x"] {
            assert_eq!(parse(line, NEW).unwrap_err().exit_code, 1, "{line}");
        }
    }

    #[test]
    fn each_pip_has_its_options() {
        assert!(parse("--allow-all-external", OLD).is_ok() && parse("--allow-all-external", NEW).is_err());
        assert!(parse("--prefer-binary", OLD).is_err() && parse("--prefer-binary", NEW).is_ok());
        assert!(parse("--no-require-hashes", Pip { version: (26, 0, 1), ..NEW }).is_err());
    }
}
