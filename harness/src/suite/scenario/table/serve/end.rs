//! `[serve.end]`: how a container must end by itself.

use schemars::JsonSchema;
use serde::Deserialize;

use super::seconds;
use crate::suite::scenario::Declared;
use crate::suite::scenario::resolver::Resolver;
use crate::suite::scenario::typed::Typed;

/// How a container must end by itself: `exit_code` or `nonzero`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EndTable {
    /// Its exit code.
    pub(crate) exit_code: Option<Typed<i64>>,
    /// `true`: any exit code but 0.
    pub(crate) nonzero: Option<Typed<bool>>,
    /// The time that it has for it, in seconds: 1 to 300.
    pub(crate) within_seconds: Typed<i64>,
}

/// How a container must end by itself.
#[derive(Debug, Clone)]
pub(crate) struct EndExpectation {
    pub exit_code: Declared<EndCode>,
    /// The time that it has for it, in seconds.
    pub within_seconds: Declared<u32>,
}

/// The exit code of a container that ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndCode {
    Exactly(i64),
    NonZero,
}

pub(super) fn resolve(resolver: &mut Resolver<'_>, typed: &Typed<EndTable>) -> Option<EndExpectation> {
    let table = typed.get();
    let exit_code = match (&table.exit_code, &table.nonzero) {
        (Some(code), None) => {
            resolver.exit_code(code, 0).map(|Declared { value, at }| Declared { value: EndCode::Exactly(value), at })
        }
        (None, Some(nonzero)) if *nonzero.get() => Some(resolver.declared(nonzero, EndCode::NonZero)),
        (None, Some(nonzero)) => {
            resolver
                .fault(nonzero.span(), "`nonzero = false` says nothing")
                .advice("write `exit_code = 0` for an end that is a success");
            None
        }
        (Some(_), Some(nonzero)) => {
            resolver.fault(nonzero.span(), "`nonzero` beside `exit_code`").label("one of the two says it all");
            None
        }
        (None, None) => {
            resolver
                .fault(typed.span(), "`[serve.end]` does not say with which exit code")
                .advice("add `exit_code`, or `nonzero = true`");
            None
        }
    };
    let within_seconds = seconds(resolver, &table.within_seconds, "a container cannot be given that time to end")?;
    Some(EndExpectation { exit_code: exit_code?, within_seconds })
}
