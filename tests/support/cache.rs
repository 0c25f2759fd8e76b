//! The cache folder and the engine that the program uses by default.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::program::{text, wsgi_proof};
use super::run::{Run, SharedRun};

/// The scenarios of the run that sees to it that engine and images are there.
const FIRST: [&str; 2] = ["=hello-wsgi", "=failing-pre-build-hook"];

/// The first run on the engine, which all others wait for: those that begin at the same time would all make its images.
pub(crate) fn first_run() -> &'static Run {
    static FIRST_RUN: SharedRun = SharedRun::new();
    FIRST_RUN.get(|| {
        let run = Run::cold(&[], &FIRST);
        run.assert().success();
        run
    })
}

/// The cache folder that the program uses by default.
pub(crate) fn cache() -> PathBuf {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
    variable("WSGI_PROOF_CACHE").unwrap_or_else(|| {
        variable("XDG_CACHE_HOME")
            .or_else(|| variable("HOME").map(|home| home.join(".cache")))
            .expect("a home folder")
            .join("wsgi-proof")
    })
}

/// Another cache folder, with the fixtures and the distribution of the one that is used by default.
pub(crate) fn other_cache() -> TempDir {
    first_run();
    let folder = TempDir::new().expect("a temporary folder");
    for name in ["store", "distributions"] {
        share(name, folder.path());
    }
    folder
}

/// Has this cache folder take what is called so from the one that is used by default, if that has it.
pub(super) fn share(name: &str, folder: &Path) {
    let (shared, own) = (cache().join(name), folder.join(name));
    if shared.exists() && own.symlink_metadata().is_err() {
        std::os::unix::fs::symlink(shared, own).expect("a link");
    }
}

/// The address of the engine that the program uses by default.
pub(crate) fn docker_host() -> String {
    first_run();
    let told = text(&wsgi_proof(&["doctor"]).output().expect("the program runs"));
    let line = told.lines().find(|line| line.starts_with("would use ")).expect("doctor names the engine");
    line.rsplit("DOCKER_HOST=").next().expect("the engine's address").to_owned()
}
