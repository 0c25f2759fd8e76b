//! apt-get: package lists that come and go, packages that are installed from them, and taken away.

mod options;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use super::record::{Effect, Failing, Orders};
use super::{Done, agreed, appear, complain, disappear, say};
use options::Line;

const LISTS: &str = "/var/lib/apt/lists";
const FETCHED: &str = "deb.debian.org_debian_dists_stable_main_Packages";
const ARCHIVES: &str = "/var/cache/apt/archives";
/// Packages without programs that have stubs.
const KNOWN: [&str; 30] = [
    "adduser",
    "apt-transport-https",
    "apt-utils",
    "build-essential",
    "bzip2",
    "ca-certificates",
    "curl",
    "dirmngr",
    "file",
    "g++",
    "gcc",
    "gettext-base",
    "git-man",
    "gnupg",
    "less",
    "libc6-dev",
    "libexpat1",
    "locales",
    "lsb-release",
    "make",
    "mercurial-common",
    "netbase",
    "openssl",
    "patch",
    "perl",
    "pkg-config",
    "procps",
    "unzip",
    "wget",
    "xz-utils",
];
/// Names with this beginning are those of no package.
const NO_PACKAGE: &str = "wsgi-proof-";
/// What apt ends with when anything goes wrong.
const WRONG: i32 = 100;

pub(super) fn act(arguments: &[String], environment: &BTreeMap<String, String>, orders: &Orders) -> io::Result<Done> {
    let line = Line::of(arguments, environment);
    let fails = |at| {
        orders.fails(at).map(|failure| {
            complain(&format!("E: {}", failure.message));
            Done::failing(failure)
        })
    };
    let lists = line.folder("Dir::State::Lists", LISTS);
    match line.words.first().map(String::as_str) {
        Some("update") => {
            if let Some(done) = fails(Failing::AptUpdate) {
                return Ok(done);
            }
            fs::create_dir_all(lists.join("partial"))?;
            fs::write(lists.join(FETCHED), "")?;
            say("Reading package lists...");
            Ok(Done::with(Effect::Lists))
        }
        Some("install") => {
            let is_hg = line.words[1..].iter().any(|word| package(word).name == "mercurial");
            if let Some(done) = fails(Failing::AptInstall).or_else(|| fails(Failing::Mercurial).filter(|_| is_hg)) {
                return Ok(done);
            }
            install(&line, &lists)
        }
        Some("remove" | "purge" | "autoremove" | "autopurge") => {
            let names: Vec<Package> = line.words[1..].iter().map(|word| package(word)).collect();
            remove(&line, names.into_iter().map(|package| package.name.to_owned()).collect())
        }
        Some("clean") => emptied(&line.folder("Dir::Cache::Archives", ARCHIVES)),
        Some("distclean" | "dist-clean") => {
            emptied(&lists)?;
            emptied(&line.folder("Dir::Cache::Archives", ARCHIVES))
        }
        Some(_) => Ok(Done::nothing(0)),
        None => Ok(Done::nothing(1)),
    }
}

/// Takes away what is in a folder.
fn emptied(folder: &Path) -> io::Result<Done> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => fs::create_dir_all(folder)?,
    }
    Ok(Done::nothing(0))
}

/// A package as a command line names it.
struct Package<'a> {
    name: &'a str,
    /// Whether it is to be taken away: `name-` says so to `install`.
    goes: bool,
}

/// The package of a word such as `git=1:2.*`, `git/stable` or `git:amd64`.
fn package(word: &str) -> Package<'_> {
    let file = word.starts_with(['/', '.']);
    let name = if file {
        word.rsplit('/').next().and_then(|name| name.split('_').next()).unwrap_or(word)
    } else {
        word.split(['=', '/', ':']).next().unwrap_or(word)
    };
    match name.strip_suffix('-') {
        Some(name) if !file => Package { name, goes: true },
        _ => Package { name, goes: false },
    }
}

fn install(line: &Line, lists: &Path) -> io::Result<Done> {
    let (gone, names): (Vec<Package>, _) =
        line.words[1..].iter().map(|word| package(word)).partition(|package| package.goes);
    let names: Vec<String> = names.into_iter().map(|package| package.name.to_owned()).collect();
    let has_lists = lists.join(FETCHED).exists();
    if let Some(name) = names.iter().find(|name| !has_lists || name.is_empty() || name.starts_with(NO_PACKAGE)) {
        complain(&format!("E: Unable to locate package {name}"));
        return Ok(Done::nothing(WRONG));
    }
    if line.pretends() {
        for name in &names {
            say(&format!("Inst {name} (a stub)"));
        }
        return Ok(Done::nothing(0));
    }
    if !agrees(line)? {
        return Ok(Done::nothing(1));
    }
    let archives = line.folder("Dir::Cache::Archives", ARCHIVES);
    fs::create_dir_all(&archives)?;
    for name in &names {
        match fs::write(archives.join(format!("{name}.deb")), "") {
            // No package has a name that is too long for a file's.
            Err(error) if error.kind() == ErrorKind::InvalidFilename => {}
            written => written?,
        }
    }
    if line.only_fetches() {
        say("Download complete and in download only mode");
        return Ok(Done::nothing(0));
    }
    for name in &names {
        for program in programs(name, line.recommends()) {
            appear(program)?;
        }
        say(&format!("Setting up {name} (a stub) ..."));
    }
    for package in &gone {
        take_away(package.name)?;
    }
    Ok(Done::with(Effect::Packages { names, recommended: line.recommends() }))
}

fn remove(line: &Line, names: Vec<String>) -> io::Result<Done> {
    if line.pretends() || line.only_fetches() || names.is_empty() {
        return Ok(Done::nothing(0));
    }
    if !agrees(line)? {
        return Ok(Done::nothing(1));
    }
    for name in &names {
        take_away(name)?;
        say(&format!("Removing {name} (a stub) ..."));
    }
    Ok(Done::with(Effect::Removed(names)))
}

fn take_away(name: &str) -> io::Result<()> {
    programs(name, false).iter().try_for_each(|program| disappear(program))
}

/// Whether it may go on, or does when it asks.
fn agrees(line: &Line) -> io::Result<bool> {
    if line.agrees() {
        return Ok(true);
    }
    let answer = agreed("Do you want to continue? [Y/n]", true)?;
    if answer != Some(true) {
        // As the real one does without a terminal.
        say("Abort.");
    }
    Ok(answer == Some(true))
}

/// Whether a package is in all releases of Debian that images are made of, of those that a build step may ask for.
pub(in crate::contract_tier) fn is_known(package: &str) -> bool {
    !programs(package, false).is_empty() || KNOWN.contains(&package)
}

/// The programs of a package that have stubs.
fn programs(package: &str, recommended: bool) -> &'static [&'static str] {
    match package {
        "git" | "git-core" if recommended => &["git", "ssh"],
        "git" | "git-core" => &["git"],
        "openssh-client" | "ssh" => &["ssh"],
        "subversion" => &["svn"],
        "mercurial" => &["hg"],
        _ => &[],
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_package_may_come_with_a_version_a_suite_or_an_architecture() {
        for (word, name, goes) in [
            ("git", "git", false),
            ("git=1:2.*", "git", false),
            ("git/stable", "git", false),
            ("git:amd64", "git", false),
            ("git-", "git", true),
            ("g++", "g++", false),
            ("./own_1.0_all.deb", "own", false),
        ] {
            let found = package(word);
            assert_eq!((found.name, found.goes), (name, goes), "{word}");
        }
    }

    #[test]
    fn cleaning_leaves_the_folder() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("lists");
        for _ in 0..2 {
            assert!(emptied(&folder).is_ok_and(|done| done.exit_code == 0));
            assert!(folder.is_dir() && fs::write(folder.join("one"), "").is_ok());
        }
        assert!(emptied(&folder).is_ok() && fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_none()));
    }
}
