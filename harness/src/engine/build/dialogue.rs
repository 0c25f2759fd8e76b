//! What tells builders apart: how one is asked for a build, and what it says of it.

use bollard::models::BuildInfo;
use bollard::query_parameters::BuildImageOptions;
use regex::Regex;

use crate::check::evidence::BuildEnd;
use crate::engine::error::not_executable;

/// A build by one of the builders.
pub(super) trait Dialogue: Default + Send + 'static {
    /// Whether the engine asks its client for things while it builds, in a session.
    const HAS_SESSION: bool;

    /// What is asked of the engine, with what is this builder's own.
    fn ask(options: BuildImageOptions) -> BuildImageOptions;

    /// Takes the next message in.
    fn hear(&mut self, message: BuildInfo) -> Said;

    /// Sorts the message that the build ended with; the message alone where it is not known to be the Dockerfile's doing.
    fn end_of(message: String) -> Result<BuildEnd, String>;
}

/// Sorts the message that a build ended with by what its builder says when a command, the text, returned non-zero, and when the
/// Dockerfile's doing is something else; the message alone where it is neither.
pub(super) fn sorted(message: String, returned: &[Regex], dockerfiles_doing: &Regex) -> Result<BuildEnd, String> {
    let (command, exit_code) = if let Some(found) = returned.iter().find_map(|pattern| pattern.captures(&message)) {
        (Some(found[1].to_owned()), found[2].parse().ok())
    } else if let Some(exit_code) = not_executable(&message) {
        // A `RUN` in exec form whose program is not there.
        (None, Some(exit_code))
    } else if dockerfiles_doing.is_match(&message) {
        (None, None)
    } else {
        return Err(message);
    };
    Ok(BuildEnd::Failed { command, exit_code, message })
}

/// What a message of a builder says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// What belongs to the log: lines, whole or in pieces.
    pub text: Vec<u8>,
    /// The image that the build ends with.
    pub image: Option<String>,
    /// Images that it has made on the way, by the beginnings of their ids.
    pub made: Vec<String>,
    /// Whether a command has been run.
    pub ran: bool,
    /// Whether the builder has left out a part of its log.
    pub is_partial: bool,
    /// Whether it has nothing more to say.
    pub is_over: bool,
}
