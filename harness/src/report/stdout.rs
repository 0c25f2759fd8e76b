//! Standard output, for reporters. A reader that has gone (`run | head`) is no fault: the run goes on, for its report files
//! and its exit code, and prints nothing more.

use std::io::{self, ErrorKind, Write};

/// Standard output, until its reader goes.
#[derive(Debug, Default)]
pub(super) struct Stdout {
    is_closed: bool,
}

impl Stdout {
    fn unless_closed<T>(&mut self, result: io::Result<T>, otherwise: T) -> io::Result<T> {
        match result {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.is_closed = true;
                Ok(otherwise)
            }
            result => result,
        }
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_closed {
            return Ok(bytes.len());
        }
        let written = io::stdout().write(bytes);
        self.unless_closed(written, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.is_closed {
            return Ok(());
        }
        let flushed = io::stdout().flush();
        self.unless_closed(flushed, ())
    }
}
