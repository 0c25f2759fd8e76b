//! Strings in markers, which since pip 22 are those of Python.

/// What the inside of a string stands for; `None` where Python does not take it for one.
pub(super) fn value(text: &str) -> Option<String> {
    if text.contains('\0') {
        return None;
    }
    let mut value = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        value.push_str(&rest[..at]);
        let mut after = rest[at + 1..].chars();
        let escaped = after.next()?;
        match escaped {
            'x' => value.push(number(&mut after, 2)?),
            'u' => value.push(number(&mut after, 4)?),
            'U' => value.push(number(&mut after, 8)?),
            // Names of characters are not looked up.
            'N' => return None,
            '0'..='7' => {
                let digits: String = after.as_str().chars().take(2).take_while(|next| next.is_digit(8)).collect();
                after = after.as_str()[digits.len()..].chars();
                value.push(u32::from_str_radix(&format!("{escaped}{digits}"), 8).ok().and_then(char::from_u32)?);
            }
            '\\' | '\'' | '"' => value.push(escaped),
            'a' => value.push('\u{7}'),
            'b' => value.push('\u{8}'),
            'f' => value.push('\u{c}'),
            'n' => value.push('\n'),
            'r' => value.push('\r'),
            't' => value.push('\t'),
            'v' => value.push('\u{b}'),
            other => value.extend(['\\', other]),
        }
        rest = after.as_str();
    }
    value.push_str(rest);
    Some(value)
}

/// The character that has a number of so many hexadecimal digits.
fn number(after: &mut std::str::Chars, digits: usize) -> Option<char> {
    let text = after.as_str().get(..digits)?;
    if !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let number = u32::from_str_radix(text, 16).ok()?;
    *after = after.as_str()[digits..].chars();
    match char::from_u32(number) {
        // Python has halves of pairs in strings. They are part of no value that is compared.
        None if number <= 0xffff => Some(char::REPLACEMENT_CHARACTER),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_those_of_python() {
        for (text, expected) in [
            ("a b", Some("a b")),
            (r"\x70\u006fs\U00000069x", Some("posix")),
            (r"\160\q\\\'", Some("p\\q\\'")),
            (r"\08", Some("\u{0}8")),
            (r"\ud800", Some("\u{fffd}")),
            (r"\x7", None),
            (r"\x+7", None),
            (r"\u00e", None),
            (r"\U00110000", None),
            (r"\N{DASH}", None),
            ("\\", None),
            ("\\x\u{e4}", None),
        ] {
            assert_eq!(value(text).as_deref(), expected, "{text}");
        }
    }
}
