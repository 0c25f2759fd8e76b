//! Secrets in texts: whatever leaves the program is redacted here, and nowhere else.
//!
//! What is taken for a secret: the user in a URL, the values of parameters that are named as tokens or signatures are, and all that
//! stands as a user or password in a URL of this program's environment (an index, a proxy, an engine), wherever it turns up.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use percent_encoding::percent_decode_str;
use regex::Regex;

/// What stands in the place of a secret.
const REDACTED: &str = "***";
/// Users that everybody has, such as in `ssh://git@host`.
const PUBLIC: [&str; 2] = ["git", "hg"];
/// A shorter secret of the environment is only redacted in its URL: elsewhere it would be part of common words.
const SHORTEST: usize = 5;

/// The user in a URL, up to the last `@` before the path.
static USER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?i)([a-z][a-z0-9+.-]*://)([^/?#\s"<>`\\]*)@"#).ok());
/// A parameter of a URL that is named as secrets are.
static PARAMETER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let named = r"[a-z0-9_.~-]*(?:token|secret|passw|passphrase|signature|credential|auth|api[-_]?key|access[-_]?key)[a-z0-9_.~-]*|sig|key|pass|pwd|jwt";
    Regex::new(&format!(r#"(?i)([?&;#](?:{named})=)[^&;#\s"'<>`\\)\]]+"#)).ok()
});
/// The secrets of the environment.
static KNOWN: LazyLock<Vec<String>> =
    LazyLock::new(|| known(std::env::vars_os().map(|(name, value)| (lossy(&name), lossy(&value)))));

fn lossy(text: &std::ffi::OsStr) -> String {
    text.to_string_lossy().into_owned()
}

/// The text without secrets.
pub(crate) fn redacted(text: &str) -> Cow<'_, str> {
    redacted_with(text, &KNOWN)
}

fn redacted_with<'a>(text: &'a str, known: &[String]) -> Cow<'a, str> {
    let mut text = Cow::Borrowed(text);
    if text.contains("://")
        && let Some(pattern) = &*USER
    {
        let replaced = pattern.replace_all(&text, |found: &regex::Captures<'_>| {
            let user = if PUBLIC.contains(&&found[2]) { &found[2] } else { REDACTED };
            format!("{}{user}@", &found[1])
        });
        text = Cow::Owned(replaced.into_owned());
    }
    if text.contains('=')
        && let Some(pattern) = &*PARAMETER
    {
        text = Cow::Owned(pattern.replace_all(&text, format!("${{1}}{REDACTED}")).into_owned());
    }
    for secret in known {
        if text.contains(secret.as_str()) {
            text = Cow::Owned(text.replace(secret.as_str(), REDACTED));
        }
    }
    text
}

/// The users and passwords in the URLs of an environment, as they stand there and decoded; the longest first.
fn known(environment: impl Iterator<Item = (String, String)>) -> Vec<String> {
    let mut found = BTreeSet::new();
    for (name, value) in environment {
        let is_proxy = name.to_ascii_lowercase().ends_with("_proxy");
        // A variable can list several.
        for url in value.split_whitespace() {
            let rest = match url.split_once("://") {
                Some((_, rest)) => rest,
                None if is_proxy => url,
                None => continue,
            };
            let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
            let Some((user, _)) = authority.rsplit_once('@') else { continue };
            let secret = user.split_once(':').map_or(user, |(_, password)| password);
            found.insert(secret.to_owned());
            found.insert(percent_decode_str(secret).decode_utf8_lossy().into_owned());
        }
    }
    let mut secrets: Vec<String> = found
        .into_iter()
        .filter(|secret| secret.chars().count() >= SHORTEST && !PUBLIC.contains(&secret.as_str()))
        .collect();
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_and_passwords_of_urls_are_redacted() {
        for (text, shown) in [
            ("https://me:pass@index.test/simple/", "https://***@index.test/simple/"),
            ("https://ghp_token@host/x and ftp://a:b@c", "https://***@host/x and ftp://***@c"),
            ("tcp://me:p@ss@10.0.0.1:2375", "tcp://***@10.0.0.1:2375"),
            ("git+https://me:p%40ss@host/repository@v1", "git+https://***@host/repository@v1"),
            ("HTTPS://ME:PASS@HOST", "HTTPS://***@HOST"),
            ("DOCKER_HOST=ssh://me@host", "DOCKER_HOST=ssh://***@host"),
            ("(https://:secret@host)", "(https://***@host)"),
        ] {
            assert_eq!(redacted_with(text, &[]), shown);
        }
    }

    #[test]
    fn parameters_that_are_named_as_secrets_are_redacted() {
        for (text, shown) in [
            ("http://a/x?token=abc&page=2", "http://a/x?token=***&page=2"),
            ("http://a/x?page=2&X-Amz-Signature=0af/+%2F=#top", "http://a/x?page=2&X-Amz-Signature=***#top"),
            ("http://a/?X-Amz-Credential=AK%2F1&amp;X-Amz-Date=1", "http://a/?X-Amz-Credential=***&amp;X-Amz-Date=1"),
            ("/simple/?access_token=a.b-c\",", "/simple/?access_token=***\","),
            ("http://a/#id_token=e30", "http://a/#id_token=***"),
            ("http://a/?api_key=1;b=2", "http://a/?api_key=***;b=2"),
        ] {
            assert_eq!(redacted_with(text, &[]), shown);
        }
    }

    #[test]
    fn other_texts_stay_as_they_are() {
        for text in [
            "https://host:8080/path@1?q=a&page=2",
            "git+ssh://git@host/repository",
            "mail me@host or see https://host, please@once",
            "PIP_INDEX_URL",
            "a token=b in a sentence",
            "[\"http://a\", \"b@c\"]",
        ] {
            assert_eq!(redacted_with(text, &[]), text);
        }
    }

    #[test]
    fn secrets_of_the_environment_are_redacted_wherever_they_are() {
        let environment = [
            ("PIP_INDEX_URL", "https://me:hunter2%21@index.test/simple"),
            ("PIP_EXTRA_INDEX_URL", "https://only-a-token@a.test https://x:second-secret@b.test"),
            ("http_proxy", "me:proxy-secret@proxy.test:3128"),
            ("DOCKER_HOST", "ssh://git@host"),
            ("SHORT", "http://a:b@c"),
            ("NO_URL", "me:not-a-url@host"),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let known = known(environment.into_iter());
        assert_eq!(known, ["second-secret", "only-a-token", "proxy-secret", "hunter2%21", "hunter2!"]);
        assert_eq!(redacted_with("said hunter2! and proxy-secret", &known), "said *** and ***");
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

        // What is around it has no `Z`, so that it cannot look like the password.
        #[test]
        fn a_password_never_stays(before in r"[ -Y\[-~]{0,20}", user in "[a-z]{0,5}", password in "[A-Za-z0-9:@!$'()*+,;=._~%-]{8,20}", after in r"[ -Y\[-~]{0,20}") {
            let text = format!("{before} https://{user}:Zq{password}@host/{after}");
            let shown = redacted_with(&text, &[]).into_owned();
            proptest::prop_assert!(!shown.contains("Zq"), "{}", shown);
            // What was redacted once is not changed by the next who redacts it.
            proptest::prop_assert_eq!(redacted_with(&shown, &[]).into_owned(), shown);
        }
    }
}
