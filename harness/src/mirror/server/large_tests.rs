//! Large answers: they pass through the disk, and nothing of one that is not whole or too large is kept.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use futures_util::StreamExt;
use sha2::{Digest, Sha256};

use super::tests::{inner, proxied, walk};
use super::*;

const MEGABYTE: u64 = 1 << 20;

/// An archive whose answers have so many megabytes; it announces so many. Where it announces more, it breaks off.
async fn archive(megabytes: u64, announced: Option<u64>) -> SocketAddr {
    let router = Router::new().fallback(move || async move {
        let piece = bytes::Bytes::from(vec![7; 1 << 20]);
        let pieces = (0..megabytes).map(move |_| Ok::<_, std::io::Error>(piece.clone()));
        let broken = announced.is_some_and(|announced| announced > megabytes);
        let end = broken.then(|| Err(std::io::Error::other("broken off")));
        let mut response = Response::new(Body::from_stream(futures_util::stream::iter(pieces.chain(end))));
        if let Some(announced) = announced {
            response.headers_mut().insert("content-length", (announced * MEGABYTE).into());
        }
        response
    });
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

/// A server that takes answers of so many megabytes, in front of this archive.
async fn taking(megabytes: u64, folder: &Path, archive: SocketAddr) -> Server {
    let inner = Arc::into_inner(inner(folder, false)).unwrap();
    let inner = Arc::new(Inner { largest: megabytes * MEGABYTE, ..inner });
    Server::start_with(inner, vec![archive.to_string()]).await.unwrap()
}

/// The files that the archive's answers have left in the store.
fn left(folder: &Path) -> Vec<String> {
    let of_wheel = hex::encode(Sha256::digest(b"a wheel"));
    let names =
        walk(&folder.join("store")).into_iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned());
    names.filter(|name| *name != of_wheel).collect()
}

/// How large it is can be set, for a look at the memory that it takes.
#[tokio::test]
async fn a_large_answer_is_recorded_and_served_whole() {
    let megabytes = std::env::var("WSGI_PROOF_ANSWER").ok().and_then(|text| text.parse().ok()).unwrap_or(24);
    let folder = tempfile::tempdir().unwrap();
    let archive = archive(megabytes, Some(megabytes)).await;
    let server = taking(megabytes, folder.path(), archive).await;
    let url = format!("http://{archive}/debian/pool/x.deb");
    for _ in 0..2 {
        let answer = proxied(&server).get(&url).send().await.unwrap();
        assert_eq!(answer.content_length(), Some(megabytes * MEGABYTE));
        let (mut digest, mut length, mut pieces) = (Sha256::new(), 0, answer.bytes_stream());
        while let Some(piece) = pieces.next().await {
            let piece = piece.unwrap();
            length += piece.len() as u64;
            digest.update(piece);
        }
        assert_eq!(length, megabytes * MEGABYTE);
        let sha256 = hex::encode(digest.finalize());
        assert!(left(folder.path()).contains(&sha256), "{:?}", left(folder.path()));
    }
    let part = proxied(&server).get(&url).header("Range", "bytes=1048570-1048580").send().await.unwrap();
    assert_eq!((part.status().as_u16(), part.bytes().await.unwrap().len()), (206, 11));
    assert_eq!(server.log().counts().upstream, 1);
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_a_fault_and_leaves_nothing() {
    for announced in [Some(3), None] {
        let folder = tempfile::tempdir().unwrap();
        let archive = archive(3, announced).await;
        let server = taking(2, folder.path(), archive).await;
        let answer = proxied(&server).get(format!("http://{archive}/debian/pool/x.deb")).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 502);
        assert!(answer.text().await.unwrap().contains("has more than 2 MB"));
        assert_eq!(left(folder.path()), Vec::<String>::new());
        assert_eq!(server.log().counts().faults, 1);
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_a_fault_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let archive = archive(1, Some(2)).await;
    let server = taking(9, folder.path(), archive).await;
    let answer = proxied(&server).get(format!("http://{archive}/debian/pool/x.deb")).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 502);
    assert_eq!(left(folder.path()), Vec::<String>::new());
}
