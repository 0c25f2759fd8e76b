//! What the start step's own options of mod_wsgi-express take away from what is served. Those of CMD are the application's choice.

use crate::contract_tier::stub::express::options::Options;
use crate::suite::scenario::HttpExpectation;

/// Beginnings of addresses that nobody outside of a container reaches.
const LOOPBACK: [&str; 4] = ["127.", "localhost", "::1", "[::1]"];
/// Options that have a script decide who is answered.
const GATES: [&str; 3] = ["--host-access-script", "--auth-user-script", "--auth-group-script"];
/// Options whose value is another than what applications expect, with that.
const USUAL: [(&str, &str); 2] = [("--callable-object", "application"), ("--application-type", "script")];
/// How many threads a process has where no option says so.
const THREADS: usize = 5;

/// The options that mod_wsgi-express was started with, and those of CMD among them.
#[derive(Clone, Copy)]
pub(super) struct Served<'a> {
    pub options: Options<'a>,
    pub command: Options<'a>,
}

impl Served<'_> {
    /// The value of an option that CMD does not have.
    fn own(&self, name: &str) -> Option<&str> {
        if self.command.value(name).is_none() { self.options.value(name) } else { None }
    }

    fn own_flag(&self, name: &str) -> bool {
        self.options.given(name) && !self.command.given(name)
    }

    /// Why nobody reaches the application at the root of the port.
    pub(super) fn unreached(&self) -> Option<String> {
        let host = self.own("--host").filter(|host| LOOPBACK.iter().any(|begin| host.starts_with(begin)));
        let mount = self.own("--mount-point").filter(|path| !path.trim_matches('/').is_empty());
        let gate = GATES.into_iter().find(|gate| self.own(gate).is_some());
        let other = USUAL.into_iter().find_map(|(name, usual)| {
            self.own(name).filter(|value| *value != usual).map(|value| format!("{value} ({name}), which is not there"))
        });
        host.map(|host| format!("port 80 of {host} alone (--host)"))
            .or_else(|| mount.map(|path| format!("the application below {path} (--mount-point)")))
            .or_else(|| self.own_flag("--https-only").then(|| "HTTPS alone (--https-only)".to_owned()))
            .or_else(|| self.own("--server-name").map(|name| format!("requests to {name} alone (--server-name)")))
            .or_else(|| gate.map(|gate| format!("whom a script lets in ({gate})")))
            .or(other)
    }

    /// Where a body of these requests is larger than is taken: what is taken, and what is sent.
    pub(super) fn refused_body(&self, requests: &[HttpExpectation]) -> Option<(usize, usize)> {
        let most: usize = self.own("--limit-request-body")?.parse().ok().filter(|most| *most > 0)?;
        let largest = requests.iter().map(HttpExpectation::sends).max()?;
        (largest > most).then_some((most, largest))
    }

    /// Where more of these requests come at once than are served at once: how many are, and how many come.
    pub(super) fn waiting(&self, requests: &[HttpExpectation]) -> Option<(usize, usize)> {
        let number =
            |name: &str, usual: usize| self.options.value(name).map_or(Some(usual), |value| value.parse().ok());
        let own = ["--processes", "--threads", "--max-clients"].iter().any(|name| self.own(name).is_some());
        let served = match () {
            () if self.own_flag("--debug-mode") => 1,
            () if own => {
                let workers = number("--processes", 1)?.saturating_mul(number("--threads", THREADS)?);
                workers.min(number("--max-clients", usize::MAX)?)
            }
            () => return None,
        };
        let most = requests.iter().map(|request| request.at_once).max()?;
        (most > served).then_some((served, most))
    }

    /// The locale in which the application cannot have UTF-8.
    pub(super) fn narrow_locale(&self) -> Option<&str> {
        self.own("--locale").filter(|locale| !in_utf_8(locale))
    }
}

/// Whether a locale's name says that its characters are in UTF-8.
pub(super) fn in_utf_8(locale: &str) -> bool {
    let locale = locale.to_lowercase();
    ["utf-8", "utf8"].iter().any(|codeset| locale.ends_with(codeset))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn what_keeps_requests_from_the_application() {
        for (line, cmd, reached) in [
            ("wsgi.py --host 0.0.0.0", "wsgi.py", true),
            ("wsgi.py --host 127.0.0.1", "wsgi.py", false),
            ("wsgi.py --host=::1", "wsgi.py", false),
            ("wsgi.py --host localhost", "wsgi.py --host localhost", true),
            ("wsgi.py --mount-point /", "wsgi.py", true),
            ("wsgi.py --mount-point /a", "wsgi.py", false),
            ("wsgi.py --mount-point /a", "wsgi.py --mount-point /a", true),
            ("wsgi.py --https-only", "wsgi.py", false),
            ("wsgi.py --server-name example.org", "wsgi.py", false),
            ("wsgi.py --server-root /tmp/server", "wsgi.py", true),
            ("wsgi.py --callable app", "wsgi.py", false),
            ("wsgi.py --callable-object application", "wsgi.py", true),
            ("x --application-type module", "x --application-type module", true),
            ("wsgi.py --application-type static", "wsgi.py", false),
            ("wsgi.py --auth-user-script /app/x", "wsgi.py", false),
        ] {
            let (line, cmd) = (words(line), words(cmd));
            let served = Served { options: Options(&line), command: Options(&cmd) };
            assert_eq!(served.unreached().is_none(), reached, "{line:?}");
        }
    }

    #[test]
    fn a_locale_without_utf_8_is_narrow_where_it_is_the_step_s_own() {
        for (line, cmd, narrow) in [
            ("wsgi.py", "wsgi.py", None),
            ("wsgi.py --locale C", "wsgi.py", Some("C")),
            ("wsgi.py --locale de_DE.utf8", "wsgi.py", None),
            ("wsgi.py --locale C", "wsgi.py --locale C", None),
        ] {
            let (line, cmd) = (words(line), words(cmd));
            let served = Served { options: Options(&line), command: Options(&cmd) };
            assert_eq!(served.narrow_locale(), narrow, "{line:?}");
        }
    }
}
