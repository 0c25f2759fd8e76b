//! The program under test, and where it is started.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the program's package is a member of the workspace")
        .to_owned()
}

/// The program under test.
pub(crate) fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_wsgi-proof"))
}

/// A call of the program, from the workspace's root.
pub(crate) fn wsgi_proof(arguments: &[&str]) -> assert_cmd::Command {
    assert_cmd::Command::from_std(call(arguments))
}

/// The same, for a process that the test watches while it runs.
pub(crate) fn call(arguments: &[&str]) -> Command {
    call_of(program(), arguments)
}

/// The same of a copy of the program.
pub(crate) fn call_of(program: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(root())
        .args(arguments)
        .env_remove("WSGI_PROOF_SUITE")
        .env_remove("GITHUB_ACTIONS")
        .env("NO_COLOR", "1");
    command
}

/// The same in the contract tier, where no engine can have any part in it.
pub(crate) fn without_engine(arguments: &[&str]) -> assert_cmd::Command {
    let mut command = wsgi_proof(arguments);
    command.env("DOCKER_HOST", NO_ENGINE);
    command
}

/// An address where no engine is.
pub(crate) const NO_ENGINE: &str = "tcp://127.0.0.1:1";

/// All that a process printed.
pub(crate) fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
