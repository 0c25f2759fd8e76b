//! The action that gates a release, in a simulated workflow: its outputs, summary and annotations, and what it refuses.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use axum::Router;
use rstest::rstest;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::support::workflow::{Done, Job, action};
use crate::support::{NO_ENGINE, PrivateEngine, Slot, changed, first_run, program, root, text, wsgi_proof};

const UPLOAD: &str = "actions/upload-artifact";

/// The program, with the suite.
fn packed() -> &'static str {
    static PACKED: OnceLock<(TempDir, String)> = OnceLock::new();
    let (_, path) = PACKED.get_or_init(|| {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("wsgi-proof").to_str().unwrap().to_owned();
        wsgi_proof(&["pack", &path]).assert().success();
        (folder, path)
    });
    path
}

/// A job in the contract tier, with the repository's build step, or a changed one, as the candidate.
struct Gate {
    job: Job,
    _slot: Slot,
}

impl Gate {
    fn of(step: &str) -> Self {
        let mut gate = Self { job: Job::new(), _slot: Slot::take() };
        gate.job.set("DOCKER_HOST", NO_ENGINE);
        gate.write("steps/build", step);
        gate
    }

    fn of_a_right_step() -> Self {
        Self::of(&fs::read_to_string(root().join("images/base/mod_wsgi-docker-build")).unwrap())
    }

    /// Writes a file of the workspace, which can be executed.
    fn write(&self, name: &str, content: &str) {
        let path = self.job.workspace().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn runs(&self, with: &[(&str, &str)]) -> Done {
        let mut inputs: BTreeMap<&str, &str> =
            [("program", packed()), ("build-step", "steps/build"), ("tier", "contract"), ("filters", "=hello-wsgi")]
                .into();
        inputs.extend(with.iter().copied());
        self.job.uses(&inputs.into_iter().collect::<Vec<_>>())
    }
}

fn report(done: &Done) -> Value {
    serde_json::from_slice(&fs::read(done.report().join("report.json")).unwrap()).unwrap()
}

/// It ran nothing, and an annotation says why.
fn refused(done: &Done, why: &str) {
    assert!(!done.succeeded, "{}", done.log);
    let errors = done.annotations("error");
    assert!(errors.iter().any(|error| error.contains(why)), "{why}: {}", done.log);
    assert_eq!(done.outputs["exit-code"], "", "{}", done.log);
    assert!(!done.used.contains_key(UPLOAD), "{}", done.log);
}

#[test]
fn a_right_step_passes() {
    let gate = Gate::of_a_right_step();
    let done = gate.runs(&[("filters", "=hello-wsgi\n  =setup-py-only"), ("strict", "true")]);
    assert!(done.succeeded, "{}", done.log);
    assert_eq!(done.outputs["exit-code"], "0");
    assert!(done.annotations("error").is_empty(), "{}", done.log);
    assert!(done.summary.contains("wsgi-proof: 2 passed, 0 passed with warnings, 0 failed"), "{}", done.summary);
    assert!(done.report().join("index.html").is_file());
    assert_eq!(done.used[UPLOAD]["name"], "wsgi-proof-report");
    assert_eq!(Path::new(&done.used[UPLOAD]["path"]), done.report());
    assert_eq!(report(&done)["scenarios"].as_array().unwrap().len(), 2);
}

#[test]
fn a_broken_step_fails_and_is_reported_all_the_same() {
    let step = changed("mod_wsgi-docker-build", "run_hook build", "run_hook never");
    let gate = Gate::of(&step);
    let done = gate.runs(&[("filters", "=failing-build-hook"), ("artifact", "mine")]);
    assert!(!done.succeeded);
    assert_eq!(done.outputs["exit-code"], "1");
    let errors = done.annotations("error");
    assert!(errors.iter().any(|error| error.contains("failing-build-hook/scenario.toml,line=")), "{}", done.log);
    assert!(done.summary.contains("1 failed"), "{}", done.summary);
    assert_eq!(done.used[UPLOAD]["name"], "mine");
    assert_eq!(report(&done)["scenarios"][0]["verdict"], "fail");
}

#[test]
fn a_shard_without_an_artifact_is_a_part() {
    let gate = Gate::of_a_right_step();
    let done = gate.runs(&[("shard", "1/40"), ("filters", ""), ("artifact", "")]);
    assert!(done.succeeded, "{}", done.log);
    assert!(done.used.is_empty());
    let report = report(&done);
    assert!((1..10).contains(&report["scenarios"].as_array().unwrap().len()));
}

/// What a matrix of shards and the job after it come to.
#[test]
fn the_reports_of_shards_are_joined() {
    let gate = Gate::of_a_right_step();
    let filters = "=hello-wsgi =setup-py-only =hook-is-a-link";
    let mut put = Vec::new();
    for shard in 1..=2 {
        let done = gate.runs(&[("shard", &format!("{shard}/2")), ("filters", filters)]);
        assert!(done.succeeded, "{}", done.log);
        // As the artifact of the shard is downloaded.
        let folder = gate.job.workspace().join(format!("reports/wsgi-proof-shard-{shard}"));
        fs::create_dir_all(&folder).unwrap();
        fs::copy(done.report().join("report.json"), folder.join("report.json")).unwrap();
        put.push(folder);
    }
    let joins = || gate.runs(&[("build-step", ""), ("tier", "image"), ("filters", ""), ("join", "reports")]);
    let done = joins();
    assert!(done.succeeded, "{}", done.log);
    assert_eq!(done.outputs["exit-code"], "0");
    assert_eq!(report(&done)["scenarios"].as_array().unwrap().len(), 3);
    assert_eq!(done.used[UPLOAD]["name"], "wsgi-proof-report");
    fs::remove_dir_all(&put[1]).unwrap();
    let done = joins();
    assert!(!done.succeeded && done.log.contains("the report of shard 2/2 is missing"), "{}", done.log);
    assert_eq!(done.outputs["exit-code"], "3");
    fs::remove_dir_all(&put[0]).unwrap();
    refused(&joins(), "join: no folder with a report");
    refused(&gate.runs(&[("join", "reports")]), "a candidate must not be given");
}

#[rstest]
#[case::no_candidate(&[("build-step", "")], "nothing to test")]
#[case::neither_true_nor_false(&[("strict", "yes")], "strict: neither true nor false")]
#[case::no_program(&[("program", "steps")], "nor a file that can be executed")]
#[case::no_suite(&[("program", program().to_str().unwrap())], "the program carries no suite")]
#[case::no_reports(&[("build-step", ""), ("join", "none")], "join: no such folder")]
#[case::no_archives(&[("tier", "image"), ("archives", "none")], "archives: no such folder")]
#[case::empty_archives(&[("tier", "image"), ("archives", "empty")], "archives: no file is in this folder")]
fn what_cannot_be_meant_is_refused(#[case] with: &[(&str, &str)], #[case] why: &str) {
    let gate = Gate::of_a_right_step();
    fs::create_dir(gate.job.workspace().join("empty")).unwrap();
    refused(&gate.runs(with), why);
}

/// A value is never an option, nor a command.
#[test]
fn inputs_are_values() {
    let gate = Gate::of_a_right_step();
    for (name, value, told) in [
        ("variant", "--help", "--help"),
        ("filters", "--help", "--help"),
        ("shard", "--plan", "--plan"),
        ("dialect", "$(touch x)", "$(touch x)"),
    ] {
        let done = gate.runs(&[(name, value)]);
        assert!(["2", "4"].contains(&done.outputs["exit-code"].as_str()), "{name}: {}", done.log);
        assert!(done.log.contains(told) && !done.log.contains("Usage: wsgi-proof run"), "{name}: {}", done.log);
    }
    gate.write("-x;touch y", &fs::read_to_string(root().join("images/base/mod_wsgi-docker-build")).unwrap());
    let done = gate.runs(&[("build-step", "-x;touch y")]);
    assert!(done.succeeded, "{}", done.log);
    for name in ["x", "y"] {
        assert!(!gate.job.workspace().join(name).exists());
    }
}

/// The candidate's repository has a suite in which everything passes.
#[test]
fn a_suite_of_the_candidates_is_not_used() {
    let gate = Gate::of("#!/bin/sh\nexit 0\n");
    gate.write("scenarios/contract.toml", "");
    gate.write("scenarios/hello-wsgi/scenario.toml", "");
    let done = gate.runs(&[("filters", "=missing-requirement")]);
    assert_eq!(done.outputs["exit-code"], "1", "{}", done.log);
    assert_eq!(report(&done)["scenarios"][0]["verdict"], "fail");
}

/// The path of the released program, as the action asks for it.
fn released() -> String {
    let (version, arch) = (env!("CARGO_PKG_VERSION"), std::env::consts::ARCH);
    format!("/wsgi-proof/wsgi-proof/releases/download/v{version}/wsgi-proof-linux-{arch}")
}

/// `cargo binstall` finds the program that the action finds.
#[test]
fn an_installer_is_told_where_programs_are() {
    let manifest: toml::Table = fs::read_to_string(root().join("harness/Cargo.toml")).unwrap().parse().unwrap();
    let place = manifest["package"]["metadata"]["binstall"]["pkg-url"].as_str().unwrap();
    let values = [
        ("{ repo }", env!("CARGO_PKG_REPOSITORY")),
        ("{ version }", env!("CARGO_PKG_VERSION")),
        ("{ name }", env!("CARGO_PKG_NAME")),
        ("{ target-arch }", std::env::consts::ARCH),
    ];
    let place = values.iter().fold(place.to_owned(), |place, (name, value)| place.replace(name, value));
    assert_eq!(place, format!("https://github.com{}", released()));
}

/// A server with one released program.
struct Releases {
    address: String,
    _runtime: tokio::runtime::Runtime,
}

impl Releases {
    fn of(program: Vec<u8>) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let app = Router::new().route(&released(), axum::routing::get(move || std::future::ready(program.clone())));
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, app).await.unwrap();
        });
        Self { address, _runtime: runtime }
    }
}

#[test]
fn a_released_program_is_used_when_it_is_the_one_that_is_meant() {
    let mut gate = Gate::of_a_right_step();
    let content = fs::read(packed()).unwrap();
    let digest = hex::encode(Sha256::digest(&content));
    let releases = Releases::of(content);
    gate.job.set("GITHUB_SERVER_URL", &releases.address);
    let done = gate.runs(&[("program", "release"), ("digest", &digest)]);
    assert!(done.succeeded, "{}", done.log);
    assert!(done.outputs["program"].starts_with(done.report().parent().unwrap().to_str().unwrap()));
    assert!(done.log.contains("(suite sha256:"), "{}", done.log);

    let other = hex::encode(Sha256::digest("another program"));
    refused(&gate.runs(&[("program", "release"), ("digest", &other)]), "which is not the one that is demanded");

    // Where nothing can be said of where a program was built, it is not used.
    gate.write("bin/gh", "#!/bin/sh\necho \"asked: $*\"\nexit 1\n");
    let path = format!("{}:{}", gate.job.workspace().join("bin").display(), std::env::var("PATH").unwrap());
    gate.job.set("PATH", &path);
    let done = gate.runs(&[("program", "release")]);
    refused(&done, "nothing proves that the released program was built from the tag v");
    assert!(done.log.contains("asked: attestation verify "), "{}", done.log);

    gate.job.set("GITHUB_SERVER_URL", "http://127.0.0.1:1");
    refused(&gate.runs(&[("program", "release")]), "cannot be downloaded");
}

/// The lines of the README, on images with the names that they have there.
#[test]
fn the_lines_of_the_readme_gate_two_images() {
    let lines = gate_of_the_readme();
    assert!(lines["uses"].as_str().unwrap().starts_with("wsgi-proof/wsgi-proof@"));
    let names = ["base-image", "onbuild-image"].map(|name| lines["with"][name].as_str().unwrap().to_owned());
    first_run();
    let engine = PrivateEngine::start();
    let _slot = Slot::take();
    engine.command(&["run", "=hello-wsgi"]).assert().success();
    let mut job = Job::new();
    let docker = |arguments: &[&str]| {
        let output = Command::new(docker_of(&engine)).env("DOCKER_HOST", engine.docker_host()).args(arguments).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}", text(&output));
    };
    for (name, image) in names.iter().zip(["wsgi-proof:base-python-3.11", "wsgi-proof:onbuild-python-3.11"]) {
        docker(&["tag", image, name]);
    }
    let archives = job.workspace().join("archives");
    fs::create_dir(&archives).unwrap();
    docker(&["save", "--output", archives.join("images.tar").to_str().unwrap(), &names[0], &names[1]]);
    docker(&["rmi", &names[0], &names[1]]);

    let path = std::env::var("PATH").unwrap();
    job.set("PATH", &format!("{}:{path}", docker_of(&engine).parent().unwrap().display()));
    job.set("DOCKER_HOST", engine.docker_host());
    job.set("WSGI_PROOF_CACHE", engine.cache().to_str().unwrap());
    let mut with = vec![("base-image", names[0].as_str()), ("onbuild-image", &names[1]), ("program", packed())];
    with.extend([("filters", "=hello-wsgi =onbuild-image"), ("archives", "archives")]);
    let done = job.uses(&with);
    assert!(done.succeeded, "{}", done.log);
    assert!(done.summary.contains("2 passed"), "{}", done.summary);
    let candidate = report(&done)["run"]["candidate"].to_string();
    assert!(names.iter().all(|name| candidate.contains(name)), "{candidate}");

    // What no archive has does not come from elsewhere.
    with[1].1 = "example/other:latest";
    refused(&job.uses(&with), "no archive has one of the images");
    docker(&["rmi", &names[0], &names[1]]);
}

/// The engine's own command, which a machine with another engine need not have.
fn docker_of(engine: &PrivateEngine) -> PathBuf {
    engine.cache().join("engine/tree/usr/bin/docker")
}

/// The step that the README shows.
fn gate_of_the_readme() -> Value {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let blocks = readme.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let [block] = blocks.collect::<Vec<_>>()[..] else { panic!("the README has one block of YAML") };
    let steps: Vec<Value> = serde_saphyr::from_str(block).unwrap();
    assert!(block.lines().count() <= 3, "{block}");
    steps.into_iter().next().unwrap()
}

/// Its page lists every input, with the default that it has.
#[test]
fn the_guide_lists_the_inputs() {
    let guide = fs::read_to_string(root().join("docs/guide-image-maintainers.md")).unwrap();
    for (name, input) in action().inputs {
        let default = if input.default.is_empty() { String::new() } else { format!("`{}`", input.default) };
        assert!(
            guide
                .lines()
                .any(|line| line.starts_with("| ") && line.contains(&format!("`{name}`")) && line.contains(&default)),
            "{name}"
        );
        assert!(!input.description.is_empty());
    }
}
