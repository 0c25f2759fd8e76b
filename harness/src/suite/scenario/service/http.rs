//! A request, and the answer it must get, resolved.

use std::collections::BTreeMap;

use regex::Regex;

use crate::outcome::At;
use crate::suite::scenario::Declared;

/// A request, and the answer it must get.
#[derive(Debug, Clone)]
pub struct HttpExpectation {
    /// Where the request stands in the file.
    pub at: At,
    /// The method.
    pub method: String,
    /// The path with its query, beginning with `/`.
    pub path: String,
    /// Headers of the request.
    pub request_headers: BTreeMap<String, String>,
    /// The request's body.
    pub send: Option<Body>,
    /// Whether the body is sent in chunks.
    pub chunked: bool,
    /// How many times it is sent.
    pub times: usize,
    /// How many of these are under way at the same time.
    pub at_once: usize,
    /// The status code.
    pub status: Declared<u16>,
    /// Response headers by name, with a pattern found in the value.
    pub headers: BTreeMap<String, Declared<Regex>>,
    /// The exact length of the body, in bytes.
    pub length: Option<Declared<usize>>,
    /// The body's SHA-256, in lower-case hexadecimal digits.
    pub sha256: Option<Declared<String>>,
    /// A pattern found in the body.
    pub body: Option<Declared<Regex>>,
    /// A pattern not found in the body.
    pub body_absent: Option<Declared<Regex>>,
}

/// The body of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// This text.
    Text(String),
    /// So many bytes: the lower-case alphabet over and over.
    Alphabet(usize),
}

impl Body {
    /// Its bytes.
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.clone().into_bytes(),
            Self::Alphabet(length) => (b'a'..=b'z').cycle().take(*length).collect(),
        }
    }
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
            length: None,
            sha256: None,
            body: None,
            body_absent: None,
            at,
        }
    }
}
