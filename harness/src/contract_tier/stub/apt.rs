//! apt-get: package lists that come and go, packages that are installed from them.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::record::{Effect, Failing, Orders};
use super::{Done, appear, complain, say};

const LISTS: &str = "/var/lib/apt/lists";
const FETCHED: &str = "/var/lib/apt/lists/deb.debian.org_debian_dists_stable_main_Packages";
const ARCHIVES: &str = "/var/cache/apt/archives";
/// Names with this beginning are those of no package.
const NO_PACKAGE: &str = "wsgi-proof-";
/// What apt ends with when anything goes wrong.
const WRONG: i32 = 100;

pub(super) fn act(arguments: &[String], environment: &BTreeMap<String, String>, orders: &Orders) -> io::Result<Done> {
    let (options, words) = divided(arguments);
    let fails = |at| {
        orders.fails(at).map(|failure| {
            complain(&format!("E: {}", failure.message));
            Done::failing(failure)
        })
    };
    match words.first().copied() {
        Some("update") => {
            if let Some(done) = fails(Failing::AptUpdate) {
                return Ok(done);
            }
            std::fs::create_dir_all(Path::new(LISTS).join("partial"))?;
            std::fs::write(FETCHED, "")?;
            say("Reading package lists...");
            Ok(Done::with(Effect::Lists))
        }
        Some("install") => {
            if let Some(done) = fails(Failing::AptInstall) {
                return Ok(done);
            }
            install(&words[1..], &options, environment)
        }
        Some("clean") => {
            if Path::new(ARCHIVES).exists() {
                std::fs::remove_dir_all(ARCHIVES)?;
            }
            Ok(Done::nothing(0))
        }
        Some(_) => Ok(Done::nothing(0)),
        None => Ok(Done::nothing(1)),
    }
}

/// Options, and the other words. Of options only `-o`, `-c` and `-t` take a word of their own.
fn divided(arguments: &[String]) -> (Vec<&str>, Vec<&str>) {
    let (mut options, mut words) = (Vec::new(), Vec::new());
    let mut rest = arguments.iter().map(String::as_str);
    while let Some(argument) = rest.next() {
        match argument {
            "-o" | "-c" | "-t" | "--option" | "--config-file" | "--target-release" => options.extend(rest.next()),
            option if option.starts_with('-') => options.push(option),
            word => words.push(word),
        }
    }
    (options, words)
}

fn install(names: &[&str], options: &[&str], environment: &BTreeMap<String, String>) -> io::Result<Done> {
    let short = |letter| options.iter().any(|option| !option.starts_with("--") && option.contains(letter));
    let agreed = short('y')
        || options.iter().any(|option| {
            ["--yes", "--assume-yes"].contains(option) || option.to_ascii_lowercase().contains("assume-yes=")
        })
        || environment.contains_key("APT_CONFIG");
    if let Some(name) = names.iter().find(|name| !Path::new(FETCHED).exists() || name.starts_with(NO_PACKAGE)) {
        complain(&format!("E: Unable to locate package {name}"));
        return Ok(Done::nothing(WRONG));
    }
    if !agreed {
        // As the real one does without a terminal.
        say("Do you want to continue? [Y/n] Abort.");
        return Ok(Done::nothing(1));
    }
    let recommended = !options.iter().any(|option| {
        *option == "--no-install-recommends"
            || (option.to_ascii_lowercase().starts_with("apt::install-recommends=") && !option.ends_with("true"))
    });
    std::fs::create_dir_all(ARCHIVES)?;
    for name in names {
        std::fs::write(Path::new(ARCHIVES).join(format!("{name}.deb")), "")?;
        match *name {
            "git" | "git-core" => {
                appear("git")?;
                if recommended {
                    appear("ssh")?;
                }
            }
            "openssh-client" | "ssh" => appear("ssh")?,
            "subversion" => appear("svn")?,
            "mercurial" => appear("hg")?,
            _ => {}
        }
        say(&format!("Setting up {name} (a stub) ..."));
    }
    let names = names.iter().map(ToString::to_string).collect();
    Ok(Done::with(Effect::Packages { names, recommended }))
}
