//! The link to a relay: its two streams, and the connections that it carries.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::frame::{Frame, Kind};
use super::stream::{End, RelayStream};

/// How long a relay may take until it listens.
const READY_LIMIT: Duration = Duration::from_secs(60);
/// How long a relay that says something every five seconds may be silent: less than what it carries may take.
const SILENCE: Duration = Duration::from_secs(20);
/// How much is written to the relay at once, in bytes.
const BATCH: usize = 1 << 18;

/// What comes from a relay.
#[derive(Debug)]
pub(crate) enum Output {
    /// A piece of its frames.
    Frames(Bytes),
    /// What it says when something is wrong.
    Complaint(Bytes),
}

/// Who is at the other end of a connection that came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer {
    pub address: SocketAddr,
    /// When the connection came in, in nanoseconds since 1970, by the clock of the engine's machine; where that is not known, nothing.
    pub at: Option<i64>,
    /// The build that had the relay for itself, by its number; nothing where the relay is for all.
    pub build: Option<u32>,
}

impl From<SocketAddr> for Peer {
    fn from(address: SocketAddr) -> Self {
        Self { address, at: None, build: None }
    }
}

/// The connections that come in at a relay's port.
#[derive(Debug)]
pub(crate) struct Incoming(mpsc::UnboundedReceiver<(Option<RelayStream>, Peer)>);

/// The link to a running relay. Dropped, it ends, and the relay with it.
#[derive(Debug)]
pub(crate) struct Link {
    shared: Arc<Shared>,
    /// The port at which the relay listens.
    port: u16,
    tasks: [JoinHandle<()>; 2],
}

#[derive(Debug)]
pub(super) struct Shared {
    frames: mpsc::UnboundedSender<Frame>,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    ends: HashMap<u32, Arc<End>>,
    /// The number of the last connection that was opened from here. These are odd, the relay's even.
    last: Option<u32>,
    /// Why the link is no more.
    lost: Option<String>,
    /// The build that has the relay for itself.
    build: Option<u32>,
    /// When something came for the last time, and when that was after too long a silence.
    heard: Option<Instant>,
    stalled: Option<Instant>,
}

impl Shared {
    /// Sends a frame. What a connection may send before it was taken is bounded, and so is what waits here.
    pub(super) fn send(&self, frame: Frame) {
        drop(self.frames.send(frame));
    }

    pub(super) fn forget(&self, number: u32) {
        self.table().ends.remove(&number);
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear(&self) {
        let mut table = self.table();
        let now = Instant::now();
        if table.heard.replace(now).is_some_and(|before| now - before > SILENCE) {
            table.stalled = Some(now);
        }
    }

    fn lose(&self, why: &str) {
        let ends: Vec<_> = {
            let mut table = self.table();
            table.lost.get_or_insert_with(|| why.to_owned());
            table.ends.drain().collect()
        };
        for (_, end) in ends {
            end.breaks(io::ErrorKind::NotConnected, format!("the relay ended: {why}"));
        }
    }
}

impl Link {
    /// Links a relay by its streams, and waits until it listens.
    ///
    /// # Errors
    /// When it ends before, or does not say so within a minute.
    pub(crate) async fn begin(
        output: impl Stream<Item = io::Result<Output>> + Send + 'static,
        input: impl AsyncWrite + Send + 'static,
    ) -> io::Result<(Self, Incoming)> {
        let (frames, outgoing) = mpsc::unbounded_channel();
        let (came, incoming) = mpsc::unbounded_channel();
        let (ready, is_ready) = oneshot::channel();
        let shared = Arc::new(Shared { frames, table: Mutex::default() });
        let reader = Reader { shared: Arc::clone(&shared), came, ready: Some(ready), received: BytesMut::new() };
        let writing = Arc::clone(&shared);
        let tasks = [
            tokio::spawn(reader.read(output)),
            tokio::spawn(async move {
                if let Err(error) = write(outgoing, input).await {
                    writing.lose(&error.to_string());
                }
            }),
        ];
        let mut link = Self { shared, port: 0, tasks };
        match tokio::time::timeout(READY_LIMIT, is_ready).await {
            Ok(Ok(port)) => {
                link.port = port;
                Ok((link, Incoming(incoming)))
            }
            Ok(Err(_)) => Err(io::Error::other(link.lost().unwrap_or_else(|| "it ended".to_owned()))),
            Err(_) => Err(io::Error::other(format!("it did not listen within {} s", READY_LIMIT.as_secs()))),
        }
    }

    /// The port at which the relay listens.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Why the relay is no more; nothing as long as it is.
    pub(crate) fn lost(&self) -> Option<String> {
        self.shared.table().lost.clone()
    }

    /// Gives the relay to a build: connections that come in from now on are that build's.
    pub(crate) fn give_to(&self, build: u32) {
        self.shared.table().build = Some(build);
    }

    /// Waits until all connections have come out that came in so far: the relay sends what it has in its order, and so behind them
    /// the answer that nobody listens at this port of its own. The first time it may not have looked for connections yet.
    pub(crate) async fn settle(&self) {
        for _ in 0..2 {
            drop(self.connect((Ipv4Addr::LOCALHOST, 1).into()).await);
        }
    }

    /// Whether the relay was silent for too long at some time since then: what did not come may have been on its way.
    pub(crate) fn stalled_since(&self, begun: Instant) -> bool {
        let table = self.shared.table();
        let is_silent = table.heard.is_some_and(|heard| heard.elapsed() > SILENCE);
        is_silent || table.stalled.is_some_and(|stalled| stalled >= begun)
    }

    /// Opens a connection from the relay to an address on its network.
    ///
    /// # Errors
    /// When nobody listens there, or the relay is no more.
    pub(crate) async fn connect(&self, address: SocketAddr) -> io::Result<RelayStream> {
        let (opening, opened) = oneshot::channel();
        let end = End::new(Some(opening));
        let number = {
            let mut table = self.shared.table();
            if let Some(why) = &table.lost {
                return Err(io::Error::new(io::ErrorKind::NotConnected, format!("the relay ended: {why}")));
            }
            let number = table.last.map_or(1, |last| last.wrapping_add(2));
            table.last = Some(number);
            table.ends.insert(number, Arc::clone(&end));
            number
        };
        // From here on dropping it closes the connection, also where nobody waits for it any more.
        let stream = RelayStream::new(number, Arc::clone(&self.shared), end);
        self.shared.send(Frame::new(Kind::Connect, number, format!("{} {}", address.ip(), address.port())));
        opened.await.unwrap_or_else(|_| Err(io::ErrorKind::NotConnected.into())).map(|()| stream)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        self.shared.lose("its run is over");
    }
}

impl Incoming {
    /// The next connection, without its stream where the relay had no room for it; none where the relay is no more.
    pub(crate) async fn next(&mut self) -> Option<(Option<RelayStream>, Peer)> {
        self.0.recv().await
    }
}

/// Takes what the relay sends.
struct Reader {
    shared: Arc<Shared>,
    came: mpsc::UnboundedSender<(Option<RelayStream>, Peer)>,
    ready: Option<oneshot::Sender<u16>>,
    received: BytesMut,
}

impl Reader {
    async fn read(mut self, output: impl Stream<Item = io::Result<Output>>) {
        /// How much of a complaint is kept, in bytes.
        const KEPT: usize = 2000;
        let mut complaint = Vec::new();
        let mut output = std::pin::pin!(output);
        let why = loop {
            match output.next().await {
                Some(Ok(Output::Frames(bytes))) => {
                    self.shared.hear();
                    self.received.extend_from_slice(&bytes);
                    if let Err(error) = self.take() {
                        break error.to_string();
                    }
                }
                Some(Ok(Output::Complaint(bytes))) => {
                    complaint.extend_from_slice(&bytes);
                    complaint.truncate(KEPT);
                }
                Some(Err(error)) => break error.to_string(),
                None if complaint.is_empty() => break "its output ended".to_owned(),
                None => break String::from_utf8_lossy(&complaint).trim().to_owned(),
            }
        };
        self.shared.lose(&why);
    }

    fn take(&mut self) -> Result<(), super::frame::NoFrame> {
        while let Some(frame) = Frame::take(&mut self.received)? {
            match frame.kind {
                // Said again at times, so that the connection is not idle.
                Kind::Ready => {
                    if let Some(ready) = self.ready.take() {
                        let port = frame.text().parse().map_err(|_| super::frame::NoFrame)?;
                        // Whoever waited for it may have given up.
                        let _ = ready.send(port);
                    }
                }
                Kind::Accepted => {
                    let peer = self.peer(&frame.text()).ok_or(super::frame::NoFrame)?;
                    let end = End::new(None);
                    self.shared.table().ends.insert(frame.number, Arc::clone(&end));
                    let stream = RelayStream::new(frame.number, Arc::clone(&self.shared), end);
                    drop(self.came.send((Some(stream), peer)));
                }
                Kind::Full => {
                    let peer = self.peer(&frame.text()).ok_or(super::frame::NoFrame)?;
                    drop(self.came.send((None, peer)));
                }
                _ => {
                    // What was closed meanwhile is no longer there to be told.
                    let end = self.shared.table().ends.get(&frame.number).cloned();
                    if let Some(end) = end {
                        end.take(&frame);
                    }
                }
            }
        }
        Ok(())
    }

    /// `ADDRESS PORT NANOSECONDS`, where 0 stands for a time that is not known.
    fn peer(&self, text: &str) -> Option<Peer> {
        let mut words = text.split(' ');
        let address: Ipv4Addr = words.next()?.parse().ok()?;
        let port = words.next()?.parse().ok()?;
        let at: i64 = words.next()?.parse().ok()?;
        let build = self.shared.table().build;
        Some(Peer { address: SocketAddr::new(IpAddr::V4(address), port), at: (at != 0).then_some(at), build })
    }
}

async fn write(mut frames: mpsc::UnboundedReceiver<Frame>, input: impl AsyncWrite) -> io::Result<()> {
    let mut input = std::pin::pin!(input);
    let mut batch = BytesMut::new();
    while let Some(frame) = frames.recv().await {
        frame.write(&mut batch);
        while batch.len() < BATCH
            && let Ok(frame) = frames.try_recv()
        {
            frame.write(&mut batch);
        }
        input.write_all(&batch).await?;
        input.flush().await?;
        batch.clear();
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_silence_is_remembered() {
        let (frames, _) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared { frames, table: Mutex::default() });
        let link =
            Link { shared: Arc::clone(&shared), port: 1, tasks: [tokio::spawn(async {}), tokio::spawn(async {})] };
        let begun = Instant::now();
        shared.hear();
        shared.hear();
        assert!(!link.stalled_since(begun));
        // It goes on, and then it is over.
        shared.table().heard = Instant::now().checked_sub(SILENCE + Duration::from_secs(1));
        assert!(link.stalled_since(begun));
        shared.hear();
        assert!(link.stalled_since(begun));
        assert!(!link.stalled_since(Instant::now() + Duration::from_secs(1)));
    }
}
