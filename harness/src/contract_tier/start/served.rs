//! What the start step's own options of mod_wsgi-express take away from what is served. Those of CMD are the application's choice.

use std::collections::BTreeMap;

use crate::contract_tier::stub::express::options::Options;
use crate::suite::scenario::HttpExpectation;

/// Beginnings of addresses that nobody outside of a container reaches.
const LOOPBACK: [&str; 4] = ["127.", "localhost", "::1", "[::1]"];
/// Options that have a script decide who is answered.
const GATES: [&str; 3] = ["--host-access-script", "--auth-user-script", "--auth-group-script"];
/// Options whose value is another than what applications expect, with that.
const USUAL: [(&str, &str); 2] = [("--callable-object", "application"), ("--application-type", "script")];
/// The only locale in UTF-8 that is in all images.
const UTF_8: &str = "C.UTF-8";
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
    pub(super) fn narrow_locale(&self, python: (u16, u16)) -> Option<&str> {
        self.own("--locale").filter(|locale| !may_serve_utf_8(locale, python))
    }

    /// The locale that the application has, and its `LANG`: what an option says, otherwise what Python makes of the variables.
    pub(super) fn locale<'b>(&'b self, environment: &'b BTreeMap<String, String>, python: (u16, u16)) -> &'b str {
        let option = self.options.value("--locale").or_else(|| self.options.value("--lang"));
        let locale = option.unwrap_or_else(|| default_locale(environment, python));
        if is_bare(locale) { UTF_8 } else { locale }
    }

    /// Whether CMD says which locale the application has.
    pub(super) fn has_its_own_locale(&self) -> bool {
        ["--locale", "--lang"].iter().any(|option| self.command.value(option).is_some())
    }
}

/// What `locale.getdefaultlocale` says in an image that has no other locale in UTF-8 than `C.UTF-8`.
fn default_locale(environment: &BTreeMap<String, String>, python: (u16, u16)) -> &str {
    let set = |name: &&str| environment.get(*name).map(String::as_str).filter(|value| !value.is_empty());
    let named = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(set);
    // In the place of one that is not there, or has no language, Python starts in this one (PEP 538).
    let is_coerced = python >= (3, 7) && set(&"LC_ALL").is_none() && named.is_none_or(|name| !is_there(name));
    let locale = if is_coerced { UTF_8 } else { named.unwrap_or("C") };
    // Until Python 3.12 another one was this one's alias.
    if is_there(locale) { if python < (3, 12) { "en_US.UTF-8" } else { UTF_8 } } else { locale }
}

/// Whether a locale in UTF-8 is in the images.
fn is_there(locale: &str) -> bool {
    ["c.utf-8", "c.utf8"].iter().any(|name| locale.eq_ignore_ascii_case(name))
}

/// Whether an application has UTF-8 in this locale of an image. In an empty one Python has it from 3.7 on (PEP 538).
pub(super) fn serves_utf_8(locale: &str, python: (u16, u16)) -> bool {
    is_there(locale) || (locale.is_empty() && python >= (3, 7))
}

/// Whether an application may have UTF-8 where mod_wsgi-express is given this locale: images may have more of them than the base image.
fn may_serve_utf_8(locale: &str, python: (u16, u16)) -> bool {
    let name = locale.to_lowercase();
    serves_utf_8(locale, python) || is_bare(locale) || ["utf-8", "utf8"].iter().any(|codeset| name.ends_with(codeset))
}

/// Whether a locale has no language; mod_wsgi-express takes one in UTF-8 in its place.
fn is_bare(locale: &str) -> bool {
    ["c", "posix"].iter().any(|name| locale.eq_ignore_ascii_case(name))
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
            ("wsgi.py --locale C", "wsgi.py", None),
            ("wsgi.py --locale posix", "wsgi.py", None),
            ("wsgi.py --locale de_DE", "wsgi.py", Some("de_DE")),
            ("wsgi.py --locale de_DE.utf8", "wsgi.py", None),
            ("wsgi.py --locale de_DE", "wsgi.py --locale de_DE", None),
        ] {
            let (line, cmd) = (words(line), words(cmd));
            let served = Served { options: Options(&line), command: Options(&cmd) };
            assert_eq!(served.narrow_locale((3, 11)), narrow, "{line:?}");
        }
    }

    #[test]
    fn an_empty_locale_is_narrow_in_python_2() {
        let (line, cmd) = (["--locale".to_owned(), String::new()], []);
        let served = Served { options: Options(&line), command: Options(&cmd) };
        assert_eq!(served.narrow_locale((2, 7)), Some(""));
        assert_eq!(served.narrow_locale((3, 11)), None);
    }

    /// Seen in images: the variants of the repository, and a start step without `--locale`.
    #[test]
    fn the_locale_is_the_one_that_was_seen_in_images() {
        let locale = |line: &str, variables: &[(&str, &str)], python| {
            let (line, cmd) = (words(line), words("wsgi.py"));
            let set = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            Served { options: Options(&line), command: Options(&cmd) }.locale(&set, python).to_owned()
        };
        for (variables, in_2_7, in_3_11, in_3_13) in [
            (&[][..], "C.UTF-8", "en_US.UTF-8", "C.UTF-8"),
            (&[("LANG", "")], "C.UTF-8", "en_US.UTF-8", "C.UTF-8"),
            (&[("LANG", "C.UTF-8")], "en_US.UTF-8", "en_US.UTF-8", "C.UTF-8"),
            (&[("LANG", "C.utf8")], "en_US.UTF-8", "en_US.UTF-8", "C.UTF-8"),
            (&[("LANG", "xx_XX.UTF-8")], "xx_XX.UTF-8", "en_US.UTF-8", "C.UTF-8"),
            (&[("LANG", "x"), ("LC_ALL", "C")], "C.UTF-8", "C.UTF-8", "C.UTF-8"),
        ] {
            let got = [(2, 7), (3, 11), (3, 13)].map(|python| locale("wsgi.py", variables, python));
            assert_eq!(got, [in_2_7, in_3_11, in_3_13], "{variables:?}");
        }
        assert_eq!(locale("wsgi.py --lang c", &[("LANG", "a")], (3, 11)), "C.UTF-8");
        assert_eq!(locale("wsgi.py --lang c --locale d", &[("LANG", "a")], (3, 11)), "d");
    }
}
