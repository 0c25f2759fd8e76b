//! Logs as lines: chunks joined, carriage returns and terminal escapes taken out, invalid UTF-8 replaced.

use std::sync::LazyLock;

use regex::Regex;

/// CSI and OSC sequences, and the other escapes of two characters.
#[allow(clippy::expect_used, reason = "a constant pattern")]
static ESCAPE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]*(?:\x07|\x1b\\\\)|[@-Z\\\\-_])").expect("a constant pattern")
});

/// Joins chunks into lines.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pending: Vec<u8>,
    done: Vec<String>,
}

impl Lines {
    /// Takes a chunk, and hands on the lines that it completes.
    pub(super) fn push(&mut self, chunk: &[u8], mut on_line: impl FnMut(&str)) {
        for byte in chunk {
            if *byte == b'\n' {
                let line = clean(&std::mem::take(&mut self.pending));
                on_line(&line);
                self.done.push(line);
            } else {
                self.pending.push(*byte);
            }
        }
    }

    /// An unterminated last line, if there is one.
    pub(super) fn unterminated(self) -> Option<String> {
        (!self.pending.is_empty()).then(|| clean(&self.pending))
    }

    /// All lines; an unterminated last one is a line too.
    pub(super) fn finish(mut self) -> Vec<String> {
        if !self.pending.is_empty() {
            self.done.push(clean(&self.pending));
        }
        self.done
    }
}

/// A line as a person would see it at the end: what a carriage return has overwritten is not there.
fn clean(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let text = text.trim_end_matches('\r');
    let text = text.rsplit('\r').next().unwrap_or(text);
    ESCAPE.replace_all(text, "").into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(chunks: &[&[u8]]) -> Vec<String> {
        let mut lines = Lines::default();
        for chunk in chunks {
            lines.push(chunk, |_| {});
        }
        lines.finish()
    }

    #[test]
    fn chunks_become_lines() {
        assert_eq!(lines(&[b"a\nb", b"c\n", b"d"]), ["a", "bc", "d"]);
    }

    #[test]
    fn a_character_may_be_split_between_chunks() {
        assert_eq!(lines(&[b"\xc3", b"\xa9\n"]), ["é"]);
    }

    #[test]
    fn escapes_and_progress_bars_leave_their_last_state() {
        assert_eq!(lines(&[b"\x1b[91mred\x1b[0m\r\n10%\r50%\r100%\n\x1b]0;title\x07x\n"]), ["red", "100%", "x"]);
    }

    #[test]
    fn invalid_utf8_is_replaced() {
        assert_eq!(lines(&[b"\xff\n"]), ["\u{fffd}"]);
    }
}
