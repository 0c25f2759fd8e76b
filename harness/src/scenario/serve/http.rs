//! `[[serve.http]]` of a scenario file, resolved.

use crate::scenario::file::{HttpTable, Typed};
use crate::scenario::pattern::Purpose;
use crate::scenario::resolve::Resolver;
use crate::scenario::{Declared, HttpExpectation};

/// The methods that a request may have.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];

/// Resolves a request.
pub(super) fn resolve(resolver: &mut Resolver<'_>, typed: &Typed<HttpTable>) -> Option<HttpExpectation> {
    let table = typed.get();
    let path = table.path.get();
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
        path: path.clone(),
        status: status?,
        headers,
        body,
        body_absent,
    })
}
