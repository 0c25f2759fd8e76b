//! From the text of a file to its tests, or to all of its faults.

use std::path::Path;

use regex::{Regex, RegexBuilder};
use serde::de::DeserializeOwned;
use serde_saphyr::{DuplicateKeyPolicy, Error, Location, Spanned, UserMessageFormatter};

use super::file::{
    CommandTable, ContentTable, Document, ExistenceTable, List, MetadataTable, RunOptions, Variable, Versioned,
};
use super::{
    CommandTest, ContentTest, ExecutableBy, ExistenceTest, MetadataTest, Named, Patterns, StructureTest, Value,
};
use crate::outcome::At;
use crate::suite::diagnostic::{Diagnostic, Diagnostics, Faults, Help, Source};
use crate::suite::scenario::Declared;

/// The version of the schema that is read.
const VERSION: &str = "2.0.0";
/// The most that a file may have, in bytes.
pub(crate) const MAX_FILE: u64 = 256 << 10;
/// The most patterns that a file may have, and what one may take when it is compiled, in bytes.
const MAX_PATTERNS: usize = 1000;
const MAX_PATTERN: usize = 1 << 20;
/// How many faults of a file are told.
const MAX_FAULTS: usize = 100;

/// Who can execute a file, by the words of the file.
const EXECUTABLE_BY: [ExecutableBy; 4] = [
    ExecutableBy { words: "any", bits: 0o111 },
    ExecutableBy { words: "owner", bits: 0o100 },
    ExecutableBy { words: "group", bits: 0o010 },
    ExecutableBy { words: "other", bits: 0o001 },
];

/// The tests of a file, whose path is told in findings as it is given.
///
/// # Errors
/// All that is wrong with it, and all that it asks for and a run cannot give.
pub(crate) fn load(path: &Path, text: String) -> Result<StructureTest, Diagnostics> {
    let source = Source::new(path, text);
    let found = |faults| Diagnostics::new(faults).of(path.display().to_string());
    let tests = version(&source).and_then(|()| {
        let file: Document = read(&source)?;
        let mut resolver = Resolver { faults: Faults::new(source.clone()), told: 0, patterns: 0 };
        let tests = resolver.file(file);
        resolver.faults.check(tests)
    });
    tests.map_err(found)
}

/// Whether the file is of the version that is read.
fn version(source: &Source) -> Result<(), Vec<Diagnostic>> {
    let Versioned { schema_version } = read(source)?;
    let place = schema_version.as_ref().map_or(0..0, |version| place(source, version.referenced));
    let fault = match schema_version.as_ref().map(|version| version.value.as_str()) {
        Some(VERSION) => return Ok(()),
        Some(_) => Diagnostic::at(source, place, format!("this program reads schema version {VERSION}")),
        None => Diagnostic::at(source, place, "the file has no `schemaVersion`"),
    };
    Err(vec![fault.help(format!("files of container-structure-test say `schemaVersion: {VERSION}`"))])
}

/// Reads YAML, of which JSON is a part.
fn read<T: DeserializeOwned>(source: &Source) -> Result<T, Vec<Diagnostic>> {
    let options = serde_saphyr::options! { duplicate_keys: DuplicateKeyPolicy::Error, with_snippet: false };
    serde_saphyr::from_str_with_options(source.text(), options).map_err(|error| {
        let span = error.location().map_or(0..0, |location| place(source, location));
        let fault = Diagnostic::at(source, span, words(&error));
        vec![fault.help("docs/guide-image-maintainers.md says what is read of files of container-structure-test")]
    })
}

/// What is wrong, without the place, which is shown beside it, and in words that are not for programmers.
fn words(error: &Error) -> String {
    match error.without_snippet() {
        Error::DuplicateMappingKey { key: Some(key), .. } => format!("the key `{key}` is there twice"),
        Error::InvalidScalar { ty, .. } if ty.starts_with('i') => "a whole number is expected here".to_owned(),
        Error::InvalidScalar { ty, .. } => format!("this is no {ty}"),
        Error::MultipleDocuments { .. } => "the file has several documents".to_owned(),
        Error::Budget { .. } => {
            "the file becomes too large: it has too many aliases, or too much of something else".to_owned()
        }
        other => {
            let text = other.render_with_formatter(&UserMessageFormatter);
            let first = text.lines().next().unwrap_or_default();
            let first = first.split(" at line ").next().unwrap_or(first);
            first.strip_prefix("error: ").unwrap_or(first).to_owned()
        }
    }
}

/// A place of the file, in bytes.
fn place(source: &Source, location: Location) -> std::ops::Range<usize> {
    let line = source.line(usize::try_from(location.line()).unwrap_or(1).max(1));
    let column = usize::try_from(location.column()).unwrap_or(1).saturating_sub(1);
    let text = source.text().get(line.clone()).unwrap_or_default();
    let start = line.start + text.char_indices().nth(column).map_or(text.len(), |(offset, _)| offset);
    start..line.end.max(start)
}

struct Resolver {
    faults: Faults,
    /// How many faults were told.
    told: usize,
    /// How many patterns there were.
    patterns: usize,
}

impl Resolver {
    fn file(&mut self, file: Document) -> StructureTest {
        for test in list(file.license_tests) {
            self.fault(test.referenced, "license tests are not run")
                .advice("remove `licenseTests`; a file of a licence can be asked for by `fileExistenceTests` and `fileContentTests`");
        }
        let user = file.container_run_options.and_then(|options| self.run_options(options));
        let environment = list(file.global_env_vars);
        let environment =
            environment.into_iter().map(|variable| self.variable(variable.value, variable.referenced)).collect();
        let test = StructureTest {
            speaks_for_clauses: false,
            environment,
            user,
            commands: list(file.command_tests).into_iter().map(|test| self.command(test)).collect(),
            files: list(file.file_existence_tests).into_iter().map(|test| self.existence(test)).collect(),
            contents: list(file.file_content_tests).into_iter().map(|test| self.content(test)).collect(),
            metadata: file.metadata_test.map(|test| self.metadata(test.value)).unwrap_or_default(),
        };
        if test.is_empty() {
            self.faults
                .at(0..0, "the file has no tests")
                .advice("add `commandTests`, `fileExistenceTests`, `fileContentTests` or `metadataTest`");
        }
        test
    }

    /// The user of containers. What else can be said of them would lead out of the isolation of a run.
    fn run_options(&mut self, options: RunOptions) -> Option<String> {
        const ISOLATION: &str = "remove it: containers of a run have no more power than they need";
        let RunOptions { user, privileged, allocate_tty, env_file, env_vars, capabilities, bind_mounts } = options;
        let set = |option: Option<Spanned<Vec<String>>>| {
            option.filter(|option| !option.value.is_empty()).map(|option| option.referenced)
        };
        let on = |option: Option<Spanned<bool>>| option.filter(|option| option.value).map(|option| option.referenced);
        let file = env_file.filter(|option| !option.value.is_empty()).map(|option| option.referenced);
        for (option, place, why) in [
            ("privileged", on(privileged), ISOLATION),
            ("capabilities", set(capabilities), ISOLATION),
            ("bindMounts", set(bind_mounts), "remove it: containers of a run see nothing of this machine's folders"),
            (
                "envVars",
                set(env_vars),
                "containers of a run have no variables of this machine: write them into `globalEnvVars`",
            ),
            ("envFile", file, "containers of a run have no variables of other files: write them into `globalEnvVars`"),
            (
                "allocateTty",
                on(allocate_tty),
                "remove it: commands have no terminal, so that their two outputs can be told apart",
            ),
        ] {
            if let Some(place) = place {
                self.fault(place, format!("`{option}` is not permitted")).advice(why);
            }
        }
        Some(user).filter(|user| !user.is_empty())
    }

    fn command(&mut self, test: Spanned<CommandTable>) -> CommandTest {
        let Spanned { value: table, referenced: place, .. } = test;
        self.named(&table.name, place);
        if table.command.is_empty() {
            self.fault(place, "the test has no `command`");
        }
        let setup = list(table.setup);
        for (key, commands) in [("setup", &setup), ("teardown", &list(table.teardown))] {
            if commands.iter().any(|command| command.first().is_none_or(String::is_empty)) {
                self.fault(place, format!("a command of `{key}` is empty"));
            }
        }
        if !(0..=255).contains(&table.exit_code) {
            self.fault(place, format!("the exit code {} is not possible", table.exit_code));
        }
        let environment: Vec<_> =
            list(table.env_vars).into_iter().map(|variable| self.variable(variable, place)).collect();
        if environment.iter().any(|(_, value)| value.is_empty()) {
            self.fault(place, "a variable of `envVars` has no value");
        }
        CommandTest {
            name: table.name,
            at: self.at(place),
            setup,
            run: std::iter::once(table.command).chain(list(table.args)).collect(),
            environment,
            exit_code: table.exit_code,
            output: self.patterns(table.expected_output, table.excluded_output),
            error: self.patterns(table.expected_error, table.excluded_error),
        }
    }

    fn existence(&mut self, test: Spanned<ExistenceTable>) -> ExistenceTest {
        let Spanned { value: table, referenced: place, .. } = test;
        self.named(&table.name, place);
        self.path(&table.path, place);
        let executable_by = table.is_executable_by.filter(|typed| !typed.value.is_empty()).and_then(|typed| {
            let known = EXECUTABLE_BY.into_iter().find(|known| known.words == typed.value);
            if known.is_none() {
                self.fault(typed.referenced, "`isExecutableBy` is none of owner, group, other and any");
            }
            known.map(|value| Declared { value, at: self.at(typed.referenced) })
        });
        let number = |number: Option<Spanned<i64>>| {
            number.filter(|number| number.value != -1).map(|number| self.declared(number))
        };
        ExistenceTest {
            user: number(table.uid),
            group: number(table.gid),
            permissions: table.permissions.filter(|typed| !typed.value.is_empty()).map(|typed| self.declared(typed)),
            name: table.name,
            at: self.at(place),
            path: table.path,
            should_exist: table.should_exist,
            executable_by,
        }
    }

    fn content(&mut self, test: Spanned<ContentTable>) -> ContentTest {
        let Spanned { value: table, referenced: place, .. } = test;
        self.named(&table.name, place);
        self.path(&table.path, place);
        let content = self.patterns(table.expected_contents, table.excluded_contents);
        ContentTest { name: table.name, at: self.at(place), path: table.path, content }
    }

    fn metadata(&mut self, table: MetadataTable) -> MetadataTest {
        let text = |text: Option<Spanned<String>>| text.filter(|text| !text.value.is_empty());
        MetadataTest {
            environment: list(table.env_vars).into_iter().filter_map(|typed| self.value(typed)).collect(),
            unset: list(table.unbound_env_vars)
                .into_iter()
                .map(|typed| Declared { at: self.at(typed.referenced), value: typed.value.key })
                .collect(),
            labels: list(table.labels).into_iter().filter_map(|typed| self.value(typed)).collect(),
            exposed: self.texts(table.exposed_ports),
            unexposed: self.texts(table.unexposed_ports),
            volumes: self.texts(table.volumes),
            unmounted: self.texts(table.unmounted_volumes),
            entry_point: table.entrypoint.map(|typed| self.declared(typed)),
            command: table.cmd.map(|typed| self.declared(typed)),
            working_directory: text(table.workdir).map(|typed| self.declared(typed)),
            user: text(table.user).map(|typed| self.declared(typed)),
        }
    }

    /// A variable or label of the image.
    fn value(&mut self, typed: Spanned<Variable>) -> Option<Declared<Named>> {
        let Spanned { value: Variable { key: name, value, is_regex }, referenced: place, .. } = typed;
        if name.is_empty() {
            self.fault(place, "the `key` is empty");
        }
        let value = if is_regex { Value::Pattern(self.regex(&value, place)?) } else { Value::Text(value) };
        Some(Declared { value: Named { name, value }, at: self.at(place) })
    }

    /// A variable that is given to containers.
    fn variable(&mut self, variable: Variable, place: Location) -> (String, String) {
        if variable.key.is_empty() || variable.key.contains('=') {
            self.fault(place, "the `key` of a variable is empty or has a `=`");
        }
        (variable.key, variable.value)
    }

    fn patterns(&mut self, expected: List<Spanned<String>>, excluded: List<Spanned<String>>) -> Patterns {
        let mut compiled = |patterns: List<Spanned<String>>| {
            let patterns = list(patterns).into_iter();
            let pattern = |typed: Spanned<String>| {
                let value = self.regex(&typed.value, typed.referenced)?;
                Some(Declared { value, at: self.at(typed.referenced) })
            };
            patterns.filter_map(pattern).collect()
        };
        Patterns { expected: compiled(expected), excluded: compiled(excluded) }
    }

    fn regex(&mut self, pattern: &str, place: Location) -> Option<Regex> {
        self.patterns += 1;
        if self.patterns > MAX_PATTERNS {
            self.fault(place, format!("the file has more than {MAX_PATTERNS} patterns"))
                .advice("divide it into several files");
            return None;
        }
        match RegexBuilder::new(pattern).size_limit(MAX_PATTERN).build() {
            Ok(regex) => Some(regex),
            Err(error) => {
                let text = error.to_string();
                let why = text.lines().rev().find_map(|line| line.strip_prefix("error: ")).unwrap_or(&text).to_owned();
                self.fault(place, "the regular expression is not valid")
                    .label(why)
                    .advice("the syntax is that of Rust's `regex` crate");
                None
            }
        }
    }

    fn named(&mut self, name: &str, place: Location) {
        if name.is_empty() {
            self.fault(place, "the test has no `name`");
        }
    }

    fn path(&mut self, path: &str, place: Location) {
        if path.is_empty() {
            self.fault(place, "the test has no `path`");
        }
    }

    fn texts(&self, texts: List<Spanned<String>>) -> Vec<Declared<String>> {
        list(texts).into_iter().map(|typed| self.declared(typed)).collect()
    }

    fn declared<T>(&self, typed: Spanned<T>) -> Declared<T> {
        Declared { at: self.at(typed.referenced), value: typed.value }
    }

    fn at(&self, location: Location) -> At {
        At { file: self.faults.source().file().to_owned(), line: usize::try_from(location.line()).unwrap_or(1) }
    }

    fn fault(&mut self, location: Location, message: impl Into<String>) -> Help<'_> {
        self.told += 1;
        if self.told > MAX_FAULTS {
            return Help::of_none();
        }
        let span = place(self.faults.source(), location);
        self.faults.at(span, message)
    }
}

fn list<T>(list: List<T>) -> Vec<T> {
    list.unwrap_or_default()
}

#[cfg(test)]
#[path = "resolve_tests.rs"]
mod tests;
