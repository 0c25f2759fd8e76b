//! The log of a build by `BuildKit`. It tells of vertices, some of which are done side by side, and what each of them prints comes in
//! pieces. The log has one line for each vertex when it begins, `#3 [2/4] RUN make`, and then what it prints, as it was printed. Where
//! several print at once, a vertex is named again before its next lines.

use std::collections::HashMap;

use bollard::models::BuildInfoAux;

/// Vertices that are no instructions: what the builder does for itself.
const OWN: [&str; 4] = ["[internal] ", "copy /context", "exporting ", "docker-image://"];
/// What the builder prints in the place of what a vertex printed beyond its limit.
const CLIPPED: &[u8] = b"[output clipped, log limit ";
/// How much of a line is kept until it ends, in bytes.
const LINE: usize = 1 << 16;

/// The vertices of a build, as far as they have begun.
#[derive(Debug, Default)]
pub(super) struct BuildKitLog {
    vertices: HashMap<String, Vertex>,
    /// The vertex that the last line is of.
    last: Option<String>,
    /// Whether the builder has left out what a vertex printed.
    pub(super) is_clipped: bool,
    /// Whether a command has been run, and has ended.
    pub(super) has_run: bool,
}

/// A vertex that has begun.
#[derive(Debug, Default)]
struct Vertex {
    /// Its line: number and instruction. Nothing for what is not of the log.
    title: Option<String>,
    number: usize,
    /// Lines that have not ended, of standard output and standard error.
    begun: [Vec<u8>; 2],
    is_done: bool,
}

impl BuildKitLog {
    /// What a message adds to the log: whole lines.
    pub(super) fn read(&mut self, message: BuildInfoAux) -> Vec<u8> {
        let BuildInfoAux::BuildKit(status) = message else { return Vec::new() };
        let mut text = Vec::new();
        for vertex in status.vertexes.iter().filter(|vertex| vertex.started.is_some() || vertex.cached) {
            self.begin(&vertex.digest, &vertex.name, &mut text);
        }
        for log in status.logs {
            self.is_clipped |= log.msg.trim_ascii_start().starts_with(CLIPPED);
            self.print(&log.vertex, usize::from(log.stream == 2), &log.msg, &mut text);
        }
        for vertex in status.vertexes.iter().filter(|vertex| vertex.completed.is_some()) {
            self.end(&vertex.digest, vertex.cached, &mut text);
        }
        text
    }

    /// What is left of lines that were begun.
    pub(super) fn rest(&mut self) -> Vec<u8> {
        let mut text = Vec::new();
        let mut digests: Vec<(usize, String)> =
            self.vertices.iter().map(|(digest, vertex)| (vertex.number, digest.clone())).collect();
        digests.sort();
        for (_, digest) in digests {
            self.flush(&digest, &mut text);
        }
        text
    }

    fn begin(&mut self, digest: &str, name: &str, text: &mut Vec<u8>) {
        if self.vertices.contains_key(digest) {
            return;
        }
        let is_own = OWN.iter().any(|own| name.starts_with(own));
        let number = self.vertices.values().filter(|vertex| vertex.title.is_some()).count() + 1;
        let title = (!is_own).then(|| format!("#{number} {}", name.replace(['\n', '\r'], " ")));
        text.extend(title.iter().flat_map(|title| format!("{title}\n").into_bytes()));
        if title.is_some() {
            self.last = Some(digest.to_owned());
        }
        self.vertices.insert(digest.to_owned(), Vertex { title, number, ..Vertex::default() });
    }

    fn print(&mut self, digest: &str, stream: usize, bytes: &[u8], text: &mut Vec<u8>) {
        let vertex = self.vertices.entry(digest.to_owned()).or_default();
        let line = &mut vertex.begun[stream];
        line.extend_from_slice(bytes);
        let whole = match line.iter().rposition(|byte| *byte == b'\n') {
            Some(end) => end + 1,
            None if line.len() > LINE => line.len(),
            None => return,
        };
        let whole: Vec<u8> = line.drain(..whole).collect();
        self.name(digest, text);
        text.extend(whole);
    }

    fn end(&mut self, digest: &str, cached: bool, text: &mut Vec<u8>) {
        self.flush(digest, text);
        let Some(vertex) = self.vertices.get_mut(digest) else { return };
        let Some(title) = &vertex.title else { return };
        if std::mem::replace(&mut vertex.is_done, true) {
            return;
        }
        if cached {
            text.extend(format!("#{} CACHED\n", vertex.number).into_bytes());
        } else {
            self.has_run |= title.contains("] RUN ");
        }
    }

    fn flush(&mut self, digest: &str, text: &mut Vec<u8>) {
        for stream in 0..2 {
            let Some(vertex) = self.vertices.get_mut(digest) else { return };
            let line = std::mem::take(&mut vertex.begun[stream]);
            if !line.is_empty() {
                self.name(digest, text);
                text.extend(line);
                text.push(b'\n');
            }
        }
    }

    /// Says whose the next lines are, where the last was another's.
    fn name(&mut self, digest: &str, text: &mut Vec<u8>) {
        if self.last.as_deref() == Some(digest) {
            return;
        }
        if let Some(title) = self.vertices.get(digest).and_then(|vertex| vertex.title.as_ref()) {
            text.extend(format!("{title}\n").into_bytes());
        }
        self.last = Some(digest.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What something adds to the log.
    fn text(of: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut text = Vec::new();
        of(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    }

    #[test]
    fn lines_are_whole_and_say_whose_they_are() {
        let mut log = BuildKitLog::default();
        assert_eq!(text(|text| log.begin("a", "[internal] load remote build context", text)), "");
        assert_eq!(text(|text| log.begin("b", "[one 2/3] RUN make", text)), "#1 [one 2/3] RUN make\n");
        assert_eq!(text(|text| log.begin("c", "[two 2/3] RUN make\nit", text)), "#2 [two 2/3] RUN make it\n");
        assert_eq!(text(|text| log.print("b", 0, b"first, ", text)), "");
        assert_eq!(text(|text| log.print("b", 1, b"an error\n", text)), "#1 [one 2/3] RUN make\nan error\n");
        assert_eq!(text(|text| log.print("b", 0, b"and on\nsecond", text)), "first, and on\n");
        assert_eq!(text(|text| log.print("c", 0, b"other\n", text)), "#2 [two 2/3] RUN make it\nother\n");
        assert_eq!(text(|text| log.end("b", false, text)), "#1 [one 2/3] RUN make\nsecond\n");
        assert!(log.has_run);
        log.print("c", 0, b"last", &mut Vec::new());
        assert_eq!(String::from_utf8_lossy(&log.rest()), "#2 [two 2/3] RUN make it\nlast\n");
    }

    #[test]
    fn what_comes_from_the_cache_was_not_run() {
        let mut log = BuildKitLog::default();
        log.begin("b", "[2/3] RUN make", &mut Vec::new());
        assert_eq!(text(|text| log.end("b", true, text)), "#1 CACHED\n");
        // The engine says so again and again.
        assert_eq!(text(|text| log.end("b", true, text)), "");
        assert!(!log.has_run);
    }

    /// A line that never ends does not fill the memory.
    #[test]
    fn a_long_line_is_handed_on_in_pieces() {
        let mut log = BuildKitLog::default();
        log.begin("b", "[2/3] RUN yes", &mut Vec::new());
        let piece = vec![b'y'; LINE];
        let printed = text(|text| (0..10).for_each(|_| log.print("b", 0, &piece, text)));
        assert!(printed.len() >= 9 * LINE);
    }
}
