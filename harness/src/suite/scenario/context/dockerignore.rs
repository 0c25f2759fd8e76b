//! `.dockerignore`: which files of the application folder stay out of the build context.
//!
//! Leaving them out is the client's work, not the engine's, so a suite that ignored the file would test another context
//! than the one that the application's author builds. The rules are those of Docker's reference and of its matcher's
//! published tests. They are not gitignore's: a pattern without a slash matches at the top only, `**` matches any number
//! of folders, and the last pattern that matches decides.

use std::iter::Peekable;
use std::str::Chars;

use regex::Regex;

/// The name of the file, at the top of the application folder.
pub(super) const FILE: &str = ".dockerignore";

/// A pattern that is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: the pattern `{pattern}` is not valid")]
pub(crate) struct PatternError {
    /// The line, counted from 1.
    pub line: usize,
    pub pattern: String,
}

/// The patterns of a file, in order.
#[derive(Debug, Default)]
pub(super) struct Ignore(Vec<Pattern>);

#[derive(Debug)]
struct Pattern {
    /// Whether it brings back what an earlier one left out.
    exception: bool,
    regex: Regex,
}

/// Whether a path is left out, and what a folder's entries must know of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Matched {
    /// Whether the path is left out.
    pub(super) ignored: bool,
    /// Which patterns matched; they match everything below, too.
    patterns: Vec<bool>,
}

impl Ignore {
    /// Reads the text of a `.dockerignore`.
    ///
    /// # Errors
    /// The first pattern that is not valid.
    pub(super) fn parse(text: &str) -> Result<Self, PatternError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut patterns = Vec::new();
        for (index, line) in text.lines().enumerate() {
            // A comment begins in the first column; `#` elsewhere is a name.
            let trimmed = line.trim();
            if line.starts_with('#') || trimmed.is_empty() {
                continue;
            }
            let (exception, pattern) = match trimmed.strip_prefix('!') {
                Some(rest) => (true, rest.trim()),
                None => (false, trimmed),
            };
            let regex = (!pattern.is_empty()).then(|| translate(&clean(pattern))).flatten();
            let Some(regex) = regex else {
                return Err(PatternError { line: index + 1, pattern: trimmed.to_owned() });
            };
            patterns.push(Pattern { exception, regex });
        }
        Ok(Self(patterns))
    }

    /// Whether anything left out may come back, so that a folder left out must be looked into.
    pub(super) fn has_exceptions(&self) -> bool {
        self.0.iter().any(|pattern| pattern.exception)
    }

    /// Whether `path`, relative and with slashes, is left out. `parent` is what came of its folder;
    /// [`Matched::default`] at the top.
    pub(super) fn matches(&self, path: &str, parent: &Matched) -> Matched {
        let mut result = Matched { ignored: false, patterns: vec![false; self.0.len()] };
        for (index, pattern) in self.0.iter().enumerate() {
            let by_parent = parent.patterns.get(index).copied().unwrap_or_default();
            // A pattern that could change nothing is not asked; Docker relies on that below folders.
            if by_parent || (pattern.exception == result.ignored && pattern.regex.is_match(path)) {
                result.patterns[index] = true;
                result.ignored = !pattern.exception;
            }
        }
        result
    }
}

/// The shortest path that means the same, without a slash at either end.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if !path.starts_with('/') && parts.last().is_none_or(|last| *last == "..") => parts.push(part),
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

/// The pattern as a regular expression, or `None` if it is not valid.
fn translate(pattern: &str) -> Option<Regex> {
    let mut regex = String::from("(?s)^");
    let mut rest = pattern.chars().peekable();
    // `**name` matches every path that ends in `name`, but only when nothing else in it is special.
    if let Some(suffix) = pattern.strip_prefix("**")
        && !suffix.starts_with('/')
        && !suffix.contains(['*', '?', '[', ']', '\\'])
    {
        return Regex::new(&format!("(?s){}$", regex::escape(suffix))).ok();
    }
    while let Some(character) = rest.next() {
        match character {
            '*' if rest.next_if_eq(&'*').is_some() => {
                rest.next_if_eq(&'/');
                regex.push_str(if rest.peek().is_none() { ".*" } else { "(?:.*/)?" });
            }
            '*' => regex.push_str("[^/]*"),
            '?' => regex.push_str("[^/]"),
            '[' => class(&mut rest, &mut regex)?,
            '\\' => literal(rest.next()?, &mut regex),
            other => literal(other, &mut regex),
        }
    }
    regex.push('$');
    Regex::new(&regex).ok()
}

/// The rest of `[a-z]` or `[^a-z]`; at least one character, and no bare hyphen.
fn class(rest: &mut Peekable<Chars<'_>>, regex: &mut String) -> Option<()> {
    regex.push('[');
    if rest.next_if_eq(&'^').is_some() {
        regex.push('^');
    }
    loop {
        literal(class_character(rest)?, regex);
        if rest.next_if_eq(&'-').is_some() {
            regex.push('-');
            literal(class_character(rest)?, regex);
        }
        if rest.next_if_eq(&']').is_some() {
            regex.push(']');
            return Some(());
        }
    }
}

fn class_character(rest: &mut Peekable<Chars<'_>>) -> Option<char> {
    match rest.next()? {
        '-' | ']' => None,
        '\\' => rest.next(),
        other => Some(other),
    }
}

fn literal(character: char, regex: &mut String) {
    regex.push_str(&regex::escape(character.encode_utf8(&mut [0; 4])));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn ignored(patterns: &str, path: &str) -> bool {
        let ignore = Ignore::parse(patterns).unwrap();
        let mut matched = Matched::default();
        for end in path.match_indices('/').map(|(index, _)| index).chain([path.len()]) {
            matched = ignore.matches(&path[..end], &matched);
        }
        matched.ignored
    }

    /// The cases that Docker's matcher is tested with.
    #[test]
    fn patterns_match_as_published() {
        let wheel = "dist/proxy.py-2.4.0rc3.dev36+g08acad9-py3-none-any.whl";
        let cases = [
            ("**", "file", true),
            ("**/", "file", true),
            ("**", "dir/file", true),
            ("**/**", "dir/file", true),
            ("dir/**", "dir/file", true),
            ("dir/**", "dir/dir2/file", true),
            ("**/dir", "dir", true),
            ("**/dir", "dir/file", true),
            ("**/dir2/*", "dir/dir2/file", true),
            ("**/dir2/**", "dir/dir2/dir3/file", true),
            ("**file", "file", true),
            ("**file", "dir/dir/file", true),
            ("**file", "dir/a-file", true),
            ("**/file", "dir/a-file", false),
            ("**/file*", "dir/dir/file.txt", true),
            ("**/file*txt", "dir/dir/file.txt", true),
            ("**/file*.txt*", "dir/dir/file.txt", true),
            ("**/**/*.txt", "dir/dir/file.txt", true),
            ("**/**/*.txt2", "dir/dir/file.txt", false),
            ("**/*.txt", "file.txt", true),
            ("a**/*.txt", "a/file.txt", true),
            ("a**/*.txt", "a/dir/dir/file.txt", true),
            ("a/*.txt", "a/dir/file.txt", false),
            ("a/*.txt", "a/file.txt", true),
            ("a/*.txt**", "a/file.txt", true),
            ("a[b-d]e", "ae", false),
            ("a[b-d]e", "ace", true),
            ("a[b-d]e", "aae", false),
            ("a[^b-d]e", "aze", true),
            (".*", ".foo", true),
            (".*", "foo", false),
            ("abc.def", "abcZdef", false),
            ("abc?def", "abcZdef", true),
            ("abc?def", "abcdef", false),
            ("abc/**", "abc", false),
            ("abc/**", "abc/def/ghi", true),
            ("**/.foo", ".foo", true),
            ("**/.foo", "bar.foo", false),
            ("a(b)c/def", "a(b)c/def", true),
            ("a.|)$(}+{bc", "a.|)$(}+{bc", true),
            ("dist/*.whl", wheel, true),
            ("a\\*b", "a*b", true),
            ("a\\*b", "ab", false),
            ("a*", "ab/c", true),
            ("a*/b", "a/c/b", false),
            ("a?b", "a☺b", true),
            ("a???b", "a☺b", false),
            ("a?b", "a/b", false),
            ("[a-ζ]*", "α", true),
            ("[\\]a]", "]", true),
            ("[\\-x]", "-", true),
            ("[\\-x]", "a", false),
            ("[a&&b]", "&", true),
        ];
        for (pattern, path, expected) in cases {
            assert_eq!(ignored(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn the_last_pattern_that_matches_decides() {
        let cases = [
            ("!file.go\n*.go", "file.go", true),
            ("*.go\n!file.go", "file.go", false),
            ("docs\n!docs/README.md", "docs/README.md", false),
            ("docs/\n!docs/README.md", "docs/other.md", true),
            ("docs/*\n!docs/README.md", "docs/README.md", false),
            ("**\n!util/docker/web", "util/docker/web/foo", false),
            ("**\n!util/docker/web\nutil/docker/web/foo", "util/docker/web/foo", true),
            ("**\n!dist/*.whl", "dist/a+b.whl", false),
        ];
        for (patterns, path, expected) in cases {
            assert_eq!(ignored(patterns, path), expected, "{patterns} {path}");
        }
    }

    #[test]
    fn lines_are_read_as_documented() {
        assert!(ignored("\u{feff}a", "a"));
        assert!(!ignored("# a\n#a", "a"));
        assert!(ignored(" #a", "#a"));
        assert!(ignored("  a  \r\n\r\n", "a"));
        assert!(ignored("/a/b", "a/b"));
        assert!(ignored("./a//c/../b/", "a/b"));
        assert!(!ignored("a\n! /a", "a"));
        assert!(!ignored("b", "a/b"));
        assert!(!ignored("", "a"));
        assert!(!ignored(".\n/", "a"));
    }

    #[test]
    fn bad_patterns_are_errors_with_their_line() {
        for pattern in ["[", "[^bc", "a[", "[]a]", "[-]", "[x-]", "[a-b-c]", "[z-a]", "\\", "!"] {
            let error = Ignore::parse(&format!("fine\n{pattern}\n")).unwrap_err();
            assert_eq!(error, PatternError { line: 2, pattern: pattern.to_owned() });
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

        #[test]
        fn no_pattern_and_no_path_is_too_much(text in r"[ -~!*?\[\]\\/\n\u{e4}]{0,40}", path in r"[a-z./*]{0,20}") {
            if let Ok(ignore) = Ignore::parse(&text) {
                ignore.matches(&path, &Matched::default());
            }
        }
    }
}
