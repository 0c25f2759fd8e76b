//! What was wrong in a run: each cause once, with the scenarios that have it.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::hash::Hash;

use serde::Serialize;

/// The verdicts that need a look, the worst first.
const WORST_FIRST: [&str; 4] = ["fail", "error", "warn", "caught"];

/// Something that was wrong, in the way that a reader tells of it.
#[derive(Debug, Serialize)]
pub(super) struct Cause<W, S> {
    pub verdict: &'static str,
    pub what: W,
    pub scenarios: Vec<S>,
}

/// The causes of a run, as they came: those with one verdict and one key are the same.
#[derive(Debug)]
pub(super) struct Causes<K, W, S> {
    places: HashMap<(&'static str, K), usize>,
    causes: Vec<Cause<W, S>>,
}

impl<K, W, S> Default for Causes<K, W, S> {
    fn default() -> Self {
        Self { places: HashMap::new(), causes: Vec::new() }
    }
}

impl<K: Eq + Hash, W, S> Causes<K, W, S> {
    /// Takes a scenario, and what is wrong with it where nothing was before; one that needs no look is passed over.
    pub(super) fn add(&mut self, verdict: &str, key: K, what: impl FnOnce() -> W, scenario: S) {
        let Some(verdict) = WORST_FIRST.into_iter().find(|known| *known == verdict) else { return };
        let place = *self.places.entry((verdict, key)).or_insert_with(|| {
            self.causes.push(Cause { verdict, what: what(), scenarios: Vec::new() });
            self.causes.len() - 1
        });
        self.causes[place].scenarios.push(scenario);
    }

    /// All of them, the worst and the most frequent first.
    pub(super) fn worst_first(self) -> Vec<Cause<W, S>> {
        let mut causes = self.causes;
        let rank = |verdict: &str| WORST_FIRST.iter().position(|known| *known == verdict);
        causes.sort_by_key(|cause| (rank(cause.verdict), Reverse(cause.scenarios.len())));
        causes
    }
}
