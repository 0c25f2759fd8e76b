//! `[image]`: what the image's configuration must be.

use std::collections::BTreeMap;

use regex::Regex;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::suite::scenario::Declared;
use crate::suite::scenario::pattern::Purpose;
use crate::suite::scenario::resolver::Resolver;
use crate::suite::scenario::typed::Typed;

/// What the image's configuration must be; each key is optional.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImageTable {
    /// The `ONBUILD` triggers, exactly and in order.
    pub(crate) triggers: Option<Typed<Vec<String>>>,
    /// The entry point, in exec form.
    pub(crate) entry_point: Option<Typed<Vec<String>>>,
    /// The default command (`CMD`).
    pub(crate) command: Option<Typed<Vec<String>>>,
    /// The exposed ports such as `80/tcp`, exactly, in any order.
    pub(crate) exposed_ports: Option<Typed<Vec<String>>>,
    /// The working directory.
    pub(crate) working_directory: Option<Typed<String>>,
    /// The user; empty for the default, root.
    pub(crate) user: Option<Typed<String>>,
    /// What the image may take, in megabytes of 1,000,000 bytes: digits, or `@{budget}` for the variant's budget.
    pub(crate) max_megabytes: Option<Typed<String>>,
    /// Environment variables by name, each with a regular expression for the whole value.
    #[serde(default)]
    pub(crate) environment: BTreeMap<Typed<String>, Typed<String>>,
    /// Labels by name, each with a regular expression for the whole value.
    #[serde(default)]
    pub(crate) labels: BTreeMap<Typed<String>, Typed<String>>,
}

/// What the image's configuration must be; nothing is expected of what is `None` or empty.
#[derive(Debug, Clone, Default)]
pub(crate) struct ImageExpectation {
    /// The `ONBUILD` triggers, exactly and in order.
    pub triggers: Option<Declared<Vec<String>>>,
    /// The entry point, in exec form.
    pub entry_point: Option<Declared<Vec<String>>>,
    /// The default command (`CMD`).
    pub command: Option<Declared<Vec<String>>>,
    /// The exposed ports such as `80/tcp`, exactly, as a set.
    pub exposed_ports: Option<Declared<Vec<String>>>,
    pub working_directory: Option<Declared<String>>,
    /// The user; empty for root by default.
    pub user: Option<Declared<String>>,
    /// What the image may take, in megabytes of 1,000,000 bytes.
    pub max_megabytes: Option<Declared<u64>>,
    /// Environment variables by name, with a pattern for the whole value.
    pub environment: BTreeMap<String, Declared<Regex>>,
    /// Labels by name, with a pattern for the whole value.
    pub labels: BTreeMap<String, Declared<Regex>>,
}

impl ImageExpectation {
    /// Whether nothing is expected.
    pub(crate) fn is_empty(&self) -> bool {
        let Self {
            triggers,
            entry_point,
            command,
            exposed_ports,
            working_directory,
            user,
            max_megabytes,
            environment,
            labels,
        } = self;
        triggers.is_none()
            && entry_point.is_none()
            && command.is_none()
            && exposed_ports.is_none()
            && working_directory.is_none()
            && user.is_none()
            && max_megabytes.is_none()
            && environment.is_empty()
            && labels.is_empty()
    }
}

pub(super) fn resolve(resolver: &mut Resolver<'_>, table: &ImageTable) -> ImageExpectation {
    if let Some(ports) = &table.exposed_ports {
        for port in ports.get() {
            let (number, protocol) = port.split_once('/').unwrap_or((port, ""));
            if number.parse::<u16>().is_err() || !["tcp", "udp", "sctp"].contains(&protocol) {
                resolver
                    .fault(ports.span(), format!("`{}` is not an exposed port", port.escape_debug()))
                    .advice("write the number and the protocol, such as \"80/tcp\"");
            }
        }
    }
    ImageExpectation {
        triggers: list(resolver, table.triggers.as_ref()),
        entry_point: list(resolver, table.entry_point.as_ref()),
        command: list(resolver, table.command.as_ref()),
        exposed_ports: list(resolver, table.exposed_ports.as_ref()),
        working_directory: declared_text(resolver, table.working_directory.as_ref()),
        user: declared_text(resolver, table.user.as_ref()),
        max_megabytes: table.max_megabytes.as_ref().and_then(|typed| megabytes(resolver, typed)),
        environment: resolver.named_patterns(&table.environment, Purpose::Whole),
        labels: resolver.named_patterns(&table.labels, Purpose::Whole),
    }
}

fn list(resolver: &mut Resolver<'_>, typed: Option<&Typed<Vec<String>>>) -> Option<Declared<Vec<String>>> {
    typed.map(|typed| {
        let value = resolver.texts(typed);
        resolver.declared(typed, value)
    })
}

fn declared_text(resolver: &mut Resolver<'_>, typed: Option<&Typed<String>>) -> Option<Declared<String>> {
    typed.map(|typed| {
        let value = resolver.text(typed);
        resolver.declared(typed, value)
    })
}

fn megabytes(resolver: &mut Resolver<'_>, typed: &Typed<String>) -> Option<Declared<u64>> {
    let Ok(value @ 1..) = resolver.text(typed).parse::<u64>() else {
        resolver
            .fault(typed.span(), "the size is not a number of megabytes")
            .advice("write it as digits, such as \"400\", or as \"@{budget}\": the budget of the variant");
        return None;
    };
    Some(resolver.declared(typed, value))
}

/// Whether it expects nothing.
pub(super) fn is_empty(table: &ImageTable) -> bool {
    let ImageTable {
        triggers,
        entry_point,
        command,
        exposed_ports,
        working_directory,
        user,
        max_megabytes,
        environment,
        labels,
    } = table;
    let lists = [triggers, entry_point, command, exposed_ports].iter().all(|list| list.is_none());
    let texts = [working_directory, user, max_megabytes].iter().all(|text| text.is_none());
    lists && texts && environment.is_empty() && labels.is_empty()
}
