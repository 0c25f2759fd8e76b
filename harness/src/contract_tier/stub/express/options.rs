//! The options of mod_wsgi-express, as Python's `optparse` takes them: so much of a name is enough as no other begins with.

/// Names that begin as those do that are looked at.
const KNOWN: [&str; 63] = [
    "--access-log",
    "--access-log-format",
    "--access-log-name",
    "--allow-localhost",
    "--apachectl-executable",
    "--application-type",
    "--auth-group-script",
    "--auth-type",
    "--auth-user-script",
    "--callable-object",
    "--chunked-request",
    "--deadlock-timeout",
    "--debug-mode",
    "--debugger-startup",
    "--enable-debugger",
    "--entry-point",
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
    "--server-alias",
    "--server-metrics",
    "--server-mpm",
    "--server-name",
    "--server-root",
    "--server-status",
    "--service-script",
    "--setenv",
    "--setup-only",
    "--threads",
    "--trust-proxy",
    "--trust-proxy-header",
    "--url-alias",
    "--user",
    "--with-cgi",
    "--with-php5",
    "--working-directory",
];

/// Options of a command line.
#[derive(Clone, Copy)]
pub(in crate::contract_tier) struct Options<'a>(pub(in crate::contract_tier) &'a [String]);

impl Options<'_> {
    pub(in crate::contract_tier) fn given(&self, name: &str) -> bool {
        self.0.iter().any(|argument| is(argument, name))
    }

    /// The value of an option: the last one, which counts.
    pub(in crate::contract_tier) fn value(&self, name: &str) -> Option<&str> {
        let values = self.0.iter().enumerate().filter_map(|(index, argument)| match argument.split_once('=') {
            Some((word, value)) if is(word, name) => Some(value),
            None if is(argument, name) => self.0.get(index + 1).map(String::as_str),
            _ => None,
        });
        values.fold(None, |_, value| Some(value))
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
}
