//! The build step.

use std::io;
use std::path::Path;

use compiled_alternative::{Environment, folder, hook, is_whiskey, requirements, run, say};

fn main() -> io::Result<()> {
    let folder = folder();
    hook(&folder, "pre-build", &Environment::default());
    let file = Path::new("requirements.txt");
    let asked = requirements::schemes();
    let needs = |prefix: &str| asked.iter().any(|scheme| scheme.starts_with(prefix));
    if needs("git+") {
        say("Installing git");
        run("apt-get", &["update"]);
        run("apt-get", &["install", "--assume-yes", "--no-install-recommends", "git"]);
        run("apt-get", &["clean"]);
        empty(Path::new("/var/lib/apt/lists"))?;
    }
    if needs("hg+") {
        say("Installing mercurial");
        run("pip", &["install", "mercurial"]);
    }
    // What cannot be read is for pip to complain about.
    let asks = if file.symlink_metadata().is_ok() {
        Some(["--requirement", "requirements.txt"])
    } else {
        // An application without a list of requirements may be a package that declares its own.
        (Path::new("setup.py").is_file() && !is_whiskey()).then_some(["--editable", "."])
    };
    if let Some(asks) = asks {
        say("Installing dependencies with pip");
        let source = folder.join("tmp").display().to_string();
        run("pip", &[&["install", "--upgrade", "--exists-action=w", "--src", &source], &asks[..]].concat());
    }
    hook(&folder, "build", &Environment::default());
    Ok(())
}

fn empty(folder: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            std::fs::remove_dir_all(entry.path())?;
        } else {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
