//! Lets the canaries out, and looks how far they came.

use std::path::Path;

use super::Setup;
use super::prepare::{PrepareError, Prepared};
use crate::check::captured::Captured;
use crate::check::evidence::BuildEnd;
use crate::engine::canary_build;
use crate::isolation::{
    BEACON_PORT, Canary, Isolation, Kind, Listeners, MachinePorts, Targets, Way, beacon_command, canary_command,
    host_addresses, machine_command, reaches, ways,
};
use crate::mirror;
use crate::outcome::Fault;

/// Where engines usually listen.
const SOCKETS: [&str; 2] = ["/var/run/docker.sock", "/run/podman/podman.sock"];

/// Lets a canary build and a canary container out, on this image.
pub(super) async fn canaries(setup: &Setup, image: &str) -> Result<Prepared, PrepareError> {
    let tried = Box::pin(try_all(setup, image)).await;
    setup.watch.close();
    match tried {
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
        Ok(Prepared { image: None, note: note(&isolation) })
    } else {
        Err(PrepareError::Broken(Fault {
            what: format!("isolation broken: {}", isolation.broken.join("; ")),
            hint: Some("results cannot be trusted; check which network the engine creates".to_owned()),
        }))
    }
}

async fn try_all(setup: &Setup, image: &str) -> Result<(), PrepareError> {
    let Setup { engine, run, network, watch, .. } = setup;
    let (beacon, machine) = tokio::join!(
        engine.start_beacon(image, beacon_command(), run),
        engine.start_machine_beacon(image, machine_command(), run)
    );
    let (beacon, machine) = (beacon?, machine?);
    let (address, outside) = beacon.place().ok_or_else(|| suite("the beacon has no address".to_owned(), None))?;
    let ports = MachinePorts::parse(&machine.ready)
        .ok_or_else(|| suite(format!("the beacon has no ports: {}", machine.ready), None))?;
    let (listeners, hosts) = Listeners::of_host(&watch.arrivals())
        .map_err(|error| suite(format!("cannot open listeners for the canaries: {error}"), None))?;
    let mut sockets: Vec<&Path> = SOCKETS.iter().map(Path::new).collect();
    sockets.extend(engine.socket());
    let addresses = host_addresses().map_err(|error| suite(format!("this host's addresses: {error}"), None))?;
    let ways = ways(Targets {
        beacon: address,
        gateway: network.gateway,
        relay: network.relay,
        has_gateway: network.has_gateway,
        machine: ports,
        addresses: &addresses,
        hosts: &hosts,
        sockets: &sockets,
    });
    watch.begin(ways.clone(), listeners);

    let server = (network.relay, mirror::PORT);
    let words = |canary| canary_command(canary, run, server, &ways);
    let request = canary_build(image, &words(Canary::Build), network, run)
        .map_err(|error| suite(format!("cannot write the build context of the canary: {error}"), None))?;
    // Somewhere that nobody can get to is no proof that there is no way.
    let to_beacon: Vec<Way> = ways.iter().filter(|way| way.host == address.to_string()).cloned().collect();
    let control = canary_command(Canary::Control, run, (address, BEACON_PORT), &to_beacon);
    let mut quiet = |_: &str| {};
    let (built, ran, controlled) = tokio::join!(
        engine.build(request, &mut quiet),
        engine.canary_container(image, words(Canary::Container), network, address, run),
        engine.canary_container(image, control, &outside, address, run)
    );
    let (built, ran) = (built?, ran?);
    let said = controlled?.output;
    let said = said.all().map_err(|exceeded| suite(format!("the log of the control: {exceeded}"), None))?;
    reaches(&to_beacon, said).map_err(|why| {
        let what = format!("a container on the beacon's own network does not reach it, so nothing is proved: {why}");
        suite(what, Some("check whether the engine's containers can reach each other on a network"))
    })?;
    for way in ways.iter().filter(|way| matches!(way.kind, Kind::Add | Kind::Trigger)) {
        let refused = engine.canary_fetch(image, &way.address(), way.kind == Kind::Trigger, network, run).await?;
        if !refused {
            watch.open(Canary::Build, way, "the build was not refused");
        }
    }
    for message in engine.reached(&beacon).await? {
        watch.arrivals().add(message.as_bytes());
    }
    for message in engine.reached(&machine).await? {
        watch.arrivals().add(message.as_bytes());
    }
    engine.stop_beacon(beacon).await?;
    engine.stop_beacon(machine).await?;
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
