//! Whose doing it was: what the fixture server could not give a build decides between *fail* and *error*.

use std::net::IpAddr;

use crate::mirror::{Outcome, Request};
use crate::outcome::Fault;

/// The fault of the suite that explains this log, if there is one: a request that the fixture server could not answer,
/// or a project that it does not have and that the scenario did not declare absent. Only what the log names is
/// held against it, since steps that run at the same time share the server.
pub(super) fn fault(requests: &[Request], log: &[String], declared_absent: &[String]) -> Option<Fault> {
    requests.iter().find_map(|request| {
        let (what, hint) = match &request.outcome {
            Outcome::Fault(text) => (text.clone(), "`wsgi-proof fetch` fills the fixture store"),
            Outcome::Absent if !declared_absent.contains(&request.what) => (
                format!(
                    "the build requested `{}` from the package index, and packages.lock does not list it",
                    request.what
                ),
                "add it to scenarios/packages.lock, or declare it in the scenario's `[fixtures] absent_packages`",
            ),
            Outcome::Refused(text) => (text.clone(), "the fixture server does not offer what the build requested"),
            Outcome::Absent | Outcome::Served | Outcome::FromUpstream => return None,
        };
        let named = log.iter().any(|line| names(line, &request.what));
        named.then(|| Fault { what, hint: Some(hint.to_owned()) })
    })
}

/// The fault of the suite that these clients asked for something that the fixtures do not have, and that the scenario did not declare
/// absent; `None` stands for whoever asked. It counts however the build ended: what it did without is not known to be nothing.
pub(super) fn undeclared(
    requests: &[Request],
    clients: Option<&[IpAddr]>,
    declared_absent: &[String],
) -> Option<Fault> {
    let own =
        |request: &&Request| clients.is_none_or(|clients| request.from.is_some_and(|from| clients.contains(&from)));
    let request = requests.iter().filter(own).find(|request| request.is_undeclared(declared_absent))?;
    Some(Fault {
        what: format!("a build or container requested `{}`, which the fixture server does not have", request.what),
        hint: Some(
            "add it to scenarios/packages.lock, or declare it in the scenario's `[fixtures] absent_packages`; builds \
             reach nothing else"
                .to_owned(),
        ),
    })
}

/// The fault that a project was declared absent, but the index was never asked for it: a build that cannot reach the index
/// fails in the same words as one that finds nothing there.
pub(super) fn never_asked(requests: &[Request], declared_absent: &[String]) -> Option<Fault> {
    let asked =
        |name: &String| requests.iter().any(|request| request.what == *name && request.outcome == Outcome::Absent);
    let name = declared_absent.iter().find(|name| !asked(name))?;
    Some(Fault {
        what: format!(
            "the build failed without requesting `{name}` from the package index, which the scenario declares absent"
        ),
        hint: Some("check in the build log whether it reached the fixture server".to_owned()),
    })
}

/// The fault that the builder could not read the scenario's Dockerfile, which no candidate wrote.
pub(super) fn dockerfile(message: &str) -> Option<Fault> {
    message.to_lowercase().contains("dockerfile parse error").then(|| Fault {
        what: format!("the scenario's Dockerfile: {message}"),
        hint: Some("mend `app/Dockerfile` of the scenario".to_owned()),
    })
}

/// Whether a line of a log names what was asked for: a project in any spelling, or the last part of an address.
fn names(line: &str, what: &str) -> bool {
    let line = line.to_lowercase().replace(['_', '.'], "-");
    let what = what.to_lowercase();
    let last = what.trim_end_matches('/').rsplit('/').next().unwrap_or(&what).replace(['_', '.'], "-");
    !last.is_empty() && line.contains(&last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(what: &str, outcome: Outcome) -> Request {
        Request { what: what.to_owned(), outcome, from: Some(IpAddr::from([10, 231, 0, 2])) }
    }

    fn lines(text: &[&str]) -> Vec<String> {
        text.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_undeclared_project_is_the_suites_doing() {
        let requests = [request("zope-interface", Outcome::Absent)];
        let log = lines(&["ERROR: No matching distribution found for zope.interface"]);
        let what = fault(&requests, &log, &[]).map(|fault| fault.what);
        assert!(what.is_some_and(|what| what.contains("zope-interface")));
        assert_eq!(fault(&requests, &log, &lines(&["zope-interface"])), None);
    }

    #[test]
    fn what_nobody_declared_counts_for_who_asked_only() {
        let requests = [request("elsewhere.test", Outcome::Refused("CONNECT elsewhere.test".into()))];
        let client = IpAddr::from([10, 231, 0, 2]);
        assert!(undeclared(&requests, Some(&[client]), &[]).is_some());
        assert_eq!(undeclared(&requests, Some(&[IpAddr::from([10, 231, 0, 3])]), &[]), None);
        // Where it is not known who asked, it may have been anybody.
        assert!(undeclared(&requests, None, &[]).is_some());
        let absent = [request("none-such", Outcome::Absent)];
        assert_eq!(undeclared(&absent, Some(&[client]), &lines(&["none-such"])), None);
    }

    #[test]
    fn what_the_log_does_not_name_was_another_builds() {
        let requests = [request("http://a/pool/x/git_2_amd64.deb", Outcome::Fault("502".into()))];
        assert_eq!(fault(&requests, &lines(&["ERROR: something else"]), &[]), None);
        assert!(fault(&requests, &lines(&["E: Failed to fetch http://a/pool/x/git_2_amd64.deb"]), &[]).is_some());
    }

    #[test]
    fn what_was_served_is_nobodys_fault() {
        let requests = [request("six", Outcome::Served), request("six", Outcome::FromUpstream)];
        assert_eq!(fault(&requests, &lines(&["six failed to build"]), &[]), None);
    }

    #[test]
    fn a_dockerfile_that_cannot_be_read_is_the_suites_doing() {
        assert!(dockerfile("dockerfile parse error line 3: unknown flag: frob").is_some());
        assert_eq!(dockerfile("COPY failed: no source files were specified"), None);
    }

    #[test]
    fn an_index_that_was_never_asked_proves_nothing() {
        let declared = lines(&["none-such"]);
        assert!(never_asked(&[], &declared).is_some());
        assert!(never_asked(&[request("none-such", Outcome::Served)], &declared).is_some());
        assert_eq!(never_asked(&[request("none-such", Outcome::Absent)], &declared), None);
        assert_eq!(never_asked(&[], &[]), None);
    }
}
