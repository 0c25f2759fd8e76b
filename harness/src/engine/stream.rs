//! What comes from an engine in pieces: logs as lines, and how an answer ends.

use bollard::container::LogOutput;
use bollard::errors::Error;

use crate::check::captured::{Capture, Captured, Pending};

/// Whether an answer of many messages ended as the engine meant it to, but with something behind its last message that is none.
/// That is how the client's library also reads a last line end that comes in a piece of its own (bollard 0.21.1 and older,
/// its issue 560): whoever knows by other means that the answer was whole can go on.
pub(super) fn has_rest(error: &Error) -> bool {
    matches!(error, Error::IOError { err } if err.to_string() == "bytes remaining on stream")
}

/// Joins chunks into lines, up to a limit.
#[derive(Debug)]
pub(super) struct Lines {
    pending: Pending,
    capture: Capture,
}

impl Lines {
    /// Up to a limit in bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self { pending: Pending::default(), capture: Capture::new(limit) }
    }

    /// Takes a chunk, and hands on the lines that it completes.
    pub(super) fn push(&mut self, chunk: &[u8], on_line: impl FnMut(&str)) {
        self.pending.push(chunk, &mut self.capture, on_line);
    }

    /// Whether there was more than the limit.
    pub(super) fn is_full(&self) -> bool {
        self.capture.is_full()
    }

    /// All lines; an unterminated last one is a line too, and handed on.
    pub(super) fn finish(mut self, on_line: impl FnOnce(&str)) -> Captured {
        self.pending.end(&mut self.capture, on_line);
        self.capture.finish()
    }
}

/// Joins the two output streams of a container, each by itself, into lines in the order in which they were completed, up to a limit.
#[derive(Debug)]
pub(super) struct Streams {
    out: Pending,
    err: Pending,
    capture: Capture,
}

impl Streams {
    /// Up to a limit in bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self { out: Pending::default(), err: Pending::default(), capture: Capture::new(limit) }
    }

    /// Takes the next chunk of either stream.
    pub(super) fn push(&mut self, chunk: &LogOutput) {
        let stream = if let LogOutput::StdErr { .. } = chunk { &mut self.err } else { &mut self.out };
        stream.push(chunk.as_ref(), &mut self.capture, |_| {});
    }

    /// Whether there was more than the limit.
    pub(super) fn is_full(&self) -> bool {
        self.capture.is_full()
    }

    /// All lines; unterminated last ones are lines too.
    pub(super) fn finish(mut self) -> Captured {
        for stream in [&mut self.out, &mut self.err] {
            stream.end(&mut self.capture, |_| {});
        }
        self.capture.finish()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_two_streams_keep_their_lines_whole() {
        let out = |text: &'static str| LogOutput::StdOut { message: text.into() };
        let err = |text: &'static str| LogOutput::StdErr { message: text.into() };
        let mut streams = Streams::new(1_000_000);
        for chunk in [out("star"), err("warning\nmore"), out("ted\nlast")] {
            streams.push(&chunk);
        }
        assert_eq!(streams.finish().all().unwrap(), ["warning", "started", "last", "more"]);
    }
}
