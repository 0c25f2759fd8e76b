//! A Dockerfile as text, and its instructions as far as they matter here.

use std::ops::Range;

use parse_dockerfile::{AddInstruction, Command, CopyInstruction, Flag, Instruction as Parsed, Source};

use super::{here_document, unclear};

/// A Dockerfile, up to what only `BuildKit` can read.
#[derive(Debug, Default)]
pub(crate) struct Dockerfile {
    pub(crate) instructions: Vec<Instruction>,
    /// What only `BuildKit` knows: the first of it, and where it stands.
    pub(crate) only_buildkit: Option<(Range<usize>, String)>,
    /// What builders may read otherwise: the first of it, and the byte of the text at which its line stands.
    pub(super) unclear: Option<(usize, String)>,
}

/// An instruction.
#[derive(Debug)]
pub(crate) struct Instruction {
    /// Its first line, in bytes of the text.
    pub(crate) place: Range<usize>,
    /// That line as typed.
    pub(crate) text: String,
    pub(crate) does: Does,
}

/// What an instruction does.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Does {
    /// `ARG`: declares these names.
    Declare(Vec<String>),
    /// `FROM`: begins a stage.
    Begin { image: String, name: Option<String> },
    /// `RUN`, in shell form.
    Run(String),
    /// `COPY`.
    Copy { sources: Vec<String>, to: String, from: Option<String>, has_options: bool },
    /// `ADD`.
    Add { sources: Vec<String> },
    /// `WORKDIR`.
    Folder(String),
    /// `ENTRYPOINT`; `None` in shell form.
    EntryPoint(Option<Vec<String>>),
    /// `CMD`: its words, which in shell form are a shell and its arguments.
    Command(Vec<String>),
    /// `SHELL`: what shell forms are from here on.
    Shell(Vec<String>),
    /// `EXPOSE`, `LABEL` and `MAINTAINER`, which say something of the image, and change nothing in it.
    Describe,
    /// `ONBUILD`.
    Trigger(Box<Does>),
    /// Anything else that the builder knows.
    Other,
}

/// Why a Dockerfile cannot be followed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub(crate) struct Unreadable {
    /// The line, counted from 1.
    pub(crate) line: usize,
    pub(crate) why: String,
}

impl From<parse_dockerfile::Error> for Unreadable {
    fn from(error: parse_dockerfile::Error) -> Self {
        Self { line: error.line().max(1), why: format!("{error:#}") }
    }
}

/// Reads a Dockerfile.
///
/// # Errors
/// When neither builder could follow it.
pub(crate) fn read(text: &str) -> Result<Dockerfile, Unreadable> {
    // A byte order mark is no part of what is parsed.
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let shift = text.len() - body.len();
    let unclear = unclear::in_text(body).map(|(place, what)| (place + shift, what));
    let mut file = Dockerfile { unclear, ..Dockerfile::default() };
    let mut shell = usual_shell();
    for parsed in parse_dockerfile::parse_iter(body)? {
        let parsed = match parsed {
            Ok(parsed) => parsed,
            // The lines of a here-document are no instructions: where one was, this is no mistake.
            Err(_) if file.only_buildkit.is_some() => break,
            Err(error) => return Err(error.into()),
        };
        let (start, does) = convert(&parsed, &shell);
        match &does {
            Does::Shell(words) => shell.clone_from(words),
            // One that begins with an earlier stage has the shell of that; no such file is followed.
            Does::Begin { .. } => shell = usual_shell(),
            _ => {}
        }
        let line = body[start..].lines().next().unwrap_or_default().trim_end();
        let place = start + shift..start + shift + line.len();
        if let Some(what) = unclear::in_options(&parsed) {
            file.unclear.get_or_insert((place.start, what));
        }
        if let Some(what) = only_buildkit(&parsed)
            && file.only_buildkit.is_none()
        {
            file.only_buildkit = Some((place.clone(), what));
        }
        file.instructions.push(Instruction { place, text: line.to_owned(), does });
    }
    Ok(file)
}

/// The shell of an image that names no other.
fn usual_shell() -> Vec<String> {
    ["/bin/sh", "-c"].map(str::to_owned).to_vec()
}

/// Where an instruction begins, and what it does, where shell forms are of this shell.
fn convert(parsed: &Parsed<'_>, shell: &[String]) -> (usize, Does) {
    match parsed {
        Parsed::Add(one) => (one.add.span.start, Does::Add { sources: paths(&one.src) }),
        Parsed::Arg(one) => {
            let names = one.arguments.value.split_whitespace().map(|word| word.split('=').next().unwrap_or(word));
            (one.arg.span.start, Does::Declare(names.map(str::to_owned).collect()))
        }
        Parsed::Cmd(one) => (one.cmd.span.start, Does::Command(words(&one.arguments, shell))),
        Parsed::Copy(one) => (one.copy.span.start, copy(one)),
        Parsed::Entrypoint(one) => (one.entrypoint.span.start, Does::EntryPoint(list(&one.arguments))),
        Parsed::Env(one) => (one.env.span.start, Does::Other),
        Parsed::Expose(one) => (one.expose.span.start, Does::Describe),
        Parsed::From(one) => {
            let name = one.as_.as_ref().map(|(_, name)| name.value.to_string());
            (one.from.span.start, Does::Begin { image: one.image.value.to_string(), name })
        }
        Parsed::Healthcheck(one) => (one.healthcheck.span.start, Does::Other),
        Parsed::Label(one) => (one.label.span.start, Does::Describe),
        Parsed::Maintainer(one) => (one.maintainer.span.start, Does::Describe),
        Parsed::Onbuild(one) => (one.onbuild.span.start, Does::Trigger(Box::new(convert(&one.instruction, shell).1))),
        Parsed::Run(one) => {
            let does = match &one.arguments {
                Command::Shell(command) => Does::Run(command.value.trim().to_owned()),
                _ => Does::Other,
            };
            (one.run.span.start, does)
        }
        Parsed::Shell(one) => {
            let words = one.arguments.iter().map(|word| word.value.to_string());
            (one.shell.span.start, Does::Shell(words.collect()))
        }
        Parsed::Stopsignal(one) => (one.stopsignal.span.start, Does::Other),
        Parsed::User(one) => (one.user.span.start, Does::Other),
        Parsed::Volume(one) => (one.volume.span.start, Does::Other),
        Parsed::Workdir(one) => (one.workdir.span.start, Does::Folder(one.arguments.value.to_string())),
        _ => (0, Does::Other),
    }
}

fn copy(one: &CopyInstruction<'_>) -> Does {
    let from = one.options.iter().find(|flag| flag.name.value == "from");
    Does::Copy {
        sources: paths(&one.src),
        to: one.dest.value.to_string(),
        from: from.map(|flag| flag.value.as_ref().map_or_else(String::new, |value| value.value.to_string())),
        has_options: !one.options.is_empty(),
    }
}

fn paths(sources: &[Source<'_>]) -> Vec<String> {
    let path = |source: &Source<'_>| match source {
        Source::Path(path) => Some(path.value.to_string()),
        _ => None,
    };
    sources.iter().filter_map(path).collect()
}

/// The words of a command in exec form.
fn list(command: &Command<'_>) -> Option<Vec<String>> {
    match command {
        Command::Exec(words) => Some(words.value.iter().map(|word| word.value.to_string()).collect()),
        _ => None,
    }
}

/// The words of a command in either form, as an image has them.
fn words(command: &Command<'_>, shell: &[String]) -> Vec<String> {
    match command {
        Command::Shell(text) => shell.iter().cloned().chain([text.value.trim().to_owned()]).collect(),
        _ => list(command).unwrap_or_default(),
    }
}

/// What of an instruction only `BuildKit` knows.
fn only_buildkit(parsed: &Parsed<'_>) -> Option<String> {
    const HERE: &str = "a here-document";
    let option = |options: &[Flag<'_>], known: &[&str]| {
        let unknown = options.iter().find(|flag| !known.contains(&flag.name.value.as_ref()));
        unknown.map(|flag| format!("the option `--{}`", flag.name.value))
    };
    let is_here = |source: &Source<'_>| matches!(source, Source::HereDoc(_));
    match parsed {
        Parsed::Run(one) => {
            let here = match &one.arguments {
                Command::Shell(command) => here_document::begins_in(command.value),
                _ => false,
            };
            option(&one.options, &[]).or_else(|| (here || !one.here_docs.is_empty()).then(|| HERE.to_owned()))
        }
        Parsed::Copy(CopyInstruction { options, src, .. }) => {
            option(options, &["from", "chown"]).or_else(|| src.iter().any(is_here).then(|| HERE.to_owned()))
        }
        Parsed::Add(AddInstruction { options, src, .. }) => {
            option(options, &["chown"]).or_else(|| src.iter().any(is_here).then(|| HERE.to_owned()))
        }
        Parsed::Onbuild(one) => only_buildkit(&one.instruction),
        _ => None,
    }
}
