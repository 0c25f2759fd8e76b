//! pip: `install` of what requirement files and the command line ask for.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use super::record::{Effect, Failing, Installed, MODULES, Orders};
use super::{Done, appear, complain, say};
use crate::contract_tier::requirements::{self, Requirement, Source, Vcs};

/// Options that take a word of their own, where it does not follow a `=`.
const WITH_VALUE: [&str; 40] = [
    "-b",
    "-c",
    "-C",
    "-d",
    "-e",
    "-f",
    "-i",
    "-r",
    "-t",
    "--abi",
    "--build",
    "--cache-dir",
    "--cert",
    "--client-cert",
    "--config-settings",
    "--constraint",
    "--editable",
    "--exists-action",
    "--extra-index-url",
    "--find-links",
    "--global-option",
    "--implementation",
    "--index-url",
    "--install-option",
    "--keyring-provider",
    "--log",
    "--no-binary",
    "--only-binary",
    "--platform",
    "--prefix",
    "--progress-bar",
    "--proxy",
    "--python-version",
    "--report",
    "--requirement",
    "--retries",
    "--root",
    "--src",
    "--timeout",
    "--trusted-host",
];
/// Options that pip once had, and refuses since version 10 or later.
const REMOVED: [&str; 6] = [
    "--allow-all-external",
    "--allow-external",
    "--allow-unverified",
    "--download-cache",
    "--use-mirrors",
    "--use-wheel",
];
/// Projects that are tools rather than what an application asks for.
const TOOLS: [&str; 4] = ["mercurial", "pip", "setuptools", "wheel"];

pub(super) fn act(
    arguments: &[String],
    environment: &BTreeMap<String, String>,
    folder: &Path,
    orders: &Orders,
) -> io::Result<Done> {
    let command = arguments.iter().position(|argument| !argument.starts_with('-'));
    match command.map(|index| arguments[index].as_str()) {
        Some("install") if arguments.iter().any(|argument| argument == "--help" || argument == "-h") => {
            say("Usage: pip install [options] <requirement specifier> ...");
            Ok(Done::nothing(0))
        }
        Some("install") => Wanted::of(arguments, environment).install(folder, orders),
        _ => {
            say("pip 25 (a stub)");
            Ok(Done::nothing(0))
        }
    }
}

/// What the command line asks for.
#[derive(Default)]
struct Wanted {
    files: Vec<String>,
    constraints: Vec<String>,
    direct: Vec<(String, bool)>,
    upgrade: bool,
    exists_action: bool,
    source: Option<String>,
    refused: Option<String>,
}

impl Wanted {
    fn of(arguments: &[String], environment: &BTreeMap<String, String>) -> Self {
        let mut wanted = Self {
            upgrade: environment.get("PIP_UPGRADE").is_some_and(|value| value != "0"),
            exists_action: environment.contains_key("PIP_EXISTS_ACTION"),
            source: environment.get("PIP_SRC").cloned(),
            ..Self::default()
        };
        let mut rest = arguments.iter().skip_while(|argument| *argument != "install").skip(1).cloned();
        while let Some(argument) = rest.next() {
            if !argument.starts_with('-') || argument == "-" {
                wanted.direct.push((argument, false));
            } else if let Some(long) = argument.strip_prefix("--") {
                let (name, value) = match long.split_once('=') {
                    Some((name, value)) => (format!("--{name}"), Some(value.to_owned())),
                    None => (argument.clone(), None),
                };
                let value = value.or_else(|| WITH_VALUE.contains(&name.as_str()).then(|| rest.next()).flatten());
                wanted.option(&name, value);
            } else {
                wanted.short(&argument[1..], &mut rest);
            }
        }
        wanted
    }

    /// A word of short options: the first that takes a value takes the rest of the word, or the next one.
    fn short(&mut self, letters: &str, rest: &mut dyn Iterator<Item = String>) {
        for (index, letter) in letters.char_indices() {
            let name = format!("-{letter}");
            if WITH_VALUE.contains(&name.as_str()) {
                let tail = &letters[index + letter.len_utf8()..];
                let value = if tail.is_empty() { rest.next() } else { Some(tail.trim_start_matches('=').to_owned()) };
                self.option(&name, value);
                return;
            }
            self.option(&name, None);
        }
    }

    fn option(&mut self, name: &str, value: Option<String>) {
        match name {
            "-r" | "--requirement" => self.files.extend(value),
            "-c" | "--constraint" => self.constraints.extend(value),
            "-e" | "--editable" => self.direct.extend(value.map(|value| (value, true))),
            "-U" | "--upgrade" | "--force-reinstall" | "-I" | "--ignore-installed" => self.upgrade = true,
            "--exists-action" => self.exists_action = true,
            "--src" | "--source" | "--source-dir" | "--source-directory" => self.source = value,
            removed if REMOVED.contains(&removed) => self.refused = Some(removed.to_owned()),
            _ => {}
        }
    }

    fn install(self, folder: &Path, orders: &Orders) -> io::Result<Done> {
        if let Some(option) = &self.refused {
            complain(&format!("no such option: {option}"));
            return Ok(Done::nothing(2));
        }
        let mut asked = Vec::new();
        for file in &self.files {
            match requirements::read(Path::new(file), folder, &|path| std::fs::read(path)) {
                Ok(found) => asked.extend(found),
                Err(error) => {
                    let done = failed(&error.to_string());
                    return Ok(told_to_fail(&[], orders).unwrap_or(done));
                }
            }
        }
        if let Some(missing) = self.constraints.iter().find(|file| !folder.join(file).exists()) {
            return Ok(failed(&format!("Could not open requirements file: {missing}")));
        }
        asked.extend(self.direct.iter().filter_map(|(text, editable)| Requirement::parse(text, *editable, folder)));
        if self.files.is_empty() && asked.is_empty() {
            return Ok(failed("You must give at least one requirement to install (see \"pip help install\")"));
        }
        if let Some(done) = told_to_fail(&asked, orders) {
            return Ok(done);
        }
        let source = folder.join(self.source.as_deref().unwrap_or("/run/stubs/src"));
        let mut installed = Vec::new();
        // One that has a marker may not apply; what must not be installed is not, and nothing is made of what need not be. A list
        // may name the same thing a thousand times.
        let asked: BTreeSet<Requirement> = asked.into_iter().filter(|one| !one.marked).collect();
        for requirement in asked {
            match self.one(requirement, &source, orders)? {
                Ok(one) => installed.push(one),
                Err(why) => return Ok(failed(&why)),
            }
        }
        let names: Vec<String> = installed.iter().filter(|one| one.fresh).map(|one| label(&one.requirement)).collect();
        if !names.is_empty() {
            say(&format!("Successfully installed {}", names.join(" ")));
        }
        Ok(Done { effect: Effect::Projects(installed), exit_code: 0 })
    }

    /// Installs one; or why it cannot be.
    fn one(&self, requirement: Requirement, sources: &Path, orders: &Orders) -> io::Result<Result<Installed, String>> {
        let (mut fresh, mut checkout) = (true, None);
        match &requirement.source {
            Source::Index { name, pinned } => {
                fresh = self.upgrade || pinned.is_some() || !orders.older || TOOLS.contains(&name.as_str());
                say(&if fresh {
                    format!("Collecting {name}")
                } else {
                    format!("Requirement already satisfied: {name}")
                });
                module(name)?;
                if name == "mercurial" {
                    appear("hg")?;
                }
            }
            Source::Repository { vcs, name } => {
                if !has(*vcs) {
                    let program = vcs.program();
                    return Ok(Err(format!(
                        "Cannot find command '{program}' - do you have '{program}' installed and in your PATH?"
                    )));
                }
                if requirement.editable {
                    let checkout_folder = sources.join(name);
                    if checkout_folder.exists() {
                        if !self.exists_action {
                            return Ok(Err(format!(
                                "{} exists; (i)gnore, (w)ipe, (b)ackup: EOF",
                                checkout_folder.display()
                            )));
                        }
                        std::fs::remove_dir_all(&checkout_folder)?;
                    }
                    std::fs::create_dir_all(&checkout_folder)?;
                    std::fs::write(checkout_folder.join(format!("{name}.py")), "")?;
                    checkout = Some(checkout_folder);
                }
                module(name)?;
            }
            Source::Path(path) => {
                if !path.exists() {
                    return Ok(Err(format!("Invalid requirement: '{}': no such file or folder", path.display())));
                }
                let installable =
                    path.is_file() || ["setup.py", "pyproject.toml"].iter().any(|name| path.join(name).exists());
                if !installable {
                    return Ok(Err(format!("Directory '{}' is not installable", path.display())));
                }
            }
        }
        Ok(Ok(Installed { requirement, fresh, checkout }))
    }
}

fn told_to_fail(asked: &[Requirement], orders: &Orders) -> Option<Done> {
    let named = |requirement: &Requirement, names: &[&str]| matches!(&requirement.source, Source::Index { name, .. } if names.contains(&name.as_str()));
    let hg = asked.iter().any(|one| named(one, &["mercurial"])).then(|| orders.fails(Failing::Mercurial)).flatten();
    let own = asked.iter().any(|one| !named(one, &TOOLS)) || asked.is_empty();
    let failure = hg.or_else(|| own.then(|| orders.fails(Failing::Requirements)).flatten())?;
    complain(&format!("ERROR: {}", failure.message));
    Some(Done::nothing(failure.exit_code))
}

fn failed(why: &str) -> Done {
    complain(&format!("ERROR: {why}"));
    Done::nothing(1)
}

fn label(requirement: &Requirement) -> String {
    match &requirement.source {
        Source::Index { name, pinned } => format!("{name}-{}", pinned.as_deref().unwrap_or("1.0")),
        Source::Repository { name, .. } => format!("{name}-1.0"),
        Source::Path(path) => {
            let name = path.file_name().map_or_else(|| "app".into(), |name| name.to_string_lossy());
            format!("{name}-1.0")
        }
    }
}

/// Whether the tool has been installed.
fn has(vcs: Vcs) -> bool {
    Path::new(super::record::PROGRAMS).join(vcs.program()).exists()
}

/// Has a module of the project's name be found by `import`.
fn module(name: &str) -> io::Result<()> {
    std::fs::create_dir_all(MODULES)?;
    let file: PathBuf = Path::new(MODULES).join(format!("{}.py", name.replace('-', "_")));
    std::fs::write(file, "__version__ = '1.0'\n")
}
