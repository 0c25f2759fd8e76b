//! Limits of what a candidate may use: time, memory, processes, log, disk. On by default; the command line and a scenario override
//! them. Exceeding one is a finding of its own.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// The most that a candidate may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Seconds that a build may take.
    pub build_seconds: u32,
    /// Seconds until a container answers for the first time.
    pub ready_seconds: u32,
    /// Seconds that a request may take.
    pub request_seconds: u32,
    /// Seconds that a command in a container may take.
    pub command_seconds: u32,
    /// Memory of a build's command or a container, in megabytes of 1,000,000 bytes.
    pub memory_megabytes: u32,
    /// Processes of a build's command or a container.
    pub processes: u32,
    /// A log's size, in megabytes of 1,000,000 bytes.
    pub log_megabytes: u32,
    /// What a build's command or a container may write into its own file system, in megabytes of 1,000,000 bytes.
    pub disk_megabytes: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            build_seconds: 900,
            ready_seconds: 60,
            request_seconds: 30,
            command_seconds: 120,
            memory_megabytes: 2000,
            processes: 1024,
            log_megabytes: 16,
            disk_megabytes: 4000,
        }
    }
}

/// A limit, as it is set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    name: &'static str,
    set: fn(&mut Limits) -> &mut u32,
    value: u32,
}

/// The names of limits, each with the largest value that it can have.
const NAMES: [Named; 8] = [
    ("build-seconds", 86_400, |limits| &mut limits.build_seconds),
    ("ready-seconds", 3_600, |limits| &mut limits.ready_seconds),
    ("request-seconds", 3_600, |limits| &mut limits.request_seconds),
    ("command-seconds", 3_600, |limits| &mut limits.command_seconds),
    // A build's memory is a 32-bit number of bytes on the way to the engine.
    ("memory-megabytes", 2_147, |limits| &mut limits.memory_megabytes),
    ("processes", 1_000_000, |limits| &mut limits.processes),
    ("log-megabytes", 1_000, |limits| &mut limits.log_megabytes),
    ("disk-megabytes", 1_000_000, |limits| &mut limits.disk_megabytes),
];

/// A limit's name, its largest value, and its field.
type Named = (&'static str, u32, fn(&mut Limits) -> &mut u32);

impl Limit {
    /// A limit of this name.
    ///
    /// # Errors
    /// In words: when there is no such limit, or it cannot have this value.
    pub(crate) fn new(name: &str, value: i64) -> Result<Self, String> {
        let Some((name, largest, set)) = NAMES.into_iter().find(|(known, ..)| *known == name) else {
            let names: Vec<&str> = NAMES.iter().map(|(name, ..)| *name).collect();
            return Err(format!("there is no limit `{name}`; known limits: {}", names.join(", ")));
        };
        match u32::try_from(value) {
            Ok(value) if (1..=largest).contains(&value) => Ok(Self { name, set, value }),
            _ => Err(format!("`{name}` must be 1 to {largest}")),
        }
    }
}

impl FromStr for Limit {
    type Err = String;

    /// `NAME=NUMBER`, as on the command line.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, value) = text.split_once('=').ok_or_else(|| "a limit is NAME=NUMBER".to_owned())?;
        let value = value.parse().map_err(|_| format!("`{value}` is not a whole number"))?;
        Self::new(name, value)
    }
}

impl fmt::Display for Limit {
    /// As on the command line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.value)
    }
}

impl Limits {
    /// These limits, but for those that are set otherwise.
    #[must_use]
    pub(crate) fn with(mut self, limits: &[Limit]) -> Self {
        for limit in limits {
            *(limit.set)(&mut self) = limit.value;
        }
        self
    }

    /// How long a build may take.
    pub(crate) fn build(&self) -> Duration {
        Duration::from_secs(self.build_seconds.into())
    }

    /// How long a container may take until it answers.
    pub(crate) fn ready(&self) -> Duration {
        Duration::from_secs(self.ready_seconds.into())
    }

    /// How long a request may take.
    pub(crate) fn request(&self) -> Duration {
        Duration::from_secs(self.request_seconds.into())
    }

    /// How long a command may take.
    pub(crate) fn command(&self) -> Duration {
        Duration::from_secs(self.command_seconds.into())
    }

    pub(crate) fn memory(&self) -> u32 {
        self.memory_megabytes.saturating_mul(1_000_000)
    }

    /// Disk space in bytes.
    pub(crate) fn disk(&self) -> u64 {
        u64::from(self.disk_megabytes) * 1_000_000
    }

    /// A log's size in bytes.
    pub(crate) fn log(&self) -> usize {
        usize::try_from(self.log_megabytes).unwrap_or(usize::MAX).saturating_mul(1_000_000)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_set_by_name() {
        let set: Vec<Limit> = ["build-seconds=5", "processes=7"].map(|text| text.parse().unwrap()).to_vec();
        assert_eq!(set[0].to_string(), "build-seconds=5");
        let limits = Limits::default().with(&set);
        assert_eq!((limits.build(), limits.processes), (Duration::from_secs(5), 7));
        assert_eq!(limits.log(), 16_000_000);
    }

    #[test]
    fn what_is_no_limit_is_refused() {
        for (text, words) in [
            ("build", "NAME=NUMBER"),
            ("build-seconds=x", "not a whole number"),
            ("build-seconds=0", "must be 1 to 86400"),
            ("speed=1", "there is no limit `speed`; known limits: build-seconds"),
        ] {
            assert!(text.parse::<Limit>().unwrap_err().contains(words), "{text}");
        }
    }
}
