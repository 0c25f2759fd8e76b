//! `[serve]` of a scenario file, resolved.

mod http;

use super::file::{EndTable, ServeTable, StopTable, Typed};
use super::resolve::Resolver;
use super::{Declared, EndCode, EndExpectation, ServeExpectation, StopExpectation};

/// The longest time that a container may be given for ending by itself, in seconds.
const LONGEST_STOP: u32 = 300;

/// Resolves the table.
pub(super) fn resolve(resolver: &mut Resolver<'_>, typed: &Typed<ServeTable>) -> ServeExpectation {
    let table = typed.get();
    let asserts = !table.http.is_empty()
        || !table.command.is_empty()
        || table.stop.is_some()
        || table.end.is_some()
        || !table.log.is_empty()
        || !table.log_absent.is_empty();
    if !asserts {
        resolver
            .fault(typed.span(), "`[serve]` asserts nothing")
            .advice("add `[[serve.http]]`, or another of its keys");
    }
    if table.end.is_some() {
        nothing_of_one_that_serves(resolver, table);
    }
    let arguments = table.arguments.as_ref().map(|arguments| resolver.arguments(arguments, "arguments"));
    let http = table.http.iter().filter_map(|request| http::resolve(resolver, request)).collect();
    let commands = table.command.iter().filter_map(|command| resolver.command(command.get())).collect();
    let stop = table.stop.as_ref().and_then(|stop| self::stop(resolver, stop.get()));
    let end = table.end.as_ref().and_then(|end| self::end(resolver, end));
    let (log, log_absent) = resolver.lines(&table.log, &table.log_absent);
    ServeExpectation {
        at: resolver.at(&typed.span()),
        arguments: arguments.flatten(),
        http,
        commands,
        stop,
        end,
        log,
        log_absent,
    }
}

/// A container that must end by itself cannot be asked anything, nor stopped.
fn nothing_of_one_that_serves(resolver: &mut Resolver<'_>, table: &ServeTable) {
    let http = table.http.first().map(|table| ("[[serve.http]]", table.span()));
    let command = table.command.first().map(|table| ("[[serve.command]]", table.span()));
    let stop = table.stop.as_ref().map(|table| ("[serve.stop]", table.span()));
    for (key, span) in [http, command, stop].into_iter().flatten() {
        resolver
            .fault(span, format!("`{key}` of a container that must end by itself"))
            .label("only without `[serve.end]`");
    }
}

fn stop(resolver: &mut Resolver<'_>, table: &StopTable) -> Option<StopExpectation> {
    let exit_code = table.exit_code.as_ref().and_then(|typed| resolver.exit_code(typed, 0));
    let within_seconds = seconds(resolver, &table.within_seconds, "a container cannot be given that time to stop")?;
    Some(StopExpectation { exit_code, within_seconds })
}

fn end(resolver: &mut Resolver<'_>, typed: &Typed<EndTable>) -> Option<EndExpectation> {
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

/// A time that a container is given.
fn seconds(resolver: &mut Resolver<'_>, typed: &Typed<i64>, fault: &str) -> Option<Declared<u32>> {
    let Ok(seconds @ 1..=LONGEST_STOP) = u32::try_from(*typed.get()) else {
        resolver.fault(typed.span(), fault).label(format!("must be 1 to {LONGEST_STOP} seconds"));
        return None;
    };
    Some(resolver.declared(typed, seconds))
}
