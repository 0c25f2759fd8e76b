//! Lines of a report at a terminal's width.

use console::measure_text_width;

/// Wraps each line of a text that is wider, between words; what follows is indented as deep as the line's text.
pub(super) fn wrap(text: &str, width: usize) -> String {
    text.split('\n').map(|line| wrap_line(line, width)).collect::<Vec<_>>().join("\n")
}

fn wrap_line(line: &str, width: usize) -> String {
    let indent = indent(&console::strip_ansi_codes(line));
    if measure_text_width(line) <= width || indent * 2 > width {
        return line.to_owned();
    }
    let mut wrapped = String::new();
    let mut used = 0;
    for word in line.split_inclusive(' ') {
        let (bare, with_space) = (measure_text_width(word.trim_end_matches(' ')), measure_text_width(word));
        if used > indent && bare > 0 && used + bare > width {
            wrapped.truncate(wrapped.trim_end_matches(' ').len());
            wrapped.push('\n');
            wrapped.push_str(&" ".repeat(indent));
            used = indent;
        }
        wrapped.push_str(word);
        used += with_space;
    }
    wrapped
}

/// How deep a line's text begins: behind the indentation, a word that two spaces set off, and the mark of a log's line.
fn indent(line: &str) -> usize {
    let start = line.chars().take_while(|character| *character == ' ').count();
    let text = &line[start..];
    if text.starts_with("│ ") {
        return start + 2;
    }
    let word = text.chars().take_while(|character| character.is_alphanumeric()).count();
    let gap = text.chars().skip(word).take_while(|character| *character == ' ').count();
    if start > 0 && word > 0 && gap > 1 { start + word + gap } else { start }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_stands_below_the_text() {
        assert_eq!(wrap("  engine  Docker with a name", 20), "  engine  Docker\n          with a\n          name");
        assert_eq!(wrap("   × a check  MUST BUILD-1", 18), "   × a check  MUST\n   BUILD-1");
        assert_eq!(wrap("    │ one two three\n    │ four", 14), "    │ one two\n      three\n    │ four");
    }

    #[test]
    fn colours_have_no_width_and_long_words_stay_whole() {
        assert_eq!(wrap("\u{1b}[2mone two\u{1b}[0m three", 9), "\u{1b}[2mone two\u{1b}[0m\nthree");
        assert_eq!(wrap("a /very/long/path b", 8), "a\n/very/long/path\nb");
        assert_eq!(wrap("short", 80), "short");
    }
}
