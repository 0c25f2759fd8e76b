//! How the start step starts mod_wsgi-express. For the contract tier, where a stub writes down how it is called.

mod served;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::stub::express::options::Options;
use super::stub::record::Call;
use crate::check::evidence::Change;
use crate::check::few::Few;
use crate::check::scope::Scope;
use crate::check::text::{first_of, list, quoted};
use crate::outcome::{At, CheckId, ClauseId, Finding};
use crate::suite::scenario::HttpExpectation;
use served::{Served, serves_utf_8};

/// What must reach mod_wsgi-express.
#[derive(Debug, Clone)]
pub(super) struct Awaited {
    /// Where the scenario says so.
    pub at: At,
    /// The clauses that a server which is started speaks for.
    pub serves: Vec<ClauseId>,
    /// The arguments of CMD, or those in their place.
    pub arguments: Vec<String>,
    /// What is asked of the server.
    pub requests: Vec<HttpExpectation>,
    /// The user id that the container is started as.
    pub user: u32,
    /// Variables of `user_vars`, and those given to the container.
    pub environment: BTreeMap<String, String>,
    /// Variables that must not be set.
    pub unset: BTreeSet<String>,
    /// The user and the group that the application must run as.
    pub identity: (String, String),
    /// Whether what the server says on standard error, as its error log, came on the terminal.
    pub error_log: bool,
    /// Whether what it says on standard output, as its access log, did.
    pub access_log: bool,
    /// Major and minor version of the application's Python.
    pub python: (u16, u16),
}

/// Users and groups of Debian, by the numbers that mod_wsgi-express takes.
const NUMBERS: [(&str, &str); 3] = [("www-data", "#33"), ("nobody", "#65534"), ("nogroup", "#65534")];
/// Levels at which what applications write to standard error is not logged.
const SILENT: [&str; 3] = ["crit", "alert", "emerg"];

/// Checks the one call that serves. `calls` are the calls of mod_wsgi-express that serve.
pub(super) fn check(scope: &Scope, awaited: &Awaited, calls: &[&Call]) -> Vec<Finding> {
    let at = &awaited.at;
    let started = |clause| {
        scope.holds_for(clause, CheckId::ServerStarted, (), at, || match calls {
            [_] => None,
            [] => Some(("mod_wsgi-express start-server to be run".to_owned(), "it was not run".to_owned())),
            several => Some(("it to be run once".to_owned(), format!("it was run {} times", several.len()))),
        })
    };
    let mut findings = Few::default();
    findings.extend(awaited.serves.iter().copied().filter_map(started));
    let Some(call) = calls.first() else { return findings.finish() };
    let options = Options(&call.arguments);
    let served = Served { options, command: Options(&awaited.arguments) };
    findings.extend(scope.holds_for(ClauseId::start(2), CheckId::ServerIsProcessOne, (), at, || {
        let expected = "the start step to become it, by exec, and SIGTERM to reach it".to_owned();
        if call.process != 1 {
            return Some((expected, format!("it is process {}", call.process)));
        }
        call.deaf.then(|| (expected, "SIGTERM is blocked".to_owned()))
    }));
    findings.extend(scope.holds_for(ClauseId::start(1), CheckId::ServerPort, (), at, || {
        let port = options.value("--port").unwrap_or("8000");
        // What it lays out for Apache is root's, and the application runs as another user.
        let hidden = call.hides.filter(|_| call.user == 0);
        let hidden = hidden.map(|umask| format!("files that Apache cannot read, by a umask of {umask:04o}"));
        let got = if port == "80" { served.unreached().or(hidden) } else { Some(format!("port {port}")) };
        got.map(|got| ("port 80".to_owned(), got))
    }));
    findings.extend(scope.holds_for(ClauseId::start(4), CheckId::ServerArguments, (), at, || {
        let own = awaited.arguments.len();
        let place = call.arguments.windows(own.max(1)).position(|words| words == awaited.arguments);
        let has_options = served.command.before_end().iter().any(|word| word.len() > 1 && word.starts_with('-'));
        // After `--` no word is an option any more.
        let read = place.is_some_and(|place| !has_options || place < options.before_end().len());
        (!read && own > 0).then(|| (list(&awaited.arguments), list(&call.arguments)))
    }));
    findings.extend(scope.holds_for(ClauseId::start(25), CheckId::ServerFolder, (), at, || {
        let folder = call.folder.display().to_string();
        (folder != "/app").then(|| ("/app".to_owned(), folder))
    }));
    findings.extend(scope.holds_for(ClauseId::start(25), CheckId::ServerFolderOption, (), at, || {
        // Of several mod_wsgi-express heeds the last.
        let full = |options: &Options| Path::new("/app").join(options.value("--working-directory").unwrap_or("."));
        let (wanted, got) = (full(&Options(&awaited.arguments)), full(&options));
        (wanted.components().ne(got.components()))
            .then(|| (wanted.display().to_string(), format!("--working-directory {}", got.display())))
    }));
    if awaited.environment.contains_key("LANG") {
        // Scenarios that cover this give one that is not there.
        findings.extend(scope.holds_for(ClauseId::start(32), CheckId::ServerLocale, (), at, || {
            let locale = served.locale(&call.environment, awaited.python);
            (!serves_utf_8(locale, awaited.python))
                .then(|| ("a locale of the image, in UTF-8".to_owned(), quoted(locale)))
        }));
    }
    findings.extend(taken_away(scope, awaited, &served));
    if awaited.user == 0 {
        // mod_wsgi-express heeds these variables first.
        let of = |variable: &str, option| {
            let set = call.environment.get(variable).map(String::as_str).filter(|value| !value.is_empty());
            set.or_else(|| options.value(option)).unwrap_or("root")
        };
        let identity = (of("MOD_WSGI_USER", "--user"), of("MOD_WSGI_GROUP", "--group"));
        findings.extend(scope.holds_for(ClauseId::start(3), CheckId::ServerUser, (), at, || {
            let root = ["root", "0", "#0"].iter().any(|root| identity.0 == *root || identity.1 == *root);
            root.then(|| ("a user and a group other than root's".to_owned(), format!("{}:{}", identity.0, identity.1)))
        }));
        findings.extend(scope.holds_for(ClauseId::start(26), CheckId::ServerUserByName, (), at, || {
            let (user, group) = (awaited.identity.0.as_str(), awaited.identity.1.as_str());
            (!is_named(identity.0, user) || !is_named(identity.1, group))
                .then(|| (format!("{user}:{group}"), format!("{}:{}", identity.0, identity.1)))
        }));
    }
    findings.extend(logs(scope, awaited, call));
    for (name, value) in &awaited.environment {
        findings.extend(scope.holds_for(ClauseId::start(7), CheckId::VariableSet, name, at, || {
            let got = if name == "LANG" && !served.has_its_own_locale() {
                Some(served.locale(&call.environment, awaited.python))
            } else {
                call.environment.get(name).map(String::as_str)
            };
            let words = got.map_or_else(|| "it is not set".to_owned(), quoted);
            (got != Some(value.as_str())).then(|| (quoted(value), words))
        }));
    }
    for name in &awaited.unset {
        findings.extend(scope.holds_for(ClauseId::start(22), CheckId::VariableNotSet, name, at, || {
            call.environment.get(name).map(|got| ("it not to be set".to_owned(), quoted(got)))
        }));
    }
    findings.finish()
}

/// Whether a user or a group is given by this name, or by its number in the images.
fn is_named(given: &str, name: &str) -> bool {
    let number = NUMBERS.iter().find(|(known, _)| *known == name).map(|(_, number)| *number);
    given == name || number == Some(given)
}

/// That the logs come on the terminal, where the access log needs two options.
fn logs(scope: &Scope, awaited: &Awaited, call: &Call) -> Vec<Finding> {
    let options = Options(&call.arguments);
    let silent = options.value("--log-level").filter(|level| SILENT.contains(level));
    let silent = silent.map(|level| ("errors in the log".to_owned(), format!("--log-level {level}")));
    let nothing = |came: bool| {
        (!came).then(|| ("the server's log on the terminal".to_owned(), "nothing of it is there".to_owned()))
    };
    let needed = [
        (ClauseId::start(12), "--log-to-terminal", silent.or_else(|| nothing(awaited.error_log))),
        (ClauseId::start(34), "--log-to-terminal", nothing(awaited.access_log)),
        (ClauseId::start(34), "--access-log", None),
    ];
    let finding = |(clause, option, lost): (_, &str, _)| {
        scope.holds_for(clause, CheckId::ServerOption, option, &awaited.at, || {
            if options.given(option) { lost } else { Some((option.to_owned(), list(&call.arguments))) }
        })
    };
    needed.into_iter().filter_map(finding).collect()
}

/// What the start step's own options take away from the application. That nothing of it is, says nothing for the clauses yet: no
/// request is sent here.
fn taken_away(scope: &Scope, awaited: &Awaited, served: &Served) -> Vec<Finding> {
    let at = &awaited.at;
    let broken = |clause, id, subject: &str, expected: String, got| {
        scope.holds_for(clause, id, subject, at, || Some((expected, got)))
    };
    let body = served.refused_body(&awaited.requests).and_then(|(most, largest)| {
        let got = format!("--limit-request-body {most}");
        broken(ClauseId::start(13), CheckId::ServerTakes, "body", format!("a body of {largest} bytes to be taken"), got)
    });
    let at_once = served.waiting(&awaited.requests).and_then(|(workers, most)| {
        let (expected, got) =
            (format!("{most} requests to be served at once"), format!("{workers} are, by its options"));
        broken(ClauseId::start(15), CheckId::ServerTakes, "requests at once", expected, got)
    });
    let locale = served.narrow_locale(awaited.python).and_then(|locale| {
        let expected = "a locale in UTF-8".to_owned();
        broken(ClauseId::image(9), CheckId::ServerLocale, "option", expected, format!("--locale {locale}"))
    });
    [body, at_once, locale].into_iter().flatten().collect()
}

/// That the start step ends as mod_wsgi-express does, whose stub ends with 0.
pub(super) fn ended(scope: &Scope, at: &At, exit_code: Option<i64>) -> Option<Finding> {
    scope.holds_for(ClauseId::start(2), CheckId::StartExitCode, (), at, || match exit_code {
        Some(0) => None,
        Some(code) => Some(("mod_wsgi-express's, 0".to_owned(), format!("exit code {code}"))),
        None => {
            Some(("the start step to end when mod_wsgi-express does".to_owned(), "it was still running".to_owned()))
        }
    })
}

/// That the start step changed nothing of the application's.
pub(super) fn untouched(scope: &Scope, at: &At, changes: &[Change]) -> Option<Finding> {
    scope.holds_for(ClauseId::start(20), CheckId::StartLeavesFiles, (), at, || {
        let expected = "the start step to leave the application's files as they are".to_owned();
        (!changes.is_empty()).then(|| (expected, first_of(changes)))
    })
}
