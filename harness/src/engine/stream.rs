//! Logs as lines: chunks joined, carriage returns and terminal escapes taken out, invalid UTF-8 replaced.

use bollard::container::LogOutput;
use console::strip_ansi_codes;

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

    /// How many lines are complete.
    pub(super) fn len(&self) -> usize {
        self.done.len()
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

/// Joins the two output streams of a container, each by itself, into lines in the order in which they were completed.
#[derive(Debug, Default)]
pub(super) struct Streams {
    out: Lines,
    err: Lines,
    order: Vec<String>,
}

impl Streams {
    /// Takes the next chunk of either stream.
    pub(super) fn push(&mut self, chunk: &LogOutput) {
        let order = &mut self.order;
        let lines = if let LogOutput::StdErr { .. } = chunk { &mut self.err } else { &mut self.out };
        lines.push(chunk.as_ref(), |line| order.push(line.to_owned()));
    }

    /// All lines; unterminated last ones are lines too.
    pub(super) fn finish(mut self) -> Vec<String> {
        self.order.extend([self.out, self.err].into_iter().filter_map(Lines::unterminated));
        self.order
    }
}

/// A line as a person would see it at the end: what a carriage return has overwritten is not there.
fn clean(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let text = text.trim_end_matches('\r');
    let text = text.rsplit('\r').next().unwrap_or(text);
    strip_ansi_codes(text).into_owned()
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
    fn the_two_streams_keep_their_lines_whole() {
        let out = |text: &'static str| LogOutput::StdOut { message: text.into() };
        let err = |text: &'static str| LogOutput::StdErr { message: text.into() };
        let mut streams = Streams::default();
        for chunk in [out("star"), err("warning\nmore"), out("ted\nlast")] {
            streams.push(&chunk);
        }
        assert_eq!(streams.finish(), ["warning", "started", "last", "more"]);
    }

    #[test]
    fn invalid_utf8_is_replaced() {
        assert_eq!(lines(&[b"\xff\n"]), ["\u{fffd}"]);
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

        #[test]
        fn any_bytes_in_any_chunks_become_lines_without_escapes(chunks in proptest::collection::vec(proptest::collection::vec(proptest::arbitrary::any::<u8>(), 0..40), 0..8)) {
            let chunks: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
            let whole = chunks.concat();
            // However they are cut, they are the same lines.
            proptest::prop_assert_eq!(lines(&chunks), lines(&[&whole]));
        }
    }
}
