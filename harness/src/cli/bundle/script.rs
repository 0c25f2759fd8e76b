//! `reproduce.sh` and `README.md` of a bundle: for who has docker, and perhaps nothing else.

use super::contents::{APPLICATION, IMAGES, MANIFEST, REPORT, SCRIPT, STORE, SUITE};
use super::manifest::Manifest;
use crate::cli::reproduce::quoted;
use crate::suite::scenario::{Scenario, ServeExpectation};

/// The names that the script gives to images.
const NAME: &str = "wsgi-proof-bundle";

/// The script; `application` is the scenario, if it has one.
pub(super) fn script(manifest: &Manifest, application: Option<&Scenario>) -> String {
    let Manifest { scenario, builder, base_image, onbuild_image, .. } = manifest;
    let cell = manifest.cell();
    let mut lines = vec![
        "#!/bin/sh".to_owned(),
        format!("# {scenario}, {cell}, with docker alone and the network that docker has."),
        "# Images and container stay until you remove them: `docker rmi` and `docker rm`.".to_owned(),
        "set -eu".to_owned(),
        "cd \"$(dirname \"$0\")\"".to_owned(),
        format!("docker load --input {IMAGES}"),
        format!("docker tag {} {NAME}:base", quoted(&base_image.id)),
        format!("docker tag {} {NAME}:onbuild", quoted(&onbuild_image.id)),
    ];
    let Some(application) = application else {
        lines.push(format!("echo 'The images are {NAME}:base and {NAME}:onbuild.'"));
        return lines.join("\n") + "\n";
    };
    // Older clients use it only where they are asked to.
    let with = if builder.is_buildkit() { "DOCKER_BUILDKIT=1 " } else { "" };
    lines.push(format!(
        "{with}docker build --build-arg IMAGE={NAME}:onbuild --build-arg BASE_IMAGE={NAME}:base --tag {NAME}:application - < {APPLICATION}"
    ));
    match &application.serve {
        Some(serve) => lines.push(format!("exec docker run {}", started(serve))),
        None => lines.push(format!("echo 'The application is {NAME}:application.'")),
    }
    lines.join("\n") + "\n"
}

/// The arguments of `docker run` that start the application as the scenario does, as far as words can.
fn started(serve: &ServeExpectation) -> String {
    let start = &serve.start;
    let mut words = vec!["--publish 127.0.0.1:8080:80".to_owned()];
    words.extend(start.environment.iter().map(|(name, value)| format!("--env {}", quoted(&format!("{name}={value}")))));
    words.extend(start.user.iter().map(|user| format!("--user {}", quoted(user))));
    words.extend(start.read_only.then(|| "--read-only".to_owned()));
    words.extend(start.tmpfs.iter().map(|(path, executable)| {
        let options = if *executable { ":exec" } else { "" };
        format!("--tmpfs {}", quoted(&format!("{path}{options}")))
    }));
    words.extend(start.terminal.then(|| "--tty --interactive".to_owned()));
    words.push(format!("{NAME}:application"));
    words.extend(start.arguments.iter().flatten().map(|argument| quoted(argument)));
    words.join(" ")
}

/// What a person reads first.
pub(super) fn readme(manifest: &Manifest, has_application: bool) -> String {
    let Manifest { scenario, candidate, program, suite, engine, .. } = manifest;
    let cell = manifest.cell();
    let verdict = serde_json::to_value(manifest.verdict).unwrap_or_default();
    let verdict = verdict.as_str().unwrap_or_default();
    let application = if has_application {
        format!("| `{APPLICATION}` | the build context of the application, with its Dockerfile |\n")
    } else {
        String::new()
    };
    format!(
        "# {scenario}, {cell}: {verdict}\n\n\
         A scenario of wsgi-proof with all that it needs, to be run again elsewhere.\n\n\
         - candidate: {candidate}\n- wsgi-proof {program}, suite {suite}\n- engine: {engine}\n\n\
         ## Run it again\n\n\
         The same run, with the same images and the same fixtures, on any engine, and judged:\n\n    \
         wsgi-proof run --bundle FILE\n\n\
         With docker alone, `sh {SCRIPT}` loads the images, builds the application and starts it. Its network is\n\
         docker's, not the suite's: what the scenario finds at the fixture server alone is not there.\n\n\
         ## What is in it\n\n\
         | file | content |\n|---|---|\n\
         | `{MANIFEST}` | what it is of, and both images by id and digest |\n\
         | `{REPORT}/` | the report of the run, with its logs: open `index.html` |\n\
         {application}\
         | `{IMAGES}` | the base and the onbuild image, as `docker save` writes them |\n\
         | `{STORE}/` | the fixtures that were used |\n\
         | `{SUITE}` | the suite; `wsgi-proof run --bundle` reads it |\n"
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::engine::Identity;
    use crate::outcome::Verdict;
    use crate::suite::builder::Builder;
    use crate::suite::scenario::Subject;
    use crate::suite::scenario::tests::scenario;

    fn manifest() -> Manifest {
        let image = |id: &str| Identity { id: id.to_owned(), digests: Vec::new(), layers: Vec::new() };
        Manifest {
            version: 1,
            program: "0.1.0".to_owned(),
            suite: "sha256:0".to_owned(),
            scenario: "hello".to_owned(),
            variant: "python-3.11".to_owned(),
            dialect: "docker".to_owned(),
            builder: Builder::Classic,
            candidate: "images/base, images/onbuild".to_owned(),
            strict: false,
            limits: Vec::new(),
            verdict: Verdict::Fail,
            engine: "Docker".to_owned(),
            architecture: "amd64".to_owned(),
            base_image: image("sha256:1"),
            onbuild_image: image("sha256:2"),
            fixtures: Vec::new(),
        }
    }

    #[test]
    fn an_application_is_built_by_the_builder_of_the_cell() {
        let of =
            |builder| script(&Manifest { builder, ..manifest() }, Some(&scenario("hello", Subject::Application, true)));
        assert!(of(Builder::Classic).contains("\ndocker build "), "{}", of(Builder::Classic));
        let script = of(Builder::BuildKit);
        assert!(script.contains("\nDOCKER_BUILDKIT=1 docker build "), "{script}");
        assert!(script.contains("# hello, python-3.11 docker buildkit, with docker alone"), "{script}");
    }

    #[test]
    fn an_older_bundle_is_of_the_classic_builder() {
        let mut older = serde_json::to_value(manifest()).unwrap();
        older.as_object_mut().unwrap().remove("builder");
        assert_eq!(serde_json::from_value::<Manifest>(older).unwrap().builder, Builder::Classic);
    }

    #[test]
    fn without_an_application_there_is_nothing_to_build() {
        let script = script(&manifest(), None);
        assert!(script.contains("docker tag sha256:1 wsgi-proof-bundle:base\n"), "{script}");
        assert!(!script.contains("docker build"), "{script}");
        let readme = readme(&manifest(), false);
        assert!(readme.starts_with("# hello, python-3.11 docker: fail\n"), "{readme}");
        assert!(!readme.contains(APPLICATION), "{readme}");
    }
}
