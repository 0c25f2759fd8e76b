//! Standard output: whatever a command prints goes through here. A reader that has gone (`list | head`) ends the command
//! quietly.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

use super::Failure;

/// Prints a text as it is.
pub(super) fn text(text: impl Display) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    write!(out, "{text}").and_then(|()| out.flush()).map_err(|error| failure(&error))
}

/// Prints a text and ends the line.
pub(super) fn line(text: impl Display) -> Result<(), Failure> {
    self::text(format_args!("{text}\n"))
}

/// Prints a value as JSON.
pub(super) fn json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::infrastructure(format!("cannot write JSON: {error}"), None))?;
    line(text)
}

fn failure(error: &io::Error) -> Failure {
    match error.kind() {
        ErrorKind::BrokenPipe => Failure::reader_gone(),
        _ => Failure::infrastructure(format!("cannot write to standard output: {error}"), None),
    }
}
