//! An engine, tried out: what it says of itself, and what comes of a network, a build, a copy of an image and a relay. All that it
//! makes is the run's.

use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::canary::request;
use super::{Description, Engine, EngineError, Network};
use crate::check::evidence::{BuildEnd, CommandEnd};
use crate::outcome::{RunId, with_causes};
use crate::relay::Incoming;
use crate::suite::limits::Limits;

/// What an image is built from that has all that a copy of it must keep.
const DOCKERFILE: &str =
    "FROM scratch\nCOPY Dockerfile /\nENV NAME=value\nLABEL name=value\nENTRYPOINT [\"entry\"]\nONBUILD RUN trigger\n";
/// The port at which the container of the trial is asked, and what is said.
const PORT: u16 = 8397;
const CARRIED: &str = "carried";
/// Connects to the fixture server's name, prints what comes, and answers who connects to it. Its arguments are the address and the port.
const ASKING: &str = "use IO::Socket::INET; alarm 60; \
    my $l = IO::Socket::INET->new(LocalPort => $ARGV[1], Listen => 1) or die qq(no socket: $!\\n); \
    my $s = IO::Socket::INET->new(PeerAddr => $ARGV[0]) or die qq(no connection: $!\\n); print <$s>; \
    my $c = $l->accept or die qq(nobody came: $!\\n); print $c q(carried);";

/// How something turned out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    Holds,
    /// It does not, and a run does without it.
    Weaker,
    /// It does not, and there is no run without it.
    Missing,
    Untried,
}

impl State {
    /// The word in messages.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Holds => "yes",
            Self::Weaker => "weaker",
            Self::Missing => "no",
            Self::Untried => "not tried",
        }
    }
}

/// Something that an engine can do, or cannot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Capability {
    /// Its name, a word.
    pub name: &'static str,
    pub state: State,
    /// How it was seen, or what a run does without it.
    pub what: String,
}

impl Capability {
    fn new(name: &'static str, state: State, what: impl Into<String>) -> Self {
        Self { name, state, what: what.into() }
    }

    fn of(name: &'static str, tried: Result<String, EngineError>) -> Self {
        match tried {
            Ok(what) => Self::new(name, State::Holds, what),
            Err(error) => Self::new(name, State::Missing, with_causes(&error)),
        }
    }
}

impl Engine {
    /// Tries the engine out, as far as that is possible: a relay needs a distribution, which the first run makes.
    ///
    /// # Errors
    /// When the engine does not answer any more.
    pub(crate) async fn try_out(&self, run: &RunId) -> Result<Vec<Capability>, EngineError> {
        let mut found = self.facts();
        let network = self.create_network(run).await;
        found.push(match &network {
            Ok(Network { has_gateway: false, .. }) => {
                Capability::new("network", State::Holds, "internal, without an address of the engine's machine")
            }
            Ok(_) => {
                Capability::new("network", State::Weaker, "services of the engine's machine can be reached from it")
            }
            Err(error) => Capability::new("network", State::Missing, with_causes(error)),
        });
        let built = self.try_build(run).await;
        let image = built.as_ref().ok().cloned();
        found.push(Capability::of("build", built.map(|_| "the classic builder".to_owned())));
        found.push(match self.suits_buildkit().await {
            Ok(()) => Capability::new("buildkit", State::Holds, "on the default bridge, which leads nowhere"),
            Err(EngineError::Unsuitable { what }) => Capability::new("buildkit", State::Weaker, what),
            Err(error) => Capability::new("buildkit", State::Missing, with_causes(&error)),
        });
        found.push(match image {
            Some(image) => Capability::of("copy", self.try_copy(&image, run).await),
            None => Capability::new("copy", State::Untried, "there is no image to copy"),
        });
        let kept = self.journal()?.all_kept().map_err(EngineError::journal)?;
        let distribution = kept.iter().find(|kept| kept.is_current && kept.name.starts_with("distribution-"));
        found.push(match (network, distribution) {
            (Ok(network), Some(kept)) => Capability::of("relay", self.try_relay(&kept.id, &network, run).await),
            (Ok(_), None) => Capability::new("relay", State::Untried, "no distribution yet: the first run makes one"),
            (Err(_), _) => Capability::new("relay", State::Untried, "there is no network"),
        });
        Ok(found)
    }

    /// Whether runs are possible on an engine that is not Docker: others build, but need not copy images as they are.
    ///
    /// # Errors
    /// When they are not, and why.
    pub(crate) async fn suits(&self, run: &RunId) -> Result<(), EngineError> {
        if self.description.version.starts_with("Docker") {
            return Ok(());
        }
        let image = self.try_build(run).await.map_err(|error| unsuitable("does not build as Docker does", &error))?;
        let copied = self.try_copy(&image, run).await;
        copied.map(drop).map_err(|error| unsuitable("does not copy an image as it is", &error))
    }

    /// Whether builds by `BuildKit` can be kept from the outside.
    ///
    /// # Errors
    /// When they cannot, and why.
    pub(crate) async fn suits_buildkit(&self) -> Result<(), EngineError> {
        self.closed_bridge().await.map(drop)
    }

    /// What the engine says of itself.
    fn facts(&self) -> Vec<Capability> {
        let Description { storage, unenforced, control_groups, rootless, .. } = &self.description;
        let version = control_groups.map_or_else(|| "not told".to_owned(), |version| version.to_string());
        let limits = if unenforced.is_empty() {
            Capability::new("limits", State::Holds, format!("memory and processes, control groups version {version}"))
        } else {
            let what = format!("runs go without {}, control groups version {version}", unenforced.join(" and "));
            Capability::new("limits", State::Weaker, what)
        };
        let user = if *rootless { "rootless" } else { "as root" };
        vec![Capability::new("store", State::Holds, format!("{storage}, {user}")), limits]
    }

    /// Builds an image that any engine can build, and returns it.
    ///
    /// # Errors
    /// When the engine does not.
    pub(crate) async fn try_build(&self, run: &RunId) -> Result<String, EngineError> {
        let unwritable = |source| EngineError::Cache { path: "the context of a build".to_owned(), source };
        let request = request(DOCKERFILE, None, run).map_err(unwritable)?;
        match self.build(request, &mut |_| {}).await?.end {
            BuildEnd::Built { image } => Ok(image),
            other => Err(EngineError::Unexpected {
                operation: "building an image".to_owned(),
                what: format!("a build of a few lines did not succeed: {other:?}"),
            }),
        }
    }

    async fn try_copy(&self, image: &str, run: &RunId) -> Result<String, EngineError> {
        self.instrument(image, &[("/file".to_owned(), Vec::new(), 0o644)], run).await?;
        Ok("an image with a file put in keeps its configuration and its triggers".to_owned())
    }

    async fn try_relay(&self, image: &str, network: &Network, run: &RunId) -> Result<String, EngineError> {
        let (relay, incoming) = self.start_relay(image, network, run).await?;
        let server = format!("{}:{}", network.relay, crate::mirror::PORT);
        let asking = ["perl", "-e", ASKING, &server, &PORT.to_string()].map(str::to_owned);
        let (ran, carried) = tokio::join!(
            self.run_command(image, &asking, network, Limits::default(), run),
            tokio::time::timeout(Limits::default().command(), carry(&relay, incoming))
        );
        self.stop_relay(&relay).await?;
        let ran = ran?;
        let carried = carried.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()));
        let said = ran.output.read_part().join(" | ");
        match carried {
            Ok(()) if ran.end == CommandEnd::Exited(0) && said == CARRIED => {
                Ok("connections of a container, and to one".to_owned())
            }
            other => Err(EngineError::Unexpected {
                operation: "trying the relay".to_owned(),
                what: format!("connections are not carried: {other:?}; the container said: {said}"),
            }),
        }
    }
}

fn unsuitable(what: &str, error: &EngineError) -> EngineError {
    match error {
        EngineError::Unexpected { what: why, .. } | EngineError::Refused { message: why, .. } => {
            EngineError::Unsuitable { what: format!("it {what}: {why}") }
        }
        other => EngineError::Unsuitable { what: format!("it {what}: {}", with_causes(other)) },
    }
}

/// Takes the connection of the container, asks it, and answers.
async fn carry(relay: &super::Relay, mut incoming: Incoming) -> std::io::Result<()> {
    let (stream, peer) = incoming.next().await.ok_or(std::io::ErrorKind::NotConnected)?;
    let mut stream = stream.ok_or(std::io::ErrorKind::ConnectionRefused)?;
    stream.write_all(CARRIED.as_bytes()).await?;
    stream.shutdown().await?;
    let mut asked = relay.link().connect((peer.address.ip(), PORT).into()).await?;
    let mut answer = String::new();
    asked.read_to_string(&mut answer).await?;
    if answer == CARRIED { Ok(()) } else { Err(std::io::Error::other(format!("the container answered `{answer}`"))) }
}
