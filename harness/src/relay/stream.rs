//! A connection that the relay carries, as any other stream of bytes.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::oneshot;

use super::frame::{Frame, Kind};
use super::link::Shared;

/// How many bytes either side may send before the other has taken any.
pub(super) const WINDOW: u32 = 1 << 18;
/// The largest piece of data.
const PIECE: usize = 1 << 15;

/// A connection, carried by the relay. Dropped, it is closed; what was written before is still delivered.
#[derive(Debug)]
pub(crate) struct RelayStream {
    number: u32,
    shared: Arc<Shared>,
    end: Arc<End>,
}

/// This program's end of a connection.
#[derive(Debug, Default)]
pub(super) struct End(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// What has come and was not read yet.
    incoming: BytesMut,
    /// How much was read that the relay has not been told of.
    taken: u32,
    /// How much may be written.
    credit: u32,
    /// Whether the other side sends no more.
    ended: bool,
    /// Whether this side sends no more.
    shut: bool,
    /// Why the connection is no more.
    broken: Option<(io::ErrorKind, String)>,
    reader: Option<Waker>,
    writer: Option<Waker>,
    /// Who waits for the connection.
    opening: Option<oneshot::Sender<io::Result<()>>>,
}

impl State {
    fn wake(&mut self) {
        self.reader.take().into_iter().chain(self.writer.take()).for_each(Waker::wake);
    }

    fn failure(&self) -> Option<io::Error> {
        self.broken.as_ref().map(|(kind, why)| io::Error::new(*kind, why.clone()))
    }
}

impl End {
    pub(super) fn new(opening: Option<oneshot::Sender<io::Result<()>>>) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State { credit: WINDOW, opening, ..State::default() })))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what the relay says of the connection.
    pub(super) fn take(&self, frame: &Frame) {
        let mut state = self.lock();
        match frame.kind {
            // Copied: a piece that is kept would keep all that came with it.
            Kind::Data => state.incoming.extend_from_slice(&frame.payload),
            Kind::End => state.ended = true,
            Kind::Window => {
                let taken = frame.payload.clone().try_get_u32().unwrap_or(0);
                state.credit = state.credit.saturating_add(taken);
            }
            Kind::Connected => drop(state.opening.take().map(|opening| opening.send(Ok(())))),
            Kind::Closed => {
                drop(state);
                return self.breaks(io::ErrorKind::ConnectionReset, frame.text());
            }
            Kind::Connect | Kind::Accepted | Kind::Full | Kind::Ready => {}
        }
        state.wake();
    }

    /// The connection is no more, for this reason.
    pub(super) fn breaks(&self, kind: io::ErrorKind, why: String) {
        let mut state = self.lock();
        drop(state.opening.take().map(|opening| opening.send(Err(io::Error::new(kind, why.clone())))));
        state.broken.get_or_insert((kind, why));
        state.wake();
    }
}

impl RelayStream {
    pub(super) fn new(number: u32, shared: Arc<Shared>, end: Arc<End>) -> Self {
        Self { number, shared, end }
    }
}

impl Drop for RelayStream {
    fn drop(&mut self) {
        let state = self.end.lock();
        if !(state.ended && state.shut) && state.broken.is_none() {
            self.shared.send(Frame::new(Kind::Closed, self.number, Bytes::new()));
        }
        drop(state);
        self.shared.forget(self.number);
    }
}

impl AsyncRead for RelayStream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut state = self.end.lock();
        if state.incoming.is_empty() {
            // What has ended whole stays whole, whatever breaks afterwards.
            if state.ended {
                return Poll::Ready(Ok(()));
            }
            // What came before a break was read first.
            if let Some(error) = state.failure() {
                return Poll::Ready(Err(error));
            }
            state.reader = Some(context.waker().clone());
            return Poll::Pending;
        }
        let count = state.incoming.len().min(buffer.remaining());
        buffer.put_slice(&state.incoming.split_to(count));
        state.taken += u32::try_from(count).unwrap_or(0);
        if state.taken >= WINDOW / 4 && !state.ended {
            let taken = std::mem::take(&mut state.taken);
            self.shared.send(Frame::new(Kind::Window, self.number, taken.to_be_bytes().to_vec()));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for RelayStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut state = self.end.lock();
        if let Some(error) = state.failure() {
            return Poll::Ready(Err(error));
        }
        if state.shut {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let count = bytes.len().min(PIECE).min(usize::try_from(state.credit).unwrap_or(0));
        if count == 0 && !bytes.is_empty() {
            state.writer = Some(context.waker().clone());
            return Poll::Pending;
        }
        state.credit -= u32::try_from(count).unwrap_or(0);
        self.shared.send(Frame::new(Kind::Data, self.number, Bytes::copy_from_slice(&bytes[..count])));
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.end.lock();
        if !std::mem::replace(&mut state.shut, true) && state.broken.is_none() {
            self.shared.send(Frame::new(Kind::End, self.number, Bytes::new()));
        }
        Poll::Ready(Ok(()))
    }
}
