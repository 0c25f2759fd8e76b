//! What the compiled build step and start step share: the application's folder, its hooks, and programs that must succeed.

pub mod requirements;
pub mod target;
pub mod variables;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt::Display;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, exit};

/// Whether the image keeps the later form of the contract.
pub fn is_whiskey() -> bool {
    std::env::var_os("MOD_WSGI_DOCKER_DIALECT").is_some_and(|dialect| dialect == "whiskey")
}

/// The folder of the application that has its hooks and variables.
pub fn folder() -> PathBuf {
    let (older, newer) = (Path::new(".docker"), Path::new(".whiskey"));
    if !is_whiskey() {
        return older.to_owned();
    }
    if older.is_dir() && !newer.is_dir() {
        say("WARNING: the folder .docker is deprecated; rename it to .whiskey");
        return older.to_owned();
    }
    newer.to_owned()
}

/// Tells the log how far it has come.
pub fn say(text: impl Display) {
    println!(" -----> {text}");
}

/// Variables that programs are started with beside their own: set to a value, or taken away.
pub type Environment = BTreeMap<OsString, Option<OsString>>;

/// Gives a program these variables.
pub fn give(command: &mut Command, environment: &Environment) {
    for (name, value) in environment {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
}

/// Runs a hook with these variables, if there is one that can be run; ends as it does if it fails.
pub fn hook(folder: &Path, name: &str, environment: &Environment) {
    let path = folder.join("action_hooks").join(name);
    let Ok(metadata) = path.metadata() else { return };
    if !metadata.is_file() {
        return;
    }
    if metadata.permissions().mode() & 0o111 == 0 {
        say(format!("WARNING: {} is not executable, so it is not run (chmod +x it)", path.display()));
        return;
    }
    say(format!("Running {}", path.display()));
    // With a slash in it, it is not looked for on the path.
    let mut command = Command::new(Path::new(".").join(&path));
    give(&mut command, environment);
    must(&mut command, &path);
}

/// Runs a program with these arguments; ends as it does if it fails.
pub fn run<S: AsRef<OsStr>>(program: &str, arguments: &[S]) {
    must(Command::new(program).args(arguments), Path::new(program));
}

fn must(command: &mut Command, name: &Path) {
    match command.status() {
        Ok(status) if status.success() => {}
        Ok(status) => exit(code(status)),
        Err(error) => {
            eprintln!("{}: {error}", name.display());
            // As a shell has it: what is not there, its interpreter included, and what cannot be run.
            exit(if error.kind() == std::io::ErrorKind::NotFound { 127 } else { 126 });
        }
    }
}

/// The exit code, as a shell has it.
fn code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1)
}
