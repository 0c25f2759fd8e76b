//! A file of container-structure-test as it was typed (schema version 2.0.0), each value with its place.

use serde::{Deserialize, Deserializer};
use serde_saphyr::Spanned;

/// A list, which may also be left empty.
pub(super) type List<T> = Option<Vec<T>>;

/// The version alone: of another one nothing else is known.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Versioned {
    pub(super) schema_version: Option<Spanned<String>>,
}

/// The file.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Document {
    #[serde(rename = "schemaVersion")]
    pub(super) _schema_version: String,
    #[serde(default)]
    pub(super) global_env_vars: List<Spanned<Variable>>,
    #[serde(default)]
    pub(super) command_tests: List<Spanned<CommandTable>>,
    #[serde(default)]
    pub(super) file_existence_tests: List<Spanned<ExistenceTable>>,
    #[serde(default)]
    pub(super) file_content_tests: List<Spanned<ContentTable>>,
    pub(super) metadata_test: Option<Spanned<MetadataTable>>,
    #[serde(default)]
    pub(super) license_tests: List<Spanned<serde::de::IgnoredAny>>,
    pub(super) container_run_options: Option<RunOptions>,
}

/// A variable or a label, and its value.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Variable {
    #[serde(default, deserialize_with = "text")]
    pub(super) key: String,
    #[serde(default, deserialize_with = "text")]
    pub(super) value: String,
    #[serde(default)]
    pub(super) is_regex: bool,
}

/// A command, and what it must come to.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CommandTable {
    #[serde(default, deserialize_with = "text")]
    pub(super) name: String,
    #[serde(default)]
    pub(super) setup: List<Vec<String>>,
    /// Not run: what a test leaves goes with its container.
    #[serde(default)]
    pub(super) teardown: List<Vec<String>>,
    #[serde(default)]
    pub(super) env_vars: List<Variable>,
    #[serde(default)]
    pub(super) exit_code: i64,
    #[serde(default, deserialize_with = "text")]
    pub(super) command: String,
    #[serde(default)]
    pub(super) args: List<String>,
    #[serde(default)]
    pub(super) expected_output: List<Spanned<String>>,
    #[serde(default)]
    pub(super) excluded_output: List<Spanned<String>>,
    #[serde(default)]
    pub(super) expected_error: List<Spanned<String>>,
    #[serde(default)]
    pub(super) excluded_error: List<Spanned<String>>,
}

/// What must be at a path.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ExistenceTable {
    #[serde(default, deserialize_with = "text")]
    pub(super) name: String,
    #[serde(default, deserialize_with = "text")]
    pub(super) path: String,
    /// As container-structure-test has it where nothing is said.
    #[serde(default = "yes")]
    pub(super) should_exist: bool,
    pub(super) permissions: Option<Spanned<String>>,
    pub(super) uid: Option<Spanned<i64>>,
    pub(super) gid: Option<Spanned<i64>>,
    pub(super) is_executable_by: Option<Spanned<String>>,
}

fn yes() -> bool {
    true
}

/// A text, which may also be left empty.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Option::<String>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// What a file must have in it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ContentTable {
    #[serde(default, deserialize_with = "text")]
    pub(super) name: String,
    #[serde(default, deserialize_with = "text")]
    pub(super) path: String,
    #[serde(default)]
    pub(super) expected_contents: List<Spanned<String>>,
    #[serde(default)]
    pub(super) excluded_contents: List<Spanned<String>>,
}

/// What the image's configuration must be.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct MetadataTable {
    #[serde(default)]
    pub(super) env_vars: List<Spanned<Variable>>,
    #[serde(default)]
    pub(super) unbound_env_vars: List<Spanned<Variable>>,
    #[serde(default)]
    pub(super) labels: List<Spanned<Variable>>,
    #[serde(default)]
    pub(super) exposed_ports: List<Spanned<String>>,
    #[serde(default)]
    pub(super) unexposed_ports: List<Spanned<String>>,
    #[serde(default)]
    pub(super) volumes: List<Spanned<String>>,
    #[serde(default)]
    pub(super) unmounted_volumes: List<Spanned<String>>,
    pub(super) entrypoint: Option<Spanned<Vec<String>>>,
    pub(super) cmd: Option<Spanned<Vec<String>>>,
    pub(super) workdir: Option<Spanned<String>>,
    pub(super) user: Option<Spanned<String>>,
}

/// How containers are started.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RunOptions {
    #[serde(default, deserialize_with = "text")]
    pub(super) user: String,
    pub(super) privileged: Option<Spanned<bool>>,
    pub(super) allocate_tty: Option<Spanned<bool>>,
    pub(super) env_file: Option<Spanned<String>>,
    pub(super) env_vars: Option<Spanned<Vec<String>>>,
    pub(super) capabilities: Option<Spanned<Vec<String>>>,
    pub(super) bind_mounts: Option<Spanned<Vec<String>>>,
}
