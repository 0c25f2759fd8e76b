//! Variables in texts, as Go's `os.Expand` has them.

use std::collections::BTreeMap;

/// Names that are one character long, as a shell has them.
const SPECIAL: &str = "*#$@!?-0123456789";

/// A text with `$NAME` and `${NAME}` replaced by the variables' values; one that is not set has none. A `$` before anything else stays,
/// and `${` without an end goes.
pub(crate) fn expand(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        expanded.push_str(before);
        let (name, length) = name(after);
        match name {
            Some(name) => expanded.push_str(variables.get(name).map_or("", String::as_str)),
            None if length == 0 => expanded.push('$'),
            None => {}
        }
        rest = &after[length..];
    }
    expanded + rest
}

/// The name at the beginning of a text, if there is one, and how much of the text it takes.
fn name(text: &str) -> (Option<&str>, usize) {
    if let Some(inner) = text.strip_prefix('{') {
        return match inner.split_once('}') {
            Some(("", _)) => (None, 2),
            Some((name, _)) => (Some(name), name.len() + 2),
            None => (None, 1),
        };
    }
    if text.starts_with(|first| SPECIAL.contains(first)) {
        return (Some(&text[..1]), 1);
    }
    let is_of_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let length = text.find(|character| !is_of_name(character)).unwrap_or(text.len());
    ((length > 0).then(|| &text[..length]), length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_have_their_values() {
        let variables =
            BTreeMap::from([("PATH".to_owned(), "/bin".to_owned()), ("A_1".to_owned(), "x$PATH".to_owned())]);
        for (text, expanded) in [
            ("echo $PATH", "echo /bin"),
            ("${PATH}:$A_1.", "/bin:x$PATH."),
            ("$NOT_SET|${ NOT}|", "||"),
            ("$? $1 $$", "  "),
            ("100$ $% $", "100$ $% $"),
            ("${} ${PATH", " PATH"),
            ("é$é", "é$é"),
        ] {
            assert_eq!(expand(text, &variables), expanded, "{text}");
        }
    }
}
