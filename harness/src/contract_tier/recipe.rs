//! What a sample application's Dockerfile has done, as far as the contract tier can do it: the triggers, or the same steps written
//! out, and CMD. It is followed in its order, as the builder does; what cannot be done here is not tried, for a reason.

use crate::suite::scenario::dockerfile::{self, Does};

/// The build step, as `RUN` has it.
const BUILD: &str = "mod_wsgi-docker-build";
/// The start step, as `ENTRYPOINT` has it.
const START: &str = "mod_wsgi-docker-start";

/// What a Dockerfile has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recipe {
    /// Whether the build step runs.
    pub(super) builds: bool,
    /// Whether the start step is the entry point.
    pub(super) starts: bool,
    pub(super) command: Vec<String>,
}

/// Reads a Dockerfile; why the contract tier cannot do what it says, where that is so.
pub(super) fn read(text: &str) -> Result<Recipe, String> {
    let file = dockerfile::read(text).map_err(|unreadable| format!("its Dockerfile: {unreadable}"))?;
    let mut image = None;
    for instruction in &file.instructions {
        let followed = match (&mut image, &instruction.does) {
            (None, Does::Declare(_)) => Ok(()),
            (None, does) => Image::new(does).map(|begun| image = Some(begun)),
            (Some(image), does) => image.follow(does),
        };
        followed.map_err(|why| format!("its Dockerfile requires an engine: {why}: {}", instruction.text))?;
    }
    image
        .ok_or("there is no FROM")
        .and_then(Image::finish)
        .map_err(|why| format!("its Dockerfile requires an engine: {why}"))
}

/// Why an instruction is not followed.
type Why = &'static str;
const NOT_HERE: Why = "this instruction cannot be followed in a sandbox";

/// How far the application has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Application {
    Absent,
    Copied,
    Built,
}

/// An image in the making.
struct Image {
    application: Application,
    /// Whether the working directory is /app.
    is_in_app: bool,
    starts: bool,
    command: Vec<String>,
}

impl Image {
    fn new(does: &Does) -> Result<Self, Why> {
        let Does::Begin { image, .. } = does else { return Err(NOT_HERE) };
        let by_triggers = match image.trim_matches('"') {
            "${IMAGE}" | "$IMAGE" => true,
            "${BASE_IMAGE}" | "$BASE_IMAGE" => false,
            _ => return Err("it does not begin with the candidate"),
        };
        // The triggers do everything at once.
        let application = if by_triggers { Application::Built } else { Application::Absent };
        Ok(Self { application, is_in_app: by_triggers, starts: by_triggers, command: Vec::new() })
    }

    fn follow(&mut self, does: &Does) -> Result<(), Why> {
        match does {
            Does::Describe => {}
            // Commands have arguments in their environment, and are run by a shell.
            Does::Declare(_) | Does::Shell(_) if self.application == Application::Built => {}
            Does::Folder(folder) if is_app(folder) => self.is_in_app = true,
            Does::Copy { sources, to, has_options: false, .. } if is_whole(sources) && self.is_app(to) => {
                if self.application == Application::Built {
                    return Err("it copies the application again, after the build step");
                }
                self.application = Application::Copied;
            }
            Does::Run(command) if command == BUILD => {
                self.can_build()?;
                self.application = Application::Built;
            }
            Does::EntryPoint(Some(words)) if *words == [START] => self.starts = true,
            Does::Command(words) => self.command.clone_from(words),
            Does::Begin { .. } => return Err("it has several stages"),
            Does::Declare(_)
            | Does::Folder(_)
            | Does::Copy { .. }
            | Does::Add { .. }
            | Does::Run(_)
            | Does::EntryPoint(_)
            | Does::Trigger(_)
            | Does::Shell(_)
            | Does::Other => return Err(NOT_HERE),
        }
        Ok(())
    }

    fn is_app(&self, path: &str) -> bool {
        is_app(path) || (self.is_in_app && [".", "./"].contains(&path))
    }

    /// Whether the build step can run now, as it does in the sandbox: in /app, with the whole application there.
    fn can_build(&self) -> Result<(), Why> {
        match self.application {
            Application::Built => Err("it runs the build step again"),
            Application::Absent => Err("it runs the build step before `COPY . /app`"),
            Application::Copied if !self.is_in_app => Err("it runs the build step without `WORKDIR /app`"),
            Application::Copied => Ok(()),
        }
    }

    fn finish(self) -> Result<Recipe, Why> {
        let Self { application, is_in_app, starts, command } = self;
        match application {
            Application::Absent => Err("there is no `COPY . /app`"),
            _ if !is_in_app => Err("there is no `WORKDIR /app`"),
            Application::Copied | Application::Built => {
                Ok(Recipe { builds: application == Application::Built, starts, command })
            }
        }
    }
}

fn is_app(path: &str) -> bool {
    ["/app", "/app/"].contains(&path)
}

/// Whether the whole application is copied.
fn is_whole(sources: &[String]) -> bool {
    matches!(sources, [source] if [".", "./"].contains(&source.as_str()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const BASE: &str = "ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\n";

    fn recipe(builds: bool, starts: bool, command: &[&str]) -> Recipe {
        Recipe { builds, starts, command: command.iter().map(ToString::to_string).collect() }
    }

    #[test]
    fn triggers_and_steps_written_out() {
        let triggers = "ARG IMAGE\nFROM ${IMAGE}\nCMD [ \"--url-alias\", \"/static\", \\\n  \"x\" ]\n";
        assert_eq!(read(triggers).unwrap(), recipe(true, true, &["--url-alias", "/static", "x"]));
        let written = format!(
            "{BASE}WORKDIR /app\nCOPY . /app\nRUN mod_wsgi-docker-build\nEXPOSE 80\nENTRYPOINT [ \"mod_wsgi-docker-start\" ]\n"
        );
        assert_eq!(read(&written).unwrap(), recipe(true, true, &[]));
        assert_eq!(read(&format!("{BASE}COPY ./ /app/\nWORKDIR /app\n")).unwrap(), recipe(false, false, &[]));
        assert_eq!(
            read(&format!("{BASE}WORKDIR /app/\ncopy . .\nrun mod_wsgi-docker-build\n")).unwrap(),
            recipe(true, false, &[])
        );
    }

    #[test]
    fn the_order_counts() {
        for (text, why) in [
            (
                "WORKDIR /app\nRUN mod_wsgi-docker-build\nCOPY . /app\n",
                "before `COPY . /app`: RUN mod_wsgi-docker-build",
            ),
            ("COPY . /app\nRUN mod_wsgi-docker-build\n", "without `WORKDIR /app`: RUN mod_wsgi-docker-build"),
            ("COPY . .\nWORKDIR /app\n", "cannot be followed in a sandbox: COPY . ."),
            ("WORKDIR /app\nCOPY . .\nRUN mod_wsgi-docker-build\nCOPY . .\n", "copies the application again"),
            (
                "WORKDIR /app\nCOPY . .\nARG X=1\nRUN mod_wsgi-docker-build\n",
                "cannot be followed in a sandbox: ARG X=1",
            ),
            (
                "WORKDIR /app\nCOPY . .\nSHELL [\"/bin/bash\", \"-c\"]\nRUN mod_wsgi-docker-build\n",
                "cannot be followed in a sandbox: SHELL",
            ),
            ("WORKDIR /app\n", "there is no `COPY . /app`"),
            ("COPY . /app\n", "there is no `WORKDIR /app`"),
        ] {
            let told = read(&format!("{BASE}{text}")).unwrap_err();
            assert!(told.contains(why), "{text}: {told}");
        }
    }

    #[test]
    fn a_command_in_shell_form_reaches_the_start_step() {
        let recipe = read("ARG IMAGE\nFROM ${IMAGE}\nCMD [ 'x' ]\n").unwrap();
        assert_eq!(recipe.command, ["/bin/sh", "-c", "[ 'x' ]"]);
        let recipe = read("ARG IMAGE\nFROM ${IMAGE}\nSHELL [\"/usr/bin/bash\", \"-ec\"]\nCMD x\n").unwrap();
        assert_eq!(recipe.command, ["/usr/bin/bash", "-ec", "x"]);
    }

    #[test]
    fn anything_else_takes_an_engine() {
        for text in [
            "FROM ${IMAGE}\nRUN touch /x",
            "FROM ${IMAGE} AS a\nFROM a",
            "CMD [\"x\"]",
            "FROM ${IMAGE}\nCOPY . /app",
            "FROM ${IMAGE}\nWORKDIR /srv",
            "FROM ${IMAGE}\nENV X=1",
            "FROM ${IMAGE}\nENTRYPOINT [ \"sh\" ]",
            "FROM debian",
        ] {
            assert!(read(&format!("ARG IMAGE\n{text}\n")).is_err(), "{text}");
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

        #[test]
        fn any_dockerfile_can_be_read(text in r"((FROM|RUN|CMD|ARG|COPY|ENTRYPOINT)? ?[ -~\u{e4}]{0,20}\\?\n){0,6}") {
            drop(read(&text));
        }
    }
}
