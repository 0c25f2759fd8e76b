//! The options of mod_wsgi-express, as Python's `optparse` takes them: so much of a name is enough as no other begins with.

/// Names that begin as those do that are looked at.
const KNOWN: [&str; 38] = [
    "--access-log",
    "--access-log-format",
    "--access-log-name",
    "--graceful-timeout",
    "--group",
    "--host",
    "--host-access-script",
    "--hsts-policy",
    "--http2",
    "--httpd-executable",
    "--https-only",
    "--https-port",
    "--lang",
    "--limit-request-body",
    "--locale",
    "--log-directory",
    "--log-level",
    "--log-to-terminal",
    "--map-head-to-get",
    "--max-clients",
    "--max-log-size",
    "--maximum-requests",
    "--maximum-spare-workers",
    "--mime-types",
    "--minimum-spare-workers",
    "--modules-directory",
    "--mount-point",
    "--pid-file",
    "--port",
    "--process-name",
    "--processes",
    "--proxy-mount-point",
    "--python-path",
    "--url-alias",
    "--user",
    "--with-cgi",
    "--with-php5",
    "--working-directory",
];
/// Beginnings of addresses that nobody outside of a container reaches.
const LOOPBACK: [&str; 4] = ["127.", "localhost", "::1", "[::1]"];

/// Options of a command line.
pub(super) struct Options<'a>(pub(super) &'a [String]);

impl Options<'_> {
    pub(super) fn given(&self, name: &str) -> bool {
        self.0.iter().any(|argument| is(argument, name))
    }

    /// The value of an option: the last one, which counts.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let values = self.0.iter().enumerate().filter_map(|(index, argument)| match argument.split_once('=') {
            Some((word, value)) if is(word, name) => Some(value),
            None if is(argument, name) => self.0.get(index + 1).map(String::as_str),
            _ => None,
        });
        values.fold(None, |_, value| Some(value))
    }

    /// The option because of which nobody reaches the application at the root of the port, unless CMD has it.
    pub(super) fn unreached(&self, command: &Self) -> Option<String> {
        let own = |name| if command.value(name).is_none() { self.value(name) } else { None };
        let host = own("--host").filter(|host| LOOPBACK.iter().any(|begin| host.starts_with(begin)));
        let mount = own("--mount-point").filter(|path| !path.trim_matches('/').is_empty());
        let https = self.given("--https-only") && !command.given("--https-only");
        let host = host.map(|host| format!("port 80 of {host} alone (--host)"));
        host.or_else(|| mount.map(|path| format!("the application below {path} (--mount-point)")))
            .or_else(|| https.then(|| "HTTPS alone (--https-only)".to_owned()))
    }
}

/// Whether a word is an option, or so much of it as no other begins with.
fn is(word: &str, name: &str) -> bool {
    let begins = |known: &&str| known.starts_with(word);
    word == name
        || (word.len() > 2
            && name.starts_with(word)
            && KNOWN.iter().copied().filter(|known| begins(known)).count() == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn options_in_full_and_abbreviated() {
        let line = words("--log-to-term --access-log-name x --por=80 --locale C --loc de --user a --us");
        let options = Options(&line);
        assert!(options.given("--log-to-terminal") && !options.given("--access-log"));
        assert_eq!((options.value("--port"), options.value("--locale")), (Some("80"), Some("de")));
        assert!(!Options(&words("--log wsgi.py")).given("--log-to-terminal"));
        assert!(!Options(&words("--")).given("--port"));
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
        ] {
            let (line, cmd) = (words(line), words(cmd));
            assert_eq!(Options(&line).unreached(&Options(&cmd)).is_none(), reached, "{line:?}");
        }
    }
}
