//! Requirement files made at random, of what people write and of what they get wrong.

use std::collections::BTreeMap;

use super::Case;
use super::fragments::{
    ADDRESSES, CODINGS, COMMENTS, EGGS, ENCODINGS, ENDS, EXTRAS, INCLUDES, MARKERS, NAMES, ODD, OPTIONS, PATHS,
    VERSIONS,
};
use super::random::Random;

/// The case of this number.
pub(super) fn case(seed: u64, index: u64) -> Case {
    let mut random = Random::new(seed.wrapping_mul(0x1_0000_0001).wrapping_add(index));
    let mut files = around();
    if random.happens(50) {
        files.insert("setup.py".to_owned(), Vec::new());
    }
    for name in ["more.txt", "more things.txt", "cons.txt", "sub/deep.txt", "last.txt", "caf\u{e9}.txt"] {
        let most = if random.happens(60) { 1 } else { 3 };
        files.insert(name.to_owned(), file(&mut random, most));
    }
    let most = 1 + random.below(4);
    files.insert("requirements.txt".to_owned(), file(&mut random, most));
    Case { name: format!("seed {seed}, number {index}"), files }
}

/// Folders and archives that requirements may name.
pub(super) fn around() -> BTreeMap<String, Vec<u8>> {
    let names = [
        "vendor/local/setup.py",
        "vendor/my local/setup.py",
        "vendor/legit+local/setup.py",
        "vendor/caf\u{e9}/setup.py",
        "vendor/modern/pyproject.toml",
        "vendor/empty/readme",
        "wheels/six-1.17.0-py2.py3-none-any.whl",
        "wheels/bad.whl",
        "pkg.tar.gz",
    ];
    names.map(|name| (name.to_owned(), Vec::new())).into()
}

fn file(random: &mut Random, most: usize) -> Vec<u8> {
    let mut text = String::new();
    for _ in 0..random.below(most + 1).max(usize::from(random.happens(90))) {
        text.push_str(&line(random));
        text.push_str(random.one(ENDS));
    }
    if random.happens(15) {
        text = mutated(random, &text);
    }
    encoded(random, &text)
}

fn line(random: &mut Random) -> String {
    let mut line = match random.below(20) {
        0..5 => named(random),
        5..8 => format!("{}{}{}", random.one(ADDRESSES), random.one(EGGS), random.one(MARKERS)),
        8..10 => format!("{}{}", random.one(PATHS), random.one(MARKERS)),
        10..12 => {
            let space = random.one(&[" @ ", "@", " @"]);
            let (address, egg) = (random.one(ADDRESSES), random.one(EGGS));
            format!("{}{}{space}{address}{egg}{}", random.one(NAMES), random.one(EXTRAS), random.one(MARKERS))
        }
        12..15 => editable(random),
        15..17 => random.one(INCLUDES).to_owned(),
        17 => random.one(OPTIONS).to_owned(),
        18 => random.one(&["", "# comment", "  # -r more.txt", "#egg", " ", "# c \\"]).to_owned(),
        _ => format!("{} {}", random.one(OPTIONS), random.one(OPTIONS)),
    };
    if random.happens(15) {
        line = format!("{line} {}", random.one(OPTIONS));
    }
    if random.happens(8) {
        let place = place(random, &line);
        line.insert_str(place, random.one(&["\\\n", "\\\n  ", "\\\r\n", "\\\\\n"]));
    }
    format!("{}{line}{}", random.one(&["", "", "", "", " ", "\t", "\u{a0}", "\\"]), random.one(COMMENTS))
}

fn named(random: &mut Random) -> String {
    let (name, extras) = (random.one(NAMES), random.one(EXTRAS));
    format!("{name}{extras}{}{}", random.one(VERSIONS), random.one(MARKERS))
}

fn editable(random: &mut Random) -> String {
    let what = match random.below(5) {
        0 | 1 => format!("{}{}", random.one(ADDRESSES), random.one(EGGS)),
        2 | 3 => random.one(PATHS).to_owned(),
        _ => format!("{} @ {}{}", random.one(NAMES), random.one(ADDRESSES), random.one(MARKERS)),
    };
    match random.below(6) {
        0 => format!("-e '{what}'"),
        1 => format!("--editable={what}"),
        2 => format!("-e{what}"),
        3 => format!("-e \"{what}\""),
        _ => format!("-e {what}"),
    }
}

fn mutated(random: &mut Random, text: &str) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for _ in 0..=random.below(3) {
        let (at, odd) = (random.below(characters.len() + 1), ODD[random.below(ODD.len())]);
        match random.below(3) {
            0 => characters.insert(at, odd),
            1 if at < characters.len() => drop(characters.remove(at)),
            _ if at < characters.len() => characters[at] = odd,
            _ => {}
        }
    }
    characters.into_iter().collect()
}

/// A place between two characters.
fn place(random: &mut Random, text: &str) -> usize {
    let places: Vec<usize> = text.char_indices().map(|(index, _)| index).collect();
    places.get(random.below(places.len())).copied().unwrap_or(0)
}

fn encoded(random: &mut Random, text: &str) -> Vec<u8> {
    let utf_16 = |unit: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(unit).collect::<Vec<u8>>();
    let utf_32 = |unit: fn(u32) -> [u8; 4]| text.chars().flat_map(|one| unit(u32::from(one))).collect::<Vec<u8>>();
    let latin_1 =
        |text: &str| text.chars().map(|one| u8::try_from(u32::from(one)).unwrap_or(b'?')).collect::<Vec<u8>>();
    match random.one(ENCODINGS) {
        "bom" => [b"\xef\xbb\xbf", text.as_bytes()].concat(),
        "utf-16-le" => [b"\xff\xfe".as_slice(), &utf_16(u16::to_le_bytes)].concat(),
        "utf-16-be" => [b"\xfe\xff".as_slice(), &utf_16(u16::to_be_bytes)].concat(),
        "utf-32-le" => [b"\xff\xfe\0\0".as_slice(), &utf_32(u32::to_le_bytes)].concat(),
        "utf-32-be" => [b"\0\0\xfe\xff".as_slice(), &utf_32(u32::to_be_bytes)].concat(),
        "latin-1" => latin_1(text),
        "coded" => {
            let coding = random.one(CODINGS);
            [coding.as_bytes(), &if random.happens(50) { latin_1(text) } else { text.as_bytes().to_owned() }].concat()
        }
        _ => text.as_bytes().to_owned(),
    }
}
