//! This program's own terminal, as far as something in a container is connected with it.

use std::io::{self, Read, stdin, stdout};

use rustix::termios::{OptionalActions, Termios, isatty, tcgetattr, tcgetwinsize, tcsetattr};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{self, Receiver};

/// How much is read at once.
const CHUNK: usize = 16 * 1024;
/// How many chunks wait to be taken, at the most.
const WAITING: usize = 4;

/// A terminal's size, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub rows: u16,
    pub columns: u16,
}

/// Whether a person is at both ends: standard input and standard output are a terminal.
pub(crate) fn is_interactive() -> bool {
    isatty(stdin()) && isatty(stdout())
}

/// What is typed, until its end. It is read from now on, and by nobody else.
pub(crate) fn typed() -> io::Result<Receiver<Vec<u8>>> {
    let (sender, receiver) = mpsc::channel(WAITING);
    // A thread of its own, since nothing can end a read of a terminal: it must not hold up the end of the program.
    std::thread::Builder::new().spawn(move || {
        let mut chunk = vec![0; CHUNK];
        loop {
            match stdin().read(&mut chunk) {
                Ok(0) => return,
                Ok(read) if sender.blocking_send(chunk[..read].to_vec()).is_err() => return,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    })?;
    Ok(receiver)
}

/// The sizes that a terminal has in time.
#[derive(Debug)]
pub(crate) struct Sizes {
    /// That of the beginning, if it has one.
    pub first: Option<Size>,
    /// Those that it gets.
    pub changes: Receiver<Size>,
}

impl Sizes {
    /// Those of this program's own terminal.
    pub(crate) fn own() -> io::Result<Self> {
        let (sender, changes) = mpsc::channel(1);
        // Before the first size is asked for, so that no change is lost.
        let mut signals = signal(SignalKind::window_change())?;
        let first = size();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = signals.recv() => {}
                    () = sender.closed() => return,
                }
                if let Some(size) = size()
                    && sender.send(size).await.is_err()
                {
                    return;
                }
            }
        });
        Ok(Self { first, changes })
    }
}

/// The terminal's size now. One without a window has none.
fn size() -> Option<Size> {
    let size = tcgetwinsize(stdout()).ok()?;
    (size.ws_row > 0 && size.ws_col > 0).then_some(Size { rows: size.ws_row, columns: size.ws_col })
}

/// While it is there, the terminal passes on every key as it is, control-C too. Then it is as it was.
pub(crate) struct Raw(Termios);

impl Raw {
    /// # Errors
    /// When standard input is no terminal.
    pub(crate) fn enter() -> io::Result<Self> {
        let before = tcgetattr(stdin())?;
        let mut raw = before.clone();
        raw.make_raw();
        // What was typed before is not lost.
        tcsetattr(stdin(), OptionalActions::Now, &raw)?;
        Ok(Self(before))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // A terminal that has gone needs nothing.
        let _ = tcsetattr(stdin(), OptionalActions::Now, &self.0);
    }
}
