//! A generated application as a scenario: its files, and a scenario file that says what the model predicts.

mod hook;
mod scenario;

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::application::{
    Action, Application, Executable, ExtraFolder, Kind, Layout, Line, Linked, Name, Place, RequirementFile,
    Requirements, Target,
};
use super::generate;
use super::model::{GREETING, predict};

/// A file of a scenario's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct File {
    /// Its path in the scenario's folder.
    pub path: String,
    pub content: Content,
}

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// A file with this text.
    Text(String),
    Folder,
    Link(String),
}

impl File {
    /// Writes it below a folder.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn write(&self, folder: &Path) -> io::Result<()> {
        let path = folder.join(&self.path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        match &self.content {
            Content::Text(text) => std::fs::write(path, text),
            Content::Folder => std::fs::create_dir(path),
            Content::Link(target) => symlink(target, path),
        }
    }
}

/// The address of the fixture server's repositories.
const REPOSITORIES: &str = "http://fixtures.wsgi-proof.test:8399";
/// What a file says that must not be run.
const NOT_TO_RUN: &str = "fuzz: this must not run";
const SETUP_PY: &str =
    "from setuptools import setup\n\nsetup(name='generated', version='1.0', py_modules=['generated'])\n";
/// Answers at /variables with those that the application got, in hexadecimal digits.
const WSGI: &str = "import binascii
import os

NAMES = '@NAMES@'.split()


def variables():
    values = getattr(os, 'environb', os.environ)
    there = [name for name in sorted(NAMES) if name.encode('ascii') in values]
    return ' '.join(name + '=' + binascii.hexlify(values[name.encode('ascii')]).decode('ascii') for name in there)


def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [variables().encode('ascii') if environ['PATH_INFO'] == '/variables' else b'generated']
";
/// What a link to nothing leads to.
const NOTHING: &str = "no-such-file";
/// Folders that links lead to.
const FOLDER: &str = "the-folder";
const HOOKS: &str = "the-hooks";
const VARIABLES: &str = "the-variables";
const REQUIREMENTS: &str = "requirements.txt";
/// The file that requirements.txt names, and the one that that names, relative to each other.
const INCLUDED: &str = "requirements/more.txt";
const NESTED: &str = "requirements/last.txt";

/// The files of the scenario, the scenario file first. `origin` is what the scenario says of where it comes from.
pub(crate) fn files(application: &Application, origin: &str) -> Vec<File> {
    let prediction = predict(application);
    let mut drawn = Drawn { application, files: Vec::new(), modes: BTreeMap::new() };
    drawn.everything();
    let scenario = scenario::scenario(application, &prediction, drawn.modes, origin);
    let text = File { path: "scenario.toml".to_owned(), content: Content::Text(scenario) };
    std::iter::once(text).chain(drawn.files).collect()
}

/// The application folder as it is drawn up.
struct Drawn<'a> {
    application: &'a Application,
    files: Vec<File>,
    modes: BTreeMap<String, String>,
}

impl Drawn<'_> {
    fn add(&mut self, path: &str, content: Content) {
        // Of two that would be one, the first stays.
        if self.files.iter().all(|file| file.path != format!("app/{path}")) {
            self.files.push(File { path: format!("app/{path}"), content });
        }
    }

    fn text(&mut self, path: &str, text: impl Into<String>) {
        self.add(path, Content::Text(text.into()));
    }

    fn add_kind(&mut self, path: &str, kind: Kind, text: String, target: &str) {
        match kind {
            Kind::File(executable) => {
                if let Some(mode) = executable.mode() {
                    self.modes.insert(path.to_owned(), mode.to_owned());
                }
                self.add(path, Content::Text(text));
            }
            Kind::Link(executable) => {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                let target_path = format!("{folder}/{target}");
                self.add(path, Content::Link(target.to_owned()));
                self.add_kind(&target_path, Kind::File(executable), text, "");
            }
            Kind::Folder => self.add(path, Content::Folder),
            Kind::DanglingLink => self.add(path, Content::Link(NOTHING.to_owned())),
        }
    }

    /// What stands where a file is looked for; `to_root` leads from its folder to the application's, where `target` is what a link
    /// leads to.
    fn add_place(&mut self, path: &str, place: Place, text: &str, (to_root, target): (&str, &str)) {
        match place {
            Place::File => self.text(path, text),
            Place::Link => {
                self.add(path, Content::Link(format!("{to_root}{target}")));
                self.text(target, text);
            }
            Place::Folder => self.add(path, Content::Folder),
            Place::DanglingLink => self.add(path, Content::Link(NOTHING.to_owned())),
        }
    }

    /// A link to a folder that has something in it.
    fn add_link_to_folder(&mut self, path: &str, (to_root, target): (&str, &str)) {
        let within = format!("app/{target}/");
        if self.files.iter().any(|file| file.path.starts_with(&within)) {
            self.add(path, Content::Link(format!("{to_root}{target}")));
        }
    }

    fn everything(&mut self) {
        let application = self.application;
        self.text("Dockerfile", dockerfile(application));
        self.text("wsgi.py", WSGI.replace("@NAMES@", &generate::VARIABLES.join(" ")));
        if let Some(place) = application.setup_py {
            self.add_place("setup.py", place, SETUP_PY, ("", "package/setup.py"));
        }
        if application.setup_py.is_some() || application.does(|action| *action == Action::WriteSetupPy) {
            self.text("generated.py", "");
        }
        if let Some((place, requirements)) = &application.requirements {
            for (path, text) in requirement_files(requirements) {
                match path {
                    REQUIREMENTS => self.add_place(path, *place, &text, ("", "lists/all.txt")),
                    // A file that no other one names.
                    _ if !place.is_file() => {}
                    _ => self.text(path, text),
                }
            }
        }
        let asks_for_local = application.listed().into_iter().chain(written(application)).any(|requirements| {
            requirements.lines.iter().any(|(line, _)| matches!(line, Line::Local | Line::LocalEditable))
        });
        if asks_for_local {
            self.text("vendor/local/setup.py", SETUP_PY.replace("generated", "local"));
            self.text("vendor/local/local.py", "");
        }
        // Where things are, which links may lead to.
        let folder = if application.linked == Linked::Folder { FOLDER } else { application.folder() };
        let within = |linked, target: &str, name| {
            if application.linked == linked { target.to_owned() } else { format!("{folder}/{name}") }
        };
        let hooks = within(Linked::Hooks, HOOKS, "action_hooks");
        let variables = within(Linked::Variables, VARIABLES, "user_vars");
        for (name, hook) in application.hooks() {
            let text = hook::script(application, name, hook);
            let target = format!("the-{}-hook", name.text());
            self.add_kind(&format!("{hooks}/{}", name.text()), hook.kind, text, &target);
        }
        let to_root = if application.linked == Linked::Variables { "../" } else { "../../" };
        for variable in &application.user_vars {
            let (path, target) = (format!("{variables}/{}", variable.name), format!("values/{}", variable.name));
            self.add_place(&path, variable.place, &variable.value, (to_root, &target));
        }
        let not_to_run = || format!("#!/bin/sh\necho '{NOT_TO_RUN}'\nexit 1\n");
        if application.layout == Layout::Both {
            for name in Name::ALL {
                let path = format!("{}/action_hooks/{}", application.other_folder(), name.text());
                self.add_kind(&path, Kind::File(Executable::All), not_to_run(), "");
            }
            self.text(&format!("{}/user_vars/{GREETING}", application.other_folder()), "of the other folder");
            // Without anything in it, it would not be there.
            self.text(&format!("{folder}/note"), "");
        }
        for extra in &application.extras {
            let parent = match extra.folder {
                ExtraFolder::Application => String::new(),
                ExtraFolder::Hooks => format!("{hooks}/"),
                ExtraFolder::Variables => format!("{variables}/"),
            };
            self.add_kind(&format!("{parent}{}", extra.name), extra.kind, not_to_run(), "");
        }
        match application.linked {
            Linked::Nothing => {}
            Linked::Folder => self.add_link_to_folder(application.folder(), ("", FOLDER)),
            Linked::Hooks => self.add_link_to_folder(&format!("{folder}/action_hooks"), ("../", HOOKS)),
            Linked::Variables => self.add_link_to_folder(&format!("{folder}/user_vars"), ("../", VARIABLES)),
        }
    }
}

fn dockerfile(application: &Application) -> String {
    let mut words = Vec::new();
    if application.options {
        words.extend(["--setenv", "OPTION", "two  words *"]);
    }
    words.extend(match application.target {
        Target::Script => &["wsgi.py"][..],
        Target::Module => &["--application-type", "module", "wsgi"],
        Target::MissingScript => &["no-such-script.wsgi"],
    });
    let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    format!("ARG IMAGE\nFROM ${{IMAGE}}\nCMD [ {} ]\n", words.join(", "))
}

/// The requirements that hooks write.
fn written(application: &Application) -> impl Iterator<Item = &Requirements> {
    application.hooks().flat_map(|(_, hook)| &hook.actions).filter_map(|action| match action {
        Action::WriteRequirements(requirements) => Some(requirements),
        _ => None,
    })
}

/// requirements.txt, and the files that it names.
fn requirement_files(requirements: &Requirements) -> Vec<(&'static str, String)> {
    let of = |file: RequirementFile| {
        requirements.lines.iter().filter(move |(_, of)| *of == file).map(|(line, _)| line_text(*line))
    };
    let (mut root, mut included, nested): (Vec<_>, Vec<_>, Vec<_>) = (
        of(RequirementFile::Root).collect(),
        of(RequirementFile::Included).collect(),
        of(RequirementFile::Nested).collect(),
    );
    let text = |lines: &[String]| {
        let end = if requirements.crlf { "\r\n" } else { "\n" };
        let mut text = lines.join(end);
        if requirements.ended && !lines.is_empty() {
            text.push_str(end);
        }
        text
    };
    let mut files = Vec::new();
    if !nested.is_empty() {
        files.push((NESTED, text(&nested)));
        // Relative to the file that names it.
        included.push("-r last.txt".to_owned());
    }
    if !included.is_empty() {
        files.push((INCLUDED, text(&included)));
        root.push(format!("--requirement={INCLUDED}"));
    }
    files.push((REQUIREMENTS, text(&root)));
    files.reverse();
    files
}

fn line_text(line: Line) -> String {
    match line {
        Line::Blank => String::new(),
        Line::Comment => "# a comment".to_owned(),
        Line::CommentOnVersionControl => format!("# git+{REPOSITORIES}/git/greeting.git or hg+static-http://x"),
        Line::Marked => "wsgi-proof-no-such-project; python_version < \"2\"".to_owned(),
        Line::Index => "six".to_owned(),
        Line::IndexIndented => "  six>=1.0  ".to_owned(),
        Line::IndexWithComment => "six  # not git+".to_owned(),
        Line::Git => format!("git+{REPOSITORIES}/git/greeting.git"),
        Line::GitInCapitals => format!("Git+{REPOSITORIES}/git/greeting.git#egg=greeting"),
        Line::GitEditable => format!("-e git+{REPOSITORIES}/git/greeting.git#egg=greeting"),
        Line::GitNamed => format!("greeting @ git+{REPOSITORIES}/git/greeting.git"),
        Line::Mercurial => format!("hg+static-{REPOSITORIES}/hg/salutation"),
        Line::MercurialInCapitals => format!("HG+static-{REPOSITORIES}/hg/salutation#egg=salutation"),
        Line::MercurialEditable => format!("-e hg+static-{REPOSITORIES}/hg/salutation#egg=salutation"),
        Line::Local => "./vendor/local".to_owned(),
        Line::LocalEditable => "-e ./vendor/local".to_owned(),
        Line::Itself => "-e .".to_owned(),
        Line::MissingPath => "./vendor/none".to_owned(),
    }
}
