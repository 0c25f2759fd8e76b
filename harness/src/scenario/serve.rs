//! `[serve]` of a scenario file, resolved.

use super::file::{HttpTable, ServeTable, StopTable, Typed};
use super::pattern::Purpose;
use super::resolve::Resolver;
use super::{Declared, HttpExpectation, ServeExpectation, StopExpectation};

/// The methods that a request may have.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];

/// The longest time that a container may be given for ending by itself, in seconds.
const LONGEST_STOP: u32 = 300;

/// Resolves the table.
pub(super) fn resolve(resolver: &mut Resolver<'_>, typed: &Typed<ServeTable>) -> ServeExpectation {
    let table = typed.get();
    let asserts = !table.http.is_empty()
        || !table.command.is_empty()
        || table.stop.is_some()
        || !table.log.is_empty()
        || !table.should_log.is_empty()
        || !table.log_absent.is_empty();
    if !asserts {
        resolver
            .fault(typed.span(), "`[serve]` asserts nothing")
            .advice("add `[[serve.http]]`, or another of its keys");
    }
    let arguments = table.arguments.as_ref().map(|arguments| resolver.arguments(arguments, "arguments"));
    let http = table.http.iter().filter_map(|request| self::http(resolver, request)).collect();
    let commands = table.command.iter().filter_map(|command| resolver.command(command.get())).collect();
    let stop = table.stop.as_ref().and_then(|stop| self::stop(resolver, stop.get()));
    let (log, log_absent) = resolver.lines(&table.log, &table.log_absent);
    let should_log = resolver.patterns(&table.should_log, Purpose::Line);
    ServeExpectation {
        at: resolver.at(&typed.span()),
        arguments: arguments.flatten(),
        http,
        commands,
        stop,
        should_log,
        log,
        log_absent,
    }
}

fn http(resolver: &mut Resolver<'_>, typed: &Typed<HttpTable>) -> Option<HttpExpectation> {
    let table = typed.get();
    let path = resolver.text(&table.path);
    if !path.starts_with('/') {
        resolver.fault(table.path.span(), "the path does not begin with `/`").advice("write it as in the request line");
    } else if path.chars().any(|character| character.is_whitespace() || character.is_control()) {
        resolver.fault(table.path.span(), "the path has a space in it").advice("write it percent-encoded: `%20`");
    }
    let method = table.method.as_ref().map_or("GET", |method| method.get().as_str());
    if let Some(declared) = &table.method
        && !METHODS.contains(&method)
    {
        resolver
            .fault(declared.span(), format!("`{}` is not a method of HTTP", method.escape_debug()))
            .advice(format!("one of {}", METHODS.join(", ")));
    }
    if let (Some(body), "HEAD") = (&table.body, method) {
        resolver.fault(body.span(), "`body` of an answer to HEAD").label("it never has one");
    }
    resolver.opposites(table.body.as_ref(), table.body_absent.as_ref(), "body");
    let names: Vec<_> = table.headers.keys().collect();
    for (index, name) in names.iter().enumerate() {
        if names[..index].iter().any(|earlier| earlier.get().eq_ignore_ascii_case(name.get())) {
            resolver
                .fault(name.span(), format!("the header `{}` is there twice", name.get().escape_debug()))
                .label("names of headers are the same in upper and lower case");
        }
    }
    let status = match &table.status {
        None => Some(Declared { value: 200, at: resolver.at(&table.path.span()) }),
        Some(status) => {
            if let Ok(value @ 100..=599) = u16::try_from(*status.get()) {
                Some(resolver.declared(status, value))
            } else {
                resolver
                    .fault(status.span(), format!("{} is not a status of HTTP", status.get()))
                    .label("must be 100 to 599");
                None
            }
        }
    };
    let headers = resolver.named_patterns(&table.headers, Purpose::Text);
    let body = resolver.optional(table.body.as_ref(), Purpose::Text);
    let body_absent = resolver.optional(table.body_absent.as_ref(), Purpose::AbsentText);
    Some(HttpExpectation {
        at: resolver.at(&typed.span()),
        method: method.to_owned(),
        path,
        status: status?,
        headers,
        body,
        body_absent,
    })
}

fn stop(resolver: &mut Resolver<'_>, table: &StopTable) -> Option<StopExpectation> {
    let exit_code = table.exit_code.as_ref().and_then(|typed| resolver.exit_code(typed, 0));
    let Ok(seconds @ 1..=LONGEST_STOP) = u32::try_from(*table.within_seconds.get()) else {
        resolver
            .fault(table.within_seconds.span(), "a container cannot be given that time to stop")
            .label(format!("must be 1 to {LONGEST_STOP} seconds"));
        return None;
    };
    let within_seconds = resolver.declared(&table.within_seconds, seconds);
    Some(StopExpectation { exit_code, within_seconds })
}
