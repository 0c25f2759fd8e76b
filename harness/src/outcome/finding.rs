//! What assertions came to.

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::check_id::CheckId;
use super::clause_id::ClauseId;
use super::level::Level;
use super::location::At;
use super::stage::Stage;

/// What one assertion came to. It is made once, complete, by a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The check that made it.
    pub id: CheckId,
    /// What it is about.
    pub subject: Subject,
    /// Where the scenario file declares it.
    pub at: At,
    /// How binding it is: a broken SHOULD is a warning.
    pub level: Level,
    /// The stage in which it was made.
    pub stage: Stage,
    /// The clauses of the contract that it speaks for; none where the suite has no contract.
    pub clauses: Vec<ClauseId>,
    pub outcome: Outcome,
}

/// What a finding is about, beyond its check.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Subject {
    /// The thing: a path, a command, a request, a variable.
    pub of: String,
    /// What of it: a pattern, a header.
    pub detail: String,
    /// Which time, where it was done several times; empty otherwise.
    pub occasion: String,
}

/// Whether an assertion held.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    Held,
    Broken {
        /// What was expected, in words a person reads.
        expected: String,
        got: String,
    },
}

impl Finding {
    /// Whether the assertion did not hold.
    pub(crate) fn is_broken(&self) -> bool {
        matches!(self.outcome, Outcome::Broken { .. })
    }

    /// What was asserted, in a few words: `build outcome`, `GET / status`, `file /app/x mode`.
    pub(crate) fn check(&self) -> String {
        self.id.name(&self.subject.of, &self.subject.detail) + &self.subject.occasion
    }
}

impl From<&str> for Subject {
    fn from(of: &str) -> Self {
        of.to_owned().into()
    }
}

impl From<String> for Subject {
    fn from(of: String) -> Self {
        Self { of, ..Self::default() }
    }
}

impl From<&String> for Subject {
    fn from(of: &String) -> Self {
        of.clone().into()
    }
}

/// The thing and its detail.
impl<O: Into<String>, D: Into<String>> From<(O, D)> for Subject {
    fn from((of, detail): (O, D)) -> Self {
        Self { of: of.into(), detail: detail.into(), occasion: String::new() }
    }
}

/// What has one check only.
impl From<()> for Subject {
    fn from((): ()) -> Self {
        Self::default()
    }
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Finding", 7)?;
        fields.serialize_field("id", &self.id)?;
        fields.serialize_field("check", &self.check())?;
        fields.serialize_field("at", &self.at)?;
        fields.serialize_field("level", &self.level)?;
        fields.serialize_field("stage", &self.stage)?;
        fields.serialize_field("clauses", &self.clauses)?;
        fields.serialize_field("outcome", &self.outcome)?;
        fields.end()
    }
}
