//! Candidates: the repository's steps with a change, and the alternative that is compiled.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::NamedTempFile;

use super::program::root;
use super::slots::Slot;

/// One of the repository's files of `images/base`, with one change.
pub(crate) fn changed(file: &str, from: &str, to: &str) -> String {
    let text = std::fs::read_to_string(root().join("images/base").join(file)).expect("a file of images/base");
    let changed = text.replace(from, to);
    assert_ne!(text, changed, "{file} no longer has `{from}`: bring this test up to date");
    changed
}

/// The same, as a file.
pub(crate) fn changed_file(file: &str, from: &str, to: &str) -> NamedTempFile {
    let step = NamedTempFile::new().expect("a temporary file");
    std::fs::write(step.path(), changed(file, from, to)).expect("the file is written");
    step
}

/// The folder with the steps of the compiled alternative, which is built first.
pub(crate) fn compiled_alternative() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    // The test that builds it waits for one.
    assert!(!Slot::is_held(), "the alternative is asked for before a slot is taken");
    FOLDER.get_or_init(|| {
        let _slot = Slot::take();
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target folder");
        let mut build = Command::new(env!("CARGO"));
        build
            .current_dir(root())
            .args(["build", "--locked", "--offline", "--package", "compiled-alternative", "--target-dir"])
            .arg(target);
        assert!(build.status().expect("cargo runs").success(), "the compiled alternative cannot be built");
        target.join("debug")
    })
}
