//! The relay: a small program on a run's network whose standard streams carry connections. What arrives at its port comes out here,
//! and what is asked of a container goes in here, so that an engine may be anywhere.

mod frame;
mod link;
mod stream;

pub(crate) use link::{Incoming, Link, Output, Peer};
pub(crate) use stream::RelayStream;

/// The program. Perl is part of the smallest Debian.
const PROGRAM: &str = include_str!("relay.pl");
/// How many connections an address may have: more than the fixture server lets it have.
const OF_AN_ADDRESS: usize = 128;
/// How many there may be in all: a set of descriptors has room for 1,024 (select(2)).
const AT_ONCE: usize = 900;

/// The command of a relay that listens on this port.
pub(crate) fn command(port: u16) -> Vec<String> {
    let arguments = [port.to_string(), stream::WINDOW.to_string(), OF_AN_ADDRESS.to_string(), AT_ONCE.to_string()];
    ["perl", "-e", PROGRAM].into_iter().map(str::to_owned).chain(arguments).collect()
}

#[cfg(test)]
mod tests;
