//! Events as they happen, each a line of JSON, for programs that read along.

use std::io::{self, Write};

use super::Reporter;
use super::texts::changed;
use crate::host::outgoing::without_marks;
use crate::run::event::Event;

/// Writes each event at once.
pub(crate) struct JsonLinesReporter {
    out: Box<dyn Write + Send>,
}

impl JsonLinesReporter {
    pub(crate) fn new(out: Box<dyn Write + Send>) -> Self {
        Self { out }
    }
}

impl Reporter for JsonLinesReporter {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        // As it is; but paths that are no UTF-8 would be no JSON.
        let line = serde_json::to_string(&changed(event, &str::to_owned))?;
        self.out.write_all(format!("{}\n", without_marks(&line)).as_bytes())?;
        self.out.flush()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
