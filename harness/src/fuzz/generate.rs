//! Random applications. The simplest of everything comes first, for that is where shrinking leads.

use proptest::collection::vec;
use proptest::option::{of, weighted};
use proptest::prelude::*;
use proptest::sample::select;

use super::application::{
    Action, Application, End, Executable, Extra, ExtraFolder, Hook, Interpreter, Kind, Layout, Line, Linked, Name,
    Output, Place, RequirementFile, Requirements, Target, Text, Tool, Variable,
};
use crate::suite::dialect::Dialect;
use crate::suite::scenario::Signal;

/// Names of files that hurt who does not quote them.
const HURTFUL: [&str; 24] = [
    "plain",
    "two words",
    " leading",
    "trailing ",
    "-rf",
    "--help",
    "-e",
    "*",
    "?",
    "[x]",
    "{a,b}",
    "~",
    "#",
    "!",
    "a;b&c|d",
    "$(touch made)",
    "`touch made`",
    "$HOME",
    "it's \"quoted\"",
    "back\\slash",
    "tab\there",
    "new\nline",
    "\u{fc} \u{65e5}\u{672c}",
    "git+x",
];
/// Names that the contract knows, where they stand in the application folder.
const RESERVED: [&str; 18] = [
    ".",
    "..",
    ".docker",
    ".dockerignore",
    ".whiskey",
    "Dockerfile",
    "generated.py",
    "lists",
    "package",
    "requirements",
    "requirements.txt",
    "setup.py",
    "the-folder",
    "the-hooks",
    "the-variables",
    "values",
    "vendor",
    "wsgi.py",
];
/// Names in the folder of the hooks that are none of a hook.
const NO_HOOKS: [&str; 8] =
    ["pre-build.sh", "build~", "Build", "deploy.orig", "pre_build", "post-deploy", "-build", "deploy env"];
/// Names in the folder of the variables that are none of a variable.
const NO_VARIABLES: [&str; 6] = ["not-a-name", "0-no-name", "two words", "a.b", "$(touch made)", "A=B"];
/// Names of variables, some of which a script might use for itself.
pub(super) const VARIABLES: [&str; 12] =
    ["GREETING", "name", "file", "folder", "hook", "value", "_x", "IFS_", "X1", "path", "known", "WHISKEY"];

/// Applications for a dialect.
pub(crate) fn applications(dialect: Dialect) -> impl Strategy<Value = Application> {
    let layout = prop_oneof![4 => Just(Layout::Own), 1 => Just(Layout::Other), 1 => Just(Layout::Both)];
    let hooks = [
        weighted(0.6, hook(vec(before_build(), 0..3).boxed())),
        weighted(0.6, hook(vec(in_build(), 0..3).boxed())),
        weighted(0.5, hook(vec(at_start(), 0..3).boxed())),
        weighted(0.5, hook(vec(last(), 0..2).boxed())),
    ];
    let user_vars = vec((variable(), place()), 0..4);
    let parts = (layout, linked(), hooks, weighted(0.7, (place(), requirements())), weighted(0.5, place()), user_vars);
    let rest = (vec(extra(), 0..4), target(), any::<bool>(), given());
    (parts, rest).prop_map(
        move |(
            (layout, linked, hooks, mut requirements, setup_py, user_vars),
            (mut extras, target, options, given),
        )| {
            let mut user_vars: Vec<Variable> =
                user_vars.into_iter().map(|((name, value), place)| Variable { name, value, place }).collect();
            user_vars.sort_by(|one, other| one.name.cmp(&other.name));
            user_vars.dedup_by(|one, other| one.name == other.name);
            // What pip says of what is no file is to be its own.
            let breaks = |hook: &Hook| hook.actions.iter().any(|action| matches!(action, Action::Break(..)));
            if let Some((place, _)) = requirements.as_mut().filter(|_| hooks.iter().flatten().any(breaks)) {
                *place = Place::File;
            }
            let mut seen = Vec::new();
            extras.retain(|extra| {
                let key = (extra.folder, extra.name.clone());
                let fresh = !seen.contains(&key);
                seen.push(key);
                fresh
            });
            Application {
                dialect,
                layout,
                hooks,
                requirements,
                setup_py,
                user_vars,
                linked,
                extras,
                target,
                options,
                given,
            }
        },
    )
}

fn hook(actions: BoxedStrategy<Vec<Action>>) -> impl Strategy<Value = Hook> {
    let kind = prop_oneof![
        8 => Just(Kind::File(Executable::All)),
        2 => executable().prop_map(Kind::File),
        2 => executable().prop_map(Kind::Link),
        1 => Just(Kind::Folder),
        1 => Just(Kind::DanglingLink),
    ];
    let interpreter =
        prop_oneof![3 => Just(Interpreter::Sh), 3 => Just(Interpreter::Bash), 1 => Just(Interpreter::Python)];
    let end = prop_oneof![7 => Just(End::Exit(0)), 2 => (1..=255u8).prop_map(End::Exit), 1 => signal()];
    (kind, interpreter, actions, end).prop_map(|(kind, interpreter, actions, end)| Hook {
        kind,
        interpreter,
        actions,
        end,
    })
}

fn executable() -> impl Strategy<Value = Executable> {
    prop_oneof![
        3 => Just(Executable::Nobody),
        1 => Just(Executable::All),
        1 => Just(Executable::Owner),
        1 => Just(Executable::Group),
        1 => Just(Executable::Others),
    ]
}

fn signal() -> impl Strategy<Value = End> {
    select(&[Signal::Kill, Signal::Term, Signal::Segv][..]).prop_map(End::Signal)
}

fn place() -> impl Strategy<Value = Place> {
    prop_oneof![
        8 => Just(Place::File),
        2 => Just(Place::Link),
        1 => Just(Place::Folder),
        1 => Just(Place::DanglingLink),
    ]
}

fn linked() -> impl Strategy<Value = Linked> {
    prop_oneof![
        7 => Just(Linked::Nothing),
        1 => Just(Linked::Folder),
        1 => Just(Linked::Hooks),
        1 => Just(Linked::Variables),
    ]
}

/// Has a tool fail: the codes are those that pip knows, and the last that there is.
fn break_tool() -> impl Strategy<Value = Action> {
    let end = prop_oneof![select(&[1, 2, 3, 23, 255][..]).prop_map(End::Exit), signal()];
    let tool = prop_oneof![2 => Just(Tool::Pip), 1 => Just(Tool::PipForMercurial), 1 => Just(Tool::Apt)];
    (tool, end).prop_map(|(tool, end)| Action::Break(tool, end))
}

fn ended_text() -> impl Strategy<Value = Text> {
    // What a pipe holds, and what is kept in memory without a second thought.
    let large = (select(&[70_000, 1_200_000][..]), any::<bool>())
        .prop_map(|(bytes, in_one_line)| Text::Large { bytes, in_one_line });
    prop_oneof![2 => select(&[Text::NotUtf8, Text::Nul, Text::CarriageReturns, Text::Escapes][..]), 1 => large]
}

/// Output that is followed by nothing of the build step's, whose progress lines have the beginning of a line for themselves.
fn text() -> impl Strategy<Value = Text> {
    prop_oneof![4 => ended_text(), 1 => Just(Text::Unended)]
}

fn print(text: impl Strategy<Value = Text>) -> impl Strategy<Value = Action> {
    (text, any::<bool>()).prop_map(|(text, to_errors)| Action::Print(Output { text, to_errors }))
}

fn before_build() -> impl Strategy<Value = Action> {
    prop_oneof![
        3 => requirements().prop_map(Action::WriteRequirements),
        2 => Just(Action::RemoveRequirements),
        2 => Just(Action::WriteSetupPy),
        1 => Just(Action::ForbidGit),
        1 => Just(Action::ForbidMercurial),
        2 => break_tool(),
        2 => print(ended_text()),
        2 => set_executable(&[Name::Build, Name::DeployEnv, Name::Deploy]),
        1 => Just(Action::RemoveHook(Name::Build)),
    ]
}

fn in_build() -> impl Strategy<Value = Action> {
    prop_oneof![2 => set_executable(&[Name::DeployEnv, Name::Deploy]), 2 => last()]
}

/// What a hook does whom none follows.
fn last() -> impl Strategy<Value = Action> {
    prop_oneof![2 => print(text()), 1 => Just(Action::LeaveProcess)]
}

fn at_start() -> impl Strategy<Value = Action> {
    prop_oneof![
        3 => variable().prop_map(|(name, value)| Action::SetVariable(name, value)),
        2 => select(&VARIABLES[..]).prop_map(|name| Action::UnsetVariable(name.to_owned())),
        1 => set_executable(&[Name::Deploy]),
        1 => Just(Action::RemoveHook(Name::Deploy)),
        2 => last(),
    ]
}

fn set_executable(names: &'static [Name]) -> impl Strategy<Value = Action> {
    (select(names), any::<bool>()).prop_map(|(name, executable)| Action::SetExecutable(name, executable))
}

fn requirements() -> impl Strategy<Value = Requirements> {
    let file = prop_oneof![4 => Just(RequirementFile::Root), 1 => Just(RequirementFile::Included), 1 => Just(RequirementFile::Nested)];
    (vec((line(), file), 0..6), any::<bool>(), any::<bool>()).prop_map(|(mut lines, crlf, unended)| {
        let mut seen = Vec::new();
        lines.retain(|(line, _)| match line.project() {
            Some(project) if seen.contains(&project) => false,
            project => {
                seen.extend(project);
                true
            }
        });
        Requirements { lines, crlf, ended: !unended }
    })
}

fn line() -> impl Strategy<Value = Line> {
    prop_oneof![
        1 => Just(Line::Blank),
        1 => Just(Line::Comment),
        2 => Just(Line::CommentOnVersionControl),
        1 => Just(Line::Marked),
        2 => select(&[Line::Index, Line::IndexIndented, Line::IndexWithComment][..]),
        2 => select(&[Line::Git, Line::GitInCapitals, Line::GitEditable, Line::GitNamed][..]),
        2 => select(&[Line::Mercurial, Line::MercurialInCapitals, Line::MercurialEditable][..]),
        2 => select(&[Line::Local, Line::LocalEditable][..]),
        1 => Just(Line::Itself),
        1 => Just(Line::MissingPath),
    ]
}

/// A variable of `user_vars`. That of `GREETING` is logged, and is a single line.
fn variable() -> impl Strategy<Value = (String, String)> {
    let value = prop_oneof![
            select(
                &[
                    "",
                    "x",
                    "two  words",
                    "$(touch made)",
                    "it's \"quoted\"",
                    "\\n",
                    "-n",
                    "a\nb",
                    "a\n",
                    "\n\n",
                    "a\r\n"
                ][..]
            )
            .prop_map(str::to_owned),
            "[ -~\u{e4}\n\t]{0,20}",
        ];
    (select(&VARIABLES[..]), value).prop_map(|(name, value)| {
        let value = if name == "GREETING" { value.replace(|c: char| !c.is_ascii_alphanumeric(), "") } else { value };
        (name.to_owned(), value)
    })
}

fn extra() -> impl Strategy<Value = Extra> {
    let kind = prop_oneof![
        2 => Just(Kind::File(Executable::All)),
        1 => Just(Kind::File(Executable::Nobody)),
        1 => Just(Kind::Folder),
        1 => Just(Kind::DanglingLink),
    ];
    let somewhere = prop_oneof![
        3 => prop_oneof![select(&HURTFUL[..]).prop_map(str::to_owned), "[ -.0-~]{1,12}"]
            .prop_filter("the name means something", |name| !RESERVED.contains(&name.as_str()))
            .prop_map(|name| (ExtraFolder::Application, name)),
        1 => select(&NO_HOOKS[..]).prop_map(|name| (ExtraFolder::Hooks, name.to_owned())),
        1 => select(&NO_VARIABLES[..]).prop_map(|name| (ExtraFolder::Variables, name.to_owned())),
    ];
    (somewhere, kind).prop_map(|((folder, name), kind)| Extra { folder, name, kind })
}

fn target() -> impl Strategy<Value = Target> {
    prop_oneof![4 => Just(Target::Script), 2 => Just(Target::Module), 1 => Just(Target::MissingScript)]
}

fn given() -> impl Strategy<Value = Vec<(String, String)>> {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    of(select(vec![
        vec![pair("GIVEN", "two  words")],
        vec![pair("MOD_WSGI_USER", "nobody"), pair("MOD_WSGI_GROUP", "nogroup")],
    ]))
    .prop_map(Option::unwrap_or_default)
}
