//! Shards: a part of a run, so that several machines share it.

use std::fmt;
use std::num::NonZero;
use std::str::FromStr;

/// The part of a run that is done here: `2/5` is the second of five.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shard {
    number: usize,
    of: NonZero<usize>,
}

/// A shard as reports tell it, and how many scenarios all shards have together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct ShardOf {
    /// From 1.
    pub number: usize,
    pub of: usize,
    pub scenarios: usize,
}

impl Shard {
    /// Whether it has the scenario at this place of the whole selection. Neighbours are alike as a rule, in what they take, too: so
    /// each goes to another shard. That needs nothing which machines could know differently, such as the times of earlier runs.
    pub(crate) fn has(self, place: usize) -> bool {
        place % self.of == self.number - 1
    }

    pub(crate) fn told(self, scenarios: usize) -> ShardOf {
        ShardOf { number: self.number, of: self.of.get(), scenarios }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl fmt::Display for ShardOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.split_once('/').and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        match parsed {
            Some((number, of)) if (1..=NonZero::get(of)).contains(&number) => Ok(Self { number, of }),
            _ => Err("a shard is written NUMBER/COUNT, such as 2/5".to_owned()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_is_in_one_shard() {
        for of in 1..7 {
            let shards: Vec<Shard> = (1..=of).map(|number| format!("{number}/{of}").parse().unwrap()).collect();
            for place in 0..50 {
                assert_eq!(shards.iter().filter(|shard| shard.has(place)).count(), 1, "{place} of {of}");
            }
        }
    }

    #[test]
    fn what_is_no_shard_is_refused() {
        for text in ["", "1", "0/2", "3/2", "1/0", "a/b", "-1/2", "1/2/3"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}
