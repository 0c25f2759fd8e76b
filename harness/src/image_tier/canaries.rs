//! Lets the canaries out, and looks how far they came.

use std::collections::BTreeSet;
use std::path::Path;

use futures_util::future::try_join_all;

use super::Setup;
use super::prepare::{PrepareError, Prepared};
use crate::check::captured::Captured;
use crate::check::evidence::BuildEnd;
use crate::engine::{Network, canary_build};
use crate::isolation::{
    BEACON_PORT, Canary, Isolation, Kind, Listeners, MachinePorts, Own, Targets, Way, beacon_command, canary_command,
    host_addresses, machine_command, reaches, ways,
};
use crate::mirror;
use crate::outcome::Fault;
use crate::suite::builder::Builder;

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
    let builders: BTreeSet<Builder> = setup.builders.iter().copied().collect();
    let mut tried = Vec::new();
    for builder in builders {
        tried.push((builder, if builder.is_buildkit() { Some(setup.own_relay().await?) } else { None }));
    }
    let of_builds = tried.iter().filter_map(|(_, own)| own.as_ref()).map(|own| &own.network);
    let networks: Vec<Own> = [network].into_iter().chain(of_builds).map(Own::from).collect();
    let ways = ways(Targets {
        beacon: address,
        networks: &networks,
        machine: ports,
        addresses: &addresses,
        hosts: &hosts,
        sockets: &sockets,
    });
    watch.begin(ways.clone(), listeners);

    let words = |canary, network: &Network| canary_command(canary, run, (network.relay, mirror::PORT), &ways);
    let mut requests = Vec::new();
    for (builder, own) in &tried {
        let network = own.as_ref().map_or(network, |own| &own.network);
        let request = canary_build(image, &words(Canary::Build(*builder), network), network, *builder, run)
            .map_err(|error| suite(format!("cannot write the build context of the canary: {error}"), None))?;
        requests.push(async { engine.build(request, &mut |_| {}).await.map(|built| (*builder, built)) });
    }
    // Somewhere that nobody can get to is no proof that there is no way.
    let to_beacon: Vec<Way> = ways.iter().filter(|way| way.host == address.to_string()).cloned().collect();
    let control = canary_command(Canary::Control, run, (address, BEACON_PORT), &to_beacon);
    let (built, ran, controlled) = tokio::join!(
        try_join_all(requests),
        engine.canary_container(image, words(Canary::Container, network), network, address, run),
        engine.canary_container(image, control, &outside, address, run)
    );
    let (built, ran) = (built?, ran?);
    for (_, own) in tried {
        setup.give_back(own);
    }
    let said = controlled?.output;
    let said = said.all().map_err(|exceeded| suite(format!("the log of the control: {exceeded}"), None))?;
    reaches(&to_beacon, said).map_err(|why| {
        let what = format!("a container on the beacon's own network does not reach it, so nothing is proved: {why}");
        suite(what, Some("check whether the engine's containers can reach each other on a network"))
    })?;
    for way in ways.iter().filter(|way| matches!(way.kind, Kind::Add | Kind::Trigger)) {
        let refused = engine.canary_fetch(image, &way.address(), way.kind == Kind::Trigger, network, run).await?;
        if !refused {
            watch.open(Canary::Build(Builder::Classic), way, "the build was not refused");
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
    for (builder, built) in built {
        let canary = Canary::Build(builder);
        match built.end {
            BuildEnd::Built { .. } => heard(canary, &built.log)?,
            BuildEnd::Failed { message, .. } => return Err(suite(format!("{canary} failed: {message}"), None)),
            BuildEnd::Exceeded(exceeded) => return Err(suite(format!("{canary}: {exceeded}"), None)),
            BuildEnd::Refused(why) => return Err(suite(format!("{canary} was refused: {why}"), None)),
        }
    }
    Ok(())
}

impl From<&Network> for Own {
    fn from(Network { gateway, relay, has_gateway, .. }: &Network) -> Self {
        Self { gateway: *gateway, relay: *relay, has_gateway: *has_gateway }
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
