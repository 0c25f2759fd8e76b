//! `[serve]` of a scenario file, resolved.

mod http;
mod start;

use std::path::Path;

use super::file::{EndTable, ServeTable, StopTable, Typed};
use super::pattern::Purpose;
use super::resolve::Resolver;
use super::{Declared, EndCode, EndExpectation, ServeExpectation, StopExpectation};

/// The longest time that a container may be given for ending by itself, in seconds.
const LONGEST_STOP: u32 = 300;

/// Resolves the table.
pub(super) fn resolve(resolver: &mut Resolver<'_>, folder: &Path, typed: &Typed<ServeTable>) -> ServeExpectation {
    let table = typed.get();
    let asserts = !table.http.is_empty()
        || !table.command.is_empty()
        || table.stop.is_some()
        || table.end.is_some()
        || !table.log.is_empty()
        || !table.should_log.is_empty()
        || !table.log_absent.is_empty()
        || !table.unchanged.is_empty();
    if !asserts {
        resolver
            .fault(typed.span(), "`[serve]` asserts nothing")
            .advice("add `[[serve.http]]`, or another of its keys");
    }
    if table.end.is_some() {
        nothing_of_one_that_serves(resolver, table);
    }
    if let Some(restart) = &table.restart
        && *restart.get()
        && table.http.is_empty()
        && table.end.is_none()
    {
        resolver
            .fault(restart.span(), "`restart` of a container that is not asked")
            .advice("add `[[serve.http]]`, which is asked again after the restart");
    }
    let start = start::resolve(resolver, folder, typed);
    let http = table.http.iter().filter_map(|request| http::resolve(resolver, request)).collect();
    let commands = table.command.iter().filter_map(|command| resolver.command(command.get())).collect();
    let stop = table.stop.as_ref().and_then(|stop| self::stop(resolver, stop.get()));
    let end = table.end.as_ref().and_then(|end| self::end(resolver, end));
    let (log, log_absent) = resolver.lines(&table.log, &table.log_absent);
    let should_log = resolver.patterns(&table.should_log, Purpose::Line);
    ServeExpectation {
        at: resolver.at(&typed.span()),
        start,
        http,
        commands,
        stop,
        restart: table.restart.as_ref().is_some_and(|restart| *restart.get()),
        end,
        should_log,
        log,
        tool_log: resolver.patterns(&table.tool_log, Purpose::Line),
        log_absent,
        unchanged: unchanged(resolver, &table.unchanged),
    }
}

/// A container that must end by itself cannot be asked anything, nor stopped.
fn nothing_of_one_that_serves(resolver: &mut Resolver<'_>, table: &ServeTable) {
    let http = table.http.first().map(|table| ("[[serve.http]]", table.span()));
    let command = table.command.first().map(|table| ("[[serve.command]]", table.span()));
    let stop = table.stop.as_ref().map(|table| ("[serve.stop]", table.span()));
    let restart = table.restart.as_ref().map(|typed| ("restart", typed.span()));
    for (key, span) in [http, command, stop, restart].into_iter().flatten() {
        resolver
            .fault(span, format!("`{key}` of a container that must end by itself"))
            .label("only without `[serve.end]`");
    }
}

/// Plain absolute paths, each of them once.
fn unchanged(resolver: &mut Resolver<'_>, paths: &[Typed<String>]) -> Vec<Declared<String>> {
    for (index, path) in paths.iter().enumerate() {
        start::path(resolver, path);
        if paths[..index].iter().any(|earlier| earlier.get() == path.get()) {
            resolver.fault(path.span(), format!("`{}` is there twice", path.get().escape_debug()));
        }
    }
    let mut declared = Vec::new();
    for path in paths {
        let text = resolver.text(path);
        declared.push(resolver.declared(path, text));
    }
    declared
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
