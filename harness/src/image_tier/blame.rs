//! Whose doing it was: what the fixture server could not give a build decides between *fail* and *error*.

use crate::check::captured::Captured;
use crate::engine::Clients;
use crate::mirror::{Outcome, Request};
use crate::outcome::Fault;

/// The requests that these clients made, or may have made where not all of them are known.
pub(super) fn requests_of(mut requests: Vec<Request>, clients: &Clients) -> Vec<Request> {
    requests.retain(|request| clients.made(request).unwrap_or(!clients.all_known));
    // What came in the end was not missed.
    let came: Vec<bool> = requests
        .iter()
        .enumerate()
        .map(|(place, request)| requests[place..].iter().any(|later| later.takes_back(request)))
        .collect();
    let mut came = came.into_iter();
    requests.retain(|_| !came.next().unwrap_or(false));
    requests
}

/// The fault of the suite that explains why this build failed, if there is one: a request of its own that the fixture server could not
/// answer, or a project that it does not have and that the scenario did not declare absent.
pub(super) fn fault(requests: &[Request], declared_absent: &[String]) -> Option<Fault> {
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
            // A repository that is not there may be what the scenario is about: its expectation tells.
            Outcome::Absent | Outcome::NoRepository | Outcome::Served | Outcome::FromUpstream => return None,
        };
        Some(Fault { what, hint: Some(hint.to_owned()) })
    })
}

/// The fault of the suite that these requests are for something that the fixtures do not have or could not give: what was done without
/// it is not known to be nothing.
pub(super) fn without(requests: &[Request], declared_absent: &[String], went_on: bool) -> Option<Fault> {
    let not_given = || not_given(requests).filter(|_| went_on);
    undeclared(requests, declared_absent).or_else(not_given)
}

/// The fault that a build or container went on without something that it should have got. One that failed has said why.
fn not_given(requests: &[Request]) -> Option<Fault> {
    requests.iter().find_map(|request| {
        let (why, hint) = match &request.outcome {
            Outcome::Fault(text) => (text.as_str(), "`wsgi-proof fetch` fills the fixture store"),
            Outcome::NoRepository => {
                ("the fixtures have no such repository", "add it to scenarios/repositories; builds reach nothing else")
            }
            Outcome::Absent | Outcome::Refused(_) | Outcome::Served | Outcome::FromUpstream => return None,
        };
        let what = format!("a build or container requested `{}`, and went on without it: {why}", request.what);
        Some(Fault { what, hint: Some(hint.to_owned()) })
    })
}

/// The fault of the suite that these requests are for something that the fixtures do not have, and that was not declared absent. It
/// counts however the build ended.
fn undeclared(requests: &[Request], declared_absent: &[String]) -> Option<Fault> {
    let request = requests.iter().find(|request| request.is_undeclared(declared_absent))?;
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

/// The fault that the builder could not read the scenario's Dockerfile, which no candidate wrote. It says so before it has begun with
/// anything; later messages have a candidate's text in them.
pub(super) fn dockerfile(message: &str, log: &Captured) -> Option<Fault> {
    let had_begun = log.cut().is_some() || !log.read_part().is_empty();
    (!had_begun && message.to_lowercase().starts_with("dockerfile parse error")).then(|| Fault {
        what: format!("the scenario's Dockerfile: {message}"),
        hint: Some("mend `app/Dockerfile` of the scenario".to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;
    use crate::engine::Stay;

    fn request(what: &str, outcome: Outcome) -> Request {
        Request { what: what.to_owned(), outcome, from: Some(IpAddr::from([10, 231, 0, 2])), at: Some(9), build: None }
    }

    fn lines(text: &[&str]) -> Vec<String> {
        text.iter().map(ToString::to_string).collect()
    }

    const OWN: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 231, 0, 2));
    const OTHERS: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 231, 0, 3));
    const UNKNOWN: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 231, 0, 4));

    #[test]
    fn an_undeclared_project_is_the_suites_doing() {
        let requests = [request("zope-interface", Outcome::Absent)];
        let what = fault(&requests, &[]).map(|fault| fault.what);
        assert!(what.is_some_and(|what| what.contains("zope-interface")));
        assert_eq!(fault(&requests, &lines(&["zope-interface"])), None);
    }

    /// Whatever a build says that another one has asked for.
    #[test]
    fn who_asked_is_known_by_address() {
        let from = |address| Request { from: Some(address), ..request("elsewhere.test", Outcome::Refused("x".into())) };
        let of = |address, all_known| {
            let stay = |address| Stay { address, since: 5 };
            let clients = Clients { own: vec![stay(OWN)], others: vec![stay(OTHERS)], build: None, all_known };
            !requests_of(vec![from(address)], &clients).is_empty()
        };
        for all_known in [true, false] {
            assert!(of(OWN, all_known) && !of(OTHERS, all_known));
        }
        // Where it is not known who asked, it may have been anybody.
        assert!(!of(UNKNOWN, true) && of(UNKNOWN, false));
    }

    /// Whatever address it came from.
    #[test]
    fn what_came_through_a_builds_own_relay_is_that_builds() {
        let through = |build| Request { build, ..request("elsewhere.test", Outcome::Refused("x".into())) };
        let of = |build, clients: &Clients| !requests_of(vec![through(build)], clients).is_empty();
        let containers = Clients { own: vec![Stay { address: OWN, since: 5 }], ..Clients::default() };
        assert!(of(Some(1), &Clients::of_build(1)) && of(None, &containers));
        assert!(!of(Some(2), &Clients::of_build(1)) && !of(None, &Clients::of_build(1)) && !of(Some(1), &containers));
    }

    /// Of the same client, at the time when the address was its own.
    #[test]
    fn what_came_in_the_end_is_no_fault() {
        let at = |what: &str, outcome, at| Request { at: Some(at), ..request(what, outcome) };
        let clients = |own: &[i64], others: &[i64]| {
            let stays = |times: &[i64]| times.iter().map(|since| Stay { address: OWN, since: *since }).collect();
            Clients { own: stays(own), others: stays(others), build: None, all_known: true }
        };
        let requests = vec![at("a.whl", Outcome::Fault("502".into()), 10), at("a.whl", Outcome::Served, 30)];
        assert_eq!(fault(&requests_of(requests.clone(), &clients(&[5], &[])), &[]), None);
        assert!(fault(&requests_of(requests, &clients(&[5], &[20])), &[]).is_some());
    }

    #[test]
    fn what_nobody_declared_counts() {
        assert!(
            undeclared(&[request("elsewhere.test", Outcome::Refused("CONNECT elsewhere.test".into()))], &[]).is_some()
        );
        let absent = [request("none-such", Outcome::Absent)];
        assert_eq!(undeclared(&absent, &lines(&["none-such"])), None);
    }

    #[test]
    fn what_could_not_be_given_counts_where_it_was_done_without() {
        let missing = [request("/git/none.git/info/refs", Outcome::NoRepository)];
        let trouble = [request("http://a/pool/x.deb", Outcome::Fault("502".into()))];
        for requests in [&missing, &trouble] {
            assert!(without(requests, &[], true).is_some());
            assert_eq!(without(requests, &[], false), None);
        }
        assert_eq!(fault(&missing, &[]), None);
        assert_eq!(without(&[request("six", Outcome::Served)], &[], true), None);
        assert!(without(&[request("none-such", Outcome::Absent)], &[], false).is_some());
    }

    #[test]
    fn what_was_served_is_nobodys_fault() {
        assert_eq!(fault(&[request("six", Outcome::Served), request("six", Outcome::FromUpstream)], &[]), None);
        assert!(fault(&[request("http://a/pool/x/git_2_amd64.deb", Outcome::Fault("502".into()))], &[]).is_some());
    }

    /// A trigger that cannot be read, or a command that says so, is the candidate's.
    #[test]
    fn a_dockerfile_that_cannot_be_read_is_the_suites_doing() {
        let (nothing, begun) = (Captured::default(), Captured::from(lines(&["Step 1/2 : FROM x"])));
        let message = "dockerfile parse error line 3: unknown flag: frob";
        assert!(dockerfile(message, &nothing).is_some());
        assert_eq!(dockerfile(message, &begun), None);
        assert_eq!(dockerfile("COPY failed: no source files were specified", &nothing), None);
        let said = "The command '/bin/sh -c echo Dockerfile parse error' returned a non-zero code: 1";
        assert_eq!(dockerfile(said, &nothing), None);
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
