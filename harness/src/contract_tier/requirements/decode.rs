//! From bytes to text, as pip's `auto_decode` does it: a byte order mark, a coding line (PEP 263), then the default.

use super::pip::Pip;
use super::refused::Refused;

/// An encoding of Python's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Ascii,
    /// ISO 8859-1, or the part of it that all of ISO 8859 share: the rest is not told apart.
    Iso8859 {
        first: bool,
    },
    Windows1252,
    Utf8 {
        /// Whether a byte order mark is left out.
        marked: bool,
    },
    Utf16(Order),
    Utf32(Order),
}

/// The order of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// As a byte order mark says, or little-endian.
    Told,
    Big,
    Little,
}

/// The byte order marks, in the order in which they are tried.
const MARKS: [(&[u8], Encoding); 5] = [
    (b"\xef\xbb\xbf", Encoding::Utf8 { marked: false }),
    (b"\xff\xfe\0\0", Encoding::Utf32(Order::Told)),
    (b"\0\0\xfe\xff", Encoding::Utf32(Order::Big)),
    (b"\xff\xfe", Encoding::Utf16(Order::Told)),
    (b"\xfe\xff", Encoding::Utf16(Order::Big)),
];

/// What stands for a character that is not told apart.
const SOME: char = '\u{fffd}';

/// The text of a requirement file; `ascii` says that the locale has no other characters.
pub(super) fn text(bytes: &[u8], pip: Pip, ascii: bool) -> Result<String, Refused> {
    let marked = MARKS.iter().find(|(mark, encoding)| {
        // Before pip 10, the mark of UTF-16 was tried before that of UTF-32, which begins alike.
        bytes.starts_with(mark) && !(pip.is_legacy() && *encoding == Encoding::Utf32(Order::Told))
    });
    if let Some((mark, encoding)) = marked {
        if pip.is_legacy() && matches!(encoding, Encoding::Utf16(Order::Big) | Encoding::Utf32(Order::Big)) {
            // It has a name for them that Python 2 does not know.
            return Err(Refused::exception("LookupError: unknown encoding"));
        }
        return decode(&bytes[mark.len()..], *encoding);
    }
    for line in bytes.split(|byte| *byte == b'\n').take(2).filter(|line| line.first() == Some(&b'#')) {
        if let Some(name) = coding(line, pip) {
            let encoding = named(&name);
            return decode(bytes, encoding.ok_or_else(|| Refused::exception(format!("unknown encoding: {name}")))?);
        }
    }
    // Python 3 has UTF-8 in the locales C and POSIX, too.
    let default = if pip.is_legacy() && pip.is_on_python_2() && ascii {
        Encoding::Ascii
    } else {
        Encoding::Utf8 { marked: false }
    };
    decode(bytes, default)
}

/// The name in a line that has `coding: NAME`.
fn coding(line: &[u8], pip: Pip) -> Option<String> {
    let part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let space = |byte: u8| byte.is_ascii() && pip.separates(char::from(byte)) && !(0x1c..=0x1f).contains(&byte);
    (0..line.len()).find_map(|start| {
        let rest = line[start..].strip_prefix(b"coding")?;
        let rest = rest.strip_prefix(b":").or_else(|| rest.strip_prefix(b"="))?;
        let rest = &rest[rest.iter().take_while(|byte| space(**byte)).count()..];
        let name: String = rest.iter().take_while(|byte| part(**byte)).map(|byte| char::from(*byte)).collect();
        (!name.is_empty()).then_some(name)
    })
}

/// The encoding of a name, as Python normalises it; of those that files are written in.
fn named(name: &str) -> Option<Encoding> {
    let mut normal = String::new();
    for character in name.to_ascii_lowercase().chars() {
        match character {
            'a'..='z' | '0'..='9' | '.' => normal.push(character),
            _ if normal.ends_with('_') => {}
            _ => normal.push('_'),
        }
    }
    Some(match normal.as_str() {
        "utf_8" | "utf8" | "utf" | "u8" | "cp65001" => Encoding::Utf8 { marked: false },
        "utf_8_sig" => Encoding::Utf8 { marked: true },
        "ascii" | "us_ascii" | "us" | "646" | "ansi_x3.4_1968" => Encoding::Ascii,
        "latin_1" | "latin1" | "latin" | "l1" | "iso_8859_1" | "iso8859_1" | "iso8859" | "8859" | "cp819" => {
            Encoding::Iso8859 { first: true }
        }
        "latin9" | "l9" | "iso_8859_15" | "iso8859_15" | "latin2" | "l2" | "iso_8859_2" | "iso8859_2" => {
            Encoding::Iso8859 { first: false }
        }
        "cp1252" | "windows_1252" | "1252" => Encoding::Windows1252,
        "utf_16" | "utf16" | "u16" => Encoding::Utf16(Order::Told),
        "utf_16_le" | "utf_16le" => Encoding::Utf16(Order::Little),
        "utf_16_be" | "utf_16be" => Encoding::Utf16(Order::Big),
        "utf_32" | "utf32" | "u32" => Encoding::Utf32(Order::Told),
        "utf_32_le" | "utf_32le" => Encoding::Utf32(Order::Little),
        "utf_32_be" | "utf_32be" => Encoding::Utf32(Order::Big),
        _ => return None,
    })
}

fn decode(bytes: &[u8], encoding: Encoding) -> Result<String, Refused> {
    let text = match encoding {
        Encoding::Ascii => bytes.is_ascii().then(|| bytes.iter().map(|byte| char::from(*byte)).collect()),
        Encoding::Iso8859 { first } => {
            Some(bytes.iter().map(|byte| if first || *byte <= 0xa0 { char::from(*byte) } else { SOME }).collect())
        }
        Encoding::Windows1252 => bytes.iter().map(|byte| windows_1252(*byte)).collect(),
        Encoding::Utf8 { marked } => {
            let bytes = if marked { bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes) } else { bytes };
            std::str::from_utf8(bytes).ok().map(str::to_owned)
        }
        Encoding::Utf16(order) => utf_16(bytes, order),
        Encoding::Utf32(order) => utf_32(bytes, order),
    };
    text.ok_or_else(|| Refused::exception(format!("cannot be decoded as {encoding:?}")))
}

fn windows_1252(byte: u8) -> Option<char> {
    match byte {
        0x81 | 0x8d | 0x8f | 0x90 | 0x9d => None,
        0x80..=0x9f => Some(SOME),
        _ => Some(char::from(byte)),
    }
}

fn utf_16(bytes: &[u8], order: Order) -> Option<String> {
    let (bytes, big) = match (order, bytes) {
        (Order::Told, [0xfe, 0xff, rest @ ..]) => (rest, true),
        (Order::Told, [0xff, 0xfe, rest @ ..]) => (rest, false),
        _ => (bytes, order == Order::Big),
    };
    let (units, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let unit = |pair: &[u8; 2]| if big { u16::from_be_bytes(*pair) } else { u16::from_le_bytes(*pair) };
    char::decode_utf16(units.iter().map(unit)).collect::<Result<String, _>>().ok()
}

fn utf_32(bytes: &[u8], order: Order) -> Option<String> {
    let (bytes, big) = match (order, bytes) {
        (Order::Told, [0, 0, 0xfe, 0xff, rest @ ..]) => (rest, true),
        (Order::Told, [0xff, 0xfe, 0, 0, rest @ ..]) => (rest, false),
        _ => (bytes, order == Order::Big),
    };
    let (units, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        return None;
    }
    let unit = |four: &[u8; 4]| if big { u32::from_be_bytes(*four) } else { u32::from_le_bytes(*four) };
    units.iter().map(|four| char::from_u32(unit(four))).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::contract_tier::requirements::samples::{NEW, OLD};

    #[test]
    fn a_mark_says_the_encoding() {
        for pip in [OLD, NEW] {
            assert_eq!(text(b"\xef\xbb\xbfsix", pip, false).unwrap(), "six");
            assert_eq!(text(b"\xff\xfes\0\xe4\0", pip, false).unwrap(), "s\u{e4}");
            assert_eq!(text(b"\xff\xfes", pip, false).unwrap_err().exit_code, 2);
        }
        assert_eq!(text(b"\xff\xfe\0\0s\0\0\0", NEW, false).unwrap(), "s");
        for bytes in [b"\xfe\xff\0s".as_slice(), b"\0\0\xfe\xff\0\0\0s"] {
            assert_eq!(text(bytes, NEW, false).unwrap(), "s");
            assert_eq!(text(bytes, OLD, false).unwrap_err().exit_code, 2);
        }
        assert_eq!(text(b"\xff\xfe\0\0s\0\0\0", OLD, false).unwrap(), "\0s\0");
    }

    #[test]
    fn a_coding_line_says_it_in_the_first_two_lines_and_the_default_else() {
        assert_eq!(
            text(b"#\n# -*- coding: Latin-1 -*-\n\xe4", NEW, false).unwrap(),
            "#\n# -*- coding: Latin-1 -*-\n\u{e4}"
        );
        assert_eq!(text(b"#\n#\n# coding: latin-1\n\xe4", NEW, false).unwrap_err().exit_code, 2);
        assert_eq!(text(b" # coding: latin-1\n\xe4", NEW, false).unwrap_err().exit_code, 2);
        assert_eq!(text(b"# coding: utf-8-unix", NEW, false).unwrap_err().exit_code, 2);
        assert_eq!(text("\u{e4}".as_bytes(), NEW, true).unwrap(), "\u{e4}");
        assert_eq!(text("\u{e4}".as_bytes(), OLD, false).unwrap(), "\u{e4}");
        assert!(text("\u{e4}".as_bytes(), OLD, true).is_err());
    }
}
