//! The server with a real client, in front of an archive that the test opens itself.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::mirror::store::tests::incoming;
use crate::mirror::{Lock, Store};

/// An archive that counts what it is asked.
struct Upstream {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
    cancel: CancellationToken,
}

impl Upstream {
    async fn start(status: StatusCode) -> Self {
        let asked = Arc::new(AtomicUsize::new(0));
        let cancel = CancellationToken::new();
        let counter = Arc::clone(&asked);
        let router = Router::new().fallback(move |request: Request| async move {
            counter.fetch_add(1, Ordering::SeqCst);
            (status, format!("content of {}", request.uri().path()))
        });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = axum::serve(listener, router).with_graceful_shutdown(cancel.clone().cancelled_owned());
        tokio::spawn(async move { server.await.unwrap() });
        Self { address, asked, cancel }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

pub(super) fn inner(folder: &Path, offline: bool) -> Arc<Inner> {
    let store = Store::open(&folder.join("store")).unwrap();
    let sha256 = store.put(incoming(&store, b"a wheel")).unwrap();
    let lock = format!(
        "version = 1\n[[package]]\nproject = \"six\"\nrelease = \"1\"\nfile = \"six-1-py3-none-any.whl\"\nsize = 7\nsha256 = \"{sha256}\"\n"
    );
    let file = folder.join("packages.lock");
    std::fs::write(&file, lock).unwrap();
    std::fs::create_dir_all(folder.join("repositories/a.git/info")).unwrap();
    std::fs::write(folder.join("repositories/a.git/info/refs"), "0123456789").unwrap();
    Arc::new(Inner {
        store,
        lock: Lock::read(&file).unwrap(),
        repositories: folder.join("repositories"),
        offline,
        client: reqwest::Client::builder().no_proxy().build().unwrap(),
        largest: 1_000_000,
    })
}

async fn server(folder: &Path, offline: bool, upstream: &Upstream) -> Server {
    Server::start_with(inner(folder, offline), vec![upstream.address.to_string()]).await.unwrap()
}

/// A client that goes through the server as apt does.
pub(super) fn proxied(server: &Server) -> reqwest::Client {
    reqwest::Client::builder().proxy(reqwest::Proxy::http(server.host_url()).unwrap()).build().unwrap()
}

async fn get(client: &reqwest::Client, url: &str) -> (u16, String) {
    let answer = client.get(url).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

fn direct() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

#[tokio::test]
async fn the_archive_is_recorded_and_then_replayed_without_it() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = Upstream::start(StatusCode::OK).await;
    let url = format!("http://{}/debian/dists/x/InRelease", upstream.address);
    let recording = server(folder.path(), false, &upstream).await;
    let client = proxied(&recording);
    let expected = (200, "content of /debian/dists/x/InRelease".to_owned());
    assert_eq!(get(&client, &url).await, expected);
    assert_eq!(get(&client, &url).await, expected);
    assert_eq!(upstream.asked(), 1);
    recording.stop().await;
    upstream.cancel.cancel();

    let replaying = server(folder.path(), true, &upstream).await;
    assert_eq!(get(&proxied(&replaying), &url).await, expected);
    assert_eq!(replaying.log().counts().upstream, 0);
    replaying.stop().await;
}

#[tokio::test]
async fn offline_refuses_what_the_store_lacks_and_calls_it_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = Upstream::start(StatusCode::OK).await;
    let server = server(folder.path(), true, &upstream).await;
    let url = format!("http://{}/debian/dists/x/InRelease", upstream.address);
    let (status, text) = get(&proxied(&server), &url).await;
    assert_eq!(status, 504);
    assert!(text.contains("--offline"), "{text}");
    assert_eq!(upstream.asked(), 0);
    assert_eq!(server.log().counts().faults, 1);
}

#[tokio::test]
async fn an_archive_in_trouble_is_a_fault_and_never_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = Upstream::start(StatusCode::SERVICE_UNAVAILABLE).await;
    let server = server(folder.path(), false, &upstream).await;
    let url = format!("http://{}/debian/dists/x/InRelease", upstream.address);
    for asked in 1..=2 {
        assert_eq!(get(&proxied(&server), &url).await.0, 502);
        // Each time it is tried three times, and the trouble is not remembered.
        assert_eq!(upstream.asked(), 3 * asked);
    }
    assert_eq!(server.log().counts().faults, 2);
}

#[tokio::test]
async fn an_index_that_the_archive_lacks_is_replayed_but_a_package_is_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = Upstream::start(StatusCode::NOT_FOUND).await;
    let server = server(folder.path(), false, &upstream).await;
    let client = proxied(&server);
    for _ in 0..2 {
        let index = format!("http://{}/debian/dists/x/main/i18n/Translation-de", upstream.address);
        assert_eq!(get(&client, &index).await.0, 404);
    }
    assert_eq!((upstream.asked(), server.log().counts().faults), (1, 0));
    // What is no index is nothing that apt knows of: that it is not there is not recorded.
    for _ in 0..2 {
        assert_eq!(get(&client, &format!("http://{}/debian/dists/x/anything", upstream.address)).await.0, 404);
    }
    assert_eq!(upstream.asked(), 3);
    let (status, text) = get(&client, &format!("http://{}/debian/pool/x.deb", upstream.address)).await;
    assert_eq!(status, 502);
    assert!(text.contains("--refresh"), "{text}");
    assert_eq!(server.log().counts().faults, 1);
}

#[tokio::test]
async fn the_same_address_asked_at_once_is_fetched_once() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = Upstream::start(StatusCode::OK).await;
    let server = server(folder.path(), false, &upstream).await;
    let client = proxied(&server);
    let url = format!("http://{}/debian/pool/x.deb", upstream.address);
    let all = (0..8).map(|_| get(&client, &url));
    for (status, _) in futures_util::future::join_all(all).await {
        assert_eq!(status, 200);
    }
    assert_eq!(upstream.asked(), 1);
}

#[tokio::test]
async fn it_is_no_general_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = Upstream::start(StatusCode::OK).await;
    let known = server(folder.path(), false, &upstream).await;
    let other = Server::start(inner(folder.path(), false)).await.unwrap();
    let outside = format!("http://{}/debian/dists/x", upstream.address);
    assert_eq!(get(&proxied(&other), &outside).await.0, 403);
    assert_eq!(get(&proxied(&known), &format!("http://{}/anything", upstream.address)).await.0, 403);
    assert_eq!(get(&proxied(&known), &format!("{outside}?x=1")).await.0, 403);
    let posted = proxied(&known).post(&outside).body("secret").send().await.unwrap();
    assert_eq!(posted.status().as_u16(), 403);
    assert_eq!(upstream.asked(), 0);
    assert_eq!(known.log().counts().refused, 3);
}

#[tokio::test]
async fn a_damaged_recording_is_fetched_again_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = Upstream::start(StatusCode::OK).await;
    let online = server(folder.path(), false, &upstream).await;
    let url = format!("http://{}/debian/pool/x.deb", upstream.address);
    get(&proxied(&online), &url).await;
    let damage = || {
        for entry in walk(&folder.path().join("store/sha256")) {
            if std::fs::read_to_string(&entry).unwrap().starts_with("content") {
                std::fs::write(entry, "contend").unwrap();
            }
        }
    };
    damage();
    let offline = server(folder.path(), true, &upstream).await;
    assert_eq!(get(&proxied(&offline), &url).await.0, 500);
    assert_eq!(get(&proxied(&online), &url).await, (200, "content of /debian/pool/x.deb".to_owned()));
}

pub(super) fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[tokio::test]
async fn index_files_and_repositories_are_served() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = Upstream::start(StatusCode::OK).await;
    let server = server(folder.path(), true, &upstream).await;
    let (client, url) = (direct(), server.host_url());
    assert!(get(&client, &format!("{url}/simple/")).await.1.contains("six"));
    let (status, page) = get(&client, &format!("{url}/simple/Six/")).await;
    assert_eq!(status, 200);
    let file = page.split('"').find(|part| part.starts_with("/packages/")).unwrap();
    assert_eq!(get(&client, &format!("{url}{file}")).await, (200, "a wheel".to_owned()));
    let head = client.head(format!("{url}{file}")).send().await.unwrap();
    assert_eq!(head.headers()["content-length"], "7");
    let part = client.get(format!("{url}/git/a.git/info/refs")).header("Range", "bytes=2-4").send().await.unwrap();
    assert_eq!(part.status().as_u16(), 206);
    assert_eq!(part.text().await.unwrap(), "234");
    assert_eq!(get(&client, &format!("{url}/git/a.git/none")).await.0, 404);
    assert_eq!(server.log().counts().faults + server.log().counts().refused, 0);
    assert!(server.log().since(0).is_empty());
    assert_eq!(get(&client, &format!("{url}/git/none.git/info/refs")).await.0, 404);
    assert_eq!(server.log().since(0)[0].outcome, Outcome::NoRepository);
}

#[tokio::test]
async fn a_project_that_the_lock_lacks_is_absent() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = Upstream::start(StatusCode::OK).await;
    let server = server(folder.path(), true, &upstream).await;
    assert_eq!(get(&direct(), &format!("{}/simple/No_Such/", server.host_url())).await.0, 404);
    let requests = server.log().since(0);
    assert_eq!((requests[0].what.as_str(), &requests[0].outcome), ("no-such", &Outcome::Absent));
}

#[tokio::test]
async fn a_client_has_a_few_connections_at_a_time() {
    use tokio::io::AsyncReadExt;
    let folder = tempfile::tempdir().unwrap();
    let upstream = Upstream::start(StatusCode::OK).await;
    let server = server(folder.path(), true, &upstream).await;
    let mut open = Vec::new();
    for _ in 0..crate::mirror::bounded::OF_A_CLIENT {
        open.push(tokio::net::TcpStream::connect(server.host).await.unwrap());
    }
    let mut more = tokio::net::TcpStream::connect(server.host).await.unwrap();
    // It is closed at once: read to its end, or reset.
    assert_eq!(more.read(&mut [0; 1]).await.unwrap_or(0), 0);
    assert_eq!(server.log().counts().refused, 1);
    drop(open);
    // Those that were closed count no more, as soon as the server has seen it.
    let url = format!("{}/simple/six/", server.host_url());
    let mut answered = direct().get(&url).send().await;
    for _ in 0..100 {
        if answered.is_ok() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        answered = direct().get(&url).send().await;
    }
    assert_eq!(answered.unwrap().status(), StatusCode::OK);
}
