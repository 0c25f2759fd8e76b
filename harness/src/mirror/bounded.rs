//! A listener that lets no client have more than a few connections, so that none keeps others from the fixture server.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use super::log::{Outcome, RequestLog};

/// How many connections a client may have at a time: pip and apt have a handful.
pub(super) const OF_A_CLIENT: usize = 64;

/// The open connections of each client.
type Open = Arc<Mutex<HashMap<IpAddr, usize>>>;

/// The listener. More connections than a client may have are closed at once, and written down as refused.
pub(super) struct Bounded {
    listener: TcpListener,
    log: RequestLog,
    open: Open,
}

/// A connection, which counts as long as it is there.
pub(super) struct Connection {
    stream: TcpStream,
    client: IpAddr,
    open: Open,
}

/// Who is at the other end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Client(pub(super) IpAddr);

impl Bounded {
    pub(super) fn new(listener: TcpListener, log: RequestLog) -> Self {
        Self { listener, log, open: Open::default() }
    }
}

impl Listener for Bounded {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            // The library's own, which waits where descriptors run out.
            let (stream, address) = Listener::accept(&mut self.listener).await;
            let client = address.ip();
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            let count = open.entry(client).or_default();
            if *count < OF_A_CLIENT {
                *count += 1;
                return (Connection { stream, client, open: Arc::clone(&self.open) }, address);
            }
            let why = format!("more than {OF_A_CLIENT} connections at a time");
            self.log.of(Some(client)).add("a connection", Outcome::Refused(why));
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl Connected<IncomingStream<'_, Bounded>> for Client {
    fn connect_info(stream: IncomingStream<'_, Bounded>) -> Self {
        Self(stream.remote_addr().ip())
    }
}

impl Drop for Connection {
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

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
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
