//! How the start step starts mod_wsgi-express. For the contract tier, where a stand-in writes down how it is called.

use std::collections::{BTreeMap, BTreeSet};

use super::stub::record::Call;
use crate::check::evidence::Change;
use crate::check::text::{list, quoted};
use crate::check::{holds, of, should};
use crate::outcome::At;
use crate::outcome::Finding;

/// What must reach mod_wsgi-express.
#[derive(Debug, Clone)]
pub(super) struct Awaited {
    /// Where the scenario says so.
    pub at: At,
    /// The arguments of CMD, or those in their place.
    pub arguments: Vec<String>,
    /// The user id that the container is started as.
    pub user: u32,
    /// Variables of `user_vars`, and those given to the container.
    pub environment: BTreeMap<String, String>,
    /// Variables that must not be set.
    pub unset: BTreeSet<String>,
    /// The user and the group that the application must run as.
    pub identity: (String, String),
}

/// Checks the one call that serves. `calls` are the calls of mod_wsgi-express that serve.
pub(super) fn check(awaited: &Awaited, calls: &[&Call]) -> Vec<Finding> {
    let at = &awaited.at;
    let mut findings = vec![of(
        &["START-1"],
        holds("mod_wsgi-express started", at, || match calls {
            [_] => None,
            [] => Some(("mod_wsgi-express start-server to be run".to_owned(), "it was not run".to_owned())),
            several => Some(("it to be run once".to_owned(), format!("it was run {} times", several.len()))),
        }),
    )];
    let Some(call) = calls.first() else { return findings };
    let options = Options(&call.arguments);
    findings.push(of(
        &["START-2"],
        holds("mod_wsgi-express is process 1", at, || {
            (call.process != 1)
                .then(|| ("the start step to become it, by exec".to_owned(), format!("it is process {}", call.process)))
        }),
    ));
    findings.push(of(
        &["START-1"],
        holds("port 80", at, || {
            let port = options.value("--port").unwrap_or("8000");
            (port != "80").then(|| ("port 80".to_owned(), format!("port {port}")))
        }),
    ));
    findings.push(of(
        &["START-4"],
        holds("arguments of CMD", at, || {
            let there = awaited.arguments.is_empty()
                || call.arguments.windows(awaited.arguments.len()).any(|words| words == awaited.arguments);
            (!there).then(|| (list(&awaited.arguments), list(&call.arguments)))
        }),
    ));
    findings.push(of(
        &["START-25"],
        holds("working directory", at, || {
            let folder = call.folder.display().to_string();
            (folder != "/app").then(|| ("/app".to_owned(), folder))
        }),
    ));
    if awaited.user == 0 {
        let identity = (options.value("--user").unwrap_or("root"), options.value("--group").unwrap_or("root"));
        findings.push(of(
            &["START-3"],
            holds("application's user", at, || {
                let root = ["root", "0", "#0"].iter().any(|root| identity.0 == *root || identity.1 == *root);
                root.then(|| {
                    ("a user and a group other than root's".to_owned(), format!("{}:{}", identity.0, identity.1))
                })
            }),
        ));
        findings.push(should(of(
            &["START-26"],
            holds("application's user by name", at, || {
                let (user, group) = (awaited.identity.0.as_str(), awaited.identity.1.as_str());
                (identity != (user, group))
                    .then(|| (format!("{user}:{group}"), format!("{}:{}", identity.0, identity.1)))
            }),
        )));
    }
    for option in ["--log-to-terminal", "--access-log"] {
        findings.push(of(
            &["START-12"],
            holds(format!("{option} given"), at, || {
                (!options.given(option)).then(|| (option.to_owned(), list(&call.arguments)))
            }),
        ));
    }
    for (name, value) in &awaited.environment {
        findings.push(of(
            &["START-7"],
            holds(format!("variable {name}"), at, || {
                let got = call.environment.get(name);
                let words = got.map_or_else(|| "it is not set".to_owned(), |got| quoted(got));
                (got != Some(value)).then(|| (quoted(value), words))
            }),
        ));
    }
    for name in &awaited.unset {
        findings.push(of(
            &["START-22"],
            holds(format!("variable {name} not set"), at, || {
                call.environment.get(name).map(|got| ("it not to be set".to_owned(), quoted(got)))
            }),
        ));
    }
    findings
}

/// That the start step ends as mod_wsgi-express does, whose stand-in ends with 0.
pub(super) fn ended(at: &At, exit_code: Option<i64>) -> Finding {
    of(
        &["START-2"],
        holds("exit code of the start step", at, || match exit_code {
            Some(0) => None,
            Some(code) => Some(("mod_wsgi-express's, 0".to_owned(), format!("exit code {code}"))),
            None => {
                Some(("the start step to end when mod_wsgi-express does".to_owned(), "it was still running".to_owned()))
            }
        }),
    )
}

/// That the start step changed nothing of the application's.
pub(super) fn untouched(at: &At, changes: &[Change]) -> Finding {
    of(
        &["START-20"],
        holds("application's files after the start", at, || {
            let expected = "the start step to leave the application's files as they are".to_owned();
            let got: Vec<String> = changes.iter().map(ToString::to_string).collect();
            (!got.is_empty()).then(|| (expected, got.join(", ")))
        }),
    )
}

/// Options of a command line.
struct Options<'a>(&'a [String]);

impl Options<'_> {
    fn given(&self, name: &str) -> bool {
        self.0.iter().any(|argument| argument == name)
    }

    /// The value of an option: the last one, which counts.
    fn value(&self, name: &str) -> Option<&str> {
        let values = self.0.iter().enumerate().filter_map(|(index, argument)| match argument.strip_prefix(name) {
            Some("") => self.0.get(index + 1).map(String::as_str),
            Some(rest) => rest.strip_prefix('='),
            None => None,
        });
        values.fold(None, |_, value| Some(value))
    }
}
