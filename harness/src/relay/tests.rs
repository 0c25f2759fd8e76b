//! The real relay, on this machine: a process whose streams are pipes.

#![allow(clippy::unwrap_used)]

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;

use futures_util::StreamExt;
use futures_util::future::{join, join_all};
use futures_util::stream;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::process::{Child, Command};
use tokio_util::io::ReaderStream;

use super::*;

/// A relay as a process, and the link to it.
async fn begun(command: Vec<String>) -> (Child, std::io::Result<(Link, Incoming)>) {
    let mut child = Command::new(&command[0])
        .args(&command[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let frames = ReaderStream::new(child.stdout.take().unwrap()).map(|piece| piece.map(Output::Frames));
    let complaints = ReaderStream::new(child.stderr.take().unwrap()).map(|piece| piece.map(Output::Complaint));
    let link = Link::begin(stream::select(complaints, frames), child.stdin.take().unwrap()).await;
    (child, link)
}

/// A relay at work, and where it is reached.
async fn relay() -> (Link, Incoming, SocketAddr, Child) {
    relay_by(command(0)).await
}

async fn relay_by(command: Vec<String>) -> (Link, Incoming, SocketAddr, Child) {
    let (child, begun) = begun(command).await;
    let (link, incoming) = begun.unwrap();
    let address = (Ipv4Addr::LOCALHOST, link.port()).into();
    (link, incoming, address, child)
}

fn pattern(length: usize, seed: usize) -> Vec<u8> {
    (0..length).map(|place| u8::try_from((place * 31 + seed + place / 251) % 256).unwrap()).collect()
}

/// Whether all that is sent comes back.
async fn echoed(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin + Send + 'static,
    sent: Vec<u8>,
) -> bool {
    let writing = sent.clone();
    let writer = tokio::spawn(async move {
        to.write_all(&writing).await.unwrap();
        to.shutdown().await.unwrap();
    });
    let mut back = Vec::new();
    from.read_to_end(&mut back).await.unwrap();
    writer.await.unwrap();
    back == sent
}

#[tokio::test]
async fn many_connections_are_carried_at_once_both_ways() {
    let (link, mut incoming, address, _child) = relay().await;
    // Echoes, from within and from outside.
    tokio::spawn(async move {
        while let Some((stream, peer)) = incoming.next().await {
            let mut stream = stream.unwrap();
            assert!(peer.address.ip().is_loopback());
            tokio::spawn(async move {
                let (mut from, mut to) = tokio::io::split(&mut stream);
                tokio::io::copy(&mut from, &mut to).await.unwrap();
                to.shutdown().await.unwrap();
            });
        }
    });
    let container = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let there = container.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = container.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                tokio::io::copy(&mut from, &mut to).await.unwrap();
                to.shutdown().await.unwrap();
            });
        }
    });
    // Several times the window each.
    let ask = |seed: usize| pattern(3 * usize::try_from(super::stream::WINDOW).unwrap() + seed, seed);
    let from_outside = (0..20).map(|seed| async move {
        let (from, to) = TcpStream::connect(address).await.unwrap().into_split();
        assert!(echoed(from, to, ask(seed)).await, "{seed}");
    });
    let link = &link;
    let from_within = (0..20).map(|seed| async move {
        let (from, to) = tokio::io::split(link.connect(there).await.unwrap());
        assert!(echoed(from, to, ask(seed)).await, "{seed}");
    });
    join(join_all(from_outside), join_all(from_within)).await;
    assert_eq!(link.lost(), None);
}

#[tokio::test]
async fn a_connection_that_nobody_takes_is_refused_and_one_that_breaks_is_told() {
    let (link, _incoming, _, _child) = relay().await;
    let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
    let error = link.connect(nobody).await.unwrap_err();
    assert!(error.to_string().contains("refused"), "{error}");

    let container = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let (stream, accepted) = tokio::join!(link.connect(container.local_addr().unwrap()), container.accept());
    let (mut stream, (mut other, _)) = (stream.unwrap(), accepted.unwrap());
    other.write_all(b"half").await.unwrap();
    let mut half = [0; 4];
    stream.read_exact(&mut half).await.unwrap();
    // Closed with something unread: a reset (RFC 9293, section 3.6.1).
    stream.write_all(b"unread").await.unwrap();
    other.peek(&mut half).await.unwrap();
    drop(other);
    let error = stream.read_to_end(&mut Vec::new()).await.unwrap_err();
    assert!(error.to_string().contains("reset"), "{error}");
}

/// A server may answer before it has read all, and close.
#[tokio::test]
async fn an_answer_is_read_though_what_is_written_is_not() {
    let (link, _incoming, _, _child) = relay().await;
    let container = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let (stream, accepted) = tokio::join!(link.connect(container.local_addr().unwrap()), container.accept());
    let (stream, (mut other, _)) = (stream.unwrap(), accepted.unwrap());
    tokio::spawn(async move {
        other.read_exact(&mut [0; 1000]).await.unwrap();
        other.write_all(b"too large").await.unwrap();
    });
    let (mut from, mut to) = tokio::io::split(stream);
    let (written, (read, answer)) = tokio::join!(async { while to.write_all(&[0; 4096]).await.is_ok() {} }, async {
        let mut answer = Vec::new();
        (from.read_to_end(&mut answer).await, answer)
    });
    let () = written;
    assert_eq!(answer, b"too large");
    // What broke is no end.
    read.unwrap_err();
}

/// What has ended whole stays whole.
#[tokio::test]
async fn an_end_is_an_end_whatever_breaks_afterwards() {
    let (link, _incoming, _, _child) = relay().await;
    let container = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let (stream, accepted) = tokio::join!(link.connect(container.local_addr().unwrap()), container.accept());
    let (mut stream, (mut other, _)) = (stream.unwrap(), accepted.unwrap());
    other.write_all(b"whole").await.unwrap();
    drop(other);
    while stream.write_all(b"more").await.is_ok() {
        tokio::task::yield_now().await;
    }
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer, b"whole");
}

#[tokio::test]
async fn what_was_written_arrives_though_the_stream_was_dropped() {
    let (_link, mut incoming, address, _child) = relay().await;
    let sent = pattern(100_000, 3);
    let mut client = TcpStream::connect(address).await.unwrap();
    let (stream, peer) = incoming.next().await.unwrap();
    let mut stream = stream.unwrap();
    assert_eq!(peer.address, client.local_addr().unwrap());
    let now = time::OffsetDateTime::now_utc().unix_timestamp_nanos();
    assert!((now - i128::from(peer.at.unwrap())).abs() < 3_600_000_000_000, "{peer:?} at {now}");
    stream.write_all(&sent).await.unwrap();
    drop(stream);
    let mut received = Vec::new();
    client.read_to_end(&mut received).await.unwrap();
    assert!(received == sent);
}

/// Its connections break, and what waits for it hears of it.
#[tokio::test]
async fn a_relay_that_ends_is_told() {
    let (link, mut incoming, address, mut child) = relay().await;
    let _client = TcpStream::connect(address).await.unwrap();
    let mut stream = incoming.next().await.unwrap().0.unwrap();
    child.kill().await.unwrap();
    let error = stream.read_to_end(&mut Vec::new()).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::NotConnected);
    assert!(link.connect(address).await.unwrap_err().to_string().contains("the relay ended"));
    assert_eq!(link.lost().as_deref(), Some("its output ended"));
    drop(stream);
    assert!(incoming.next().await.is_none());
}

#[tokio::test]
async fn a_relay_ends_with_its_link() {
    let (link, _incoming, _, mut child) = relay().await;
    drop(link);
    assert!(child.wait().await.unwrap().success());
}

/// Who opens more connections than anyone needs gets no further ones, and others do.
#[tokio::test]
async fn an_address_has_no_more_connections_than_it_may() {
    let (_link, mut incoming, address, _child) = relay().await;
    let (mut clients, mut streams) = (Vec::new(), Vec::new());
    for _ in 0..OF_AN_ADDRESS {
        clients.push(TcpStream::connect(address).await.unwrap());
        streams.push(incoming.next().await.unwrap().0.unwrap());
    }
    let mut one_more = TcpStream::connect(address).await.unwrap();
    assert_eq!(one_more.read_to_end(&mut Vec::new()).await.unwrap(), 0);
    let other = TcpSocket::new_v4().unwrap();
    other.bind((Ipv4Addr::new(127, 0, 0, 2), 0).into()).unwrap();
    let _other = other.connect(address).await.unwrap();
    let (stream, peer) = incoming.next().await.unwrap();
    assert!(stream.is_some());
    assert_eq!(peer.address.ip(), Ipv4Addr::new(127, 0, 0, 2));
}

/// A client may send more than is taken of it, read nothing, and go: whoever writes to it is told.
#[tokio::test]
async fn a_client_that_goes_is_told_though_nothing_more_is_taken_of_it() {
    let (_link, mut incoming, address, _child) = relay().await;
    let client = TcpSocket::new_v4().unwrap();
    client.set_recv_buffer_size(4096).unwrap();
    let mut client = client.connect(address).await.unwrap();
    let mut stream = incoming.next().await.unwrap().0.unwrap();
    let enough = std::time::Duration::from_secs(1);
    let endless = async {
        loop {
            client.write_all(&[0; 4096]).await.unwrap();
        }
    };
    assert!(tokio::time::timeout(enough, endless).await.is_err());
    let writer = tokio::spawn(async move { while stream.write_all(&[0; 4096]).await.is_ok() {} });
    tokio::time::sleep(enough).await;
    drop(client);
    tokio::time::timeout(enough * 20, writer).await.unwrap().unwrap();
}

/// Where others have all connections that there may be, one that is refused is told of: it is not its client's doing.
#[tokio::test]
async fn a_connection_without_room_is_told_of() {
    let mut two_at_once = command(0);
    *two_at_once.last_mut().unwrap() = "2".to_owned();
    let (_link, mut incoming, address, _child) = relay_by(two_at_once).await;
    let mut first = Vec::new();
    for _ in 0..2 {
        first.push((TcpStream::connect(address).await.unwrap(), incoming.next().await.unwrap().0.unwrap()));
    }
    let refused = TcpStream::connect(address).await.unwrap();
    let (stream, peer) = incoming.next().await.unwrap();
    assert!(stream.is_none());
    assert_eq!(peer.address, refused.local_addr().unwrap());
    assert!(peer.at.is_some());
    drop(first.pop());
    // The end of a connection and the next one may be seen in either order.
    loop {
        let _next = TcpStream::connect(address).await.unwrap();
        if incoming.next().await.unwrap().0.is_some() {
            break;
        }
    }
}

#[tokio::test]
async fn what_cannot_listen_says_why() {
    let taken = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await.unwrap();
    let (_child, begun) = begun(command(taken.local_addr().unwrap().port())).await;
    let error = begun.unwrap_err();
    assert!(error.to_string().contains("Address already in use"), "{error}");
}
