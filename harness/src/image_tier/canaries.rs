//! Lets the canaries out, and looks how far they came.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Setup;
use super::prepare::{PrepareError, Prepared};
use crate::check::captured::Captured;
use crate::check::evidence::BuildEnd;
use crate::engine::canary_build;
use crate::isolation::{
    BEACON_PORT, Canary, Isolation, Kind, LinkPorts, Listeners, beacon_command, canary_command, host_addresses, ways,
};
use crate::mirror;
use crate::outcome::Fault;

/// How long the beacon may take to answer the run itself.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);
/// Where engines usually listen.
const SOCKETS: [&str; 2] = ["/var/run/docker.sock", "/run/podman/podman.sock"];

/// Lets a canary build and a canary container out, on this image.
pub(super) async fn canaries(setup: &Setup, image: &str) -> Result<Prepared, PrepareError> {
    match try_all(setup, image).await {
        Ok(()) => {}
        Err(PrepareError::Suite(fault)) => {
            setup.watch.could_not(fault.what.clone());
            return Err(PrepareError::Suite(fault));
        }
        Err(PrepareError::Engine(error)) => {
            setup.watch.could_not(crate::outcome::with_causes(&error));
            return Err(PrepareError::Engine(error));
        }
        Err(other) => return Err(other),
    }
    let isolation = setup.watch.conclusion();
    if isolation.broken.is_empty() {
        Ok(Prepared { image: image.to_owned(), note: note(&isolation) })
    } else {
        Err(PrepareError::Broken(Fault {
            what: format!("isolation broken: {}", isolation.broken.join("; ")),
            hint: Some("results cannot be trusted; check which network the engine creates".to_owned()),
        }))
    }
}

async fn try_all(setup: &Setup, image: &str) -> Result<(), PrepareError> {
    let Setup { engine, run, network, watch, namespace, .. } = setup;
    let listening = |error: std::io::Error| suite(format!("cannot open listeners for the canaries: {error}"), None);
    let beacon = engine.start_beacon(image, beacon_command(), run).await?;
    let (listeners, hosts) = Listeners::of_host(run, &watch.arrivals()).await.map_err(listening)?;
    let mut listeners = vec![listeners];
    let link = if namespace.is_hosts() {
        LinkPorts::OfThisHost
    } else {
        let (more, ports) = Listeners::of_link(namespace, &watch.arrivals()).await;
        listeners.push(more);
        LinkPorts::Elsewhere(ports)
    };
    let mut sockets: Vec<&Path> = SOCKETS.iter().map(Path::new).collect();
    sockets.extend(engine.socket());
    let addresses = host_addresses().map_err(|error| suite(format!("this host's addresses: {error}"), None))?;
    let ways = ways(beacon.address, network.gateway, &addresses, (&hosts, link), &sockets);
    watch.begin(ways.clone(), listeners);

    // Somewhere that nobody can get to is no proof that there is no way.
    let address = SocketAddr::new(beacon.address.into(), BEACON_PORT);
    let answered = namespace.handle().spawn(tokio::time::timeout(ANSWER_LIMIT, answers(address))).await;
    if !matches!(answered, Ok(Ok(Ok(())))) {
        let hint = "the engine must run on this machine, not in a virtual machine";
        return Err(suite(format!("the beacon for the canaries does not answer at {address}"), Some(hint)));
    }

    let server = (network.gateway, mirror::PORT);
    let words = |canary| canary_command(canary, run, server, &ways);
    let request = canary_build(image, &words(Canary::Build), network, run)
        .map_err(|error| suite(format!("cannot write the build context of the canary: {error}"), None))?;
    let dns = IpAddr::from(beacon.address);
    let mut quiet = |_: &str| {};
    let (built, ran) = tokio::join!(
        engine.build(request, &mut quiet),
        engine.canary_container(image, words(Canary::Container), network, dns, run)
    );
    let (built, ran) = (built?, ran?);
    for way in ways.iter().filter(|way| matches!(way.kind, Kind::Add | Kind::Trigger)) {
        let refused = engine.canary_fetch(image, &way.address(), way.kind == Kind::Trigger, network, run).await?;
        if !refused {
            watch.open(Canary::Build, way, "the build was not refused");
        }
    }
    for message in engine.reached(&beacon).await? {
        watch.arrivals().add(message.as_bytes());
    }
    engine.stop_beacon(beacon).await?;
    let heard = |canary, said: &Captured| {
        let said = said.all().map_err(|exceeded| format!("{canary}: its log: {exceeded}"));
        said.and_then(|lines| watch.hear(canary, lines)).map_err(|why| suite(why, None))
    };
    heard(Canary::Container, &ran.output)?;
    match built.end {
        BuildEnd::Built { .. } => heard(Canary::Build, &built.log),
        BuildEnd::Failed { message, .. } => Err(suite(format!("the canary build failed: {message}"), None)),
        BuildEnd::Exceeded(exceeded) => Err(suite(format!("the canary build: {exceeded}"), None)),
        BuildEnd::Refused(why) => Err(suite(format!("the canary build was refused: {why}"), None)),
    }
}

/// Whether something at this address echoes what it receives.
async fn answers(address: SocketAddr) -> std::io::Result<()> {
    const WORD: &[u8] = b"control";
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(WORD).await?;
    let mut answer = [0; WORD.len()];
    stream.read_exact(&mut answer).await?;
    if answer == WORD { Ok(()) } else { Err(std::io::Error::other("unexpected answer")) }
}

fn suite(what: String, hint: Option<&str>) -> PrepareError {
    PrepareError::Suite(Fault { what, hint: hint.map(str::to_owned) })
}

fn note(isolation: &Isolation) -> String {
    let tried = isolation.tried.len();
    match isolation.weakened.len() {
        0 => format!("a build and a container tried {tried} isolation probes, and none got out"),
        open => format!("a build and a container tried {tried} isolation probes, and {open} got out"),
    }
}
