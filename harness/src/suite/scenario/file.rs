//! The scenario file as it was typed, with the place of every value. Shape only: what the values mean, and whether
//! they go together, is [`super::load`]'s work.
//!
//! The descriptions in `scenario.schema.json` are the doc comments of this file and of `file/`.

mod serve;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer};

pub use serve::{EndTable, HttpTable, ServeTable, StopTable, VolumeKey};

use super::Phase;
use crate::suite::dialect::Dialect;
use crate::suite::tier::Tier;

/// A value as typed, and its bytes in the file. The schema is that of the value alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Typed<T>(toml::Spanned<T>);

impl<T> Typed<T> {
    /// The value.
    pub fn get(&self) -> &T {
        self.0.get_ref()
    }

    /// Its place in the file, in bytes.
    pub fn span(&self) -> Range<usize> {
        self.0.span()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Typed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        toml::Spanned::deserialize(deserializer).map(Typed)
    }
}

impl<T: JsonSchema> JsonSchema for Typed<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// A scenario: a sample application, what is done with it, and what must come out.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "wsgi-proof scenario")]
pub struct ScenarioFile {
    /// One sentence: what must hold.
    pub summary: Typed<String>,
    /// Where the expectation comes from.
    pub source: Typed<String>,
    /// The clauses of the contract that it proves, such as `BUILD-1`.
    #[serde(default)]
    pub proves: Vec<Typed<String>>,
    /// What the scenario looks at; `application` unless said.
    pub subject: Option<Typed<SubjectKey>>,
    /// Where the scenario does not apply, and why.
    #[serde(default)]
    pub not_applicable: Vec<Typed<NotApplicableTable>>,
    /// Whether folders named `.docker` and `.whiskey` in `app/` keep their names. Otherwise `.docker` gets the name of the
    /// dialect's folder.
    pub keep_folders: Option<Typed<bool>>,
    /// Why there is nothing to serve, though the build succeeds.
    pub nothing_to_serve: Option<Typed<String>>,
    /// What a candidate may take, where that is not as usual: `build-seconds`, `ready-seconds`, `request-seconds`, `command-seconds`,
    /// `memory-megabytes`, `processes` (of containers), `log-megabytes`, `disk-megabytes`.
    #[serde(default)]
    pub limits: BTreeMap<Typed<String>, Typed<i64>>,
    /// Files that are made for the build instead of being kept in `app/`.
    pub generate: Option<Typed<GenerateTable>>,
    /// Octal modes of files in `app/` that differ from 0644 (directories: 0755), by path relative to `app/`.
    #[serde(default)]
    pub modes: BTreeMap<Typed<String>, Typed<String>>,
    /// What the fixtures must take into account.
    pub fixtures: Option<FixturesTable>,
    /// What the build must come to; required for an application.
    pub build: Option<Typed<BuildTable>>,
    /// The build done again on the layer cache, in order.
    #[serde(default)]
    pub rebuild: Vec<Typed<RebuildTable>>,
    /// What the image's configuration must be.
    pub image: Option<Typed<ImageTable>>,
    /// What the image's file system must hold.
    #[serde(default)]
    pub file: Vec<Typed<FileTable>>,
    /// Commands run in a fresh container of the image.
    #[serde(default)]
    pub command: Vec<Typed<CommandTable>>,
    /// What a started container must do.
    pub serve: Option<Typed<ServeTable>>,
}

/// What a scenario looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SubjectKey {
    /// An application image, built from `app/` on the candidate.
    Application,
    /// The candidate's onbuild image itself.
    OnbuildImage,
    /// The candidate's base image itself.
    BaseImage,
}

/// Where a scenario does not apply, and why. Both lists: only where a variant of the one meets a dialect of the other.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NotApplicableTable {
    /// The variants; every one unless said.
    pub variants: Option<Typed<Vec<Typed<String>>>>,
    /// The dialects; every one unless said.
    pub dialects: Option<Typed<Vec<Dialect>>>,
    /// The tiers; every one unless said.
    pub tiers: Option<Typed<Vec<Tier>>>,
    /// The reason, which the report shows.
    pub because: Typed<String>,
}

/// Files that are made for the build: `FOLDER/0.txt` and so on, each with its number in it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GenerateTable {
    /// The folder, relative to `app/`.
    pub folder: Typed<String>,
    /// How many files: 1 to 100000.
    pub files: Typed<i64>,
}

/// The build done again on the layer cache, which the first build of a scenario never uses.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RebuildTable {
    /// Text that files get at their end first, by path relative to `app/`.
    #[serde(default)]
    pub append: BTreeMap<Typed<String>, Typed<String>>,
    /// Regular expressions for lines that the log must have, in this order.
    #[serde(default)]
    pub log: Vec<Typed<String>>,
    /// Regular expressions for lines that the log must not have.
    #[serde(default)]
    pub log_absent: Vec<Typed<String>>,
}

/// What the fixtures must take into account.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FixturesTable {
    /// Projects that the build may look up in the package index without finding them, with normalised names.
    #[serde(default)]
    pub absent_packages: Vec<Typed<String>>,
}

/// How the build must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OutcomeKey {
    /// The image must be built.
    Success,
    /// The build step must fail: `phase`, `exit_code` and `because` say how.
    Failure,
}

/// What the build must come to.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BuildTable {
    /// How it must end.
    pub outcome: Typed<OutcomeKey>,
    /// The phase that must fail.
    pub phase: Option<Typed<Phase>>,
    /// The exit code of the build step that fails, 1 to 255.
    pub exit_code: Option<Typed<i64>>,
    /// Instead of `exit_code`: several, of which it must be one.
    pub exit_codes: Option<Typed<Vec<i64>>>,
    /// A regular expression for a line that the failing phase logs.
    pub because: Option<Typed<String>>,
    /// The phases that must announce themselves with their progress lines, exactly and in this order. Progress lines are a
    /// SHOULD: one that is missing or worded otherwise is a warning.
    pub phases: Option<Typed<Vec<Phase>>>,
    /// Regular expressions for lines that the log should have, in any order; one that is not there is a warning.
    #[serde(default)]
    pub should_log: Vec<Typed<String>>,
    /// Regular expressions for lines that the log must have, in this order.
    #[serde(default)]
    pub log: Vec<Typed<String>>,
    /// As `log`, in an order of their own: lines that take the real pip, apt, git and the like, for which the contract tier has
    /// stand-ins.
    #[serde(default)]
    pub tool_log: Vec<Typed<String>>,
    /// Regular expressions for lines that the log must not have.
    #[serde(default)]
    pub log_absent: Vec<Typed<String>>,
}

/// What the image's configuration must be; each key is optional.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImageTable {
    /// The `ONBUILD` triggers, exactly and in order.
    pub triggers: Option<Typed<Vec<String>>>,
    /// The entry point, in exec form.
    pub entry_point: Option<Typed<Vec<String>>>,
    /// The default command (`CMD`).
    pub command: Option<Typed<Vec<String>>>,
    /// The exposed ports such as `80/tcp`, exactly, in any order.
    pub exposed_ports: Option<Typed<Vec<String>>>,
    /// The working directory.
    pub working_directory: Option<Typed<String>>,
    /// The user; empty for the default, root.
    pub user: Option<Typed<String>>,
    /// What the image may take, in megabytes of 1,000,000 bytes: digits, or `@{budget}` for the variant's budget.
    pub max_megabytes: Option<Typed<String>>,
    /// Environment variables by name, each with a regular expression for the whole value.
    #[serde(default)]
    pub environment: BTreeMap<Typed<String>, Typed<String>>,
    /// Labels by name, each with a regular expression for the whole value.
    #[serde(default)]
    pub labels: BTreeMap<Typed<String>, Typed<String>>,
}

/// What must be at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StateKey {
    /// Something is there.
    Exists,
    /// Nothing is there.
    Absent,
    /// A directory without entries, or nothing.
    Empty,
}

/// What must be at a path of the image's file system.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileTable {
    /// The absolute path.
    pub path: Typed<String>,
    /// What must be there; `exists` unless said.
    pub state: Option<Typed<StateKey>>,
    /// Its mode in octal, such as `"0755"`.
    pub mode: Option<Typed<String>>,
    /// Its owner as numbers, `uid:gid`.
    pub owner: Option<Typed<String>>,
    /// A regular expression searched for in its content.
    pub content: Option<Typed<String>>,
}

/// A command, and what it must come to.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandTable {
    /// The program and its arguments; no shell.
    pub run: Typed<Vec<String>>,
    /// Its exit code; 0 unless said.
    pub exit_code: Option<Typed<i64>>,
    /// A regular expression searched for in its standard output and standard error.
    pub output: Option<Typed<String>>,
    /// A regular expression that must not be found there.
    pub output_absent: Option<Typed<String>>,
}

/// The JSON schema of a scenario file, as text that ends in a newline.
pub fn schema() -> String {
    let schema =
        schemars::generate::SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<ScenarioFile>();
    let mut value = schema.to_value();
    without_null(&mut value);
    format!("{value:#}\n")
}

/// TOML has no null: an optional key is there or is not.
fn without_null(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(object) => {
            if let Some(serde_json::Value::Array(types)) = object.get_mut("type") {
                types.retain(|name| name != "null");
                if types.len() == 1 {
                    let only = types.remove(0);
                    object.insert("type".to_owned(), only);
                }
            }
            if let Some(serde_json::Value::Array(choices)) = object.get_mut("anyOf") {
                choices.retain(|choice| choice.get("type").is_none_or(|name| name != "null"));
                if let [serde_json::Value::Object(only)] = choices.as_slice() {
                    let only = only.clone();
                    object.remove("anyOf");
                    object.extend(only);
                }
            }
            object.values_mut().for_each(without_null);
        }
        serde_json::Value::Array(values) => values.iter_mut().for_each(without_null),
        _ => {}
    }
}
