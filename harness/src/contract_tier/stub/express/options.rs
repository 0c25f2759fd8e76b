//! The options of mod_wsgi-express, as Python's `optparse` takes them: so much of a name is enough as no other begins with.

/// Options of `start-server` without a value; releases 4.9 and 5.0 have the same.
const FLAGS: [&str; 35] = [
    "--access-log",
    "--allow-localhost",
    "--chunked-request",
    "--compress-responses",
    "--debug-mode",
    "--debugger-startup",
    "--directory-listing",
    "--disable-reloading",
    "--embedded-mode",
    "--enable-coverage",
    "--enable-debugger",
    "--enable-docs",
    "--enable-gdb",
    "--enable-profiler",
    "--enable-recorder",
    "--enable-sendfile",
    "--error-override",
    "--help",
    "--http2",
    "--https-only",
    "--log-to-terminal",
    "--orphan-interpreter",
    "--reload-on-changes",
    "--rotate-logs",
    "--server-metrics",
    "--server-status",
    "--setup-only",
    "--ssl-environment",
    "--startup-log",
    "--verbose-debugging",
    "--with-cgi",
    "--with-newrelic",
    "--with-newrelic-agent",
    "--with-newrelic-platform",
    "--with-php5",
];
/// Those with one value.
const WITH_VALUE: [&str; 98] = [
    "--access-log-format",
    "--access-log-name",
    "--allow-override",
    "--application-type",
    "--auth-group",
    "--auth-group-script",
    "--auth-type",
    "--auth-user-script",
    "--body-max-timeout",
    "--body-min-rate",
    "--body-timeout",
    "--callable-object",
    "--connect-timeout",
    "--coverage-directory",
    "--cpu-time-limit",
    "--daemon-backlog",
    "--deadlock-timeout",
    "--directory-index",
    "--document-root",
    "--entry-point",
    "--envvars-script",
    "--error-log-format",
    "--error-log-name",
    "--eviction-timeout",
    "--gdb-executable",
    "--graceful-timeout",
    "--group",
    "--header-buffer-size",
    "--header-max-timeout",
    "--header-min-rate",
    "--header-timeout",
    "--host",
    "--host-access-script",
    "--hsts-policy",
    "--httpd-executable",
    "--https-port",
    "--ignore-activity",
    "--inactivity-timeout",
    "--include-file",
    "--initial-workers",
    "--keep-alive-timeout",
    "--lang",
    "--limit-request-body",
    "--locale",
    "--log-directory",
    "--log-level",
    "--map-head-to-get",
    "--max-clients",
    "--max-log-size",
    "--maximum-requests",
    "--maximum-spare-workers",
    "--mime-types",
    "--minimum-spare-workers",
    "--modules-directory",
    "--mount-point",
    "--newrelic-config-file",
    "--newrelic-environment",
    "--passenv",
    "--pid-file",
    "--port",
    "--process-name",
    "--processes",
    "--profiler-directory",
    "--python-eggs",
    "--python-path",
    "--queue-timeout",
    "--receive-buffer-size",
    "--recorder-directory",
    "--request-timeout",
    "--response-buffer-size",
    "--response-socket-timeout",
    "--restart-interval",
    "--rewrite-rules",
    "--rotatelogs-executable",
    "--send-buffer-size",
    "--server-alias",
    "--server-backlog",
    "--server-mpm",
    "--server-name",
    "--server-root",
    "--shell-executable",
    "--shutdown-timeout",
    "--socket-prefix",
    "--socket-timeout",
    "--ssl-ca-certificate-file",
    "--ssl-certificate",
    "--ssl-certificate-chain-file",
    "--ssl-certificate-file",
    "--ssl-certificate-key-file",
    "--ssl-port",
    "--ssl-verify-client",
    "--startup-log-name",
    "--startup-timeout",
    "--threads",
    "--trust-proxy",
    "--trust-proxy-header",
    "--user",
    "--working-directory",
];
/// Those with two values.
const WITH_TWO: [&str; 11] = [
    "--add-handler",
    "--error-document",
    "--proxy-mount-point",
    "--proxy-url-alias",
    "--proxy-virtual-host",
    "--service-group",
    "--service-log-file",
    "--service-script",
    "--service-user",
    "--setenv",
    "--url-alias",
];

/// Options of a command line.
#[derive(Clone, Copy)]
pub(in crate::contract_tier) struct Options<'a>(pub(in crate::contract_tier) &'a [String]);

impl<'a> Options<'a> {
    /// The words before `--`. What follows it are arguments, whatever they look like.
    pub(in crate::contract_tier) fn before_end(&self) -> &'a [String] {
        let mut next = 0;
        while let Some(word) = self.0.get(next) {
            if word == "--" {
                return &self.0[..next];
            }
            next += 1 + named(word).map_or(0, |(known, got)| values(known).saturating_sub(got));
        }
        self.0
    }

    pub(in crate::contract_tier) fn given(&self, name: &str) -> bool {
        self.before_end().iter().any(|argument| is(argument, name))
    }

    /// The value of an option: the last one, which counts.
    pub(in crate::contract_tier) fn value(&self, name: &str) -> Option<&'a str> {
        let words = self.before_end();
        let values = words.iter().enumerate().filter_map(|(index, argument)| match argument.split_once('=') {
            Some((word, value)) if is(word, name) => Some(value),
            None if is(argument, name) => words.get(index + 1).map(String::as_str),
            _ => None,
        });
        values.fold(None, |_, value| Some(value))
    }

    /// What is wrong with a command line of `start-server`, in optparse's words.
    pub(super) fn refused(&self) -> Option<String> {
        let mut words = self.before_end().iter().map(String::as_str);
        while let Some(word) = words.next() {
            if word.len() > 1 && word.starts_with('-') && !word.starts_with("--") {
                if !word.starts_with("-h") {
                    return Some(format!("no such option: {}", word.chars().take(2).collect::<String>()));
                }
            } else if word.starts_with("--") {
                let Some((known, got)) = named(word) else {
                    let name = word.split('=').next().unwrap_or_default();
                    return Some(format!("no such option, or not one alone: {name}"));
                };
                let needed = values(known);
                if got > needed {
                    return Some(format!("{known} option does not take a value"));
                }
                if words.by_ref().take(needed - got).count() < needed - got {
                    return Some(format!("{known} option requires {needed} arguments"));
                }
            }
        }
        None
    }
}

/// The option that a word names, and how many of its values the word itself has.
fn named(word: &str) -> Option<(&'static str, usize)> {
    let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
    all().find(|known| is(name, known)).map(|known| (known, usize::from(value.is_some())))
}

/// How many values an option takes.
fn values(known: &str) -> usize {
    usize::from(WITH_VALUE.contains(&known)) + 2 * usize::from(WITH_TWO.contains(&known))
}

/// Whether a word is an option, or so much of it as no other begins with.
fn is(word: &str, name: &str) -> bool {
    let begins = |known: &&str| known.starts_with(word);
    word == name || (word.len() > 2 && name.starts_with(word) && all().filter(|known| begins(known)).count() == 1)
}

fn all() -> impl Iterator<Item = &'static str> {
    FLAGS.into_iter().chain(WITH_VALUE).chain(WITH_TWO)
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
    fn after_two_hyphens_there_are_arguments() {
        let line = words("--port 80 --lang -- --url-alias /a b -- --port 8000 -- wsgi.py");
        let options = Options(&line);
        assert_eq!(options.value("--port"), Some("80"));
        assert_eq!(options.before_end().len(), 7);
        assert!(!Options(&words("x -- --access-log")).given("--access-log"));
    }

    #[test]
    fn what_optparse_refuses_is_refused() {
        for (line, refused) in [
            ("--port 80 --setenv A --b wsgi.py --access-log", false),
            ("--port=80 --log-to-term -- --what", false),
            ("wsgi.py - --minimum-spare 1", false),
            ("--access-logs", true),
            ("--acc", true),
            ("--isatty", true),
            ("--access-log=yes", true),
            ("--setenv=A", true),
            ("--port", true),
            ("-c 1", true),
        ] {
            assert_eq!(Options(&words(line)).refused().is_some(), refused, "{line}");
        }
    }
}
