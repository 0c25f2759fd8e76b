//! The files of a bundle, by their names in it.

/// What it is of.
pub(super) const MANIFEST: &str = "bundle.json";
/// The suite, as a program carries it.
pub(super) const SUITE: &str = "suite.packed";
/// Both images, as `docker save` writes them.
pub(super) const IMAGES: &str = "images.tar";
/// The folder with the files of the fixture store.
pub(super) const STORE: &str = "store";
/// The build context of the application, with its Dockerfile.
pub(super) const APPLICATION: &str = "application.tar";
/// The folder with the reports of the run.
pub(super) const REPORT: &str = "report";
/// What a person reads first.
pub(super) const README: &str = "README.md";
/// What needs only docker.
pub(super) const SCRIPT: &str = "reproduce.sh";
