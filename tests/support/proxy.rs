//! Proxies in front of an engine's socket: one that has faults (delays, connections that break off, answers of 500, answers cut
//! short), one that breaks off behind a word, one that hands answers on in pieces, and one that makes of the networks asked for others
//! that isolate nothing.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

/// What is done to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// Each piece comes late.
    Delay(Duration),
    /// The connection breaks off after so many bytes of answers.
    BreakOff(usize),
    /// The first request is answered with 500, and does not reach the engine.
    Refuse,
    /// The first answer is JSON that does not end, and the request does not reach the engine.
    HalfAnswer,
}

/// A proxy, which ends when it is dropped.
pub(crate) struct Proxy {
    folder: TempDir,
    ended: Arc<AtomicBool>,
    faults: Arc<AtomicUsize>,
}

impl Proxy {
    /// A proxy in front of this socket with faults, which follow from the seed and the order of the connections; of a hundred
    /// connections so many have one.
    pub(crate) fn faulty(socket: &Path, seed: u64, percent: u64) -> Self {
        let faults = Arc::new(AtomicUsize::new(0));
        let (count, mut random) = (Arc::clone(&faults), seed);
        Self::start(socket, faults, move |client, socket| {
            let fault = fault(&mut random, percent);
            count.fetch_add(usize::from(fault.is_some()), Ordering::SeqCst);
            thread::spawn(move || serve(client, &socket, fault));
        })
    }

    /// A proxy in front of this socket that has every network made as one that is not internal, and whose gateway is the engine's
    /// machine.
    pub(crate) fn weakening(socket: &Path) -> Self {
        Self::start(socket, Arc::default(), |client, socket| {
            let Ok(engine) = UnixStream::connect(socket) else { return };
            let (Ok(mut from_client), Ok(mut to_engine)) = (client.try_clone(), engine.try_clone()) else { return };
            thread::spawn(move || {
                let mut buffer = [0; 16384];
                while let Ok(read @ 1..) = from_client.read(&mut buffer) {
                    // As long as before: the length was announced.
                    replace(&mut buffer[..read], b"\"Internal\":true", b"\"Internal\":null");
                    replace(&mut buffer[..read], b"bridge.inhibit_ipv4", b"bridge.something_el");
                    if to_engine.write_all(&buffer[..read]).is_err() {
                        break;
                    }
                }
                drop(to_engine.shutdown(Shutdown::Write));
            });
            thread::spawn(move || pass_on(engine, client, Duration::ZERO, usize::MAX));
        })
    }

    /// A proxy in front of this socket that breaks a connection off behind the word `CUT` in an answer.
    pub(crate) fn cutting(socket: &Path) -> Self {
        Self::answering(socket, pass_on_to_word)
    }

    /// A proxy in front of this socket that loses nothing, but hands on each message of an answer without its line end, and that after it.
    pub(crate) fn in_pieces(socket: &Path) -> Self {
        Self::answering(socket, pass_on_in_pieces)
    }

    /// A proxy that passes requests on as they are, and answers in this way.
    fn answering(socket: &Path, answers: fn(UnixStream, UnixStream)) -> Self {
        Self::start(socket, Arc::default(), move |client, socket| {
            let Ok(engine) = UnixStream::connect(socket) else { return };
            let (Ok(from_client), Ok(to_engine)) = (client.try_clone(), engine.try_clone()) else { return };
            thread::spawn(move || pass_on(from_client, to_engine, Duration::ZERO, usize::MAX));
            thread::spawn(move || answers(engine, client));
        })
    }

    fn start(
        socket: &Path,
        faults: Arc<AtomicUsize>,
        mut serve: impl FnMut(UnixStream, PathBuf) + Send + 'static,
    ) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let listener = UnixListener::bind(folder.path().join("docker.sock")).expect("a socket");
        let ended = Arc::new(AtomicBool::new(false));
        let proxy = Self { folder, ended: Arc::clone(&ended), faults };
        let socket = socket.to_owned();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                serve(client, socket.clone());
            }
        });
        proxy
    }

    /// Its address.
    pub(crate) fn docker_host(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("docker.sock")
    }

    /// How many connections had a fault so far.
    pub(crate) fn faults(&self) -> usize {
        self.faults.load(Ordering::SeqCst)
    }
}

/// Replaces bytes by as many others.
fn replace(buffer: &mut [u8], from: &[u8], to: &[u8]) {
    for start in 0..buffer.len().saturating_sub(from.len() - 1) {
        if buffer[start..].starts_with(from) {
            buffer[start..start + from.len()].copy_from_slice(to);
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // Wakes the listener.
        drop(UnixStream::connect(self.socket()));
    }
}

/// The next number of a simple generator (Knuth's MMIX).
pub(crate) fn next(random: &mut u64) -> u64 {
    *random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *random >> 33
}

fn fault(random: &mut u64, percent: u64) -> Option<Fault> {
    if next(random) % 100 >= percent {
        return None;
    }
    let size = next(random);
    Some(match next(random) % 5 {
        0 => Fault::Delay(Duration::from_millis(size % 200)),
        1 => Fault::BreakOff(usize::try_from(size % 200).unwrap_or(0)),
        2 => Fault::BreakOff(usize::try_from(size % 20_000).unwrap_or(0)),
        3 => Fault::Refuse,
        _ => Fault::HalfAnswer,
    })
}

fn serve(mut client: UnixStream, socket: &Path, fault: Option<Fault>) {
    let answer: Option<&[u8]> = match fault {
        Some(Fault::Refuse) => Some(
            b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\nContent-Length: 27\r\nConnection: close\r\n\r\n{\"message\":\"injected fault\"}",
        ),
        Some(Fault::HalfAnswer) => Some(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n{\"Id\":\"injected, and then noth",
        ),
        _ => None,
    };
    if let Some(answer) = answer {
        let mut request = [0; 4096];
        drop(client.read(&mut request));
        drop(client.write_all(answer));
        drop(client.shutdown(Shutdown::Both));
        return;
    }
    let Ok(engine) = UnixStream::connect(socket) else { return };
    let (Ok(from_client), Ok(to_engine)) = (client.try_clone(), engine.try_clone()) else { return };
    let delay = if let Some(Fault::Delay(delay)) = fault { delay } else { Duration::ZERO };
    let limit = if let Some(Fault::BreakOff(bytes)) = fault { bytes } else { usize::MAX };
    thread::spawn(move || pass_on(from_client, to_engine, Duration::ZERO, usize::MAX));
    pass_on(engine, client, delay, limit);
}

/// Passes on what comes, up to the word; then both ends are closed. What tests print with the word in it comes in one piece.
fn pass_on_to_word(mut from: UnixStream, mut to: UnixStream) {
    const WORD: &[u8] = b"CUT";
    let mut buffer = [0; 16384];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        let place = buffer[..read].windows(WORD.len()).position(|window| window == WORD);
        let end = place.map_or(read, |place| place + WORD.len());
        if to.write_all(&buffer[..end]).is_err() || place.is_some() {
            break;
        }
    }
    drop(from.shutdown(Shutdown::Both));
    drop(to.shutdown(Shutdown::Both));
}

/// Passes on what comes. Between a message and its line end it pauses, so that they are not read together.
fn pass_on_in_pieces(mut from: UnixStream, mut to: UnixStream) {
    const END: &[u8] = b"}\r\n";
    let mut buffer = [0; 16384];
    'more: while let Ok(read @ 1..) = from.read(&mut buffer) {
        let mut rest = &buffer[..read];
        while let Some(place) = rest.windows(END.len()).position(|window| window == END) {
            let (message, behind) = rest.split_at(place + 1);
            if to.write_all(message).is_err() {
                break 'more;
            }
            // What the test is about, not a wait for something.
            thread::sleep(Duration::from_millis(20));
            rest = behind;
        }
        if to.write_all(rest).is_err() {
            break;
        }
    }
    drop(to.shutdown(Shutdown::Write));
}

/// Passes on what comes, up to so many bytes; then both ends are closed.
fn pass_on(mut from: UnixStream, mut to: UnixStream, delay: Duration, mut limit: usize) {
    let mut buffer = [0; 16384];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        // A fault, not a wait for something.
        thread::sleep(delay);
        let passed = read.min(limit);
        limit -= passed;
        if to.write_all(&buffer[..passed]).is_err() {
            break;
        }
        if limit == 0 {
            drop(from.shutdown(Shutdown::Both));
            drop(to.shutdown(Shutdown::Both));
            return;
        }
    }
    // The other direction may go on: only this one has ended.
    drop(to.shutdown(Shutdown::Write));
}
