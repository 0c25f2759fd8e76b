//! Standard output and standard error: whatever a command prints goes through here. A reader that has gone (`list | head`) ends the command
//! quietly.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

use super::Failure;
use crate::host::outgoing::{between_stops, is_workflow, shown, without_marks};

pub(super) use crate::host::outgoing::complain;
use crate::outcome::redacted;

/// Prints a text of this program's own as it is: a page, a schema, a script.
pub(super) fn text(text: impl Display) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    write!(out, "{text}").and_then(|()| out.flush()).map_err(|error| failure(&error))
}

/// Prints a text and ends the line. Whoever wrote it, it can be shown.
pub(super) fn line(text: impl Display) -> Result<(), Failure> {
    self::text(format_args!("{}\n", shown(&text.to_string())))
}

/// Prints what came of candidates: in parts it is their own text.
pub(super) fn findings(text: impl Display) -> Result<(), Failure> {
    let text = shown(&text.to_string());
    self::text(if is_workflow() { between_stops(&text) } else { text })
}

/// Prints a value as JSON, without secrets.
pub(super) fn json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let failed = |error| Failure::infrastructure(format!("cannot write JSON: {error}"), None);
    let mut value = serde_json::to_value(value).map_err(failed)?;
    redact(&mut value);
    let text = serde_json::to_string_pretty(&value).map_err(failed)?;
    self::text(format_args!("{}\n", without_marks(&text)))
}

fn redact(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::String(text) => *text = redacted(text).into_owned(),
        serde_json::Value::Array(items) => items.iter_mut().for_each(redact),
        serde_json::Value::Object(fields) => fields.values_mut().for_each(redact),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
    }
}

fn failure(error: &io::Error) -> Failure {
    match error.kind() {
        ErrorKind::BrokenPipe => Failure::reader_gone(),
        _ => Failure::infrastructure(format!("cannot write to standard output: {error}"), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_says_the_same_without_secrets_and_commands() {
        let mut value = serde_json::json!({ "got": ["##[error]x", { "url": "https://me:pass@host" }, 1, null] });
        redact(&mut value);
        let text = without_marks(&value.to_string());
        assert!(!text.contains("##"), "{text}");
        let read: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        assert_eq!(read, serde_json::json!({ "got": ["##[error]x", { "url": "https://***@host" }, 1, null] }));
    }
}
