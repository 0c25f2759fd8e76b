//! Requirement files made at random, of what people write and of what they get wrong.

use std::collections::BTreeMap;

use super::Case;
use super::random::Random;

const NAMES: &[&str] =
    &["six", "Django", "zope.interface", "a", "six_", "s\u{ef}x", "-x", "1", "a-b_c.d", "<<<<<<< HEAD", "=======", "x y", "${NAME}"];
const VERSIONS: &[&str] = &[
    "", "", "", "==1.17.0", "==1.17.0", ">=1,<2", " >= 1.0 , != 1.1.* ", "~=1.4", "~=1", "===any", "===a,b", "===a,<2", "==1.17.0=py_0",
    "==", "<2,", " (>=1)", "(>=1,<2", "==1.*", ">=1.*", "==1.0+local.1", ">1.0+x", ">1.0a1", "==1!2.0", "== 1.0alpha1",
    "==1.0.post1.dev2", "=1.0", "==v1.0", "==1.0-1", "==1.0a1.*", "!=2", ">", "<=1.0,,>0",
];
const EXTRAS: &[&str] = &["", "", "", "", "", "[a]", "[a,b]", " [a, b ]", "[]", "[a b]", "[A_b.c]", "[a,]", "[a", "[a][b]", "[-a]"];
const MARKERS: &[&str] = &[
    "", "", "", "", "", "", ";", "; python_version < '3'", ";python_version>='3'", " ; sys_platform == 'linux'",
    "; os_name == 'posix' and (python_version > '2' or 'x' in os_name)", "; bogus", "; extra == 'x'",
    "; 'linux' in sys_platform", "; os_name", "; python_version < \"3", "; platform_machine == 'x86_64'",
    "; python_full_version > '3'", ";os.name=='posix'", "; platform.python_implementation == 'CPython'",
    "; os_name == 'nt' or os_name == 'posix'", "; python_version  not  in '2.7'", "; (((os_name == 'nt')))", "; os_name == 'a\\x'",
    "; python_version < '3' x", "; python_implementation != 'CPython'",
];
const ADDRESSES: &[&str] = &[
    "git+http://x/greeting.git", "git+https://x/y.git@v1", "Git+HTTP://x/y.git", "git+ssh://git@x/y.git", "git://x/y.git",
    "git+git://x/y.git", "git+file:///x/y.git", "hg+http://x/hello", "hg+static-http://x/hello", "hg+file:///x", "svn+svn://x/y",
    "bzr+lp:x", "bzr+http://x/y", "http://x/six-1.17.0-py2.py3-none-any.whl", "http://x/a/six-1.0.tar.gz", "https://x/bad.whl",
    "https://x/a__b-1.0-py3-none-any.whl", "https://x/A.b-1.0-2x-py3-none-any.whl", "file:///app/vendor/local", "file:vendor/local",
    "FILE:///app/vendor/local", "file://elsewhere/x", "file://localhost/app/vendor/local", "file:../app/vendor/local",
    "file:///app/vendor/../vendor/local", "file:///app/vendor/my%20local", "ftp://x/y.zip", "git+http://[x/y", "git@x.y:x/y.git",
    "git+git@x.y:x/y.git", "gopher://x/y", "git+foo://x/y", "git+/x/y", "http:80", "http://x/y;z", "${PWD}/x.zip", "http://${NAME}/x",
];
const EGGS: &[&str] = &[
    "", "", "", "#egg=greeting", "#egg=greeting", "#egg=greeting[a]", "#egg=", "#egg=greeting-1.0", "#egg=greeting-dev",
    "#subdirectory=a&egg=b", "&egg=x", "#egg=a b", "#egg=a;python_version<'3'", "#sha256=00", "#egg=a&egg=b", "?x#egg=y", "#egg=six==1.0",
];
const PATHS: &[&str] = &[
    ".", "./", ".[a]", ".[A,b_c]", ".[a b]", "vendor/local", "./vendor/my local", "./vendor/legit+local", "vendor/modern",
    "./vendor/empty", "vendor/nowhere", "./wheels/six-1.17.0-py2.py3-none-any.whl", "wheels/bad.whl",
    "wheels/none-1.0-py3-none-any.whl", "pkg.tar.gz", "no.zip", "../app/vendor/local", "vendor/local[a]", "vendor", "vendor/",
    "name@x.zip", "name@./x.zip", "six-1.0.tar.gz", ".tar.gz", "vendor/../vendor/local", "vendor/local/", "/app/vendor/local",
    "vendor/local []", "vendor/local [a]", "~", "..", "vendor/caf\u{e9}", "x.TAR.GZ", "x.tar.BZ2",
];
const OPTIONS: &[&str] = &[
    "--pre", "--no-index", "-i http://x/simple", "--index-url=http://x", "--extra-index-url http://x", "-f wheels",
    "--find-links=wheels", "--find x", "--no-binary :all:", "--only-binary=six", "--no-binary -x", "--trusted-host x",
    "--require-hashes", "--hash=sha256:00", "--hash=md5:00", "--hash sha256", "--no-such-option", "-x", "--re", "--pr",
    "--prefer-binary", "--use-feature=fast-deps", "--use-feature=nothing", "--use-feature venv-isolation", "--config-settings a=b",
    "-C a", "--global-option=x", "--install-option=x", "--allow-all-external", "--allow", "-Z", "--process", "--no-require-hashes",
    "--all-releases six", "--only-final=:all:", "--", "-", "words", "'unclosed", "\"quoted\"", "\\x", "--no-use-wheel",
    "--use-wheel=1", "-Zi x", "-ix", "--pre=1", "-e .", "-r more.txt", "-c cons.txt", "--no-i", "-", "--\u{e9}",
];
const INCLUDES: &[&str] = &[
    "-r more.txt", "-rmore.txt", "--requirement=more.txt", "--requirement more.txt", "-r 'more things.txt'", "-r \"more.txt\"",
    "-r more\\ things.txt", "-r sub/deep.txt", "-c cons.txt", "--constraint cons.txt", "--constraint=cons.txt", "-ccons.txt",
    "-r nowhere.txt", "-c nowhere.txt", "-r requirements.txt", "-r ${PWD}/more.txt", "-r sub", "-c cons.txt -r more.txt",
    "-r more.txt -r last.txt", "-r ''", "-r", "--pre -r more.txt", "-r more.txt --pre", "--req more.txt", "-r sub/../more.txt",
    "-r file:///app/more.txt", "-r file:more.txt", "-r FILE:///app/more.txt", "-r more.txt/", "-r /app/more.txt", "-r ./more.txt",
    "-r file://elsewhere/more.txt", "-r file:///app/sub", "-r file:///app/nowhere.txt", "-r\tmore.txt", "-r caf\u{e9}.txt",
];
const COMMENTS: &[&str] =
    &["", "", "", "", "", "", " # why", "\t#why", "#no", "\u{a0}# why", " #", " # why \\", "\u{3000}# x", "  # git+http://x"];
const ENDS: &[&str] = &[
    "\n", "\n", "\n", "\n", "\n", "\n", "\n", "\n", "\n", "\n", "\r\n", "\r\n", "\r", "\u{c}", "\u{b}", "\u{1c}", "\u{1d}", "\u{1e}", "\u{85}",
    "\u{2028}", "\u{2029}", "\\\n", "\\\n", "\\\r\n", "\n\n", "\n \n", "\u{1f}\n",
];
const ODD: &[char] = &[
    ' ', ' ', '\t', '\'', '"', '\\', '#', ';', '@', '[', ']', '(', ')', '=', '<', '>', '!', '~', ',', '-', '.', '+', ':', '/', '$',
    '{', '}', '\u{e9}', '\u{df}', '\u{a0}', '\u{3000}', '\0', '_', '*', '%', '&', '?', 'x', '1', '\u{feff}',
];
const ENCODINGS: &[&str] = &[
    "utf-8", "utf-8", "utf-8", "utf-8", "utf-8", "utf-8", "utf-8", "utf-8", "bom", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be",
    "latin-1", "coded",
];
const CODINGS: &[&str] = &[
    "# -*- coding: latin-1 -*-\n", "#coding=utf-8\n", "# comment\n# vim: set fileencoding=ISO-8859-1 :\n", "# coding: nothing\n",
    "# coding: cp1252\n", " # coding: latin-1\n", "\n\n# coding: latin-1\n", "# coding: utf-8-sig\n", "# coding:ascii\n",
    "# CODING: latin-1\n", "# coding: Latin_1\r\n", "#\r# coding: latin-1\n",
];

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
    let latin_1 = |text: &str| text.chars().map(|one| u8::try_from(u32::from(one)).unwrap_or(b'?')).collect::<Vec<u8>>();
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
