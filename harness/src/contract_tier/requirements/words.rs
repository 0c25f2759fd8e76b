//! Words, as Python's `shlex.split` finds them.

/// The words of a text; `None` where a quotation is not closed, or nothing follows a backslash.
pub(super) fn split(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    // A word that is quoted may be empty.
    let mut word: Option<String> = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '\\' => word.get_or_insert_default().push(characters.next()?),
            quote @ ('"' | '\'') => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next()? {
                        character if character == quote => break,
                        '\\' if quote == '"' => {
                            let escaped = characters.next()?;
                            if escaped != '\\' && escaped != '"' {
                                word.push('\\');
                            }
                            word.push(escaped);
                        }
                        character => word.push(character),
                    }
                }
            }
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Some(words)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_backslashes() {
        assert_eq!(
            split(r#"-r "more things.txt" -e'a b'\ c "" "a\"\b""#).unwrap(),
            ["-r", "more things.txt", "-ea b c", "", r#"a"\b"#]
        );
        for text in ["'a", "\"a", "a\\", "\"a\\"] {
            assert_eq!(split(text), None, "{text}");
        }
    }
}
