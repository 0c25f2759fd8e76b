//! The words of findings: evidence made safe to show, short, and easy to compare.

use regex::Regex;

use crate::outcome::redacted;
use crate::suite::scenario::as_typed;

/// How much of a line, value or body a finding shows, in characters.
const EXCERPT: usize = 600;
/// How much of a text is looked at to show its beginning, in characters: a candidate chooses how long it is.
const READ: usize = 64 << 10;
/// How many of several things are named.
const SHOWN: usize = 20;

/// The text with everything escaped that could move a cursor, ring a bell or turn the direction of writing; new lines
/// stay.
///
/// What a build or a container writes is not trusted: a finding goes to a terminal.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.replace("\r\n", "\n").chars() {
        if character == '\n' || !(character.is_control() || is_invisible(character)) {
            shown.push(character);
        } else {
            shown.extend(character.escape_default());
        }
    }
    shown
}

/// Whether a character shows nothing, and changes how others are shown or read: marks of direction, joiners, tags, and code points
/// that are no characters.
fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
        || matches!(u32::from(character) & 0xffff, 0xfffe | 0xffff)
}

/// The printable text, cut to a length that a person reads; what was left out is said.
pub(crate) fn excerpt(text: &str) -> String {
    // Before it is cut: half a URL would not be known for one.
    let text = text.trim_end();
    let (read, unread) = text.split_at(text.char_indices().nth(READ).map_or(text.len(), |(end, _)| end));
    let read = redacted(read);
    let kept: String = read.chars().take(EXCERPT).collect();
    let rest = read[kept.len()..].chars().count() + unread.chars().count();
    if rest > 0 { format!("{}… ({rest} more characters)", printable(&kept)) } else { printable(&kept) }
}

/// A text that is made of parts which are cut already, cut nevertheless: there may be many of them.
pub(crate) fn bounded(mut text: String, most: usize) -> String {
    if text.len() > most {
        let whole = (0..=most).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(whole.unwrap_or(0));
        text.push('…');
    }
    text
}

/// A value in quotes.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", excerpt(text))
}

/// A pattern between slashes.
pub(crate) fn pattern(regex: &Regex) -> String {
    format!("/{}/", printable(as_typed(regex)))
}

/// A list as the scenario file would write it.
pub(crate) fn list(items: &[String]) -> String {
    format!("[{}]", few(items.iter().map(|item| quoted(item))))
}

/// The first of many things, and how many there are beside.
pub(crate) fn first_of(items: &[impl ToString]) -> String {
    few(items.iter().map(|item| excerpt(&item.to_string())))
}

/// The first of many things, and how many there are beside.
fn few(items: impl ExactSizeIterator<Item = String>) -> String {
    let more = items.len().saturating_sub(SHOWN);
    let mut shown: Vec<String> = items.take(SHOWN).collect();
    if more > 0 {
        shown.push(format!("and {more} more"));
    }
    shown.join(", ")
}

/// What was expected of a list and what came, where that is another one.
pub(crate) fn other_list(expected: &[String], got: &[String]) -> Option<(String, String)> {
    (expected != got).then(|| (list(expected), format!("{} ({})", list(got), difference(expected, got))))
}

/// How `got` differs from `expected`, as the end of a sentence.
fn difference(expected: &[String], got: &[String]) -> String {
    let missing = without(expected, got);
    let unexpected = without(got, expected);
    let mut parts = Vec::new();
    if !missing.is_empty() {
        parts.push(format!("missing {}", few(missing.iter().map(|item| quoted(item)))));
    }
    if !unexpected.is_empty() {
        parts.push(format!("unexpected {}", few(unexpected.iter().map(|item| quoted(item)))));
    }
    if parts.is_empty() { "the same entries in another order".to_owned() } else { parts.join("; ") }
}

/// The entries of `items` that `other` lacks, each as often as it lacks it.
fn without<'a>(items: &'a [String], other: &[String]) -> Vec<&'a String> {
    let mut rest: Vec<&String> = other.iter().collect();
    let lacking = items.iter().filter(|item| match rest.iter().position(|kept| kept == item) {
        Some(index) => {
            rest.swap_remove(index);
            false
        }
        None => true,
    });
    lacking.collect()
}

/// The last lines of a text, printable, each on a line of its own.
pub(crate) fn tail(lines: &[String], count: usize) -> String {
    let shown: Vec<_> = lines.iter().skip(lines.len().saturating_sub(count)).map(|line| excerpt(line)).collect();
    shown.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(items: &[&str]) -> Vec<String> {
        items.iter().map(|item| (*item).to_owned()).collect()
    }

    #[test]
    fn escapes_what_acts_on_a_terminal() {
        assert_eq!(printable("a\x1b[2Jb\x07\r\nc\t\u{9b}\u{202e}d é"), "a\\u{1b}[2Jb\\u{7}\nc\\t\\u{9b}\\u{202e}d é");
        assert_eq!(printable("\u{ffff}\u{61c}\u{e0041}\u{fffb}"), "\\u{ffff}\\u{61c}\\u{e0041}\\u{fffb}");
    }

    #[test]
    fn a_secret_is_redacted_before_the_text_is_cut() {
        let text = format!("{} https://me:{}@host/", "x".repeat(EXCERPT - 20), "secret".repeat(9));
        assert!(!excerpt(&text).contains("secret"), "{}", excerpt(&text));
    }

    #[test]
    fn cuts_long_text_and_says_so() {
        let shown = excerpt(&"é".repeat(EXCERPT + 5));
        assert!(shown.ends_with("é… (5 more characters)"), "{shown}");
    }

    /// A candidate chooses how many things there are, and how long each is.
    #[test]
    fn many_and_long_things_are_cut() {
        let many: Vec<String> = (0..60_000).map(|number| format!("n{number}")).collect();
        assert!(list(&many).ends_with("\"n19\", and 59980 more]"), "{}", list(&many));
        assert!(first_of(&many).ends_with("n19, and 59980 more"));
        assert!(difference(&[], &many).ends_with("\"n19\", and 59980 more"));
        let long = "n".repeat(15_000_000);
        assert_eq!(excerpt(&long), format!("{}… (14999400 more characters)", "n".repeat(EXCERPT)));
        assert_eq!(bounded("aéb".to_owned(), 2), "a…");
        assert_eq!(bounded("aé".to_owned(), 3), "aé");
    }

    #[test]
    fn names_the_difference_of_lists() {
        assert_eq!(difference(&strings(&["a", "b"]), &strings(&["b", "c"])), "missing \"a\"; unexpected \"c\"");
        assert_eq!(difference(&strings(&["a", "b"]), &strings(&["b", "a"])), "the same entries in another order");
        assert_eq!(difference(&strings(&["a", "a"]), &strings(&["a"])), "missing \"a\"");
    }
}
