//! What tells builders apart: how one is asked for a build, and what it says of it.

use bollard::models::BuildInfo;
use bollard::query_parameters::BuildImageOptions;

use crate::check::evidence::BuildEnd;

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
