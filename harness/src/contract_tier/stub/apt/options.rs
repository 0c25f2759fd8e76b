//! The options of apt-get: each stands for a setting, and so do the lines of its configuration files (`apt.conf(5)`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Files of settings, and the folder of more.
const CONFIGURATION: &str = "/etc/apt/apt.conf";
const PARTS: &str = "/etc/apt/apt.conf.d";
/// The variable that names another file.
const VARIABLE: &str = "APT_CONFIG";

const YES: &str = "apt::get::assume-yes";
const RECOMMENDS: &str = "apt::install-recommends";
const QUIET: &str = "quiet";
const SIMULATE: &str = "apt::get::simulate";
const DOWNLOAD_ONLY: &str = "apt::get::download-only";
const PRINT_ADDRESSES: &str = "apt::get::print-uris";

/// Flags that are settings to be on, or off.
const FLAGS: [(&[&str], &str, bool); 7] = [
    (&["-y", "--yes", "--assume-yes"], YES, true),
    (&["--assume-no"], YES, false),
    (&["-s", "--simulate", "--just-print", "--dry-run", "--recon", "--no-act"], SIMULATE, true),
    (&["-d", "--download-only"], DOWNLOAD_ONLY, true),
    (&["--print-uris"], PRINT_ADDRESSES, true),
    (&["--install-recommends"], RECOMMENDS, true),
    (&["--no-install-recommends"], RECOMMENDS, false),
];
/// Options that take a word.
const TAKE_A_WORD: [&str; 9] = [
    "-o",
    "-c",
    "-t",
    "-a",
    "--option",
    "--config-file",
    "--target-release",
    "--default-release",
    "--host-architecture",
];
/// What a setting is on with.
const ON: [&str; 6] = ["1", "enable", "on", "true", "with", "yes"];

/// What a command line asks for.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// Settings, by their names in small letters.
    settings: BTreeMap<String, String>,
    /// The command, and what it is about.
    pub words: Vec<String>,
}

impl Line {
    /// Reads the configuration, and a command line over it.
    pub(super) fn of(arguments: &[String], environment: &BTreeMap<String, String>) -> Self {
        let mut line = Self::default();
        let named = environment.get(VARIABLE).map(PathBuf::from);
        let parts = std::fs::read_dir(PARTS).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut parts: Vec<PathBuf> = parts.filter(|path| path.is_file()).collect();
        parts.sort();
        for path in named.into_iter().chain(parts).chain([PathBuf::from(CONFIGURATION)]) {
            line.read(&path);
        }
        line.take(arguments);
        line
    }

    fn read(&mut self, file: &Path) {
        self.configure(&std::fs::read_to_string(file).unwrap_or_default());
    }

    /// Takes the settings of a configuration file.
    fn configure(&mut self, text: &str) {
        let mut scopes: Vec<String> = Vec::new();
        let lines = text.lines().filter(|line| !["#", "//"].iter().any(|begin| line.trim_start().starts_with(begin)));
        let text = lines.collect::<Vec<_>>().join(" ");
        let mut words = String::new();
        for character in text.chars() {
            match character {
                '{' => scopes.push(std::mem::take(&mut words).trim().to_owned()),
                '}' => drop(scopes.pop()),
                ';' => {
                    let statement = std::mem::take(&mut words);
                    if let Some((name, value)) = statement.trim().split_once(char::is_whitespace) {
                        let name = [scopes.as_slice(), &[name.to_owned()]].concat().join("::");
                        self.set(&name, value.trim().trim_matches('"'));
                    }
                }
                other => words.push(other),
            }
        }
    }

    fn take(&mut self, arguments: &[String]) {
        let mut rest = arguments.iter().map(String::as_str);
        while let Some(argument) = rest.next() {
            if argument == "--" {
                self.words.extend(rest.map(str::to_owned));
                return;
            } else if let Some(long) = argument.strip_prefix("--") {
                let (name, value) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
                let name = format!("--{name}");
                let takes = TAKE_A_WORD.contains(&name.as_str()) && value.is_none();
                let value = if takes { rest.next() } else { value };
                self.option(&name, value);
            } else if argument.starts_with('-') && argument.len() > 1 {
                self.short(argument, &mut rest);
            } else {
                self.words.push(argument.to_owned());
            }
        }
    }

    /// A word of short options; the first that takes a value takes the rest of it, or the next word.
    fn short<'a>(&mut self, word: &'a str, rest: &mut impl Iterator<Item = &'a str>) {
        for (index, letter) in word.char_indices().skip(1) {
            let name = format!("-{letter}");
            let tail = &word[index + letter.len_utf8()..];
            if TAKE_A_WORD.contains(&name.as_str()) {
                let value = if tail.is_empty() { rest.next() } else { Some(tail.strip_prefix('=').unwrap_or(tail)) };
                return self.option(&name, value);
            }
            if let Some(value) = tail.strip_prefix('=') {
                return self.option(&name, Some(value));
            }
            self.option(&name, None);
        }
    }

    fn option(&mut self, name: &str, value: Option<&str>) {
        match (name, value) {
            ("-o" | "--option", Some(setting)) => {
                if let Some((name, value)) = setting.split_once('=') {
                    self.set(name, value);
                }
            }
            ("-c" | "--config-file", Some(file)) => self.read(Path::new(file)),
            ("-q" | "--quiet", Some(level)) => self.set(QUIET, level),
            ("-q" | "--quiet", None) => self.set(QUIET, &(self.level() + 1).to_string()),
            _ => {
                if let Some((_, setting, on)) = FLAGS.iter().find(|(names, ..)| names.contains(&name)) {
                    let on = value.map_or(*on, |value| is_on(value) == *on);
                    self.set(setting, if on { "true" } else { "false" });
                }
            }
        }
    }

    fn set(&mut self, name: &str, value: &str) {
        self.settings.insert(name.to_ascii_lowercase(), value.to_owned());
    }

    fn is_set(&self, name: &str) -> Option<bool> {
        self.settings.get(name).map(|value| is_on(value))
    }

    /// How quiet it is to be.
    fn level(&self) -> u32 {
        self.settings.get(QUIET).and_then(|level| level.parse().ok()).unwrap_or(0)
    }

    /// Whether nothing is asked. The second level of quiet implies it.
    pub(super) fn agrees(&self) -> bool {
        self.is_set(YES).unwrap_or(false) || self.level() > 1
    }

    /// Whether recommended packages come along.
    pub(super) fn recommends(&self) -> bool {
        self.is_set(RECOMMENDS).unwrap_or(true)
    }

    /// Whether it only says what it would do.
    pub(super) fn pretends(&self) -> bool {
        [SIMULATE, PRINT_ADDRESSES].iter().any(|name| self.is_set(name) == Some(true))
    }

    /// Whether it fetches, and no more.
    pub(super) fn only_fetches(&self) -> bool {
        self.is_set(DOWNLOAD_ONLY) == Some(true)
    }

    /// A folder of apt's: as a setting has it, or the usual one.
    pub(super) fn folder(&self, setting: &str, usual: &str) -> PathBuf {
        // One that does not begin with a slash is below another, which nothing but images of other systems changes.
        let given = self.settings.get(&setting.to_ascii_lowercase()).filter(|folder| folder.starts_with('/'));
        PathBuf::from(given.map_or(usual, String::as_str))
    }
}

fn is_on(value: &str) -> bool {
    ON.contains(&value.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(words: &str) -> Line {
        let mut line = Line::default();
        line.take(&words.split(' ').map(str::to_owned).collect::<Vec<_>>());
        line
    }

    #[test]
    fn what_asks_nothing() {
        for words in [
            "-y",
            "-qq",
            "-q -q",
            "-q=2",
            "-yq",
            "--assume-yes",
            "-o APT::Get::Assume-Yes=true",
            "-oapt::get::assume-yes=1",
        ] {
            assert!(line(&format!("{words} install git")).agrees(), "{words}");
        }
        for words in ["-q", "-y --assume-no", "-o APT::Get::Assume-Yes=false", "--yes=false", "-t y"] {
            assert!(!line(&format!("{words} install git")).agrees(), "{words}");
        }
    }

    #[test]
    fn what_installs_nothing() {
        for words in ["-s", "-ys", "--simulate", "--just-print", "--dry-run", "--recon", "--no-act", "--print-uris"] {
            assert!(line(words).pretends(), "{words}");
        }
        assert!(line("-yd").only_fetches() && line("--download-only").only_fetches());
        assert!(!line("-y -t s -o d").pretends() && !line("-y -t s -o d").only_fetches());
    }

    #[test]
    fn settings_in_files_and_on_the_command_line() {
        let mut read = Line::default();
        read.configure("// a comment\nAPT::Get::Assume-Yes \"true\";\nAPT {\n  Install-Recommends \"false\";\n};\n");
        assert!(read.agrees() && !read.recommends());
        let given = line("-oDir::State::Lists=/tmp/l --no-install-recommends install -y git");
        assert_eq!(given.folder("Dir::State::Lists", "/x"), Path::new("/tmp/l"));
        assert_eq!(given.folder("Dir::Cache::Archives", "/x"), Path::new("/x"));
        assert_eq!((given.recommends(), given.words), (false, vec!["install".to_owned(), "git".to_owned()]));
    }
}
