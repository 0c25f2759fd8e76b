//! A listener that lets no client have more than a few connections, so that none keeps others from the fixture server.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::log::{CONNECTION, Outcome, RequestLog};
use crate::relay::Peer;

/// How many connections a client may have at a time: pip and apt have a handful.
pub(super) const OF_A_CLIENT: usize = 64;

/// The open connections of each client.
type Open = Arc<Mutex<HashMap<IpAddr, usize>>>;

/// The listener. More connections than a client may have are closed at once, and written down as refused.
pub(super) struct Bounded<L> {
    listener: L,
    log: RequestLog,
    open: Open,
}

/// A connection, which counts as long as it is there.
pub(super) struct Connection<S> {
    stream: S,
    client: IpAddr,
    open: Open,
}

/// Who is at the other end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Client(pub(super) Peer);

impl<L> Bounded<L> {
    pub(super) fn new(listener: L, log: RequestLog) -> Self {
        Self { listener, log, open: Open::default() }
    }
}

impl<L: Listener<Addr: Into<Peer>>> Listener for Bounded<L> {
    type Io = Connection<L::Io>;
    type Addr = Peer;

    async fn accept(&mut self) -> (Connection<L::Io>, Peer) {
        loop {
            // The library's own, which waits where descriptors run out.
            let (stream, address) = self.listener.accept().await;
            let peer: Peer = address.into();
            let client = peer.address.ip();
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            let count = open.entry(client).or_default();
            if *count < OF_A_CLIENT {
                *count += 1;
                return (Connection { stream, client, open: Arc::clone(&self.open) }, peer);
            }
            let why = format!("more than {OF_A_CLIENT} connections at a time");
            self.log.of(Some(peer)).add(CONNECTION, Outcome::Refused(why));
        }
    }

    fn local_addr(&self) -> io::Result<Peer> {
        self.listener.local_addr().map(Into::into)
    }
}

impl<L: Listener<Addr: Into<Peer>>> Connected<IncomingStream<'_, Bounded<L>>> for Client {
    fn connect_info(stream: IncomingStream<'_, Bounded<L>>) -> Self {
        Self(*stream.remote_addr())
    }
}

impl<S> Drop for Connection<S> {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.client);
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Connection<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Connection<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
