//! What runs a composite action: a simulated workflow, with the folders, files and variables that GitHub's runner gives to its steps.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde::Deserialize;
use tempfile::TempDir;

use super::program::{root, text};

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Action {
    #[serde(rename = "name")]
    _name: String,
    #[serde(rename = "description")]
    _description: String,
    #[serde(rename = "author")]
    _author: String,
    pub(crate) inputs: BTreeMap<String, Input>,
    outputs: BTreeMap<String, Value>,
    runs: Runs,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    pub(crate) description: String,
    pub(crate) default: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Value {
    #[serde(rename = "description")]
    _description: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Runs {
    using: String,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    name: String,
    id: Option<String>,
    #[serde(rename = "if")]
    condition: Option<String>,
    shell: Option<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    run: Option<String>,
    uses: Option<String>,
    #[serde(default)]
    with: BTreeMap<String, String>,
}

/// The repository's `action.yml`.
pub(crate) fn action() -> Action {
    let text = fs::read_to_string(root().join("action.yml")).expect("action.yml");
    serde_saphyr::from_str(&text).expect("a composite action")
}

/// A job that uses the action: its workspace, and the folder for its temporary files.
pub(crate) struct Job {
    outer: TempDir,
    environment: Vec<(String, String)>,
}

/// How the action ended.
pub(crate) struct Done {
    /// Whether no step failed.
    pub(crate) succeeded: bool,
    /// All that the steps printed.
    pub(crate) log: String,
    /// The action's outputs.
    pub(crate) outputs: BTreeMap<String, String>,
    /// The step summary.
    pub(crate) summary: String,
    /// What other actions were given, by their names without versions.
    pub(crate) used: BTreeMap<String, BTreeMap<String, String>>,
}

impl Job {
    pub(crate) fn new() -> Self {
        let job = Self { outer: TempDir::new().expect("a folder"), environment: Vec::new() };
        for name in ["workspace", "temp"] {
            fs::create_dir(job.outer.path().join(name)).expect("a folder");
        }
        job
    }

    /// A variable that steps see.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// The folder that steps begin in.
    pub(crate) fn workspace(&self) -> PathBuf {
        self.outer.path().join("workspace")
    }

    /// Uses the action with these inputs.
    pub(crate) fn uses(&self, with: &[(&str, &str)]) -> Done {
        let action = action();
        assert_eq!(action.runs.using, "composite");
        let mut known: BTreeMap<String, String> =
            action.inputs.iter().map(|(name, input)| (format!("inputs.{name}"), input.default.clone())).collect();
        known.insert("github.token".to_owned(), String::new());
        for (name, value) in with {
            let input = known.get_mut(&format!("inputs.{name}")).unwrap_or_else(|| panic!("no input {name}"));
            (*value).clone_into(input);
        }
        let mut done = Done {
            succeeded: true,
            log: String::new(),
            outputs: BTreeMap::new(),
            summary: String::new(),
            used: BTreeMap::new(),
        };
        for step in &action.runs.steps {
            if !holds(step.condition.as_deref(), &known, done.succeeded) {
                continue;
            }
            if let Some(used) = &step.uses {
                let with = step.with.iter().map(|(name, value)| (name.clone(), filled(value, &known))).collect();
                done.used.insert(used.split('@').next().unwrap_or(used).to_owned(), with);
                continue;
            }
            let (output, told) = self.step(step, &known, &mut done.summary);
            done.log.push_str(&format!("{}\n{}", step.name, text(&output)));
            done.succeeded &= output.status.success();
            for (name, value) in told {
                let id = step.id.as_deref().unwrap_or_else(|| panic!("{}: outputs of a step without an id", step.name));
                known.insert(format!("steps.{id}.outputs.{name}"), value);
            }
        }
        done.outputs =
            action.outputs.iter().map(|(name, output)| (name.clone(), filled(&output.value, &known))).collect();
        done
    }

    /// Runs one step. What comes with it are its outputs.
    fn step(
        &self,
        step: &Step,
        known: &BTreeMap<String, String>,
        summary: &mut String,
    ) -> (Output, Vec<(String, String)>) {
        assert_eq!(step.shell.as_deref(), Some("bash"), "{}", step.name);
        let script = step.run.as_deref().unwrap_or_else(|| panic!("{}: neither run nor uses", step.name));
        assert!(!script.contains("${{"), "{}: an expression in a script", step.name);
        let files = TempDir::new().expect("a folder");
        let file = |name: &str| {
            let path = files.path().join(name);
            fs::write(&path, "").expect("a file");
            path
        };
        let (output_file, summary_file) = (file("output"), file("summary"));
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script]).current_dir(self.workspace());
        command.env("GITHUB_ACTIONS", "true").env("CI", "true");
        command.env("GITHUB_ACTION_PATH", root()).env("GITHUB_WORKSPACE", self.workspace());
        command.env("GITHUB_OUTPUT", &output_file).env("GITHUB_STEP_SUMMARY", &summary_file);
        command.env("RUNNER_TEMP", self.outer.path().join("temp"));
        command.envs(step.env.iter().map(|(name, value)| (name, filled(value, known))));
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let output = command.output().expect("bash");
        summary.push_str(&fs::read_to_string(&summary_file).expect("the summary"));
        let told = fs::read_to_string(&output_file).expect("the outputs");
        let pairs = told.lines().map(|line| line.split_once('=').unwrap_or_else(|| panic!("an output: {line}")));
        (output, pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}

impl Done {
    /// The lines with annotations of this kind.
    pub(crate) fn annotations(&self, kind: &str) -> Vec<&str> {
        let begins = format!("::{kind} ");
        self.log.lines().filter(|line| line.starts_with(&begins)).collect()
    }

    /// The folder with the report.
    pub(crate) fn report(&self) -> &Path {
        Path::new(&self.outputs["report"])
    }
}

/// A text with its expressions replaced: each is a name alone. An output of a step that did not run is empty.
fn filled(text: &str, known: &BTreeMap<String, String>) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${{") {
        let (name, after) = after.split_once("}}").expect("an expression that ends");
        filled.push_str(before);
        filled.push_str(&value(name.trim(), known));
        rest = after;
    }
    filled + rest
}

fn value(name: &str, known: &BTreeMap<String, String>) -> String {
    match known.get(name) {
        Some(value) => value.clone(),
        None if name.starts_with("steps.") => String::new(),
        None => panic!("{name} is not known"),
    }
}

/// Whether a step runs: comparisons with a literal, joined by `&&`. Without `always()` no step may have failed.
fn holds(condition: Option<&str>, known: &BTreeMap<String, String>, succeeded: bool) -> bool {
    let terms: Vec<&str> = condition.map_or_else(Vec::new, |text| text.split(" && ").collect());
    (succeeded || terms.contains(&"always()"))
        && terms.iter().filter(|term| **term != "always()").all(|term| {
            let compared = |operator: &str| {
                let (name, literal) = term.split_once(operator)?;
                let literal = literal.strip_prefix('\'')?.strip_suffix('\'')?;
                Some(value(name, known) == literal)
            };
            let unequal = compared(" != ").map(|equal| !equal);
            unequal.or_else(|| compared(" == ")).unwrap_or_else(|| panic!("the condition {term} is not understood"))
        })
}
