//! The report as a page: one file that asks nothing of anybody, made of `report.json` alone.
//!
//! What decides is in the page as it is; the details of a scenario are data that its script shows when they are asked for. Nothing of a
//! run is ever markup or script: the engine escapes it, the script sets texts, and the page's own policy (CSP) permits one script and
//! one style sheet, by their hashes.

mod clauses;
mod data;
mod sentence;
mod timeline;
mod view;

#[cfg(test)]
pub(super) mod tests;

use std::io;
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use minijinja::Environment;
use minijinja::value::Serde;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::read::{self, RunRead};
use crate::host::written;

/// The name of the page's file.
pub(crate) const FILE: &str = "index.html";

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Writes `report.json` and the page of it into a folder.
///
/// # Errors
/// When they cannot be written, or it is no report.
pub(crate) fn write(folder: &Path, document: &impl serde::Serialize) -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(document)?;
    text.push(b'\n');
    written::folder(folder)?;
    written::file(&folder.join("report.json"), &text)?;
    let page = page(&read::of(serde_json::from_slice(&text)?)?)?;
    written::file(&folder.join(FILE), page.as_bytes())
}

/// What a run came to, in words.
pub(crate) fn sentence(document: &Value) -> String {
    read::of(document.clone()).map_or_else(|error| error.to_string(), |run| sentence::Sentence::of(&run).to_string())
}

/// The page of a run.
///
/// # Errors
/// Never with the template as it is.
pub(crate) fn page(run: &RunRead) -> io::Result<String> {
    let policy = format!(
        "default-src 'none'; script-src '{}'; style-src '{}'; base-uri 'none'; form-action 'none'",
        hash(SCRIPT),
        hash(STYLE)
    );
    let mut environment = Environment::new();
    environment.add_template(FILE, TEMPLATE).map_err(io::Error::other)?;
    let template = environment.get_template(FILE).map_err(io::Error::other)?;
    let view = view::View::of(run, policy, STYLE, SCRIPT)?;
    template.render(Serde(&view)).map_err(io::Error::other)
}

/// The source that a policy permits by its hash (CSP Level 3, 6.7.3).
fn hash(source: &str) -> String {
    format!("sha256-{}", BASE64_STANDARD.encode(Sha256::digest(source)))
}
