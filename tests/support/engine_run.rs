//! A run that is watched while it goes on.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// What nothing takes that ends at all.
const HANGS: Duration = Duration::from_secs(90);

/// A run that has come to a certain line.
pub(crate) struct EngineRun {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl EngineRun {
    /// Starts it, and waits until its images are ready: it begins to work on its first scenarios.
    pub(crate) fn begin(command: &mut Command) -> Self {
        Self::until("onbuild image, instrumented", command)
    }

    /// Starts it, and waits until it has printed a line with this.
    pub(crate) fn until(awaited: &str, command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut line = String::new();
        while !line.contains(awaited) {
            line.clear();
            let read = output.read_line(&mut line).expect("text");
            assert_ne!(read, 0, "the run ended before it printed: {awaited}");
        }
        Self { child, output }
    }

    /// Sends it a signal. One that has ended already takes none.
    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        Command::new("kill").args([signal, &pid]).stderr(Stdio::null()).status().expect("kill runs");
    }

    /// Waits for its end after a signal, for which it has five seconds. One that takes far longer hangs, and is killed: that has no exit
    /// code.
    pub(crate) fn end_stopped(self) -> (Option<i32>, String) {
        let process = pidfd_open(Pid::from_child(&self.child), PidfdFlags::empty()).expect("a process");
        let (ended, watched) = mpsc::channel::<()>();
        let watch = thread::spawn(move || {
            if watched.recv_timeout(HANGS) == Err(RecvTimeoutError::Timeout) {
                // It may have ended just now.
                let _ = pidfd_send_signal(process, Signal::KILL);
            }
        });
        let end = self.end();
        drop(ended);
        watch.join().expect("it only waits");
        end
    }

    /// Waits for its end: its exit code, and what it printed from here on.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let mut text = String::new();
        self.output.read_to_string(&mut text).expect("text");
        let ended = self.child.wait_with_output().expect("the program ends");
        text.push_str(&String::from_utf8_lossy(&ended.stderr));
        (ended.status.code(), text)
    }
}
