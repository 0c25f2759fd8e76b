//! `[serve.stop]`: what SIGTERM must lead to.

use schemars::JsonSchema;
use serde::Deserialize;

use super::seconds;
use crate::suite::scenario::Declared;
use crate::suite::scenario::resolver::Resolver;
use crate::suite::scenario::typed::Typed;

/// What SIGTERM must lead to.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StopTable {
    /// The container's exit code.
    pub(crate) exit_code: Option<Typed<i64>>,
    /// The time that the container has for ending by itself, in seconds: 1 to 300.
    pub(crate) within_seconds: Typed<i64>,
}

/// What SIGTERM must lead to.
#[derive(Debug, Clone)]
pub(crate) struct StopExpectation {
    /// The container's exit code.
    pub exit_code: Option<Declared<i64>>,
    /// The time that the container has for ending by itself, in seconds.
    pub within_seconds: Declared<u32>,
}

pub(super) fn resolve(resolver: &mut Resolver<'_>, table: &StopTable) -> Option<StopExpectation> {
    let exit_code = table.exit_code.as_ref().and_then(|typed| resolver.exit_code(typed, 0));
    let within_seconds = seconds(resolver, &table.within_seconds, "a container cannot be given that time to stop")?;
    Some(StopExpectation { exit_code, within_seconds })
}
