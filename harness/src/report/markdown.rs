//! Texts in Markdown, as GitHub shows it.

/// The text as words on one line: no link, no mention, no HTML, no cell of a table and no mark-up can begin in it.
pub(super) fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\r' => shown.push(' '),
            // An escaped one would still be that of an address or of a mention.
            '@' => shown.push_str("@<!-- -->"),
            character if character.is_ascii_punctuation() => {
                // Before every mark that could mean something, a backslash makes it a character.
                if !matches!(character, ' ' | ',' | ';' | '"' | '\'' | '/' | '=' | '%' | '?') {
                    shown.push('\\');
                }
                shown.push(character);
            }
            character => shown.push(character),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        for (text, shown) in [
            ("The summary of passing, 1/2", "The summary of passing, 1/2"),
            ("a | b", r"a \| b"),
            (r"a \| b", r"a \\\| b"),
            ("[x](https://a.test)", r"\[x\]\(https\://a\.test\)"),
            ("www.a.test", r"www\.a\.test"),
            ("<img src=x>", r"\<img src=x\>"),
            ("```\n# x", r"\`\`\` \# x"),
            ("&lt; *b* _i_ ~s~ !", r"\&lt; \*b\* \_i\_ \~s\~ \!"),
            ("me@a.test @team", r"me@<!-- -->a\.test @<!-- -->team"),
        ] {
            assert_eq!(plain(text), shown);
        }
    }
}
