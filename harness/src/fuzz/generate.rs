//! Random applications. The simplest of everything comes first, for that is where shrinking leads.

use proptest::collection::vec;
use proptest::option::{of, weighted};
use proptest::prelude::*;
use proptest::sample::select;

use super::application::{
    Action, Application, End, Extra, ExtraFolder, Hook, Interpreter, Kind, Layout, Line, Name, RequirementFile,
    Requirements, Target,
};
use crate::suite::dialect::Dialect;

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
const RESERVED: [&str; 12] = [
    ".",
    "..",
    ".docker",
    ".dockerignore",
    ".whiskey",
    "Dockerfile",
    "generated.py",
    "requirements",
    "requirements.txt",
    "setup.py",
    "vendor",
    "wsgi.py",
];
/// Names in the folder of the hooks that are none of a hook.
const NO_HOOKS: [&str; 8] =
    ["pre-build.sh", "build~", "Build", "deploy.orig", "pre_build", "post-deploy", "-build", "deploy env"];
/// Names in the folder of the variables that are none of a variable.
const NO_VARIABLES: [&str; 6] = ["not-a-name", "0-no-name", "two words", "a.b", "$(touch made)", "A=B"];
/// Names of variables, some of which a script might use for itself.
const VARIABLES: [&str; 12] =
    ["GREETING", "name", "file", "folder", "hook", "value", "_x", "IFS_", "X1", "path", "known", "WHISKEY"];

/// Applications for a dialect.
pub(crate) fn applications(dialect: Dialect) -> impl Strategy<Value = Application> {
    let layout = prop_oneof![4 => Just(Layout::Own), 1 => Just(Layout::Other), 1 => Just(Layout::Both)];
    let hooks = [
        weighted(0.6, hook(vec(before_build(), 0..3).boxed())),
        weighted(0.6, hook(vec(set_executable(&[Name::DeployEnv, Name::Deploy]), 0..2).boxed())),
        weighted(0.5, hook(vec(at_start(), 0..3).boxed())),
        weighted(0.5, hook(Just(Vec::new()).boxed())),
    ];
    let parts = (layout, hooks, weighted(0.7, requirements()), any::<bool>(), vec(variable(), 0..4));
    let rest = (vec(extra(), 0..4), target(), any::<bool>(), given());
    (parts, rest).prop_map(
        move |((layout, hooks, requirements, setup_py, mut user_vars), (mut extras, target, options, given))| {
            user_vars.sort();
            user_vars.dedup_by(|one, other| one.0 == other.0);
            let mut seen = Vec::new();
            extras.retain(|extra| {
                let key = (extra.folder, extra.name.clone());
                let fresh = !seen.contains(&key);
                seen.push(key);
                fresh
            });
            Application { dialect, layout, hooks, requirements, setup_py, user_vars, extras, target, options, given }
        },
    )
}

fn hook(actions: BoxedStrategy<Vec<Action>>) -> impl Strategy<Value = Hook> {
    let kind = prop_oneof![
        8 => Just(Kind::File(true)),
        2 => Just(Kind::File(false)),
        1 => Just(Kind::Link(true)),
        1 => Just(Kind::Link(false)),
        1 => Just(Kind::Folder),
        1 => Just(Kind::DanglingLink),
    ];
    let interpreter =
        prop_oneof![3 => Just(Interpreter::Sh), 3 => Just(Interpreter::Bash), 1 => Just(Interpreter::Python)];
    let end = prop_oneof![7 => Just(End::Exit(0)), 2 => (1..=255u8).prop_map(End::Exit), 1 => Just(End::Killed)];
    (kind, interpreter, actions, end).prop_map(|(kind, interpreter, actions, end)| Hook {
        kind,
        interpreter,
        actions,
        end,
    })
}

fn before_build() -> impl Strategy<Value = Action> {
    prop_oneof![
        3 => requirements().prop_map(Action::WriteRequirements),
        2 => Just(Action::RemoveRequirements),
        2 => Just(Action::WriteSetupPy),
        1 => Just(Action::ForbidGit),
        1 => Just(Action::ForbidMercurial),
        2 => set_executable(&[Name::Build, Name::DeployEnv, Name::Deploy]),
        1 => Just(Action::RemoveHook(Name::Build)),
    ]
}

fn at_start() -> impl Strategy<Value = Action> {
    prop_oneof![
        3 => variable().prop_map(|(name, value)| Action::SetVariable(name, value)),
        2 => select(&VARIABLES[..]).prop_map(|name| Action::UnsetVariable(name.to_owned())),
        1 => set_executable(&[Name::Deploy]),
        1 => Just(Action::RemoveHook(Name::Deploy)),
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
        2 => Just(Kind::File(true)),
        1 => Just(Kind::File(false)),
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
