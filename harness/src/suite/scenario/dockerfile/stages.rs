//! Whether what a Dockerfile makes is the candidate's: each stage begins with the candidate's image, an earlier stage, or nothing, and
//! the last one descends from the candidate. What would have the engine fetch something is refused, too: a run is hermetic.

use crate::suite::diagnostic::{Diagnostic, Source};

use super::fetched;
use super::read::{Dockerfile, Does, Instruction};

/// The arguments that name the candidate's images.
const CANDIDATES: [&str; 2] = ["IMAGE", "BASE_IMAGE"];
/// What to write instead.
const HOW: &str = "`ARG IMAGE` and `FROM ${IMAGE}` begin with the candidate's onbuild image, `ARG BASE_IMAGE` and `FROM ${BASE_IMAGE}` with its base image";

/// A stage.
struct Stage {
    name: Option<String>,
    /// Whether it descends from the candidate.
    descends: bool,
}

/// What is wrong with the stages of a Dockerfile.
pub(super) fn faults(source: &Source, file: &Dockerfile) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    let mut declared: Vec<&str> = Vec::new();
    let mut stages: Vec<Stage> = Vec::new();
    let mut last = None;
    for instruction in &file.instructions {
        match &instruction.does {
            Does::Declare(names) if stages.is_empty() => declared.extend(names.iter().map(String::as_str)),
            Does::Begin { image, name } => {
                let descends = begin(image, &stages, &declared).unwrap_or_else(|fault| {
                    faults.push(fault.at(source, instruction));
                    // Told once is enough.
                    true
                });
                stages.push(Stage { name: name.as_ref().map(|name| name.to_lowercase()), descends });
                last = Some(instruction);
            }
            other => faults.extend(fetched(other, &stages).map(|fault| fault.at(source, instruction))),
        }
    }
    // What only BuildKit can read may have further stages.
    if let (Some(stage), Some(last)) = (stages.last(), last)
        && !stage.descends
        && file.only_buildkit.is_none()
    {
        let fault = Diagnostic::at(source, last.place.clone(), "the last stage does not descend from the candidate");
        faults.push(fault.label("this is what would be tested").help(HOW));
    }
    faults
}

/// A fault of an instruction, without its place.
struct Fault {
    what: String,
    label: &'static str,
    help: String,
}

impl Fault {
    fn at(self, source: &Source, instruction: &Instruction) -> Diagnostic {
        Diagnostic::at(source, instruction.place.clone(), self.what).label(self.label).help(self.help)
    }
}

/// Whether a stage on this image descends from the candidate.
fn begin(image: &str, stages: &[Stage], declared: &[&str]) -> Result<bool, Fault> {
    let image = image.trim_matches('"');
    if let Some(argument) = argument(image) {
        if CANDIDATES.contains(&argument) && declared.contains(&argument) {
            return Ok(true);
        }
        if CANDIDATES.contains(&argument) {
            return Err(Fault {
                what: format!("`{argument}` is not declared before the first `FROM`"),
                label: "the builder takes it for empty",
                help: format!("put `ARG {argument}` at the top of the Dockerfile"),
            });
        }
    }
    if let Some(stage) = of_name(image, stages) {
        return Ok(stage.descends);
    }
    if image == "scratch" {
        return Ok(false);
    }
    Err(Fault {
        what: format!("`{}` is neither the candidate nor an earlier stage", image.escape_debug()),
        label: "what is built on it is not the candidate's",
        help: HOW.to_owned(),
    })
}

/// The name of the argument that an image is.
fn argument(image: &str) -> Option<&str> {
    let name = image.strip_prefix('$')?;
    name.strip_prefix('{').map_or(Some(name), |name| name.strip_suffix('}'))
}

/// The latest stage of a name.
fn of_name<'a>(name: &str, stages: &'a [Stage]) -> Option<&'a Stage> {
    let name = name.to_lowercase();
    stages.iter().rev().find(|stage| stage.name.as_ref() == Some(&name))
}

/// What the engine would have to fetch for an instruction.
fn fetched(does: &Does, stages: &[Stage]) -> Option<Fault> {
    let names: Vec<Option<String>> = stages.iter().map(|stage| stage.name.clone()).collect();
    fetched::of(does, &names).map(|what| Fault {
        what,
        label: "the engine would fetch it from outside of the run",
        help: "put the file into the application's folder, or copy from an earlier stage".to_owned(),
    })
}
