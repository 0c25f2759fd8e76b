//! Text without the escape sequences of terminals (ECMA-48).

use console::strip_ansi_codes;

/// What ends a string, in one character.
const END: char = '\u{9c}';
/// What ends a string of the system's, too.
const BELL: char = '\u{7}';

/// A line without escape sequences, and without the strings that a terminal does not show. A string that has no end in its line hides
/// nothing: only its beginning is taken away.
pub(super) fn without_escapes(line: &str) -> String {
    let (end, bell) = (last_end(line), line.rfind(BELL));
    let mut shown = String::with_capacity(line.len());
    let mut begin = 0;
    let mut at = 0;
    while let Some(found) = line[at..].find(is_control) {
        at += found;
        let Some(string) = beginning(&line[at..]) else {
            at += line[at..].chars().next().map_or(1, char::len_utf8);
            continue;
        };
        // What stands before and behind is taken by itself: nothing that is left may become a sequence.
        shown.push_str(&strip_ansi_codes(&line[begin..at]));
        at += string.length;
        let ends = end >= Some(at) || (string.is_of_system && bell >= Some(at));
        if ends {
            at += length(&line[at..], string.is_of_system);
        }
        begin = at;
    }
    shown.push_str(&strip_ansi_codes(&line[begin..]));
    shown
}

fn is_control(character: char) -> bool {
    character == '\u{1b}' || ('\u{80}'..='\u{9f}').contains(&character)
}

/// How a string begins.
struct Beginning {
    /// In bytes.
    length: usize,
    /// Whether it is one of the operating system's (OSC), such as a title or a link.
    is_of_system: bool,
}

/// The string that begins here, if one does: of the device (DCS), of the system (OSC), or another (SOS, PM, APC).
fn beginning(text: &str) -> Option<Beginning> {
    let mut characters = text.chars();
    let (first, second) = (characters.next()?, characters.next());
    let is_of_system = first == '\u{9d}' || second == Some(']');
    match (first, second) {
        ('\u{1b}', Some('P' | 'X' | ']' | '^' | '_')) => Some(Beginning { length: 2, is_of_system }),
        ('\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}', _) => {
            Some(Beginning { length: first.len_utf8(), is_of_system: first == '\u{9d}' })
        }
        _ => None,
    }
}

/// Where the last end of a string is.
fn last_end(text: &str) -> Option<usize> {
    text.rfind("\u{1b}\\").max(text.rfind(END))
}

/// How long a string is with its end, which it has.
fn length(text: &str, is_of_system: bool) -> usize {
    let mut before = None;
    for (index, character) in text.char_indices() {
        let ends = character == END || (is_of_system && character == BELL);
        if ends || (before == Some('\u{1b}') && character == '\\') {
            return index + character.len_utf8();
        }
        before = Some(character);
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_go_and_text_stays() {
        for (line, expected) in [
            ("plain é", "plain é"),
            ("\u{1b}[91mr\u{1b}[0med", "red"),
            ("\u{1b}]0;title\u{7}x", "x"),
            ("\u{1b}]8;;address\u{1b}\\link", "link"),
        ] {
            assert_eq!(without_escapes(line), expected);
        }
    }

    #[test]
    fn a_string_without_an_end_hides_nothing() {
        let beginnings = "PX]^_".chars().map(|second| format!("\u{1b}{second}"));
        let short = "\u{90}\u{98}\u{9d}\u{9e}\u{9f}".chars().map(String::from);
        for beginning in beginnings.chain(short) {
            let line = format!("a{beginning}Traceback (most recent call last):");
            assert_eq!(without_escapes(&line), "aTraceback (most recent call last):", "{beginning:?}");
            let line = format!("\u{1b}]0;title\u{7}{beginning}Traceback");
            assert_eq!(without_escapes(&line), "Traceback", "{beginning:?}");
            assert_eq!(without_escapes(&format!("a{beginning}b\u{1b}\\c")), "ac", "{beginning:?}");
        }
        // A bell ends no string of the device's.
        assert_eq!(without_escapes("\u{1b}PTraceback\u{7}"), "Traceback\u{7}");
        // What is left does not become another beginning.
        assert!(without_escapes("\u{1b}\u{1b}]]Traceback").ends_with("Traceback"));
    }

    /// It would not end if each beginning were looked for to the end of the line.
    #[test]
    fn many_beginnings_take_no_longer() {
        for piece in ["\u{1b}]", "\u{1b}", "\u{90}", "\u{1b}[1;", "\u{1b}]\u{7}", "\u{1b}P\u{7}"] {
            assert!(without_escapes(&piece.repeat(500_000)).len() < 2_000_000);
        }
    }
}
