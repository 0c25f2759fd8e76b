//! The run's own network: a bridge without a way out, on which nobody has the gateway's address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};

use bollard::models::{ContainerInspectResponse, Ipam, IpamConfig, NetworkCreateRequest};
use procfs::net::RouteEntry;

use super::build::commands_folder;
use super::container::run_labels;
use super::{Engine, EngineError};
use crate::outcome::RunId;

/// The beginning of the names of a run's network, containers and volumes; the run's id follows.
pub(super) const NAME_PREFIX: &str = "wsgi-proof-";
/// The option of a bridge on which the engine's machine gets no address.
const WITHOUT_ADDRESS: &str = "com.docker.network.bridge.inhibit_ipv4";

/// The engine's default bridge, and what builds call it.
pub(super) const BRIDGE: &str = "bridge";
const DEFAULT: &str = "default";
/// The option of a bridge that has a way out, by the address of the engine's machine.
const MASQUERADES: &str = "com.docker.network.bridge.enable_ip_masquerade";

#[derive(Debug, Clone)]
pub(crate) struct Network {
    pub name: String,
    /// Its subnet, in CIDR notation.
    pub subnet: String,
    /// The address that containers take for their gateway.
    pub gateway: IpAddr,
    /// Whether the engine's machine has it all the same: not every engine knows a bridge without an address.
    pub has_gateway: bool,
    /// The address of the run's relay.
    pub relay: IpAddr,
}

impl Network {
    /// The fixture server's name and address, as engines take further hosts.
    pub(super) fn host_entry(&self) -> String {
        format!("{}:{}", crate::mirror::HOST, self.relay)
    }
}

/// The name of a run's network.
pub(super) fn network_name(run: &RunId) -> String {
    network_name_of(run.as_str())
}

/// The name of the network of the run with this id.
pub(super) fn network_name_of(run: &str) -> String {
    format!("{NAME_PREFIX}{run}")
}

/// The run that a network or container of this name belongs to.
pub(super) fn run_of(name: &str) -> Option<&str> {
    name.strip_prefix(NAME_PREFIX)?.split('-').next().filter(|run| !run.is_empty())
}

impl Engine {
    /// Creates the run's network, on a subnet that neither the engine nor a route of this host uses.
    ///
    /// # Errors
    /// When the engine refuses, or no subnet is free.
    pub(crate) async fn create_network(&self, run: &RunId) -> Result<Network, EngineError> {
        let routes = procfs::net::route().unwrap_or_default();
        let first = usize::from_str_radix(&run.as_str()[..4], 16).unwrap_or(0);
        let name = network_name(run);
        let mut refusal = "no refusal".to_owned();
        for third in (0..256).map(|offset| (first + offset) % 256) {
            let third = u8::try_from(third).unwrap_or(0);
            let subnet = Ipv4Addr::new(10, 231, third, 0);
            if is_routed(&routes, subnet) {
                continue;
            }
            let of = |last| IpAddr::from(Ipv4Addr::new(10, 231, third, last));
            let subnet = format!("{subnet}/24");
            let network = Network { name: name.clone(), subnet, gateway: of(1), has_gateway: false, relay: of(2) };
            let created = self.docker.create_network(request(&network, run_labels(run))).await;
            match created.map_err(|error| self.error("creating the network", error)) {
                Ok(created) => {
                    return Ok(Network { has_gateway: created.warning.contains(WITHOUT_ADDRESS), ..network });
                }
                Err(EngineError::Refused { message, .. }) if message.to_lowercase().contains("overlap") => {
                    refusal = message;
                }
                Err(error) => return Err(error),
            }
        }
        Err(EngineError::NoSubnet { what: format!("all of 10.231.0.0/16 is routed or refused ({refusal})") })
    }
}

impl Engine {
    /// The engine's default bridge, as the network that builds by `BuildKit` are on: there is no other for them. Nobody's relay is on it
    /// yet.
    ///
    /// # Errors
    /// When there is none, or it leads outside.
    pub(super) async fn closed_bridge(&self) -> Result<Network, EngineError> {
        let unsuitable = |what: &str| EngineError::Unsuitable { what: format!("builds by BuildKit: {what}") };
        let found = match self.docker.inspect_network(BRIDGE, None).await {
            Ok(found) => found,
            Err(error) => {
                let error = self.error("inspecting the default bridge", error);
                return Err(if error.is_not_found() { unsuitable("it has no default bridge") } else { error });
            }
        };
        if !commands_folder(&self.data_root).is_dir() {
            return Err(unsuitable("their commands cannot be limited, as its folder cannot be read here"));
        }
        let options = found.options.unwrap_or_default();
        if options.get(MASQUERADES).is_none_or(|value| value != "false") {
            return Err(unsuitable("they would be on its default bridge, which leads outside"));
        }
        let config = found.ipam.and_then(|ipam| ipam.config).unwrap_or_default().into_iter().next().unwrap_or_default();
        let gateway = config.gateway.and_then(|gateway| gateway.parse().ok());
        let (Some(subnet), Some(gateway)) = (config.subnet, gateway) else {
            return Err(unsuitable("its default bridge has no addresses"));
        };
        Ok(Network { name: DEFAULT.to_owned(), subnet, gateway, has_gateway: true, relay: gateway })
    }
}

/// The request for a run's network.
///
/// Older engines give the containers of an internal network a default route by way of the host, and rely on its firewall
/// alone to drop what comes that way. Without an address of its own on the bridge the host is nobody's gateway.
fn request(network: &Network, labels: HashMap<String, String>) -> NetworkCreateRequest {
    NetworkCreateRequest {
        name: network.name.clone(),
        driver: Some("bridge".to_owned()),
        internal: Some(true),
        enable_ipv6: Some(false),
        options: Some(HashMap::from([(WITHOUT_ADDRESS.to_owned(), "true".to_owned())])),
        ipam: Some(Ipam {
            config: Some(vec![IpamConfig {
                subnet: Some(network.subnet.clone()),
                gateway: Some(network.gateway.to_string()),
                ..Default::default()
            }]),
            ..Default::default()
        }),
        labels: Some(labels),
        ..Default::default()
    }
}

/// The address that a container has on a network. One that has ended has none any more.
pub(super) fn address_on(network: &str, found: &ContainerInspectResponse) -> Option<IpAddr> {
    let own = found.network_settings.as_ref()?.networks.as_ref()?.get(network)?;
    own.ip_address.as_ref()?.parse().ok()
}

/// Whether a route of this host leads into the /24 network. A default route does not count.
fn is_routed(routes: &[RouteEntry], subnet: Ipv4Addr) -> bool {
    routes.iter().filter(|route| !route.mask.is_unspecified()).any(|route| {
        let common = route.mask.to_bits() & 0xffff_ff00;
        route.destination.to_bits() & common == subnet.to_bits() & common
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use procfs::FromRead;
    use procfs::net::RouteEntries;

    use super::*;

    const ROUTES: &str = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n\
        eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n\
        br-1\t0007E70A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n\
        vpn0\t0000E80A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n";

    fn routes() -> Vec<RouteEntry> {
        RouteEntries::from_read(ROUTES.as_bytes()).unwrap().0
    }

    #[test]
    fn a_route_into_the_subnet_is_seen() {
        assert!(is_routed(&routes(), Ipv4Addr::new(10, 231, 7, 0)));
        assert!(is_routed(&routes(), Ipv4Addr::new(10, 232, 9, 0)));
    }

    #[test]
    fn a_networks_name_tells_its_run() {
        let run = RunId::new();
        assert_eq!(run_of(&network_name(&run)), Some(run.as_str()));
        assert_eq!(run_of("bridge"), None);
    }

    #[test]
    fn other_routes_and_the_default_route_are_not() {
        assert!(!is_routed(&routes(), Ipv4Addr::new(10, 231, 8, 0)));
    }
}
