//! Here-documents in commands. The parser knows those at the beginning of a command; `BuildKit` takes every word that is one.

/// Whether a here-document begins in a command: a word outside of quotes that is digits or nothing, `<<`, and a name.
pub(super) fn begins_in(command: &str) -> bool {
    let first = command.lines().next().unwrap_or_default();
    words(first).any(|word| {
        let rest = word.trim_start_matches(|character: char| character.is_ascii_digit());
        rest.strip_prefix("<<").map(|name| name.strip_prefix('-').unwrap_or(name)).is_some_and(|name| {
            let name = name.trim_matches(['"', '\'']);
            !name.is_empty() && !name.contains('<')
        })
    })
}

/// The words of a line, with their quotes: white space in quotes does not end one.
fn words(line: &str) -> impl Iterator<Item = &str> {
    let mut quote = None;
    let is_escaped = |place: usize| line[..place].ends_with('\\');
    let mut ends = Vec::new();
    for (place, character) in line.char_indices() {
        match quote {
            Some(open) if character == open => quote = None,
            None if ['"', '\''].contains(&character) && !is_escaped(place) => quote = Some(character),
            None if character.is_whitespace() => ends.push(place),
            Some(_) | None => {}
        }
    }
    ends.push(line.len());
    let starts = std::iter::once(0).chain(ends.clone());
    starts.zip(ends).map(|(start, end)| line[start..end].trim())
}

#[cfg(test)]
mod tests {
    use super::begins_in;

    #[test]
    fn a_word_that_is_one_and_nothing_else() {
        for command in ["cat <<EOF > /x", "<<-'EOF' sh", "cat 3<<\"END\"", "a <<A b <<B"] {
            assert!(begins_in(command), "{command}");
        }
        for command in ["cat <<<word", "echo $((1 << 2))", "echo '<<EOF'", "echo \"a <<EOF b\"", "x << y", "true", ""] {
            assert!(!begins_in(command), "{command}");
        }
    }
}
