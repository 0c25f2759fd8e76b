//! Text of a candidate's, as much of it as a limit lets be read. What a part lacks may be in the rest: so whoever concludes from what
//! is not there asks for the whole, and says what then where there is none.

use std::collections::BTreeMap;
use std::io::{self, Read};

use regex::Regex;

use super::escapes::without_escapes;
use super::limit::Exceeded;

/// What a line takes beside its own bytes, at the least: where the engine keeps it, and in the memory of this program.
const LINE_OVERHEAD: usize = 60;

/// How much of a log a report has, in bytes.
const REPORTED: usize = 1_000_000;

/// A log or an output, line by line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Captured {
    lines: Vec<String>,
    /// Those of them that came with terminal escapes, as they came, by their index.
    escaped: BTreeMap<usize, String>,
    /// The limit that cut it, if one did. The lines are whole ones from the beginning then.
    cut: Option<Exceeded>,
}

impl Captured {
    /// Reads lines, up to a limit in bytes.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(crate) fn read(mut from: impl Read, limit: usize) -> io::Result<Self> {
        let mut chunk = vec![0; 1 << 16];
        let (mut capture, mut pending) = (Capture::new(limit), Pending::default());
        while !capture.is_full() {
            match from.read(&mut chunk)? {
                0 => {
                    pending.end(&mut capture, |_| {});
                    break;
                }
                read => pending.push(&chunk[..read], &mut capture, |_| {}),
            }
        }
        Ok(capture.finish())
    }

    /// All of its lines: what they lack is not there.
    ///
    /// # Errors
    /// The limit, where it cut them.
    pub(crate) fn all(&self) -> Result<&[String], Exceeded> {
        self.cut.map_or(Ok(&self.lines), Err)
    }

    /// The lines that were read: what they have is there. Of what they lack [`Self::all`] tells.
    pub(crate) fn read_part(&self) -> &[String] {
        &self.lines
    }

    /// The first line that matches, with its index: as it came, or without terminal escapes. What an escape hides on a terminal is in
    /// the log nevertheless.
    pub(crate) fn first(&self, pattern: &Regex) -> Option<(usize, &str)> {
        self.lines.iter().enumerate().find_map(|(index, line)| {
            let lines = [Some(line), self.escaped.get(&index)];
            lines.into_iter().flatten().find(|line| pattern.is_match(line)).map(|line| (index, line.as_str()))
        })
    }

    /// The limit that cut it, if one did.
    pub(crate) fn cut(&self) -> Option<Exceeded> {
        self.cut
    }

    /// Whether one of its lines is such; `None` where none is of those that were read, and there are more.
    pub(crate) fn any(&self, is_such: impl Fn(&str) -> bool) -> Option<bool> {
        let found = self.lines.iter().any(|line| is_such(line));
        (found || self.cut.is_none()).then_some(found)
    }

    /// Whether a pattern is found in the text; `None` where it is not in what was read, and there is more.
    pub(crate) fn has(&self, pattern: &Regex) -> Option<bool> {
        let text = self.text();
        if self.cut.is_none() {
            return Some(pattern.is_match(&text));
        }
        is_in_part(pattern, &(text + "\n")).then_some(true)
    }

    /// As [`Self::has`], with what an escape hides on a terminal.
    pub(crate) fn has_at_all(&self, pattern: &Regex) -> Option<bool> {
        let came = || {
            self.text_as_it_came().is_some_and(|text| match self.cut {
                None => pattern.is_match(&text),
                Some(_) => is_in_part(pattern, &(text + "\n")),
            })
        };
        self.has(pattern).map_or_else(|| came().then_some(true), |found| Some(found || came()))
    }

    /// The lines as one text.
    pub(crate) fn text(&self) -> String {
        self.lines.join("\n")
    }

    /// The same with the terminal escapes that came with it; `None` where none did.
    fn text_as_it_came(&self) -> Option<String> {
        let line = |(index, line)| self.escaped.get(&index).unwrap_or(line).as_str();
        let lines = || self.lines.iter().enumerate().map(line).collect::<Vec<_>>();
        (!self.escaped.is_empty()).then(|| lines().join("\n"))
    }

    /// The same with what came later.
    #[must_use]
    pub(crate) fn then(mut self, later: Self) -> Self {
        let lines = self.lines.len();
        self.lines.extend(later.lines);
        self.escaped.extend(later.escaped.into_iter().map(|(index, line)| (lines + index, line)));
        Self { cut: self.cut.or(later.cut), ..self }
    }

    /// The same with a line of the suite's own before it.
    #[must_use]
    pub(crate) fn after(mut self, line: String) -> Self {
        self.lines.insert(0, line);
        self.escaped = self.escaped.into_iter().map(|(index, line)| (index + 1, line)).collect();
        self
    }

    /// The same, cut by this if by nothing else.
    #[must_use]
    pub(crate) fn stopped(self, by: Option<Exceeded>) -> Self {
        Self { cut: self.cut.or(by), ..self }
    }

    /// The lines for a report, which says what was left out: reports hold the logs of all scenarios.
    pub(crate) fn reported(self) -> Vec<String> {
        let mut lines = self.lines;
        let fitting = |lines: &mut dyn Iterator<Item = &String>, mut room: usize| {
            let fits = |line: &&String| {
                let left = room.checked_sub(line.len() + LINE_OVERHEAD);
                room = left.unwrap_or(0);
                left.is_some()
            };
            lines.take_while(fits).count()
        };
        if fitting(&mut lines.iter(), REPORTED) < lines.len() {
            let (first, last) =
                (fitting(&mut lines.iter(), REPORTED / 4), fitting(&mut lines.iter().rev(), REPORTED / 2));
            let left_out = first..lines.len() - last;
            let words = format!("(… {} lines left out …)", left_out.len());
            lines.splice(left_out, [words]);
        }
        lines.extend(self.cut.map(|cut| format!("(cut here: {cut})")));
        lines
    }
}

/// Lines that are all.
impl From<Vec<String>> for Captured {
    fn from(lines: Vec<String>) -> Self {
        Self { lines, ..Self::default() }
    }
}

/// Whether a pattern is found in a text that goes on where it ends here: a match that reaches its end may be none in the whole.
pub(super) fn is_in_part(pattern: &Regex, part: &str) -> bool {
    pattern.find_iter(part).any(|found| found.end() < part.len())
}

/// Takes lines until there is no room for more.
#[derive(Debug)]
pub(crate) struct Capture {
    lines: Vec<String>,
    escaped: BTreeMap<usize, String>,
    limit: usize,
    room: usize,
    is_full: bool,
}

impl Capture {
    /// Up to a limit in bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Self { lines: Vec::new(), escaped: BTreeMap::new(), limit, room: limit, is_full: false }
    }

    /// Whether there was more than it may take. What comes now is dropped.
    pub(crate) fn is_full(&self) -> bool {
        self.is_full
    }

    /// Whether so many bytes of a line have room; otherwise it is full from now on.
    fn has_room(&mut self, bytes: usize) -> bool {
        self.is_full |= bytes.saturating_add(LINE_OVERHEAD) > self.room;
        !self.is_full
    }

    /// Takes a line as it came, and hands it on.
    fn add(&mut self, bytes: &[u8], on_line: impl FnOnce(&str)) {
        if self.has_room(bytes.len()) {
            self.room -= bytes.len() + LINE_OVERHEAD;
            let came = String::from_utf8_lossy(bytes).into_owned();
            let line = without_escapes(&came);
            if line != came {
                self.escaped.insert(self.lines.len(), came);
            }
            on_line(&line);
            self.lines.push(line);
        }
    }

    /// What it took.
    pub(crate) fn finish(self) -> Captured {
        let cut = self.is_full.then_some(Exceeded::Log(self.limit));
        Captured { lines: self.lines, escaped: self.escaped, cut }
    }
}

/// The line that a stream has begun. Lines end with a new line, or with a carriage return: what a terminal would write over is in the
/// text nevertheless. Terminal escapes are not, and what is no UTF-8 is replaced.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    bytes: Vec<u8>,
    after_return: bool,
}

impl Pending {
    /// Takes a chunk, and hands on the lines that it completes, as far as there is room for them.
    pub(crate) fn push(&mut self, chunk: &[u8], capture: &mut Capture, mut on_line: impl FnMut(&str)) {
        for piece in chunk.split_inclusive(|byte| b"\n\r".contains(byte)) {
            let (text, end) = match piece.split_last() {
                Some((end @ (b'\n' | b'\r'), text)) => (text, Some(*end)),
                _ => (piece, None),
            };
            let is_empty = self.bytes.is_empty() && text.is_empty();
            // The new line of a return, and a return that has nothing to write over.
            if is_empty && (end == Some(b'\r') || self.after_return) {
                self.after_return &= end == Some(b'\r');
                continue;
            }
            if !capture.has_room(self.bytes.len() + text.len()) {
                return;
            }
            self.bytes.extend_from_slice(text);
            if end.is_some() {
                self.complete(capture, &mut on_line);
            }
            self.after_return = end == Some(b'\r');
        }
    }

    /// Ends the line that was begun, if one was.
    pub(crate) fn end(&mut self, capture: &mut Capture, on_line: impl FnOnce(&str)) {
        if !self.bytes.is_empty() {
            self.complete(capture, on_line);
        }
    }

    fn complete(&mut self, capture: &mut Capture, on_line: impl FnOnce(&str)) {
        capture.add(&std::mem::take(&mut self.bytes), on_line);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::check::samples::{log, regex};

    /// Lines of which there were more than a limit.
    pub(crate) fn cut(lines: &[&str]) -> Captured {
        Captured { lines: log(lines), cut: Some(Exceeded::Log(16_000_000)), ..Captured::default() }
    }

    #[test]
    fn what_is_within_the_limit_is_whole() {
        let room = 4 + 3 * LINE_OVERHEAD;
        let captured = Captured::read("a\r\nbc\nd".as_bytes(), room).unwrap();
        assert_eq!(captured.all().unwrap(), ["a", "bc", "d"]);
        assert_eq!(captured.reported(), ["a", "bc", "d"]);
        assert_eq!(Captured::read("".as_bytes(), 0).unwrap(), Captured::default());
        assert_eq!(Captured::read("a\r\n".as_bytes(), 1 + LINE_OVERHEAD).unwrap().all().unwrap(), ["a"]);
    }

    #[test]
    fn what_is_beyond_is_left_out_and_that_is_known() {
        for room in [3 + 3 * LINE_OVERHEAD, 2 + 2 * LINE_OVERHEAD] {
            let captured = Captured::read("a\r\nbc\nd".as_bytes(), room).unwrap();
            assert_eq!(captured.read_part(), if room > 150 { &["a", "bc"][..] } else { &["a"] });
            assert_eq!(captured.all(), Err(Exceeded::Log(room)));
            assert!(captured.reported().last().unwrap().starts_with("(cut here: "));
        }
        // Many short lines take more than their bytes.
        assert!(Captured::read("\n".repeat(100).as_bytes(), 1000).unwrap().cut().is_some());
    }

    fn lines(chunks: &[&[u8]]) -> Vec<String> {
        let (mut capture, mut pending) = (Capture::new(1_000_000), Pending::default());
        let mut handed = Vec::new();
        for chunk in chunks {
            pending.push(chunk, &mut capture, |line| handed.push(line.to_owned()));
        }
        pending.end(&mut capture, |line| handed.push(line.to_owned()));
        let captured = capture.finish();
        assert_eq!(captured.all().unwrap(), handed);
        handed
    }

    #[test]
    fn chunks_become_lines() {
        assert_eq!(lines(&[b"a\nb", b"c\n", b"d"]), ["a", "bc", "d"]);
        assert_eq!(lines(&[b"\n\na\r", b"\n\r\n\n"]), ["", "", "a", "", ""]);
        // A character may be split between chunks.
        assert_eq!(lines(&[b"\xc3", b"\xa9\n\xff"]), ["é", "\u{fffd}"]);
    }

    /// What would be written over on a terminal cannot hide.
    #[test]
    fn escapes_go_and_what_a_return_hides_stays() {
        let text = b"\x1b[91mr\x1b[0med\r\n10%\r50%\r\r100%\n\x1b]0;title\x07x\n";
        assert_eq!(lines(&[text]), ["red", "10%", "50%", "100%", "x"]);
    }

    #[test]
    fn what_an_escape_hides_is_found_where_nothing_may_be() {
        let text = b"first\n\x1b]0;Traceback\x07x\nlast\n";
        let hiding = || Captured::read(text.as_slice(), 1000).unwrap();
        let traceback = regex("Traceback");
        assert_eq!(hiding().read_part(), ["first", "x", "last"]);
        assert_eq!(hiding().first(&traceback).map(|(index, _)| index), Some(1));
        assert_eq!((hiding().has(&traceback), hiding().has_at_all(&traceback)), (Some(false), Some(true)));
        assert_eq!(hiding().has_at_all(&regex("Error")), Some(false));
        // Where lines are added, it is known of the same one.
        let more = Captured::from(log(&["a"])).then(hiding()).after("before".to_owned());
        assert_eq!(more.first(&traceback).map(|(index, _)| index), Some(3));
    }

    #[test]
    fn no_part_of_a_line_is_a_line() {
        let (mut capture, mut pending) = (Capture::new(200), Pending::default());
        for chunk in ["first\n", &"x".repeat(150), "x\n", "last\n"] {
            pending.push(chunk.as_bytes(), &mut capture, |_| {});
        }
        assert_eq!(capture.finish().read_part(), ["first"]);
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

        #[test]
        fn any_bytes_in_any_chunks_are_the_same_lines(chunks in proptest::collection::vec(proptest::collection::vec(proptest::sample::select(b"a\n\r\x1b[m\xc3\xa9\x00".to_vec()), 0..12), 0..8)) {
            let chunks: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
            let whole = chunks.concat();
            proptest::prop_assert_eq!(lines(&chunks), lines(&[&whole]));
        }
    }

    #[test]
    fn a_report_has_both_ends_of_what_is_too_long_for_it() {
        let lines: Vec<String> = (0..20_000).map(|number| format!("{number}: {}", "x".repeat(93))).collect();
        let reported = Captured::from(lines.clone()).reported();
        assert!(reported.iter().map(String::len).sum::<usize>() < REPORTED);
        assert_eq!((reported.first(), reported.last()), (lines.first(), lines.last()));
        let said = reported.iter().position(|line| line.starts_with("(… ")).unwrap();
        assert_eq!(reported[said], format!("(… {} lines left out …)", lines.len() - reported.len() + 1));
        assert_eq!(Captured::from(vec!["x".repeat(2_000_000)]).reported(), ["(… 1 lines left out …)"]);
    }

    #[test]
    fn of_a_part_only_what_is_there_is_known() {
        let whole = Captured::from(log(&["a", "b"]));
        assert_eq!((whole.any(|line| line == "b"), whole.any(|line| line == "c")), (Some(true), Some(false)));
        assert_eq!((whole.has(&regex("^b$")), whole.has(&regex("c"))), (Some(true), Some(false)));
        let part = cut(&["a", "b"]);
        assert_eq!((part.any(|line| line == "b"), part.any(|line| line == "c")), (Some(true), None));
        assert_eq!((part.has(&regex("^b$")), part.has(&regex("c"))), (Some(true), None));
        // It may go on otherwise.
        assert_eq!((whole.has(&regex(r"\A[^c]*\z")), part.has(&regex(r"\A[^c]*\z"))), (Some(true), None));
    }

    #[test]
    fn what_follows_a_part_does_not_make_it_whole() {
        assert!(cut(&["a"]).then(log(&["b"]).into()).cut().is_some());
        assert!(Captured::from(log(&["a"])).then(cut(&["b"])).cut().is_some());
        assert_eq!(Captured::from(log(&["a"])).then(log(&["b"]).into()).all().unwrap(), ["a", "b"]);
    }
}
