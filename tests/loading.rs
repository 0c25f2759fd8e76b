//! What a suite may hold: scenarios that prove nothing, or would silently never run, are refused when it is loaded, whatever the tier.
//! No engine has any part in it.

use predicates::prelude::*;
use predicates::str::contains;
use rstest::rstest;

use crate::support::{Suite, wsgi_proof};

const SCENARIO: &str = "summary = \"x\"\nsource = \"x\"\n[build]\noutcome = \"success\"\n[serve]\n[[serve.http]]\npath = \"/\"\nbody = '^Hello'\n";
const CMD: &str = "CMD [ \"wsgi.py\" ]\n";

/// A suite with a scenario `odd` that has this Dockerfile.
fn suite(dockerfile: &str) -> Suite {
    let suite = Suite::new();
    suite.hello("odd", SCENARIO).write("odd/app/Dockerfile", dockerfile);
    suite
}

fn run(suite: &Suite, arguments: &[&str]) -> assert_cmd::assert::Assert {
    let place = suite.path().to_str().unwrap();
    let mut command = wsgi_proof(&[&["run", "--suite", place], arguments].concat());
    command.env("DOCKER_HOST", crate::support::NO_ENGINE).assert()
}

#[rstest]
#[case::an_image_of_the_suite_by_name("FROM wsgi-proof:onbuild-python-3.11\n", 1, "neither the candidate nor")]
#[case::another_image("FROM debian:bookworm-slim\n", 1, "neither the candidate nor an earlier stage")]
#[case::no_argument("FROM ${IMAGE}\n", 1, "`IMAGE` is not declared before the first `FROM`")]
#[case::a_last_stage_of_its_own(
    "ARG IMAGE\nFROM ${IMAGE} AS a\nFROM scratch\nCOPY --from=a /app /app\n",
    3,
    "last stage"
)]
#[case::an_unknown_instruction("ARG IMAGE\nFROM ${IMAGE}\nRUNN true\n", 3, "unknown instruction 'RUNN'")]
#[case::a_download("ARG IMAGE\nFROM ${IMAGE}\nADD https://example.com/x /x\n", 3, "downloads")]
fn a_dockerfile_that_proves_nothing_is_refused(
    #[case] dockerfile: &str,
    #[case] line: usize,
    #[case] why: &str,
    #[values("image", "contract")] tier: &str,
) {
    let suite = suite(&format!("{dockerfile}{CMD}"));
    run(&suite, &["--tier", tier]).code(2).stderr(contains(why).and(contains(format!("odd/app/Dockerfile:{line}:1]"))));
}

/// What is the builder's affair and not the candidate's is skipped, with its reason, in both tiers.
#[rstest]
#[case::here_document("RUN <<EOF\ntouch /x\nEOF\n", None, "a here-document in line 3 of its Dockerfile")]
#[case::further_on("RUN cat <<EOF > /x\nhello\nEOF\n", None, "a here-document in line 3 of its Dockerfile")]
#[case::option("RUN --mount=type=tmpfs,target=/x true\n", None, "the option `--mount` in line 3 of its Dockerfile")]
#[case::ignore_file("", Some("wsgi.py\n"), "its Dockerfile.dockerignore")]
fn what_only_buildkit_knows_does_not_apply(#[case] lines: &str, #[case] ignore: Option<&str>, #[case] why: &str) {
    let suite = suite(&format!("ARG IMAGE\nFROM ${{IMAGE}}\n{lines}{CMD}"));
    if let Some(ignore) = ignore {
        suite.write("odd/app/Dockerfile.dockerignore", ignore);
    }
    let why = format!("{why} is for BuildKit alone, so that it cannot be told what a build would fetch");
    run(&suite, &["--tier", "contract"]).code(4).stdout(contains("SKIP").and(contains("BuildKit")));
    for tier in ["image", "contract"] {
        run(&suite, &["--plan", "--tier", tier]).success().stdout(contains(format!("skip odd: {why}")));
    }
}

/// What the sandbox cannot do as the builder does it is not tried in the contract tier, for a reason, and is built in the image tier.
#[rstest]
#[case::no_working_directory(
    "ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nCOPY . /app\nRUN mod_wsgi-docker-build\nENTRYPOINT [ \"mod_wsgi-docker-start\" ]\n",
    "it runs the build step without `WORKDIR /app`"
)]
#[case::run_before_copy(
    "ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nWORKDIR /app\nRUN mod_wsgi-docker-build\nCOPY . /app\nENTRYPOINT [ \"mod_wsgi-docker-start\" ]\n",
    "it runs the build step before `COPY . /app`"
)]
#[case::no_entry_point(
    "ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nWORKDIR /app\nCOPY . /app\nRUN mod_wsgi-docker-build\n",
    "the start step is not its ENTRYPOINT"
)]
fn what_the_sandbox_cannot_do_is_not_tried(#[case] dockerfile: &str, #[case] why: &str) {
    let suite = suite(&format!("{dockerfile}{CMD}"));
    run(&suite, &["--tier", "contract"]).code(4).stdout(contains("SKIP").and(contains("1 skipped")));
    run(&suite, &["--plan", "--tier", "contract"]).success().stdout(contains("skip odd: ").and(contains(why)));
    run(&suite, &["--plan"]).success().stdout(contains("build odd").and(contains("serve odd")));
}

#[rstest]
#[case("group/inner/scenario.toml", "group/inner/scenario.toml: a scenario in a folder of a folder never runs")]
#[case("odd/inner/scenario.toml", "odd/inner/scenario.toml: a scenario in a folder of a folder never runs")]
#[case("other/Scenario.toml", "other/Scenario.toml: a scenario file that is not named `scenario.toml` never runs")]
#[case("other/scenario.TOML", "other/scenario.TOML: a scenario file that is not named `scenario.toml` never runs")]
#[case("other/scenario.yaml", "other/scenario.yaml: a scenario file that is not named `scenario.toml` never runs")]
#[case("other/notes.md", "other: the folder has no `scenario.toml`")]
fn a_scenario_that_would_never_run_is_refused(#[case] path: &str, #[case] told: &str) {
    let suite = suite(&format!("ARG IMAGE\nFROM ${{IMAGE}}\n{CMD}"));
    suite.write(path, SCENARIO);
    for tier in ["image", "contract"] {
        run(&suite, &["--plan", "--tier", tier]).code(2).stderr(contains(told).and(contains("help: ")));
    }
}
