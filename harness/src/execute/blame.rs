//! Whose doing it was: what the fixture server could not give a build decides between *fail* and *error*.

use crate::event::Fault;
use crate::fixtures::{Outcome, Request};

/// The fault of the suite that explains this log, if there is one: a request that the fixture server could not answer,
/// or a project that it does not have and that the scenario did not declare absent. Only what the log names is
/// held against it, since steps that run at the same time share the server.
pub(super) fn fault(requests: &[Request], log: &[String], declared_absent: &[String]) -> Option<Fault> {
    requests.iter().find_map(|request| {
        let (what, hint) = match &request.outcome {
            Outcome::Fault(text) => {
                (text.clone(), "see the fixture server's message; `wsgi-proof fetch` fills the store")
            }
            Outcome::Absent if !declared_absent.contains(&request.what) => (
                format!("the build asked the package index for `{}`, which packages.lock does not list", request.what),
                "add it to scenarios/packages.lock, or declare it in the scenario's `[fixtures] absent_packages`",
            ),
            Outcome::Refused(text) => (text.clone(), "the build asked for something that the fixtures do not offer"),
            Outcome::Absent | Outcome::Served | Outcome::FromUpstream => return None,
        };
        let named = log.iter().any(|line| names(line, &request.what));
        named.then(|| Fault { what, hint: Some(hint.to_owned()) })
    })
}

/// Whether a line of a log names what was asked for: a project in any spelling, or the last part of an address.
fn names(line: &str, what: &str) -> bool {
    let line = line.to_lowercase().replace(['_', '.'], "-");
    let what = what.to_lowercase();
    let last = what.trim_end_matches('/').rsplit('/').next().unwrap_or(&what).replace(['_', '.'], "-");
    !last.is_empty() && line.contains(&last)
}
