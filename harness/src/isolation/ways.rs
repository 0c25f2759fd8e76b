//! The ways out that are tried.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::{fmt, fs, io};

use super::{BEACON_PORT, Canary, Ports};

/// How many of this host's addresses are tried.
const ADDRESSES: usize = 8;
/// Who a virtual machine is a guest of, and a port that nobody has there (vsock(7)).
const VSOCK_HOST: u32 = 2;
const VSOCK_PORT: u16 = 1;
/// All nodes of a link (RFC 4291, section 2.7.1).
const ALL_NODES: &str = "ff02::1";

/// What a way is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Tcp,
    Udp,
    /// An echo request (RFC 792).
    Icmp,
    Tcp6,
    Udp6,
    /// A question to a name server (RFC 1035).
    Dns,
    /// A look-up of a name, by the name servers that the engine gives a container.
    Name,
    /// A socket in the file system.
    Unix,
    /// A socket in the abstract namespace (unix(7)).
    Abstract,
    /// A socket to the machine that this one is a guest of (vsock(7)): those have no namespaces.
    Vsock,
    /// An `ADD` of an address, which the engine would fetch.
    Add,
    /// The same in a trigger of the image that a build begins with.
    Trigger,
}

#[derive(Debug, Clone)]
pub(crate) struct Way {
    /// What tells it from the others, from 1.
    pub number: usize,
    /// What it is made of.
    pub kind: Kind,
    /// An address, a path or a name, as the canary takes it.
    pub host: String,
    /// The port, where there are any.
    pub port: u16,
    /// What is there, in words.
    pub what: String,
    /// Whether it may be open for a reason that is neither the run's nor the engine's.
    pub is_expected: bool,
}

impl Way {
    /// What the canary takes.
    pub(super) fn argument(&self) -> String {
        let kind = match self.kind {
            Kind::Tcp => "tcp",
            Kind::Udp => "udp",
            Kind::Icmp => "icmp",
            Kind::Tcp6 => "tcp6",
            Kind::Udp6 => "udp6",
            Kind::Dns => "dns",
            Kind::Name => "name",
            Kind::Unix => "unix",
            Kind::Abstract => "abstract",
            Kind::Vsock => "vsock",
            Kind::Add | Kind::Trigger => "refused",
        };
        format!("{} {kind} {} {}", self.number, self.host, self.port)
    }

    /// Whether this canary can try it itself. A build cannot be given a name server of the run's own, and must not ask another; what
    /// an engine would fetch is tried by builds of their own.
    pub(super) fn is_for(&self, canary: Canary) -> bool {
        match self.kind {
            // Which others it can try depends on what the engine lets a container do.
            kind if canary == Canary::Control => matches!(kind, Kind::Tcp | Kind::Udp | Kind::Dns),
            Kind::Name => canary == Canary::Container,
            Kind::Add | Kind::Trigger => false,
            _ => true,
        }
    }

    /// What the engine would fetch, for a build of its own.
    pub(crate) fn address(&self) -> String {
        format!("http://{}:{}/", self.host, self.port)
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, host, port, what, .. } = self;
        match kind {
            Kind::Tcp => write!(f, "TCP to {what} ({host}:{port})"),
            Kind::Udp => write!(f, "UDP to {what} ({host}:{port})"),
            Kind::Icmp => write!(f, "ICMP to {what} ({host})"),
            Kind::Tcp6 => write!(f, "TCP over IPv6 to {what} ({host}, port {port})"),
            Kind::Udp6 => write!(f, "UDP over IPv6 to {what} ({host}, port {port})"),
            Kind::Dns => write!(f, "a DNS query to {what} ({host}:{port})"),
            Kind::Name => write!(f, "a name look-up by {what}"),
            Kind::Unix => write!(f, "{what} ({host})"),
            Kind::Abstract => write!(f, "{what}"),
            Kind::Vsock => write!(f, "AF_VSOCK to {what} (CID {host})"),
            Kind::Add => write!(f, "an `ADD` of {what} ({host}:{port})"),
            Kind::Trigger => write!(f, "a trigger with an `ADD` of {what} ({host}:{port})"),
        }
    }
}

/// Ports on all addresses of the machine that the engine's networks are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MachinePorts {
    pub tcp: u16,
    pub udp: u16,
    /// UDP over IPv6, where there is any.
    pub six: Option<u16>,
}

impl MachinePorts {
    /// What a beacon says behind `ready`: the three ports, 0 for none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut ports = text.split_whitespace().map(|port| port.parse::<u16>().ok());
        let (tcp, udp, six) = (ports.next()??, ports.next()??, ports.next()??);
        Some(Self { tcp, udp, six: Some(six).filter(|six| *six != 0) })
    }
}

/// What there is on a network of the run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Own {
    /// The address that the network has for its gateway, and that of its relay.
    pub gateway: IpAddr,
    pub relay: IpAddr,
    /// Whether the engine's machine is known to have the gateway's address.
    pub has_gateway: bool,
}

/// What canaries try to reach.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Targets<'a> {
    /// The beacon on another network.
    pub beacon: IpAddr,
    /// The run's networks.
    pub networks: &'a [Own],
    /// Ports of the engine's machine.
    pub machine: MachinePorts,
    /// This host's addresses, and the ports of listeners on all of them.
    pub addresses: &'a [IpAddr],
    pub hosts: &'a Ports,
    /// Sockets in the file system.
    pub sockets: &'a [&'a Path],
}

/// All ways that are tried: to a beacon on another network (these come first), to the network's gateway and its relay, to this host's
/// addresses, and to sockets.
pub(crate) fn ways(targets: Targets<'_>) -> Vec<Way> {
    let Targets { beacon, networks, machine, addresses, hosts, sockets } = targets;
    let mut ways = Vec::new();
    let mut add = |kind, host: String, port, what: &str, is_expected| {
        let number = ways.len() + 1;
        ways.push(Way { number, kind, host, port, what: what.to_owned(), is_expected });
    };
    let there = beacon.to_string();
    for (kind, port) in [(Kind::Tcp, BEACON_PORT), (Kind::Udp, BEACON_PORT), (Kind::Dns, 53), (Kind::Icmp, 0)] {
        let what = if kind == Kind::Dns { "a name server on another network" } else { "another network" };
        add(kind, there.clone(), port, what, false);
    }
    add(Kind::Name, "-".to_owned(), 0, "a name server on another network", false);
    for Own { gateway, relay, has_gateway } in networks {
        for (kind, port) in [(Kind::Tcp, machine.tcp), (Kind::Udp, machine.udp)] {
            add(kind, gateway.to_string(), port, "the engine's machine at the network's gateway", *has_gateway);
        }
        add(Kind::Icmp, gateway.to_string(), 0, "the network's gateway", *has_gateway);
        for kind in [Kind::Tcp, Kind::Udp] {
            add(kind, relay.to_string(), BEACON_PORT, "another port of the relay", false);
        }
    }
    if let Some(udp) = machine.six {
        add(Kind::Udp6, ALL_NODES.to_owned(), udp, "all nodes of the network", false);
    }
    let others = |address: &&IpAddr| !networks.iter().any(|own| own.gateway == **address) && !address.is_loopback();
    for address in addresses.iter().filter(others).take(ADDRESSES) {
        let what = "an address of this host";
        let (tcp, udp) = if address.is_ipv4() { (Kind::Tcp, Kind::Udp) } else { (Kind::Tcp6, Kind::Udp6) };
        let ports = if address.is_ipv4() { Some((hosts.tcp, hosts.udp)) } else { hosts.six };
        let Some((tcp_port, udp_port)) = ports else { continue };
        add(tcp, address.to_string(), tcp_port, what, false);
        add(udp, address.to_string(), udp_port, what, false);
        if address.is_ipv4() {
            add(Kind::Icmp, address.to_string(), 0, what, false);
        }
    }
    for socket in sockets {
        add(Kind::Unix, socket.display().to_string(), 0, "a socket of an engine", false);
    }
    // Which sockets a container may open is the engine's to say, and a build takes no other profile.
    add(Kind::Vsock, VSOCK_HOST.to_string(), VSOCK_PORT, "the machine that this one is a guest of", true);
    for kind in [Kind::Add, Kind::Trigger] {
        add(kind, there.clone(), BEACON_PORT, "an address on another network", false);
    }
    add(Kind::Abstract, hosts.abstract_name.clone(), 0, "an abstract socket of this host", false);
    ways
}

/// This host's addresses, as the kernel lists them.
///
/// # Errors
/// When it does not: addresses that are not known are not tried, and nobody would miss them.
pub(crate) fn host_addresses() -> io::Result<Vec<IpAddr>> {
    addresses_in(Path::new("/proc/net"))
}

fn addresses_in(tables: &Path) -> io::Result<Vec<IpAddr>> {
    let read = |name: &str| {
        let path = tables.join(name);
        fs::read_to_string(&path)
            .map_err(|error| io::Error::new(error.kind(), format!("cannot read {}: {error}", path.display())))
    };
    let mut addresses = local_v4(&read("fib_trie")?);
    match read("if_inet6") {
        Ok(table) => addresses.extend(global_v6(&table)),
        // A kernel without IPv6 has no such table.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    Ok(addresses)
}

/// The local addresses in `/proc/net/fib_trie`: each stands above a line that says so.
fn local_v4(trie: &str) -> Vec<IpAddr> {
    let mut last = None;
    let mut found = Vec::new();
    for line in trie.lines() {
        let line = line.trim_start();
        if let Some(address) = line.strip_prefix("|-- ") {
            last = address.parse::<Ipv4Addr>().ok().map(IpAddr::V4);
        } else if line.starts_with("/32 host LOCAL") {
            found.extend(last.filter(|address| !address.is_loopback() && !found.contains(address)));
        }
    }
    found
}

/// The addresses with a global scope in `/proc/net/if_inet6`.
fn global_v6(text: &str) -> Vec<IpAddr> {
    let global = |line: &str| {
        let mut columns = line.split_whitespace();
        let address = u128::from_str_radix(columns.next()?, 16).ok()?;
        (columns.nth(2)? == "00").then(|| IpAddr::V6(Ipv6Addr::from_bits(address)))
    };
    text.lines().filter_map(global).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRIE: &str = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n     +-- 10.0.0.0/24 2 0 2\n        |-- 10.0.0.0\n           /24 link UNICAST\n        |-- 10.0.0.5\n           /32 host LOCAL\n        |-- 10.0.0.255\n           /32 link BROADCAST\n     |-- 127.0.0.1\n        /32 host LOCAL\nLocal:\n        |-- 10.0.0.5\n           /32 host LOCAL\n";

    #[test]
    fn local_addresses_are_found_once_and_without_the_loopbacks() {
        assert_eq!(local_v4(TRIE), ["10.0.0.5".parse::<IpAddr>().unwrap_or([0, 0, 0, 0].into())]);
    }

    #[test]
    fn only_global_addresses_of_ipv6_need_no_interface() {
        let text = "00000000000000000000000000000001 01 80 10 80       lo\n\
            fe800000000000000000000000000001 02 40 20 80     eth0\n\
            fd000000000000000000000000000002 02 40 00 80     eth0\n";
        assert_eq!(global_v6(text).iter().map(ToString::to_string).collect::<Vec<_>>(), ["fd00::2"]);
    }

    #[test]
    #[allow(clippy::unwrap_used)]
    fn addresses_that_cannot_be_read_are_an_error() {
        let tables = tempfile::tempdir().unwrap();
        let error = addresses_in(tables.path()).unwrap_err().to_string();
        assert!(error.contains("cannot read") && error.contains("fib_trie"), "{error}");
        fs::write(tables.path().join("fib_trie"), TRIE).unwrap();
        assert_eq!(addresses_in(tables.path()).unwrap().len(), 1);
        // There, and unreadable.
        fs::create_dir(tables.path().join("if_inet6")).unwrap();
        assert!(addresses_in(tables.path()).is_err());
        assert!(host_addresses().is_ok());
    }

    #[test]
    fn a_beacon_says_its_ports() {
        assert_eq!(MachinePorts::parse("1 2 0"), Some(MachinePorts { tcp: 1, udp: 2, six: None }));
        assert_eq!(MachinePorts::parse("1 2 3").and_then(|ports| ports.six), Some(3));
        assert_eq!(MachinePorts::parse("1 x 3"), None);
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

        #[test]
        fn any_table_of_the_kernel_can_be_read(text in r"((\|-- |/32 host LOCAL|[0-9a-f.: ]{0,40})\n){0,6}") {
            local_v4(&text);
            global_v6(&text);
        }
    }
}
