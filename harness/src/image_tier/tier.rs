//! The image tier as a session sees it.

use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use super::{Setup, executor};
use crate::engine::{Network, Origin};
use crate::mirror::{self, RequestLog};
use crate::run::criteria::Criteria;
use crate::run::event::Event;
use crate::run::lease::Lease;
use crate::run::leftovers;
use crate::run::plan::Plan;
use crate::run::tier::{Conclusion, Surroundings, Tier};

/// The image tier, open on an engine.
pub(crate) struct ImageTier {
    /// What every step shares.
    pub setup: Arc<Setup>,
    /// What says that the run is alive.
    pub alive: Lease,
    /// Where the engine was found.
    pub origin: Origin,
}

impl Tier for ImageTier {
    fn describe(&self) -> Surroundings {
        let Setup { run, jobs, engine, network, offline, .. } = &*self.setup;
        Surroundings {
            run: run.clone(),
            jobs: *jobs,
            engine: engine.describe().to_string(),
            isolation: isolation(network, &engine.describe().unenforced),
            offline: *offline,
        }
    }

    fn criteria(&self) -> &Criteria {
        &self.setup.criteria
    }

    async fn execute(&self, plan: &Plan, events: UnboundedSender<Event>, cancel: &CancellationToken) {
        executor::execute(plan, &self.setup, events, cancel).await;
    }

    async fn conclude(self, plan: &Plan, over: &CancellationToken) -> Conclusion {
        let Self { setup, alive, origin } = self;
        let isolation = setup.watch.conclusion();
        let Setup { engine, cache, run, keep, relay, .. } = &*setup;
        let mut notes = leftovers::clean(engine, cache, run, relay.get(), *keep, over).await;
        let log = setup.server.log();
        let (fixtures, undeclared) = (log.counts().to_string(), undeclared(&log, plan));
        setup.server.stop().await;
        drop(alive);
        if origin == Origin::Private {
            notes.push(
                "the private engine keeps running for the next run; `wsgi-proof engine stop` stops it".to_owned(),
            );
        }
        Conclusion { fixtures, undeclared, isolation, notes }
    }
}

/// How many requests of the kind are named; of the others there is the number.
const EXAMPLES: usize = 10;

/// What was asked of the fixture server though it has nothing of the kind, and no scenario of the run declares it.
fn undeclared(log: &RequestLog, plan: &Plan) -> Vec<String> {
    let absent = plan.absent_packages();
    let mut found: Vec<String> = Vec::new();
    let mut more = log.counts().dropped;
    for request in log.since(0).into_iter().filter(|request| request.is_undeclared(&absent)) {
        let from = request.from.map_or_else(|| "an unknown address".to_owned(), |address| address.to_string());
        let text = format!("{from} requested {}", request.what);
        if found.contains(&text) {
            continue;
        }
        if found.len() < EXAMPLES {
            found.push(text);
        } else {
            more += 1;
        }
    }
    if more > 0 {
        found.push(format!("{more} more were made"));
    }
    found
}

fn isolation(network: &Network, unenforced: &[&str]) -> String {
    let Network { name, subnet, relay, has_gateway, .. } = network;
    let (port, has) = (mirror::PORT, if *has_gateway { "an" } else { "no" });
    let mut text = format!(
        "internal network {name} ({subnet}), on which the engine's machine has {has} address; fixture server by a relay at \
         {relay}:{port}"
    );
    if !unenforced.is_empty() {
        text.push_str(&format!("; limits that this engine does not enforce: {}", unenforced.join(", ")));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    #[test]
    fn limits_that_an_engine_drops_are_told() {
        let at = IpAddr::from(Ipv4Addr::LOCALHOST);
        let network =
            Network { name: "n".to_owned(), subnet: "s".to_owned(), gateway: at, has_gateway: false, relay: at };
        assert!(!isolation(&network, &[]).contains("enforce"));
        assert!(isolation(&network, &["processes"]).ends_with("limits that this engine does not enforce: processes"));
    }
}
