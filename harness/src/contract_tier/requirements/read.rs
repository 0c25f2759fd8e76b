//! Requirement files with those that they name, one after the other and never by recursion: a chain may be long.

use std::collections::BTreeMap;
use std::path::Path;

use super::address::{self, Parts};
use super::item::{Files, Item, Place};
use super::marker::Applies;
use super::options::Options;
use super::pip::Pip;
use super::refused::Refused;
use super::{decode, lines, words};

/// How many files may name each other in a chain before Python's stack is full, for pip before 10 and since then. Estimated: the depth depends on how much of the stack is taken already.
const DEEPEST: [usize; 2] = [480, 900];
/// How many files are opened in all; pip has no such limit, only its patience.
const MAX_FILES: usize = 20_000;
/// How much is read in all, in bytes, and how much comes of it once variables have their values.
const MAX_BYTES: usize = 16 << 20;
/// How many requirements and constraints there may be in all.
const MAX_ASKED: usize = 20_000;

/// Reads requirement files as a pip does that is started in a folder with these variables.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub pip: Pip,
    pub folder: &'a str,
    pub environment: &'a BTreeMap<String, String>,
    pub files: &'a dyn Files,
}

/// A line's requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub item: Item,
    /// Whether it only says how others are to be.
    pub constraint: bool,
    /// Whether it stands in the file that was named first.
    pub direct: bool,
    /// Whether its line has a hash.
    pub hashed: bool,
}

impl Asked {
    /// Whether pip ends once it asks whether this one's marker applies.
    pub(crate) fn has_undefined_marker(&self) -> bool {
        self.item.marker == Some(Applies::Undefined)
    }
}

/// A file that is being read.
struct Open {
    /// Its name, as it was put together.
    name: String,
    /// What it is known by when another file names it.
    key: String,
    lines: std::vec::IntoIter<String>,
    constraint: bool,
}

/// What has been read so far.
struct Spent {
    files: usize,
    bytes: usize,
    /// How much may still come of it as lines.
    room: usize,
}

impl Reader<'_> {
    /// What a file asks for, with the files that it names.
    ///
    /// # Errors
    /// When pip refuses it.
    pub(crate) fn file(&self, name: &str, constraint: bool) -> Result<Vec<Asked>, Refused> {
        let mut asked = Vec::new();
        self.read(name, constraint, &mut asked)?;
        Ok(asked)
    }

    /// The same, line by line: what stands before what pip refuses has been read.
    ///
    /// # Errors
    /// When pip refuses it.
    pub(crate) fn read(&self, name: &str, constraint: bool, asked: &mut Vec<Asked>) -> Result<(), Refused> {
        let mut spent = Spent { files: 0, bytes: 0, room: MAX_BYTES };
        let key = address::absolute(name, self.folder);
        let mut open = vec![self.open(name.to_owned(), key, constraint, &mut spent)?];
        let mut hashes = [false; 2];
        while let Some(file) = open.last_mut() {
            let Some(line) = file.lines.next() else {
                open.pop();
                continue;
            };
            if asked.len() >= MAX_ASKED {
                return Err(beyond());
            }
            match self.line(&line)? {
                Line::Text { text, hashed } => {
                    let (constraint, direct) = (file.constraint, open.len() == 1);
                    asked.push(Asked { item: self.place().line(&text)?, constraint, direct, hashed });
                }
                Line::Editable(text) => {
                    let (constraint, direct) = (file.constraint, open.len() == 1);
                    if constraint && !self.pip.is_legacy() {
                        return Err(Refused::error("Editable requirements are not allowed as constraints"));
                    }
                    asked.push(Asked { item: self.place().editable(&text)?, constraint, direct, hashed: false });
                }
                Line::File { name, constraint } => {
                    let (name, key) = self.name_of(&file.name, name);
                    if !self.pip.is_legacy() && open.iter().any(|open| open.key == key) {
                        return Err(Refused::error(format!("{name} recursively references itself")));
                    }
                    if open.len() >= DEEPEST[usize::from(!self.pip.is_legacy())] {
                        return Err(Refused::beyond("RecursionError: maximum recursion depth exceeded"));
                    }
                    open.push(self.open(name, key, constraint, &mut spent)?);
                }
                Line::Nothing { hashes: [required, not_required] } => {
                    hashes = [hashes[0] || required, hashes[1] || not_required];
                }
            }
        }
        if hashes == [true, true] {
            return Err(Refused::error("--require-hashes and --no-require-hashes are mutually exclusive"));
        }
        Ok(())
    }

    /// A requirement of the command line.
    ///
    /// # Errors
    /// When pip refuses it.
    pub(crate) fn word(&self, text: &str, editable: bool) -> Result<Asked, Refused> {
        let item = if editable { self.place().editable(text)? } else { self.place().line(text)? };
        Ok(Asked { item, constraint: false, direct: true, hashed: false })
    }

    fn place(&self) -> Place<'_> {
        Place { pip: self.pip, folder: self.folder, files: self.files }
    }

    /// The name of a file that another one names, and what it is known by.
    fn name_of(&self, from: &str, name: String) -> (String, String) {
        let name = match (is_address(from), is_address(&name)) {
            // An address may be a relative one, too: `file:more.txt`.
            (true, _) => beside(from, &name),
            (false, true) => name,
            (false, false) => {
                let name = address::joined(address::folder_of(from), &name);
                if self.pip.is_legacy() { name } else { address::absolute(&name, self.folder) }
            }
        };
        (name.clone(), name)
    }

    fn open(&self, name: String, key: String, constraint: bool, spent: &mut Spent) -> Result<Open, Refused> {
        let bytes = self.bytes(&name)?;
        spent.files += 1;
        spent.bytes += bytes.len();
        if spent.files > MAX_FILES || spent.bytes > MAX_BYTES {
            return Err(beyond());
        }
        // pip has files at `file:` addresses from a library that passes over what is no UTF-8.
        let lossy = !self.pip.is_legacy() && is_address(&name);
        let text = if lossy {
            String::from_utf8_lossy(&bytes).into_owned()
        } else {
            decode::text(&bytes, self.pip, self.has_ascii_locale())?
        };
        let lines = lines::lines(&text, self.pip, self.environment, &mut spent.room).ok_or_else(beyond)?;
        Ok(Open { name, key, lines: lines.into_iter(), constraint })
    }

    fn bytes(&self, name: &str) -> Result<Vec<u8>, Refused> {
        let path = match Parts::of(name, self.pip) {
            _ if self.pip.is_legacy() => match name.split_once(':') {
                Some((scheme, path)) if scheme.eq_ignore_ascii_case("file") => {
                    let path = address::unquoted(&path.replace('\\', "/"));
                    let bare = path.trim_start_matches('/');
                    if bare.len() < path.len() { format!("/{bare}") } else { path }
                }
                Some((scheme, _)) if ["http", "https"].iter().any(|one| scheme.eq_ignore_ascii_case(one)) => {
                    return Err(not_reachable(name));
                }
                _ => name.to_owned(),
            },
            Err(refused) => return Err(refused),
            Ok(parts) => match parts.scheme.as_str() {
                "http" | "https" => return Err(not_reachable(name)),
                "file" => return self.at_address(name, &parts),
                _ => name.to_owned(),
            },
        };
        if path.contains('\0') {
            return Err(Refused::exception("ValueError: embedded null byte"));
        }
        let path = address::joined(self.folder, &path);
        self.files
            .read(Path::new(&path))
            .map_err(|error| Refused::error(format!("Could not open requirements file: {error}: '{name}'")))
    }

    /// The file at a `file:` address, as pip since 10 reads it.
    fn at_address(&self, name: &str, parts: &Parts) -> Result<Vec<u8>, Refused> {
        let bare = name.split_once(':').is_some_and(|(_, rest)| !rest.starts_with('/'));
        if self.pip.python >= (3, 12) && bare {
            // Python puts such an address together otherwise since then.
            return Err(Refused::exception(format!("InvalidSchema: No connection adapters were found for '{name}'")));
        }
        if parts.path.is_empty() && parts.host.is_empty() {
            return Err(Refused::error(format!("404 Client Error: FileNotFoundError for url: {name}")));
        }
        let path =
            address::file_of(&format!("file://{}/{}", parts.host, parts.path.trim_start_matches('/')), self.pip)?;
        if path.contains('\0') || self.files.is_folder(Path::new(&path)) {
            return Err(Refused::exception(format!("IsADirectoryError: '{path}'")));
        }
        let read = self.files.read(Path::new(&path));
        read.map_err(|_| Refused::error(format!("404 Client Error: FileNotFoundError for url: {name}")))
    }

    /// Whether Python 2 would take the locale for one of ASCII alone.
    fn has_ascii_locale(&self) -> bool {
        let set = |name: &&str| self.environment.get(*name).filter(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(set);
        locale.is_some_and(|locale| !locale.to_ascii_lowercase().replace('-', "").contains("utf8"))
    }

    fn line(&self, line: &str) -> Result<Line, Refused> {
        // What stands before the first word that begins with a dash is no option, and no shell's word either.
        let begins = std::iter::once(0).chain(line.match_indices(' ').map(|(index, _)| index + 1));
        let options = begins.clone().find(|begin| line[*begin..].starts_with('-')).unwrap_or(line.len());
        let (text, options) = line.split_at(options);
        let text = text.strip_suffix(' ').filter(|_| !options.is_empty()).unwrap_or(text);
        if self.pip.is_on_python_2() && !options.is_ascii() {
            return Err(Refused::exception("UnicodeEncodeError: 'ascii' codec can't encode characters"));
        }
        let words = words::split(options).ok_or_else(|| {
            let message = format!("Could not split options: {options}");
            if self.pip.is_legacy() { Refused::exception(message) } else { Refused::error(message) }
        })?;
        let Options { requirement, constraint, editable, hashes, hashed } = Options::parse(words, self.pip)?;
        Ok(match (requirement, constraint, editable) {
            // With `-e` behind it, what stands before is editable since pip 10.
            (_, _, Some(_)) if !text.is_empty() && !self.pip.is_legacy() => Line::Editable(text.to_owned()),
            _ if !text.is_empty() => Line::Text { text: text.to_owned(), hashed },
            (_, _, Some(text)) => Line::Editable(text),
            (Some(name), _, None) => Line::File { name, constraint: false },
            (None, Some(name), None) => Line::File { name, constraint: true },
            (None, None, None) => Line::Nothing { hashes },
        })
    }
}

/// What a line says.
enum Line {
    Text {
        text: String,
        hashed: bool,
    },
    Editable(String),
    File {
        name: String,
        constraint: bool,
    },
    /// Only how others are installed.
    Nothing {
        /// Whether it requires hashes, and whether it does not.
        hashes: [bool; 2],
    },
}

/// Whether the name of a file is an address.
fn is_address(name: &str) -> bool {
    let scheme = name.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    scheme.is_some_and(|scheme| ["http", "https", "file"].contains(&scheme.as_str()))
}

/// A name relative to an address (`urljoin`).
fn beside(from: &str, name: &str) -> String {
    let joined = url::Url::parse(from).and_then(|from| from.join(name));
    joined.map_or_else(|_| name.to_owned(), Into::into)
}

/// There is more than is read.
fn beyond() -> Refused {
    Refused::beyond(format!("MemoryError: more than {} MB or {MAX_ASKED} requirements", MAX_BYTES >> 20))
}

fn not_reachable(name: &str) -> Refused {
    Refused::error(format!("Could not open requirements file: {name}: there is no network"))
}
