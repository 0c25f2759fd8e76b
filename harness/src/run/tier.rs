//! A tier under way, as a session sees it. What the tiers have in common is the session's; here is what each of them must give.

use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use crate::isolation::Isolation;
use crate::outcome::RunId;
use crate::run::criteria::Criteria;
use crate::run::event::Event;
use crate::run::plan::Plan;

/// A tier that is open, with all that a run needs of it.
pub(crate) trait Tier {
    /// What the run takes place in.
    fn describe(&self) -> Surroundings;

    /// What its scenarios are judged by.
    fn criteria(&self) -> &Criteria;

    /// Runs a plan to its end, or until it is cancelled. Every scenario planned is reported in an event, unless it was cancelled.
    fn execute(
        &self,
        plan: &Plan,
        events: UnboundedSender<Event>,
        cancel: &CancellationToken,
    ) -> impl Future<Output = ()> + Send;

    /// Cleans up, and says what is left to say. Once `over` is cancelled it leaves the rest for the next run.
    fn conclude(self, plan: &Plan, over: &CancellationToken) -> impl Future<Output = Conclusion> + Send;
}

/// What a run takes place in.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    pub run: RunId,
    /// Steps run at once, at the most.
    pub jobs: usize,
    /// The engine, and why this one.
    pub engine: String,
    /// What keeps builds and containers from the outside.
    pub isolation: String,
    /// Whether filling the fixture store was forbidden.
    pub offline: bool,
}

/// What a tier says at the end of a run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Conclusion {
    /// What builds asked of the fixture server.
    pub fixtures: String,
    /// What was asked of it that it does not have, and that no scenario declares absent.
    pub undeclared: Vec<String>,
    /// How builds and containers turned out to be isolated.
    pub isolation: Isolation,
    /// What a person should know: an engine still running, things kept or left behind.
    pub notes: Vec<String>,
}
