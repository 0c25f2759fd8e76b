//! Generated applications as a suite, which both tiers run.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::cli::arguments::AgreeArgs;
use crate::cli::{Failure, select};
use crate::fuzz::files;
use crate::fuzz::generated;
use crate::host::folders::Folders;
use crate::outcome::with_causes;

/// What of the suite the generated one shares: images, and what the fixture server has.
const SHARED: [&str; 3] = ["images", "scenarios/packages.lock", "scenarios/repositories"];

/// Writes the suite, and says where it is. It stays, so that what is reported of it can be reproduced.
pub(super) fn suite(arguments: &AgreeArgs, folders: &Folders) -> Result<PathBuf, Failure> {
    let AgreeArgs { seed, applications, .. } = arguments;
    let cells = select::cells(folders, &arguments.cells)?;
    let suite = folders.cache.join("agree").join(format!("applications-{seed}"));
    let unwritable = |error: std::io::Error| {
        Failure::infrastructure(format!("cannot write the applications: {}: {error}", suite.display()), None)
    };
    begin(&suite, &folders.suite).map_err(unwritable)?;
    for case in 0..*applications {
        let (application, origin) =
            generated(&cells, *seed, case).map_err(|error| Failure::infrastructure(with_causes(&error), None))?;
        let folder = suite.join("scenarios").join(format!("generated-{seed}-{case}"));
        files(&application, &origin).iter().try_for_each(|file| file.write(&folder)).map_err(unwritable)?;
    }
    Ok(suite)
}

/// An empty suite beside the real one.
fn begin(suite: &Path, real: &Path) -> std::io::Result<()> {
    if suite.exists() {
        std::fs::remove_dir_all(suite)?;
    }
    std::fs::create_dir_all(suite.join("scenarios"))?;
    std::fs::write(suite.join("scenarios/contract.toml"), "version = 1\n")?;
    std::fs::write(suite.join("scenarios/assertions.lock"), "version = 2\n")?;
    for shared in SHARED {
        let place = std::path::absolute(real.join(shared))?;
        // A suite's own files are read only where they are files.
        if place.is_dir() {
            symlink(place, suite.join(shared))?;
        } else if place.exists() {
            std::fs::copy(place, suite.join(shared))?;
        }
    }
    Ok(())
}
