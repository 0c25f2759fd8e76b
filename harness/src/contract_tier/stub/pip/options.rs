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

/// What `pip uninstall` knows.
const UNINSTALL: &[Known] = &[(&["--yes", "-y"], false)];

/// What `pip wheel` knows beside.
const WHEEL: &[Known] = &[(&["--wheel-dir", "-w"], true), (&["--build-option"], true)];

/// What `pip download` knows beside. An old pip has it as an option of `install`.
const DOWNLOAD: &[Known] = &[(&["--dest", "-d", "--destination-dir", "--destination-directory"], true)];

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
const ELSEWHERE: [&str; 5] = ["--target", "--prefix", "--root", "--user", "--python"];
/// Options that have nothing installed.
const NOTHING: [&str; 3] = ["--dry-run", "--download", "--only-deps"];
/// Options that leave something out that a requirement may need.
const LESS: [&str; 5] = ["--no-deps", "--only-binary", "--no-binary", NO_INDEX, "--uploaded-prior-to"];
pub(super) const NO_INDEX: &str = "--no-index";
/// Beginnings of the addresses of an index that nothing serves: those of the sandbox itself.
const NO_SERVER: [&str; 5] = ["127.", "localhost", "[::1]", "0.0.0.0", "[::]"];
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
    /// Where to look beside the index, or in its place.
    pub(super) find_links: Vec<String>,
    /// Where `wheel` and `download` leave what they make.
    pub(super) wheels: Option<String>,
    /// The file that is to tell what was installed.
    pub(super) report: Option<String>,
    /// Whether nothing is asked.
    pub(super) agreed: bool,
    /// The option that has nothing installed.
    pub(super) nothing: Option<&'static str>,
    /// The option that has it installed where an application does not find it.
    pub(super) elsewhere: Option<&'static str>,
    /// The options that leave something out.
    pub(super) less: Vec<&'static str>,
}

impl Wanted {
    /// What the words after a command ask for that knows what `install` does, with the variables that stand for options.
    ///
    /// # Errors
    /// When this pip does not accept them.
    pub(super) fn of(
        command: &str,
        words: Vec<String>,
        environment: &BTreeMap<String, String>,
        pip: Pip,
    ) -> Result<Self, String> {
        let own: &[Known] = match command {
            "install" => &[],
            "uninstall" => UNINSTALL,
            "wheel" => WHEEL,
            _ => DOWNLOAD,
        };
        let lists: Vec<&[Known]> = [own].into_iter().chain(lists(pip).iter().copied()).collect();
        let given = Given::parse(words, &lists)?;
        let none = BTreeMap::new();
        let environment = if given.has("--isolated") { &none } else { environment };
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
            // Of a project that is named the step may know that it has a source; of all it cannot.
            "--no-binary" => last(name).is_some_and(|names| names.split(',').any(|one| one == ":all:")),
            "--python" => last(name).is_some_and(|python| !is_own(&python)),
            // So many days ago is what somebody waits for; a day that stays is not.
            "--uploaded-prior-to" => last(name).is_some_and(|time| !time.starts_with(['P', 'p'])),
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
            pre_release: is_on("--pre") || all("--all-releases").last().is_some_and(|names| names != ":none:"),
            require_hashes: is_on("--require-hashes"),
            source: last("--src"),
            index: last("--find-links").is_some()
                || !is_on(NO_INDEX)
                    && (last("--index-url").is_none_or(|address| is_served(&address))
                        || all("--extra-index-url").iter().any(|address| is_served(address))),
            find_links: all("--find-links"),
            wheels: given.values("--wheel-dir").chain(given.values("--dest")).last().map(str::to_owned),
            report: given.values("--report").last().map(str::to_owned),
            agreed: is_on("--yes"),
            nothing: NOTHING.iter().find(|name| set(name)).copied(),
            elsewhere: ELSEWHERE.iter().find(|name| set(name)).copied(),
            less: LESS.into_iter().filter(|name| set(name)).collect(),
            words: given.words,
        })
    }
}

/// Whether an interpreter, or the folder of its environment, is the one that an application has.
fn is_own(python: &str) -> bool {
    let rest = python.strip_prefix(PREFIX).map(|rest| rest.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest == "/bin" || rest.starts_with("/bin/python"))
}

/// Whether an index may be there.
fn is_served(address: &str) -> bool {
    let host = address.split_once("://").map_or(address, |(_, rest)| rest);
    let host = host.split('/').next().and_then(|host| host.rsplit('@').next()).unwrap_or(host);
    !NO_SERVER.iter().any(|begin| host.starts_with(begin))
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
        Wanted::of("install", line.split_whitespace().map(str::to_owned).collect(), &environment, pip)
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
            ("-r a --no-binary :all:", NEW, None, None, vec!["--no-binary"]),
            ("-r a --no-binary mercurial", NEW, None, None, vec![]),
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
    fn another_python_another_index_and_another_day() {
        for (line, elsewhere, index, less) in [
            ("x --python /usr/bin/python3", Some("--python"), true, vec![]),
            ("x --python /usr/local/wsgi", None, true, vec![]),
            ("x --python /usr/local/wsgi/bin/python3", None, true, vec![]),
            ("x -i http://127.0.0.1:9/simple", None, false, vec![]),
            ("x -i http://127.0.0.1:9/simple --extra-index-url https://pypi.org/simple", None, true, vec![]),
            ("x -i https://user@mirror.test/simple", None, true, vec![]),
            ("x --uploaded-prior-to 2001-01-01", None, true, vec!["--uploaded-prior-to"]),
            ("x --uploaded-prior-to P3D", None, true, vec![]),
        ] {
            let found = wanted(line, &[], NEW).unwrap();
            assert_eq!((found.elsewhere, found.index, found.less), (elsewhere, index, less), "{line}");
        }
        assert_eq!(wanted("x", &[("PIP_PYTHON", "/usr/bin/python3")], NEW).unwrap().elsewhere, Some("--python"));
        assert_eq!(wanted("x --isolated", &[("PIP_PYTHON", "/x"), ("PIP_NO_DEPS", "1")], NEW).unwrap().less.len(), 0);
        assert!(wanted("x --all-releases :all:", &[], NEW).unwrap().pre_release);
        assert!(!wanted("x --all-releases :none:", &[], NEW).unwrap().pre_release);
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
