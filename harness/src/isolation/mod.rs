//! Isolation, proved in each run: a canary build and a canary container try every way out that there might be, and must get
//! nowhere. Their targets are opened by the run itself, on this machine.

mod listener;
mod ways;

use std::fmt;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

pub(crate) use listener::{Arrivals, Listeners, Ports};
pub(crate) use ways::{Kind, MachinePorts, Own, Targets, Way, host_addresses, ways};

use crate::outcome::RunId;
use crate::suite::builder::Builder;

/// What tries to get out; its arguments say where to.
const CANARY: &str = include_str!("canary.pl");
/// What is to be reached on another network; its argument is the port.
const BEACON: &str = include_str!("beacon.pl");
/// The port on which the beacon is to be reached.
pub(crate) const BEACON_PORT: u16 = 8398;

/// Who tries to get out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Canary {
    /// A command of a build, by a builder.
    Build(Builder),
    Container,
    /// One that is not shut in: what it does not reach is no proof that others are.
    Control,
}

impl Canary {
    /// The words in messages.
    fn words(self) -> String {
        match self {
            Self::Build(builder) if builder == Builder::default() => "build".to_owned(),
            Self::Build(builder) => format!("build by {builder}"),
            Self::Container => "container".to_owned(),
            Self::Control => "control".to_owned(),
        }
    }

    /// What this canary's messages begin with; `-` and a way's number follow.
    pub(crate) fn name(self, run: &RunId) -> String {
        format!("{run}-{}", self.words().replace(' ', "-"))
    }
}

impl fmt::Display for Canary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the canary {}", self.words())
    }
}

/// How a run's builds and containers turned out to be isolated.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Isolation {
    /// The ways out that were tried, in words, each by a build and by a container; none where nothing was run.
    pub tried: Vec<String>,
    /// Ways that were open and are the engine's machine's to close.
    pub weakened: Vec<String>,
    /// Ways that were open and must not be: what the run says cannot be relied on.
    pub broken: Vec<String>,
    /// Why it is inconclusive.
    pub untold: Option<String>,
}

impl Isolation {
    /// Whether verdicts can be relied on as far as isolation goes.
    pub(crate) fn is_sound(&self) -> bool {
        self.broken.is_empty() && self.untold.is_none()
    }
}

/// Why nothing is known where others have sent too much.
const FLOODED: &str = "somebody sent so much to the listeners of the isolation probes that these may have been missed";

/// What the canaries of a run have found so far.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    run: Option<RunId>,
    state: Mutex<State>,
    arrivals: Arrivals,
}

#[derive(Debug, Default)]
struct State {
    ways: Vec<Way>,
    open: Vec<(Canary, usize, String)>,
    untold: Option<String>,
    /// Held as long as the canaries try.
    listeners: Option<Listeners>,
}

impl Watch {
    /// A watch of this run.
    pub(crate) fn new(run: &RunId) -> Self {
        Self { run: Some(run.clone()), ..Self::default() }
    }

    /// Where listeners write down what reached them.
    pub(crate) fn arrivals(&self) -> Arrivals {
        self.arrivals.clone()
    }

    /// The ways that are tried, and the listeners at their ends.
    pub(crate) fn begin(&self, ways: Vec<Way>, listeners: Listeners) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.ways = ways;
        state.listeners = Some(listeners);
    }

    /// The canaries have ended: nothing that arrives from now on is theirs, whatever it says.
    pub(crate) fn close(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).listeners = None;
        self.arrivals.close();
    }

    /// Takes what a canary said.
    ///
    /// # Errors
    /// When it proves nothing: a way is missing, or the canary did not even reach the fixture server.
    pub(crate) fn hear(&self, canary: Canary, lines: &[String]) -> Result<(), String> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let said: Vec<(usize, &str)> = lines.iter().filter_map(|line| parse(line)).collect();
        match said.iter().find(|(number, _)| *number == 0) {
            Some((_, "open")) => {}
            Some((_, other)) => return Err(format!("{canary} did not reach the fixture server ({other})")),
            None => return Err(format!("{canary} reported nothing: {}", lines.join(" | "))),
        }
        let mut open = Vec::new();
        for way in &state.ways {
            match said.iter().find(|(number, _)| *number == way.number) {
                Some((_, "open")) => open.push((canary, way.number, "it was answered".to_owned())),
                None if way.is_for(canary) => return Err(format!("{canary} did not report {way}")),
                Some(_) | None => {}
            }
        }
        state.open.extend(open);
        Ok(())
    }

    /// Takes that a way was open, and how that showed.
    pub(crate) fn open(&self, canary: Canary, way: &Way, how: &str) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.open.push((canary, way.number, how.to_owned()));
    }

    /// Makes the result inconclusive, and why.
    pub(crate) fn could_not(&self, why: String) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).untold.get_or_insert(why);
    }

    /// What it comes to.
    pub(crate) fn conclusion(&self) -> Isolation {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut open: Vec<(String, &Way, &str)> = Vec::new();
        let of = |number: usize| state.ways.iter().find(|way| way.number == number);
        for (canary, number, how) in &state.open {
            open.extend(of(*number).map(|way| (canary.to_string(), way, how.as_str())));
        }
        // What reached a listener though the canary heard nothing of it.
        if let Some(run) = &self.run {
            for canary in Builder::ALL.map(Canary::Build).into_iter().chain([Canary::Container]) {
                let prefix = format!("{}-", canary.name(run));
                for message in self.arrivals.all() {
                    let number = message.strip_prefix(&prefix).and_then(|number| number.parse().ok());
                    open.extend(number.and_then(of).map(|way| (canary.to_string(), way, "it arrived")));
                }
            }
        }
        let mut isolation = Isolation {
            tried: state.ways.iter().map(ToString::to_string).collect(),
            untold: state.untold.clone().or_else(|| self.arrivals.is_full().then(|| FLOODED.to_owned())),
            ..Isolation::default()
        };
        let mut seen = Vec::new();
        for (who, way, how) in open {
            if !seen.contains(&(who.clone(), way.number)) {
                seen.push((who.clone(), way.number));
                let list = if way.is_expected { &mut isolation.weakened } else { &mut isolation.broken };
                list.push(format!("{who} got out by {way}: {how}"));
            }
        }
        isolation
    }
}

/// `way 3 closed: why` of a canary. It writes a number as it was given.
fn parse(line: &str) -> Option<(usize, &str)> {
    let (text, said) = line.strip_prefix("way ")?.split_once(' ')?;
    let number: usize = text.parse().ok()?;
    (number.to_string() == text).then_some((number, said))
}

/// The command of the beacon on another network: it says `ready` and its ports when it listens, and what reached it.
pub(crate) fn beacon_command() -> Vec<String> {
    perl(BEACON, [BEACON_PORT.to_string(), "names".to_owned()])
}

/// The command of the same on the engine's own network.
pub(crate) fn machine_command() -> Vec<String> {
    perl(BEACON, ["0".to_owned(), "six".to_owned()])
}

/// Whether a control reached the beacon by all that has nothing to do with what a container may do: its ways, and what it said.
///
/// # Errors
/// When it did not, and how.
pub(crate) fn reaches(ways: &[Way], said: &[String]) -> Result<(), String> {
    let said: Vec<(usize, &str)> = said.iter().filter_map(|line| parse(line)).collect();
    for way in ways.iter().filter(|way| way.is_for(Canary::Control)) {
        match said.iter().find(|(number, _)| *number == way.number) {
            Some((_, "open")) => {}
            Some((_, other)) => return Err(format!("{way}: {other}")),
            None => return Err(format!("{way}: not tried")),
        }
    }
    Ok(())
}

/// The command of a canary, which tries these ways.
pub(crate) fn canary_command(canary: Canary, run: &RunId, server: (IpAddr, u16), ways: &[Way]) -> Vec<String> {
    let mut arguments = vec![canary.name(run), format!("{} {}", server.0, server.1)];
    arguments.extend(ways.iter().filter(|way| way.is_for(canary)).map(Way::argument));
    perl(CANARY, arguments)
}

fn perl(program: &str, arguments: impl IntoIterator<Item = String>) -> Vec<String> {
    ["perl", "-e", program].into_iter().map(str::to_owned).chain(arguments).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn watch() -> (RunId, Watch) {
        let run = RunId::new();
        let watch = Watch::new(&run);
        let way = |number: usize, is_expected: bool| Way {
            number,
            kind: Kind::Tcp,
            host: "10.9.9.9".into(),
            port: 7,
            what: "somewhere".into(),
            is_expected,
        };
        let mut state = State { ways: vec![way(1, false), way(2, true)], ..State::default() };
        state.ways.push(Way { kind: Kind::Name, ..way(3, false) });
        *watch.state.lock().unwrap() = state;
        (run, watch)
    }

    fn lines(text: &[&str]) -> Vec<String> {
        text.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn ways_that_are_closed_are_sound() {
        let (_, watch) = watch();
        watch
            .hear(
                Canary::Build(Builder::Classic),
                &lines(&["Step 2/2 : RUN x", "way 0 open", "way 2 closed: x", "way 1 closed: x"]),
            )
            .unwrap();
        let isolation = watch.conclusion();
        assert!(isolation.is_sound() && isolation.weakened.is_empty());
        assert_eq!(isolation.tried.len(), 3);
    }

    #[test]
    fn one_that_is_open_breaks_the_isolation_or_weakens_it_where_that_is_known() {
        let (_, watch) = watch();
        let said = lines(&["way 0 open", "way 1 open", "way 2 open", "way 3 closed: no such name"]);
        watch.hear(Canary::Container, &said).unwrap();
        let isolation = watch.conclusion();
        assert_eq!(
            isolation.broken,
            ["the canary container got out by TCP to somewhere (10.9.9.9:7): it was answered"]
        );
        assert_eq!(isolation.weakened.len(), 1);
        assert!(!isolation.is_sound());
    }

    #[test]
    fn what_arrives_counts_though_no_answer_came_back() {
        let (run, watch) = watch();
        watch
            .hear(
                Canary::Build(Builder::Classic),
                &lines(&["way 0 open", "way 1 closed: no answer", "way 2 closed: x"]),
            )
            .unwrap();
        watch.arrivals().add(format!("{run}-build-1").as_bytes());
        watch.arrivals().add(b"GET / HTTP/1.1 of somebody else");
        assert_eq!(watch.conclusion().broken.len(), 1);
    }

    #[test]
    fn a_control_must_reach_what_others_must_not() {
        let (_, watch) = watch();
        let ways: Vec<Way> = watch.state.lock().unwrap().ways.clone();
        assert_eq!(reaches(&ways, &lines(&["way 0 open", "way 1 open", "way 2 open"])), Ok(()));
        assert!(reaches(&ways, &lines(&["way 0 open", "way 1 open", "way 2 closed: no answer"])).is_err());
        assert!(reaches(&ways, &lines(&["way 0 open", "way 1 open"])).unwrap_err().contains("not tried"));
    }

    #[test]
    fn a_canary_that_tried_nothing_proves_nothing() {
        let (_, watch) = watch();
        assert!(watch.hear(Canary::Build(Builder::Classic), &lines(&["perl: not found"])).is_err());
        assert!(watch.hear(Canary::Build(Builder::Classic), &lines(&["way 0 closed: no answer"])).is_err());
        let why = watch.hear(Canary::Build(Builder::Classic), &lines(&["way 0 open", "way 1 closed: x"])).unwrap_err();
        assert!(why.contains("did not report TCP"), "{why}");
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

        #[test]
        fn whatever_a_canary_says_only_all_ways_closed_are_sound(
            said in proptest::collection::vec(r"way [0-4]{0,2} (open|closed: x|[ -~\u{e4}]{0,9})|[ -~]{0,12}", 0..8),
        ) {
            let (_, watch) = watch();
            let heard = watch.hear(Canary::Container, &said);
            let first = |number: &str| said.iter().find_map(|line| line.strip_prefix(number));
            let answers = ["way 0 ", "way 1 ", "way 2 ", "way 3 "].map(first);
            if heard.is_ok() {
                proptest::prop_assert!(answers[0] == Some("open") && answers.iter().all(Option::is_some), "{said:?}");
                let open = answers[1] == Some("open") || answers[3] == Some("open");
                proptest::prop_assert_eq!(watch.conclusion().is_sound(), !open);
            } else {
                proptest::prop_assert!(answers[0] != Some("open") || answers.iter().any(Option::is_none), "{said:?}");
            }
        }
    }
}
