//! What builders read otherwise than the parser does. The classic builder takes single bytes for white space that are parts of
//! characters, and knows fewer directives: what such a text would fetch cannot be told.

use parse_dockerfile::{Flag, Instruction as Parsed};

/// What of a text builders may read otherwise, and where it stands.
pub(super) fn in_text(text: &str) -> Option<(usize, String)> {
    control(text).or_else(|| directive(text))
}

/// A control character that stands in no honest Dockerfile: some of them end a line, a word or a directive for one reader alone.
fn control(text: &str) -> Option<(usize, String)> {
    let is_one = |(place, character): &(usize, char)| match character {
        '\n' | '\t' => false,
        '\r' => !text[place + 1..].starts_with('\n'),
        _ => character.is_control(),
    };
    let (place, character) = text.char_indices().find(is_one)?;
    Some((place, format!("the control character `{}`", character.escape_debug())))
}

/// An escape directive that is not the first thing, but for a syntax directive: other builders know other directives before it, and
/// some take away white space before a directive.
fn directive(text: &str) -> Option<(usize, String)> {
    let (mut place, mut may_be, mut has_syntax) = (0, true, false);
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim();
        if !trimmed.is_empty() && !trimmed.starts_with('#') {
            return None;
        }
        let is_escape = named(trimmed).is_some_and(|(name, _)| name.eq_ignore_ascii_case("escape"));
        match line.starts_with('#').then(|| named(trimmed)).flatten() {
            Some((name, value)) if may_be && name.eq_ignore_ascii_case("escape") => {
                if !["\\", "`"].contains(&value) {
                    return Some((place, "an escape directive of another value".to_owned()));
                }
                may_be = false;
            }
            Some((name, _)) if may_be && !has_syntax && name.eq_ignore_ascii_case("syntax") => has_syntax = true,
            _ if is_escape => return Some((place, "an escape directive that does not come first".to_owned())),
            _ => may_be = false,
        }
        place += line.len();
    }
    None
}

/// The value of a syntax directive, and where it stands. Among the comments at the top any counts, since builders differ in which of them
/// they take for directives.
pub(super) fn syntax(text: &str) -> Option<(usize, &str)> {
    let mut place = 0;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim();
        if !trimmed.is_empty() && !trimmed.starts_with('#') {
            return None;
        }
        if let Some((_, value)) = named(trimmed).filter(|(name, _)| name.eq_ignore_ascii_case("syntax")) {
            return Some((place, value));
        }
        place += line.len();
    }
    None
}

/// The name and the value of a comment that may be a directive.
fn named(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.strip_prefix('#')?.split_once('=')?;
    Some((name.trim(), value.trim()))
}

/// What of an instruction builders may read otherwise: a byte within its options that ends a word for one of them.
pub(super) fn in_options(parsed: &Parsed<'_>) -> Option<String> {
    let options: &[Flag<'_>] = match parsed {
        Parsed::Add(one) => &one.options,
        Parsed::Copy(one) => &one.options,
        Parsed::From(one) => &one.options,
        Parsed::Onbuild(one) => return in_options(&one.instruction),
        _ => return None,
    };
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    let is_unclear = |flag: &&Flag<'_>| {
        !is_plain(&flag.name.value) || flag.value.as_ref().is_some_and(|value| !is_plain(&value.value))
    };
    let flag = options.iter().find(is_unclear)?;
    Some(format!("the option `--{}` with other than ASCII characters", flag.name.value.escape_debug()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<String> {
        in_text(text).map(|(_, what)| what)
    }

    #[test]
    fn directives_that_all_builders_read_alike_are_clear() {
        for text in [
            "FROM x\n",
            "# escape=`\nFROM x\n",
            "#escape = \\\r\nFROM x\r\n",
            "# syntax=docker/dockerfile:1\n# Escape=`\nFROM x\n",
            "# a comment = one\n\n# check=skip=all\nFROM x\n# escape=`\n",
            "# \u{e4}\nFROM x\nRUN echo \u{e0}\tx\n",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn directives_that_some_builders_read_otherwise_are_told() {
        for text in [
            "# check=skip=all\n# escape=`\nFROM x\n",
            "# foo=bar\n# escape=`\nFROM x\n",
            " # escape=`\nFROM x\n",
            "\u{a0}# escape=`\nFROM x\n",
            "\n# escape=`\nFROM x\n",
            "# syntax=a\n# syntax=b\n# escape=`\nFROM x\n",
            "# escape=\\\n# escape=`\nFROM x\n",
            "# escape=` x\nFROM x\n",
        ] {
            assert!(found(text).is_some_and(|what| what.contains("escape directive")), "{text}");
        }
    }

    #[test]
    fn a_syntax_directive_is_found_wherever_a_builder_may_look_for_one() {
        for text in [
            "# syntax=a/b:1\nFROM x\n",
            "#Syntax = a/b:1 \r\nFROM x\n",
            "#!/usr/bin/env x\n# syntax=a/b:1\nFROM x\n",
            "\n # a comment\n# check=skip=all\n# syntax=a/b:1\nFROM x\n",
        ] {
            assert_eq!(syntax(text).map(|(_, name)| name), Some("a/b:1"), "{text}");
        }
        for text in ["FROM x\n# syntax=a\n", "# of the syntax=a\nFROM x\n", "FROM x\n", ""] {
            assert_eq!(syntax(text), None, "{text}");
        }
    }

    #[test]
    fn control_characters_are_told() {
        for text in ["FROM x\rRUN true\n", "FROM\u{b}x\n", "FROM x\n\u{85}ADD x /x\n", "#\u{c}escape=`\nFROM x\n"] {
            assert!(found(text).is_some_and(|what| what.contains("control character")), "{text}");
        }
    }
}
