//! `pip install`: what is asked for, in the order of the real one, is made to appear.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use pep440_rs::Version;

use super::options::{NO_INDEX, Wanted};
use super::wheels;
use crate::contract_tier::requirements::{Disk, Pip, Reader, Refused, Requirement, Source, Vcs, resolved};
use crate::contract_tier::stub::record::{Effect, Failing, Installed, MODULES, Orders, PROGRAMS};
use crate::contract_tier::stub::{Done, appear, complain, hides, say, status};

/// Projects that are tools rather than what an application asks for.
const TOOLS: [&str; 4] = ["mercurial", "pip", "setuptools", "wheel"];
/// Where editable requirements are checked out where nothing else is said.
const SOURCES: &str = "/run/stubs/src";

/// What a project's module says.
const MODULE: &str = "__version__ = '1.0'\n";

/// What becomes of what is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Install,
    /// Wheels of it are left in a folder.
    Wheels,
}

pub(super) fn install(
    wanted: &Wanted,
    how: How,
    environment: &BTreeMap<String, String>,
    folder: &Path,
    orders: &Orders,
) -> io::Result<Done> {
    let pip = orders.pip;
    let nothing_given = [&wanted.files, &wanted.words, &wanted.editable].iter().all(|given| given.is_empty());
    if nothing_given {
        complain("ERROR: You must give at least one requirement to install (see \"pip help install\")");
        return Ok(Done::nothing(i32::from(!pip.is_legacy())));
    }
    let folder_name = folder.to_string_lossy();
    let reader = Reader { pip, folder: &folder_name, environment, files: &Disk };
    let asked = match asked(&reader, wanted) {
        Ok(asked) => asked,
        Err(refused) => {
            let done = failed(refused.exit_code, &refused.message);
            return Ok(told_to_fail(&[], orders).unwrap_or(done));
        }
    };
    if let Some(done) = told_to_fail(&asked, orders) {
        return Ok(done);
    }
    if let Some(one) = asked.iter().find(|one| wanted.require_hashes && !one.hashed) {
        let why = format!("Hashes are required in --require-hashes mode, but they are missing: {}", label(one));
        return Ok(failed(1, &why));
    }
    let mut less: Vec<String> = wanted.less.iter().map(ToString::to_string).collect();
    if how == How::Wheels {
        return make_wheels(wanted, &asked, &less, folder);
    }
    less.extend(hides(&status()?).map(|umask| format!("a umask of {umask:04o}")));
    let sources = folder.join(wanted.source.as_deref().unwrap_or(SOURCES));
    let installation = Installation { wanted, pip, orders, folder, sources, less };
    let mut installed = Vec::new();
    // One that has a marker may not apply; what must not be installed is not, and nothing is made of what need not be. A list
    // may name the same thing a thousand times.
    let asked: BTreeSet<Requirement> = asked.into_iter().filter(|one| !one.marked).collect();
    for requirement in asked {
        match installation.one(requirement)? {
            Ok(one) => installed.push(one),
            Err(why) => return Ok(failed(1, &why)),
        }
    }
    if let Some(file) = &wanted.report {
        report(&folder.join(file), &installed)?;
    }
    if let Some(option) = wanted.nothing {
        say(&format!("Nothing is installed ({option})"));
        return Ok(Done::with(Effect::Projects(Vec::new())));
    }
    let names: Vec<String> = installed.iter().filter(|one| one.fresh).map(|one| label(&one.requirement)).collect();
    if !names.is_empty() {
        say(&format!("Successfully installed {}", names.join(" ")));
    }
    Ok(Done::with(Effect::Projects(installed)))
}

/// Leaves wheels of what is asked for, where what it takes is there.
fn make_wheels(wanted: &Wanted, asked: &[Requirement], less: &[String], folder: &Path) -> io::Result<Done> {
    let wheels = folder.join(wanted.wheels.as_deref().unwrap_or("."));
    for one in asked.iter().filter(|one| !one.marked) {
        if let Err(why) = obtainable(one, wanted) {
            return Ok(failed(1, &why));
        }
        wheels::leave(&wheels, &label(one), less)?;
        say(&format!("Saved {}", label(one)));
    }
    Ok(Done::nothing(0))
}

/// Whether what a requirement comes from can be had.
fn obtainable(requirement: &Requirement, wanted: &Wanted) -> Result<(), String> {
    match &requirement.source {
        Source::Index { name, pinned } => find(name, pinned.as_deref(), wanted.index),
        Source::Repository { vcs, ssh, .. } => usable(*vcs, *ssh),
        Source::Foreign { program } if !has(program) => Err(no_command(program)),
        Source::Path(path) if !path.exists() => Err(no_file(path)),
        Source::Path(_) | Source::Archive { .. } | Source::Foreign { .. } => Ok(()),
    }
}

/// Writes what was installed, as `--report` has it.
fn report(file: &Path, installed: &[Installed]) -> io::Result<()> {
    let name = |one: &Installed| label(&one.requirement).rsplit_once('-').map(|(name, _)| name.to_owned());
    let install: Vec<serde_json::Value> =
        installed.iter().map(|one| serde_json::json!({ "metadata": { "name": name(one) } })).collect();
    fs::write(file, serde_json::json!({ "version": "1", "install": install }).to_string())
}

/// What is asked for, read in pip's order: constraints, words, editable ones, files.
pub(super) fn asked(reader: &Reader, wanted: &Wanted) -> Result<Vec<Requirement>, Refused> {
    let mut asked = Vec::new();
    for file in &wanted.constraints {
        asked.extend(reader.file(file, true)?);
    }
    for word in &wanted.words {
        asked.push(reader.word(word, false)?);
    }
    for word in &wanted.editable {
        asked.push(reader.word(word, true)?);
    }
    for file in &wanted.files {
        asked.extend(reader.file(file, false)?);
    }
    resolved(asked, reader.pip)
}

/// What a call of pip installs with.
struct Installation<'a> {
    wanted: &'a Wanted,
    pip: Pip,
    orders: &'a Orders,
    /// Where pip runs.
    folder: &'a Path,
    /// Where editable requirements are checked out.
    sources: PathBuf,
    /// What has something left out that a requirement may need.
    less: Vec<String>,
}

impl Installation<'_> {
    /// Installs one; or why it cannot be.
    fn one(&self, requirement: Requirement) -> io::Result<Result<Installed, String>> {
        let (mut fresh, mut checkout) = (true, None);
        match &requirement.source {
            Source::Index { name, pinned } => {
                if let Err(why) = find(name, pinned.as_deref(), self.wanted.index) {
                    return Ok(Err(why));
                }
                fresh = self.wanted.upgrade || pinned.is_some() || !self.orders.older || TOOLS.contains(&name.as_str());
                say(&if fresh {
                    format!("Collecting {name}")
                } else {
                    format!("Requirement already satisfied: {name}")
                });
                self.module(name)?;
                if name == "mercurial" && self.is_found() {
                    appear("hg")?;
                }
            }
            Source::Repository { vcs, name, ssh } => {
                if let Err(why) = usable(*vcs, *ssh) {
                    return Ok(Err(why));
                }
                if requirement.editable && self.wanted.nothing.is_none() {
                    match self.check_out(name)? {
                        Ok(folder) => checkout = Some(folder),
                        Err(why) => return Ok(Err(why)),
                    }
                }
                match &checkout {
                    Some(checkout) => self.module_of(name, checkout)?,
                    None => self.module(name)?,
                }
            }
            Source::Path(path) => {
                if let Err(why) = self.installable(path) {
                    return Ok(Err(why));
                }
            }
            Source::Archive { name, .. } => {
                if let Some(name) = name {
                    self.module(name)?;
                }
            }
            Source::Foreign { program } => {
                if !has(program) {
                    return Ok(Err(no_command(program)));
                }
            }
        }
        let closed = checkout.as_deref().and_then(|checkout| self.closed(checkout));
        Ok(Ok(Installed {
            pre_release: self.wanted.pre_release,
            less: self.less(&requirement),
            requirement,
            fresh,
            checkout,
            elsewhere: self.wanted.elsewhere.map(str::to_owned).or(closed),
        }))
    }

    /// The option because of which only root reads a checkout, which is what the application is not.
    fn closed(&self, checkout: &Path) -> Option<String> {
        let source = self.wanted.source.as_ref()?;
        let open =
            |folder: &&Path| fs::metadata(folder).map_or(true, |status| status.permissions().mode() & 0o001 != 0);
        let closed = checkout.ancestors().find(|folder| !open(folder))?;
        Some(format!("--src={source}, where only root can look into {}", closed.display()))
    }

    /// What has something left out. Wheels that pip made before, with all that they need, are as good as an index.
    fn less(&self, requirement: &Requirement) -> Vec<String> {
        match wheels::lacks(&self.wanted.find_links, self.folder, &label(requirement)) {
            Some(lacks) if self.wanted.less.contains(&NO_INDEX) => {
                self.less.iter().filter(|one| *one != NO_INDEX).chain(&lacks).cloned().collect()
            }
            _ => self.less.clone(),
        }
    }

    /// Checks an editable requirement out, or says why not.
    fn check_out(&self, name: &str) -> io::Result<Result<PathBuf, String>> {
        let folder = self.sources.join(name);
        if folder.exists() {
            // A checkout that git or hg knows could be switched, too; those of an application folder are plain files.
            let known = |action: &&String| ["i", "w", "b"].contains(&action.as_str());
            match self.wanted.exists_action.iter().find(known).map(String::as_str) {
                Some("w") => fs::remove_dir_all(&folder)?,
                Some("b") => fs::rename(&folder, self.sources.join(format!("{name}.bak")))?,
                Some(_) => return Ok(self.installable(&folder).map(|()| folder)),
                None => return Ok(Err(format!("{} exists; (i)gnore, (w)ipe, (b)ackup: EOF", folder.display()))),
            }
        }
        match fs::create_dir_all(&folder) {
            // An image's folder can be written where the sandbox's cannot.
            Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => return Ok(Ok(folder)),
            // Neither can git make it.
            Err(error) if error.kind() == io::ErrorKind::InvalidFilename => return Ok(Err(error.to_string())),
            made => made?,
        }
        match fs::write(folder.join(format!("{name}.py")), MODULE) {
            Err(error) if error.kind() != io::ErrorKind::InvalidFilename => Err(error),
            _ => Ok(Ok(folder)),
        }
    }

    fn installable(&self, path: &Path) -> Result<(), String> {
        if !path.exists() {
            return Err(no_file(path));
        }
        let projects = if self.pip.is_legacy() { ["setup.py"].as_slice() } else { &["setup.py", "pyproject.toml"] };
        let installable = path.is_file() || projects.iter().any(|name| path.join(name).is_file());
        if installable { Ok(()) } else { Err(format!("Directory '{}' is not installable", path.display())) }
    }

    /// Whether an application finds what is installed.
    fn is_found(&self) -> bool {
        self.wanted.nothing.is_none() && self.wanted.elsewhere.is_none()
    }

    /// Has a module of the project's name be found by `import`.
    fn module(&self, name: &str) -> io::Result<()> {
        if !self.is_found() {
            return Ok(());
        }
        put_module(name, |module| fs::write(module, MODULE))
    }

    /// Has the module be what an editable requirement's checkout has: it goes where the checkout goes.
    fn module_of(&self, name: &str, checkout: &Path) -> io::Result<()> {
        let text = checkout.join(format!("{name}.py"));
        // Where pip checks out by itself is not the step's to remove, and not there when the application starts.
        if !self.is_found() || self.wanted.source.is_none() || !text.is_file() {
            return self.module(name);
        }
        put_module(name, |module| symlink(text, module))
    }
}

/// Whether the index has a project in a version. It has every project, in every version that is one.
fn find(name: &str, pinned: Option<&str>, index: bool) -> Result<(), String> {
    let is_version = pinned.is_none_or(|version| Version::from_str(version).is_ok());
    if is_version && index {
        return Ok(());
    }
    let pinned = pinned.map(|version| format!("=={version}")).unwrap_or_default();
    Err(format!("Could not find a version that satisfies the requirement {name}{pinned} (from versions: )"))
}

/// Puts a project's module in the place of what is there: a link is not written through.
fn put_module(name: &str, put: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let module = module_file(name);
    fs::create_dir_all(MODULES)?;
    let put = match fs::remove_file(&module) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => put(&module),
    };
    match put {
        // A project may have a name that is too long for a file's. Its modules have others then.
        Err(error) if error.kind() == io::ErrorKind::InvalidFilename => Ok(()),
        put => put,
    }
}

/// Where the module of a project is.
pub(super) fn module_file(name: &str) -> PathBuf {
    Path::new(MODULES).join(format!("{}.py", name.replace('-', "_")))
}

/// Whether a tool of version control can be used; or what pip says.
fn usable(vcs: Vcs, ssh: bool) -> Result<(), String> {
    match vcs.program() {
        program if !has(program) => Err(no_command(program)),
        program if ssh && !has("ssh") => {
            Err(format!("error: cannot run ssh: No such file or directory ({program} exited with 128)"))
        }
        _ => Ok(()),
    }
}

fn has(program: &str) -> bool {
    Path::new(PROGRAMS).join(program).exists()
}

fn no_file(path: &Path) -> String {
    format!("Invalid requirement: '{}': no such file or folder", path.display())
}

fn no_command(program: &str) -> String {
    format!("Cannot find command '{program}' - do you have '{program}' installed and in your PATH?")
}

fn told_to_fail(asked: &[Requirement], orders: &Orders) -> Option<Done> {
    let named = |requirement: &Requirement, names: &[&str]| matches!(&requirement.source, Source::Index { name, .. } if names.contains(&name.as_str()));
    let hg = asked.iter().any(|one| named(one, &["mercurial"])).then(|| orders.fails(Failing::Mercurial)).flatten();
    let own = asked.iter().any(|one| !named(one, &TOOLS)) || asked.is_empty();
    let failure = hg.or_else(|| own.then(|| orders.fails(Failing::Requirements)).flatten())?;
    complain(&format!("ERROR: {}", failure.message));
    Some(Done::failing(failure))
}

pub(super) fn failed(exit_code: i32, why: &str) -> Done {
    complain(&format!("ERROR: {why}"));
    Done::nothing(exit_code)
}

fn label(requirement: &Requirement) -> String {
    let of_path =
        |path: &Path| path.file_name().map_or_else(|| "app".into(), |name| name.to_string_lossy().into_owned());
    match &requirement.source {
        Source::Index { name, pinned } => format!("{name}-{}", pinned.as_deref().unwrap_or("1.0")),
        Source::Repository { name, .. } | Source::Foreign { program: name } => format!("{name}-1.0"),
        Source::Path(path) => format!("{}-1.0", of_path(path)),
        Source::Archive { address, name } => {
            name.as_ref().map_or_else(|| of_path(Path::new(address)), |name| format!("{name}-1.0"))
        }
    }
}
