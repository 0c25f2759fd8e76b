//! The options of `pip install`, of each pip, and what they come to.

use std::collections::BTreeMap;

use crate::contract_tier::requirements::Pip;
use crate::contract_tier::requirements::optparse::{Given, Known};

const SHARED: &[Known] = &[
    (&["--constraint", "-c"], true),
    (&["--editable", "-e"], true),
    (&["--requirement", "-r"], true),
    (&["--target", "-t"], true),
    (&["--src", "--source", "--source-dir", "--source-directory"], true),
    (&["--upgrade", "-U"], false),
    (&["--upgrade-strategy"], true),
    (&["--force-reinstall"], false),
    (&["--ignore-installed", "-I"], false),
    (&["--ignore-requires-python"], false),
    (&["--no-deps", "--no-dependencies"], false),
    (&["--user"], false),
    (&["--root"], true),
    (&["--prefix"], true),
    (&["--compile"], false),
    (&["--no-compile"], false),
    (&["--no-binary"], true),
    (&["--only-binary"], true),
    (&["--pre"], false),
    (&["--no-clean"], false),
    (&["--require-hashes"], false),
    (&["--index-url", "-i", "--pypi-url"], true),
    (&["--extra-index-url"], true),
    (&["--no-index"], false),
    (&["--find-links", "-f"], true),
    (&["--help", "-h"], false),
    (&["--isolated"], false),
    (&["--require-virtualenv", "--require-venv"], false),
    (&["--verbose", "-v"], false),
    (&["--quiet", "-q"], false),
    (&["--log", "--log-file", "--local-log"], true),
    (&["--no-input"], false),
    (&["--proxy"], true),
    (&["--retries"], true),
    (&["--timeout", "--default-timeout"], true),
    (&["--exists-action"], true),
    (&["--trusted-host"], true),
    (&["--cert"], true),
    (&["--client-cert"], true),
    (&["--cache-dir"], true),
    (&["--no-cache-dir"], false),
    (&["--disable-pip-version-check"], false),
];

/// What pip before 10 knows beside.
const LEGACY: &[Known] = &[
    (&["--build", "-b", "--build-dir", "--build-directory"], true),
    (&["--download", "-d", "--download-dir", "--download-directory"], true),
    (&["--install-option"], true),
    (&["--global-option"], true),
    (&["--egg"], false),
    (&["--use-wheel"], false),
    (&["--no-use-wheel"], false),
    (&["--process-dependency-links"], false),
    (&["--allow-external"], true),
    (&["--allow-all-external"], false),
    (&["--no-allow-external"], false),
    (&["--allow-unverified", "--allow-insecure"], true),
    (&["--no-allow-insecure"], false),
    (&["--default-vcs"], true),
    (&["--skip-requirements-regex"], true),
    (&["--version", "-V"], false),
];

/// What today's pip knows beside.
const MODERN: &[Known] = &[
    (&["--build-constraint"], true),
    (&["--requirements-from-script"], true),
    (&["--dry-run"], false),
    (&["--platform"], true),
    (&["--python-version"], true),
    (&["--implementation"], true),
    (&["--abi"], true),
    (&["--no-user"], false),
    (&["--no-build-isolation"], false),
    (&["--use-pep517"], false),
    (&["--check-build-dependencies"], false),
    (&["--break-system-packages"], false),
    (&["--config-settings", "-C"], true),
    (&["--no-warn-script-location"], false),
    (&["--no-warn-conflicts"], false),
    (&["--progress-bar"], true),
    (&["--root-user-action"], true),
    (&["--report"], true),
    (&["--group"], true),
    (&["--all-releases"], true),
    (&["--only-final"], true),
    (&["--prefer-binary"], false),
    (&["--uploaded-prior-to"], true),
    (&["--debug"], false),
    (&["--python"], true),
    (&["--keyring-provider"], true),
    (&["--no-color"], false),
    (&["--no-python-version-warning"], false),
    (&["--use-feature"], true),
    (&["--use-deprecated"], true),
    (&["--resume-retries"], true),
];

/// What pip knew until 26.0.
const BEFORE_NEWEST: &[Known] = &[(&["--version", "-V"], false)];

/// What pip knows since 26.1.
const NEWEST: &[Known] = &[
    (&["--only-deps", "--only-dependencies"], false),
    (&["--no-require-hashes"], false),
    (&["--refresh-package"], true),
    (&["--no-proxy-env"], false),
];

/// Options that have something installed where an application does not find it.
const ELSEWHERE: [&str; 4] = ["--target", "--prefix", "--root", "--user"];
/// Options that have nothing installed.
const NOTHING: [&str; 3] = ["--dry-run", "--download", "--only-deps"];
/// Options that leave something out that a requirement may need.
const LESS: [&str; 3] = ["--no-deps", "--only-binary", "--no-index"];
/// Where an application finds what is installed.
const PREFIX: &str = "/usr/local/wsgi";

/// What a command line asks for.
#[derive(Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub(super) struct Wanted {
    pub(super) help: bool,
    pub(super) files: Vec<String>,
    pub(super) constraints: Vec<String>,
    pub(super) words: Vec<String>,
    pub(super) editable: Vec<String>,
    pub(super) upgrade: bool,
    /// What to do about a checkout that is there, in the order in which it is tried.
    pub(super) exists_action: Vec<String>,
    /// Whether a pre-release is as good as a release.
    pub(super) pre_release: bool,
    /// Whether what has no hash is refused.
    pub(super) require_hashes: bool,
    pub(super) source: Option<String>,
    /// Whether there is an index, or a folder in its place.
    pub(super) index: bool,
    /// The option that has nothing installed.
    pub(super) nothing: Option<&'static str>,
    /// The option that has it installed where an application does not find it.
    pub(super) elsewhere: Option<&'static str>,
    /// The options that leave something out.
    pub(super) less: Vec<&'static str>,
}

impl Wanted {
    /// What the words after `install` ask for, with the variables that stand for options.
    ///
    /// # Errors
    /// When this pip does not accept them.
    pub(super) fn of(words: Vec<String>, environment: &BTreeMap<String, String>, pip: Pip) -> Result<Self, String> {
        let lists = lists(pip);
        let given = Given::parse(words, lists)?;
        if let Some(other) = given.values("--exists-action").find(|value| !["s", "i", "w", "b", "a"].contains(value)) {
            return Err(format!("option --exists-action: invalid choice: '{other}'"));
        }
        let of_variable = |name: &str| variable(name, environment);
        let is_on = |name: &str| {
            // A variable of a flag is off with any of these.
            let off = |value: &str| ["", "0", "n", "no", "f", "false", "off"].contains(&value.to_lowercase().as_str());
            given.has(name) || of_variable(name).is_some_and(|value| !off(value))
        };
        let last = |name| given.values(name).last().or_else(|| of_variable(name)).map(str::to_owned);
        let all = |name| {
            let values: Vec<String> = given.values(name).map(str::to_owned).collect();
            let by_variable = || of_variable(name).map(|value| value.split_whitespace().map(str::to_owned).collect());
            if values.is_empty() { by_variable().unwrap_or_default() } else { values }
        };
        let known = |name: &str| lists.iter().any(|list| list.iter().any(|(names, _)| names.first() == Some(&name)));
        let set = |name: &&'static str| match *name {
            _ if !known(name) => false,
            "--target" | "--download" => last(name).is_some(),
            "--prefix" => last(name).is_some_and(|folder| folder.trim_end_matches('/') != PREFIX),
            "--root" => last(name).is_some_and(|folder| !folder.trim_end_matches('/').is_empty()),
            "--only-binary" => last(name).is_some_and(|names| names != ":none:"),
            "--user" => is_on(name) && !given.has("--no-user"),
            flag => is_on(flag),
        };
        Ok(Self {
            help: given.has("--help"),
            files: all("--requirement"),
            constraints: all("--constraint"),
            editable: all("--editable"),
            upgrade: ["--upgrade", "--force-reinstall", "--ignore-installed", "--target"]
                .iter()
                .any(|name| if *name == "--target" { last(name).is_some() } else { is_on(name) }),
            exists_action: all("--exists-action"),
            pre_release: is_on("--pre"),
            require_hashes: is_on("--require-hashes"),
            source: last("--src"),
            index: !is_on("--no-index") || last("--find-links").is_some(),
            nothing: NOTHING.iter().find(|name| set(name)).copied(),
            elsewhere: ELSEWHERE.iter().find(|name| set(name)).copied(),
            less: LESS.into_iter().filter(|name| set(name)).collect(),
            words: given.words,
        })
    }
}

/// Where the command stands among words that may begin with options of pip itself.
pub(super) fn command(words: &[String], pip: Pip) -> Option<usize> {
    let takes = |word: &String| {
        lists(pip).iter().flat_map(|list| list.iter()).any(|(names, takes)| *takes && names.contains(&word.as_str()))
    };
    let mut value = false;
    words.iter().position(|word| {
        let found = !value && !word.starts_with('-');
        value = !value && takes(word);
        found
    })
}

fn lists(pip: Pip) -> &'static [&'static [Known]] {
    match () {
        () if pip.is_legacy() => &[SHARED, LEGACY],
        () if pip.is_newest() => &[SHARED, MODERN, NEWEST],
        () => &[SHARED, MODERN, BEFORE_NEWEST],
    }
}

/// The variable that stands for an option, such as `PIP_NO_DEPS`.
fn variable<'a>(name: &str, environment: &'a BTreeMap<String, String>) -> Option<&'a str> {
    let name = format!("PIP_{}", name.trim_start_matches('-').replace('-', "_").to_uppercase());
    environment.get(&name).map(String::as_str).filter(|value| !value.is_empty())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::contract_tier::requirements::samples::{NEW, OLD};

    fn wanted(line: &str, variables: &[(&str, &str)], pip: Pip) -> Result<Wanted, String> {
        let environment = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Wanted::of(line.split_whitespace().map(str::to_owned).collect(), &environment, pip)
    }

    #[test]
    fn the_article_s_command_line_is_that_of_an_old_pip() {
        let line = "-r requirements.txt -U --allow-all-external --exists-action=w --src=.docker/tmp";
        let old = wanted(line, &[], OLD).unwrap();
        assert_eq!((old.files, old.source.unwrap()), (vec!["requirements.txt".to_owned()], ".docker/tmp".to_owned()));
        assert!(old.upgrade && old.exists_action == ["w"] && old.less.is_empty());
        assert_eq!(wanted(line, &[], NEW).unwrap_err(), "no such option: --allow-all-external");
        assert_eq!(wanted("--dry-run x", &[], OLD).unwrap_err(), "no such option: --dry-run");
    }

    #[test]
    fn options_that_change_what_is_installed_or_where() {
        for (line, pip, nothing, elsewhere, less) in [
            ("-r a --no-deps", NEW, None, None, vec!["--no-deps"]),
            ("-r a --only-binary=:all: --no-index", NEW, None, None, vec!["--only-binary", "--no-index"]),
            ("-r a --dry", NEW, Some("--dry-run"), None, vec![]),
            ("-r a -d x", OLD, Some("--download"), None, vec![]),
            ("-r a -t x", NEW, None, Some("--target"), vec![]),
            ("-r a --prefix /usr/local/wsgi/ --root=/", NEW, None, None, vec![]),
            ("-r a --prefix x", OLD, None, Some("--prefix"), vec![]),
            ("-r a --user", OLD, None, Some("--user"), vec![]),
        ] {
            let found = wanted(line, &[], pip).unwrap();
            assert_eq!((found.nothing, found.elsewhere, found.less), (nothing, elsewhere, less), "{line}");
        }
    }

    #[test]
    fn variables_stand_for_options() {
        let variables =
            [("PIP_NO_DEPS", "1"), ("PIP_CONSTRAINT", "a b"), ("PIP_UPGRADE", "off"), ("PIP_DRY_RUN", "yes")];
        let found = wanted("x", &variables, NEW).unwrap();
        assert_eq!((found.less, found.constraints.len(), found.upgrade), (vec!["--no-deps"], 2, false));
        assert_eq!(found.nothing, Some("--dry-run"));
        assert_eq!(wanted("x", &variables, OLD).unwrap().nothing, None);
    }

    #[test]
    fn what_a_checkout_a_hash_and_a_pre_release_come_to() {
        let found = wanted("-r a --exists-action=s --exists-action w --pre --require-hashes", &[], NEW).unwrap();
        assert!(found.exists_action == ["s", "w"] && found.pre_release && found.require_hashes);
        let found = wanted("-r a", &[("PIP_EXISTS_ACTION", "b w"), ("PIP_PRE", "1")], OLD).unwrap();
        assert!(found.exists_action == ["b", "w"] && found.pre_release && !found.require_hashes);
        assert!(wanted("-r a --exists-action=x", &[], OLD).is_err());
    }

    #[test]
    fn the_command_comes_after_options_of_pip_itself() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(command(&words("--timeout 5 -q install six"), NEW), Some(3));
        assert_eq!(command(&words("--version"), NEW), None);
    }
}
