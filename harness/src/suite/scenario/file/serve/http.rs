//! `[[serve.http]]` of a scenario file as it was typed.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::suite::scenario::file::Typed;

/// A request, and the answer it must get.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpTable {
    /// The path with its query; it begins with `/`.
    pub path: Typed<String>,
    /// The method; `GET` unless said.
    pub method: Option<Typed<String>>,
    /// Headers of the request by name, with their values.
    #[serde(default)]
    pub request_headers: BTreeMap<Typed<String>, Typed<String>>,
    /// The request's body, a text.
    pub send: Option<Typed<String>>,
    /// The request's body, by its length in bytes: the lower-case alphabet over and over.
    pub send_bytes: Option<Typed<i64>>,
    /// `true`: the body is sent in chunks (`Transfer-Encoding: chunked`) and not announced by its length.
    pub chunked: Option<Typed<bool>>,
    /// How many times it is sent, each of which must be answered as expected; 1 unless said.
    pub times: Option<Typed<i64>>,
    /// How many of these are under way at the same time; 1 unless said.
    pub at_once: Option<Typed<i64>>,
    /// The status code; 200 unless said.
    pub status: Option<Typed<i64>>,
    /// Response headers by name, each with a regular expression searched for in the value.
    #[serde(default)]
    pub headers: BTreeMap<Typed<String>, Typed<String>>,
    /// The exact length of the answer's body, in bytes.
    pub length: Option<Typed<i64>>,
    /// The SHA-256 of the answer's body, in hexadecimal digits.
    pub sha256: Option<Typed<String>>,
    /// A regular expression searched for in the body.
    pub body: Option<Typed<String>>,
    /// A regular expression that must not be found in the body.
    pub body_absent: Option<Typed<String>>,
}
