//! `[[serve.http]]`: requests, and the answers they must get.

use std::collections::BTreeMap;

use regex::Regex;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::outcome::{At, ClauseId};
use crate::suite::scenario::Declared;
use crate::suite::scenario::pattern::Purpose;
use crate::suite::scenario::resolver::Resolver;
use crate::suite::scenario::typed::Typed;

/// The methods that a request may have.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];
/// The methods whose requests have no body.
const WITHOUT_BODY: [&str; 2] = ["GET", "HEAD"];
/// Headers of a request that follow from its other keys.
const OWN_HEADERS: [&str; 4] = ["content-length", "transfer-encoding", "connection", "host"];
/// The longest body, sent or received, in bytes.
const LONGEST_BODY: usize = 16 << 20;
/// How many times a request is sent, at the most.
const MOST_TIMES: usize = 1000;
/// How many requests are under way at the same time, at the most.
const MOST_AT_ONCE: usize = 50;

/// A request, and the answer it must get.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HttpTable {
    /// The path with its query; it begins with `/`.
    pub(crate) path: Typed<String>,
    /// The method.
    #[schemars(extend("default" = "GET"))]
    pub(crate) method: Option<Typed<String>>,
    /// Headers of the request by name, with their values.
    #[serde(default)]
    pub(crate) request_headers: BTreeMap<Typed<String>, Typed<String>>,
    /// The request's body, a text.
    pub(crate) send: Option<Typed<String>>,
    /// The request's body, by its length in bytes: the lower-case alphabet over and over.
    pub(crate) send_bytes: Option<Typed<i64>>,
    /// `true`: the body is sent in chunks (`Transfer-Encoding: chunked`) and not announced by its length.
    #[schemars(extend("default" = false))]
    pub(crate) chunked: Option<Typed<bool>>,
    /// How many times it is sent, each of which must be answered as expected.
    #[schemars(extend("default" = 1))]
    pub(crate) times: Option<Typed<i64>>,
    /// How many of these are under way at the same time.
    #[schemars(extend("default" = 1))]
    pub(crate) at_once: Option<Typed<i64>>,
    /// The status code.
    #[schemars(extend("default" = 200))]
    pub(crate) status: Option<Typed<i64>>,
    /// Response headers by name, each with a regular expression searched for in the value.
    #[serde(default)]
    pub(crate) headers: BTreeMap<Typed<String>, Typed<String>>,
    /// Response headers that the answer must not have, by name.
    #[serde(default)]
    pub(crate) headers_absent: Vec<Typed<String>>,
    /// The exact length of the answer's body, in bytes.
    pub(crate) length: Option<Typed<i64>>,
    /// The SHA-256 of the answer's body, in hexadecimal digits.
    pub(crate) sha256: Option<Typed<String>>,
    /// A regular expression searched for in the body.
    pub(crate) body: Option<Typed<String>>,
    /// A regular expression that must not be found in the body.
    pub(crate) body_absent: Option<Typed<String>>,
    /// The clauses that it speaks for, of those that the scenario proves; without it those that take its checks.
    #[serde(default)]
    pub(crate) proves: Vec<Typed<String>>,
}

/// A request, and the answer it must get.
#[derive(Debug, Clone)]
pub(crate) struct HttpExpectation {
    /// Where the request stands in the file.
    pub at: At,
    pub method: String,
    /// The path with its query, beginning with `/`.
    pub path: String,
    /// Headers of the request.
    pub request_headers: BTreeMap<String, String>,
    pub send: Option<Body>,
    /// Whether the body is sent in chunks.
    pub chunked: bool,
    /// How many times it is sent.
    pub times: usize,
    /// How many of these are under way at the same time.
    pub at_once: usize,
    pub status: Declared<u16>,
    /// Response headers by name, with a pattern found in the value.
    pub headers: BTreeMap<String, Declared<Regex>>,
    /// Response headers that must not be there.
    pub headers_absent: Vec<Declared<String>>,
    /// The exact length of the body, in bytes.
    pub length: Option<Declared<usize>>,
    /// The body's SHA-256, in lower-case hexadecimal digits.
    pub sha256: Option<Declared<String>>,
    /// A pattern found in the body.
    pub body: Option<Declared<Regex>>,
    /// A pattern not found in the body.
    pub body_absent: Option<Declared<Regex>>,
    /// The clauses that it speaks for, where it names them itself.
    pub proves: Vec<Declared<ClauseId>>,
}

impl HttpExpectation {
    /// How many bytes its body has.
    pub(crate) fn sends(&self) -> usize {
        match &self.send {
            None => 0,
            Some(Body::Text(text)) => text.len(),
            Some(Body::Alphabet(length)) => *length,
        }
    }
}

/// The body of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Body {
    Text(String),
    /// So many bytes: the lower-case alphabet over and over.
    Alphabet(usize),
}

impl Body {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.clone().into_bytes(),
            Self::Alphabet(length) => (b'a'..=b'z').cycle().take(*length).collect(),
        }
    }
}

pub(super) fn resolve(resolver: &mut Resolver<'_>, typed: &Typed<HttpTable>) -> Option<HttpExpectation> {
    let table = typed.get();
    path(resolver, &table.path);
    let method = method(resolver, table);
    no_body(resolver, table, method);
    let send = send(resolver, table, method);
    let (times, at_once) = times(resolver, table);
    resolver.opposites(table.body.as_ref(), table.body_absent.as_ref(), "body");
    unique(resolver, &table.headers);
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
    let length = table.length.as_ref().and_then(|typed| {
        let length = number(resolver, typed, "length", 0, LONGEST_BODY)?;
        Some(resolver.declared(typed, length))
    });
    Some(HttpExpectation {
        at: resolver.at(&typed.span()),
        method: method.to_owned(),
        path: resolver.text(&table.path),
        request_headers: request_headers(resolver, &table.request_headers),
        send,
        chunked: table.chunked.as_ref().is_some_and(|chunked| *chunked.get()),
        times,
        at_once,
        status: status?,
        headers: resolver.named_patterns(&table.headers, Purpose::Text),
        headers_absent: headers_absent(resolver, table),
        length,
        sha256: table.sha256.as_ref().and_then(|typed| sha256(resolver, typed)),
        body: resolver.optional(table.body.as_ref(), Purpose::Text),
        body_absent: resolver.optional(table.body_absent.as_ref(), Purpose::AbsentText),
        proves: resolver.clauses(&table.proves),
    })
}

fn path(resolver: &mut Resolver<'_>, path: &Typed<String>) {
    if !path.get().starts_with('/') {
        resolver.fault(path.span(), "the path does not begin with `/`").advice("write it as in the request line");
    } else if path.get().chars().any(|character| character.is_whitespace() || character.is_control()) {
        resolver.fault(path.span(), "the path has a space in it").advice("write it percent-encoded: `%20`");
    }
}

fn method<'a>(resolver: &mut Resolver<'_>, table: &'a HttpTable) -> &'a str {
    let method = table.method.as_ref().map_or("GET", |method| method.get().as_str());
    if let Some(declared) = &table.method
        && !METHODS.contains(&method)
    {
        resolver
            .fault(declared.span(), format!("`{}` is not a method of HTTP", method.escape_debug()))
            .advice(format!("one of {}", METHODS.join(", ")));
    }
    method
}

/// An answer to HEAD has no body to assert anything of.
fn no_body(resolver: &mut Resolver<'_>, table: &HttpTable, method: &str) {
    if method != "HEAD" {
        return;
    }
    let body = table.body.as_ref().map(|typed| ("body", typed.span()));
    let length = table.length.as_ref().map(|typed| ("length", typed.span()));
    let sha256 = table.sha256.as_ref().map(|typed| ("sha256", typed.span()));
    for (key, span) in [body, length, sha256].into_iter().flatten() {
        resolver.fault(span, format!("`{key}` of an answer to HEAD")).label("it never has a body, which is checked");
    }
}

fn send(resolver: &mut Resolver<'_>, table: &HttpTable, method: &str) -> Option<Body> {
    let text = table.send.as_ref().map(|typed| ("send", typed.span()));
    let bytes = table.send_bytes.as_ref().map(|typed| ("send_bytes", typed.span()));
    for (key, span) in [text, bytes.clone()].into_iter().flatten() {
        if WITHOUT_BODY.contains(&method) {
            resolver.fault(span, format!("`{key}` in a {method} request")).advice("say `method = \"POST\"`");
        }
    }
    if let (Some(_), Some((_, span))) = (&table.send, bytes) {
        resolver.fault(span, "`send_bytes` beside `send`").label("a request has one body");
    }
    if let Some(chunked) = &table.chunked
        && *chunked.get()
        && table.send.is_none()
        && table.send_bytes.is_none()
    {
        resolver.fault(chunked.span(), "`chunked` without a body").advice("add `send` or `send_bytes`");
    }
    match (&table.send, &table.send_bytes) {
        (Some(text), _) => Some(Body::Text(text.get().clone())),
        (None, Some(length)) => number(resolver, length, "send_bytes", 1, LONGEST_BODY).map(Body::Alphabet),
        (None, None) => None,
    }
}

fn times(resolver: &mut Resolver<'_>, table: &HttpTable) -> (usize, usize) {
    let times = table.times.as_ref().and_then(|typed| number(resolver, typed, "times", 1, MOST_TIMES)).unwrap_or(1);
    let at_once = table.at_once.as_ref().and_then(|typed| {
        let at_once = number(resolver, typed, "at_once", 1, MOST_AT_ONCE)?;
        if at_once > times {
            resolver
                .fault(typed.span(), format!("{at_once} at once of {times} requests"))
                .advice("`times` says how many there are");
        }
        Some(at_once)
    });
    (times, at_once.unwrap_or(1))
}

fn request_headers(
    resolver: &mut Resolver<'_>,
    declared: &BTreeMap<Typed<String>, Typed<String>>,
) -> BTreeMap<String, String> {
    unique(resolver, declared);
    for (name, value) in declared {
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.get().is_empty() || !name.get().bytes().all(token) {
            resolver.fault(name.span(), "this cannot be the name of a header");
        } else if OWN_HEADERS.contains(&name.get().to_ascii_lowercase().as_str()) {
            resolver.fault(name.span(), format!("the header `{}` is the request's own", name.get()));
        }
        if value.get().bytes().any(|byte| !(b' '..=b'~').contains(&byte)) {
            resolver.fault(value.span(), "a header's value has only printable ASCII characters");
        }
    }
    declared.iter().map(|(name, value)| (name.get().clone(), value.get().clone())).collect()
}

/// Names that no header may have; one that must be there and must not is a contradiction.
fn headers_absent(resolver: &mut Resolver<'_>, table: &HttpTable) -> Vec<Declared<String>> {
    for name in &table.headers_absent {
        if table.headers.keys().any(|present| present.get().eq_ignore_ascii_case(name.get())) {
            resolver
                .fault(name.span(), format!("the header `{}` is in `headers`, too", name.get().escape_debug()))
                .label("it cannot be there and not be there");
        }
    }
    table.headers_absent.iter().map(|name| resolver.declared(name, name.get().clone())).collect()
}

/// Reports names of headers that are there twice.
fn unique(resolver: &mut Resolver<'_>, headers: &BTreeMap<Typed<String>, Typed<String>>) {
    let names: Vec<_> = headers.keys().collect();
    for (index, name) in names.iter().enumerate() {
        if names[..index].iter().any(|earlier| earlier.get().eq_ignore_ascii_case(name.get())) {
            resolver
                .fault(name.span(), format!("the header `{}` is there twice", name.get().escape_debug()))
                .label("names of headers are the same in upper and lower case");
        }
    }
}

fn sha256(resolver: &mut Resolver<'_>, typed: &Typed<String>) -> Option<Declared<String>> {
    let text = typed.get();
    if text.len() != 64 || !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        resolver.fault(typed.span(), "this is not a SHA-256").label("must be 64 lower-case hexadecimal digits");
        return None;
    }
    Some(resolver.declared(typed, text.clone()))
}

fn number(resolver: &mut Resolver<'_>, typed: &Typed<i64>, key: &str, least: usize, most: usize) -> Option<usize> {
    let found = usize::try_from(*typed.get()).ok().filter(|value| (least..=most).contains(value));
    if found.is_none() {
        resolver
            .fault(typed.span(), format!("`{key}` cannot be {}", typed.get()))
            .label(format!("must be {least} to {most}"));
    }
    found
}

#[cfg(test)]
impl HttpExpectation {
    /// A single request for `/`, which must be answered with 200.
    pub(crate) fn get(at: At) -> Self {
        Self {
            method: "GET".to_owned(),
            path: "/".to_owned(),
            request_headers: BTreeMap::new(),
            send: None,
            chunked: false,
            times: 1,
            at_once: 1,
            status: Declared { value: 200, at: at.clone() },
            headers: BTreeMap::new(),
            headers_absent: Vec::new(),
            length: None,
            sha256: None,
            body: None,
            body_absent: None,
            proves: Vec::new(),
            at,
        }
    }
}
