//! What a sample application's Dockerfile has done, as far as the contract tier can do it: the triggers, or the same steps written
//! out, and CMD.

/// What a Dockerfile has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recipe {
    /// Whether the build step runs.
    pub(super) builds: bool,
    pub(super) command: Vec<String>,
}

/// Reads a Dockerfile; why the contract tier cannot do what it says, where that is so.
pub(super) fn read(text: &str) -> Result<Recipe, String> {
    let joined = text.replace("\\\n", " ");
    let mut recipe = None;
    let mut command = Vec::new();
    for line in joined.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (instruction, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim();
        match (instruction.to_ascii_uppercase().as_str(), rest) {
            ("ARG" | "EXPOSE" | "LABEL", _) | ("WORKDIR", "/app") | ("COPY", ". /app") => {}
            ("FROM", "${IMAGE}") if recipe.is_none() => recipe = Some(true),
            ("FROM", "${BASE_IMAGE}") if recipe.is_none() => recipe = Some(false),
            ("RUN", "mod_wsgi-docker-build") if recipe == Some(false) => recipe = Some(true),
            ("ENTRYPOINT", words) if list(words).is_some_and(|words| words == ["mod_wsgi-docker-start"]) => {}
            ("CMD", words) => command = list(words).ok_or_else(|| not_here(line))?,
            _ => return Err(not_here(line)),
        }
    }
    match recipe {
        Some(builds) => Ok(Recipe { builds, command }),
        None => Err("its Dockerfile has no FROM ${IMAGE}, nor FROM ${BASE_IMAGE}".to_owned()),
    }
}

fn not_here(line: &str) -> String {
    format!("its Dockerfile has an instruction that requires an engine: {line}")
}

fn list(words: &str) -> Option<Vec<String>> {
    serde_json::from_str(words).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triggers_and_steps_written_out() {
        let recipe = |builds, command: &[&str]| {
            Ok(Recipe { builds, command: command.iter().map(ToString::to_string).collect() })
        };
        let triggers = "ARG IMAGE\nFROM ${IMAGE}\nCMD [ \"--url-alias\", \"/static\", \\\n  \"x\" ]\n";
        assert_eq!(read(triggers), recipe(true, &["--url-alias", "/static", "x"]));
        let written = "ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nWORKDIR /app\nCOPY . /app\nRUN mod_wsgi-docker-build\n";
        assert_eq!(read(written), recipe(true, &[]));
        assert_eq!(read("FROM ${BASE_IMAGE}\nCOPY . /app\n"), recipe(false, &[]));
    }

    #[test]
    fn anything_else_takes_an_engine() {
        for text in ["FROM ${IMAGE}\nRUN touch /x", "FROM ${IMAGE} AS a\nFROM a", "CMD [\"x\"]", "FROM ${IMAGE}\nCMD x"]
        {
            assert!(read(text).is_err(), "{text}");
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
