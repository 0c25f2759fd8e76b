//! The calls of stubs, written down outside of the sandbox: each stub says its call over a socket, and only a process that runs the
//! program of the stubs is heard.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

use super::program::{Identity, identity};
use crate::contract_tier::stub::record::Call;

/// Connections at once; more wait.
const CONNECTIONS: usize = 64;
/// The size of a call's record, in bytes: an environment may have 2 MB (`execve(2)`).
const RECORD: u64 = 8 << 20;
/// What all records of a sandbox may have, in bytes.
const ALL: usize = 64 << 20;

/// The calls of a sandbox.
#[derive(Debug, Default)]
pub(crate) struct Calls(Mutex<Heard>);

#[derive(Debug, Default)]
struct Heard {
    calls: Vec<Call>,
    bytes: usize,
}

/// Who writes the calls of stubs down.
pub(super) struct Recorder<'a> {
    listener: UnixListener,
    /// The file that stubs are.
    program: Identity,
    calls: &'a Calls,
}

impl Calls {
    /// The calls so far, in order.
    pub(super) fn so_far(&self) -> Vec<Call> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).calls.clone()
    }

    /// Forgets them.
    pub(super) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Heard::default();
    }

    fn add(&self, record: &[u8]) -> io::Result<()> {
        let call = serde_json::from_slice(record)?;
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heard.bytes += record.len();
        if heard.bytes > ALL {
            return Err(ErrorKind::QuotaExceeded.into());
        }
        heard.calls.push(call);
        Ok(())
    }
}

impl<'a> Recorder<'a> {
    /// Listens at this path, where stubs that are this program's file connect.
    pub(super) fn new(path: &Path, program: Identity, calls: &'a Calls) -> io::Result<Self> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o666))?;
        Ok(Self { listener, program, calls })
    }

    /// Writes calls down, for as long as it is polled.
    pub(super) async fn record(&self) {
        let mut talks = FuturesUnordered::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept(), if talks.len() < CONNECTIONS => {
                    if let Ok((stream, _)) = accepted {
                        talks.push(self.hear(stream));
                    }
                }
                Some(()) = talks.next() => {}
            }
        }
    }

    /// Hears one stub. What is no record is none, and a stub that is not believed sees its connection closed, and says so.
    async fn hear(&self, mut stream: UnixStream) {
        if !self.is_stub(&stream) {
            return;
        }
        let mut record = Vec::new();
        let read = (&mut stream).take(RECORD).read_to_end(&mut record).await;
        if read.is_ok() && self.calls.add(&record).is_ok() {
            drop(stream.write_all(b"\n").await);
        }
    }

    /// Whether the process at the other end runs the program of the stubs.
    fn is_stub(&self, stream: &UnixStream) -> bool {
        let process = stream.peer_cred().ok().and_then(|peer| peer.pid());
        process.is_some_and(|process| {
            identity(Path::new(&format!("/proc/{process}/exe"))).is_ok_and(|program| program == self.program)
        })
    }
}
