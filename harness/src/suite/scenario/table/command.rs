//! `[[command]]` and `[[serve.command]]`: commands, and what they must come to.

use regex::Regex;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::outcome::ClauseId;
use crate::suite::scenario::Declared;
use crate::suite::scenario::pattern::Purpose;
use crate::suite::scenario::resolver::Resolver;
use crate::suite::scenario::typed::Typed;

/// A command, and what it must come to.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CommandTable {
    /// The program and its arguments; no shell.
    pub(crate) run: Typed<Vec<String>>,
    /// Its exit code.
    #[schemars(extend("default" = 0))]
    pub(crate) exit_code: Option<Typed<i64>>,
    /// A regular expression searched for in its standard output and standard error.
    pub(crate) output: Option<Typed<String>>,
    /// A regular expression that must not be found there.
    pub(crate) output_absent: Option<Typed<String>>,
    /// The clauses that it speaks for, of those that the scenario proves; without it those that take its checks.
    #[serde(default)]
    pub(crate) proves: Vec<Typed<String>>,
}

/// A command, and what it must come to.
#[derive(Debug, Clone)]
pub(crate) struct CommandExpectation {
    /// The program and its arguments; no shell.
    pub run: Declared<Vec<String>>,
    pub exit_code: Declared<i64>,
    /// A pattern found in its standard output and standard error.
    pub output: Option<Declared<Regex>>,
    /// A pattern not found there.
    pub output_absent: Option<Declared<Regex>>,
    /// The clauses that it speaks for, where it names them itself.
    pub proves: Vec<Declared<ClauseId>>,
}

pub(super) fn resolve(resolver: &mut Resolver<'_>, tables: &[Typed<CommandTable>]) -> Vec<CommandExpectation> {
    tables.iter().filter_map(|table| command(resolver, table.get())).collect()
}

fn command(resolver: &mut Resolver<'_>, table: &CommandTable) -> Option<CommandExpectation> {
    resolver.opposites(table.output.as_ref(), table.output_absent.as_ref(), "output");
    let output = resolver.optional(table.output.as_ref(), Purpose::Text);
    let output_absent = resolver.optional(table.output_absent.as_ref(), Purpose::AbsentText);
    let exit_code = match &table.exit_code {
        Some(typed) => resolver.exit_code(typed, 0),
        None => Some(resolver.declared(&table.run, 0)),
    };
    let run = resolver.arguments(&table.run, "run")?;
    if run.first().is_some_and(String::is_empty) {
        resolver.fault(table.run.span(), "the program's name is empty");
    }
    let proves = resolver.clauses(&table.proves);
    let run = resolver.declared(&table.run, run);
    Some(CommandExpectation { run, exit_code: exit_code?, output, output_absent, proves })
}
