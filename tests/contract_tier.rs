//! The contract tier: the same scenarios without an engine, and broken steps named by their clauses.

use std::io::Write;
use std::process::Command;

use rstest::rstest;
use tempfile::NamedTempFile;

use crate::support::place::{Place, User};
use crate::support::{NO_ENGINE, PrivateEngine, Run, Slot, Suite, changed, program, root, text, without_engine};

const BUILD: &str = "mod_wsgi-docker-build";
const START: &str = "mod_wsgi-docker-start";

#[test]
fn the_stub_accepts_the_options_of_the_variants_pip() {
    let file = broken(BUILD, "requirements.txt -U", "requirements.txt -U --allow-all-external");
    let step = file.path().to_str().unwrap();
    for (variant, verdict) in [("python-2.7", "pass"), ("python-3.11", "fail")] {
        let run = run(&["--build-step", step, "--variant", variant, "=git-requirement"]);
        assert_eq!(run.report["scenarios"][0]["verdict"], verdict, "{}", run.output());
    }
}

/// The repository's step with one change.
fn broken(step: &str, from: &str, to: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(changed(step, from, to).as_bytes()).unwrap();
    file
}

/// A run of the contract tier that no engine can have any part in.
fn run(arguments: &[&str]) -> Run {
    let mut all = vec!["--tier", "contract"];
    all.extend(arguments);
    Run::cold(&[("DOCKER_HOST", NO_ENGINE)], &all)
}

#[test]
fn the_repositorys_steps_keep_the_contract_in_both_dialects() {
    let run = run(&["--dialect", "all", "--strict"]);
    let scenarios = run.report["scenarios"].as_array().unwrap();
    let passed = scenarios.iter().filter(|scenario| scenario["verdict"] == "pass").count();
    assert!(passed > 160, "only {passed} scenarios passed: {}", run.output());
    run.assert().success();
}

#[rstest]
#[case::no_errexit(BUILD, "set -e\n", "", "=failing-pre-build-hook", "BUILD-6")]
#[case::pip_ignored(
    BUILD,
    "--src=\"$__folder/tmp\"",
    "--src=\"$__folder/tmp\" || true",
    "=missing-requirement",
    "BUILD-20"
)]
#[case::apt_ignored(
    BUILD,
    "git --no-install-recommends",
    "git --no-install-recommends || true",
    "=nothing-after-a-failing-git-installation",
    "BUILD-42"
)]
#[case::no_upgrade(BUILD, "requirements.txt -U", "requirements.txt", "=commented-git-requirement", "BUILD-25")]
#[case::no_dependencies(
    BUILD,
    "requirements.txt -U",
    "requirements.txt -U --no-deps",
    "=commented-git-requirement",
    "BUILD-21"
)]
#[case::elsewhere(
    BUILD,
    "requirements.txt -U",
    "requirements.txt -U --target x",
    "=commented-git-requirement",
    "BUILD-21"
)]
#[case::dry_run(
    BUILD,
    "requirements.txt -U",
    "requirements.txt -U --dry-run",
    "=commented-git-requirement",
    "BUILD-21"
)]
#[case::pre_releases(BUILD, "requirements.txt -U", "requirements.txt -U --pre", "=no-pre-release", "BUILD-50")]
#[case::all_releases(
    BUILD,
    "requirements.txt -U",
    "requirements.txt -U --all-releases :all:",
    "=no-pre-release",
    "BUILD-50"
)]
#[case::another_python(
    BUILD,
    "pip install -r",
    "pip --python /usr/bin/python3 install -r",
    "=commented-git-requirement",
    "BUILD-21"
)]
#[case::python_by_variable(
    BUILD,
    "set -e\n",
    "set -e\nexport PIP_PYTHON=/usr/bin/python3\n",
    "=commented-git-requirement",
    "BUILD-21"
)]
#[case::no_dependencies_by_file(
    BUILD,
    "set -e\n",
    "set -e\nmkdir -p ~/.config/pip; printf '[install]\\nno-deps = true\\n' > ~/.config/pip/pip.conf\n",
    "=commented-git-requirement",
    "BUILD-21"
)]
#[case::elsewhere_by_file(
    BUILD,
    "set -e\n",
    "set -e\nprintf '[install]\\ntarget = /opt/x\\n' > /etc/pip.conf\n",
    "=commented-git-requirement",
    "BUILD-21"
)]
#[case::of_another_day(
    BUILD,
    "requirements.txt -U",
    "requirements.txt -U --uploaded-prior-to 2001-01-01",
    "=commented-git-requirement",
    "BUILD-21"
)]
#[case::index_that_is_not_there(
    BUILD,
    "requirements.txt -U",
    "requirements.txt -U --index-url http://127.0.0.1:9/simple",
    "=commented-git-requirement",
    "BUILD-40"
)]
#[case::uninstalled(
    BUILD,
    "run_hook build\n",
    "if listed; then pip uninstall -y -r requirements.txt; fi\nrun_hook build\n",
    "=commented-git-requirement",
    "BUILD-21"
)]
#[case::wheels_without_dependencies(
    BUILD,
    "pip install -r requirements.txt -U",
    "pip wheel --no-deps -w /tmp/w -r requirements.txt; pip install --no-index -f /tmp/w -r requirements.txt -U",
    "=commented-git-requirement",
    "BUILD-21"
)]
#[case::git_simulated(BUILD, "apt-get install -y", "apt-get install -ys", "=git-requirement", "BUILD-16")]
#[case::git_only_fetched(
    BUILD,
    "apt-get install -y",
    "apt-get install -y --download-only",
    "=git-requirement",
    "BUILD-16"
)]
#[case::git_taken_away(
    BUILD,
    "rm -rf /var/lib/apt/lists/*",
    "rm -rf /var/lib/apt/lists/*; apt-get purge -y git",
    "=git-requirement",
    "BUILD-16"
)]
#[case::hashes_demanded(
    BUILD,
    "requirements.txt -U",
    "requirements.txt -U --require-hashes",
    "=commented-git-requirement",
    "BUILD-40"
)]
#[case::for_root_alone(BUILD, "set -e\n", "set -e\numask 077\n", "=commented-git-requirement", "BUILD-21")]
#[case::older_checkout_kept(BUILD, "--exists-action=w", "--exists-action=i", "=older-checkout-in-the-way", "BUILD-41")]
#[case::checkouts_of_root(
    BUILD,
    "--src=\"$__folder/tmp\"",
    "--src=/root/checkouts",
    "=editable-git-requirement",
    "BUILD-19"
)]
#[case::constraints_that_nothing_names(
    BUILD,
    "requirements.txt -U",
    "requirements.txt -U $([ ! -f constraints.txt ] || echo -c constraints.txt)",
    "=hook-environment",
    "BUILD-21"
)]
#[case::mercurial_before_git(
    BUILD,
    "if [[ $systems == *git* ]]; then",
    "if [[ $systems == *hg* ]]; then pip install mercurial; fi\nif [[ $systems == *git* ]]; then",
    "=every-phase",
    "BUILD-1"
)]
#[case::git_too_late(BUILD, "$systems == *git*", "$systems == *none*", "=git-requirement", "BUILD-16")]
#[case::git_always(BUILD, "if [[ $systems == *git* ]]; then", "if true; then", "=hello-wsgi", "BUILD-18")]
#[case::lists_left(BUILD, "rm -rf /var/lib/apt/lists/*", "true", "=git-requirement", "BUILD-16")]
#[case::letter_case(
    BUILD,
    "python /usr/local/lib/mod_wsgi-docker-requirements",
    "grep -Eo '(git|hg)[+]' requirements.txt || true",
    "=vcs-requirement-in-upper-case",
    "BUILD-23"
)]
#[case::changed_and_set_back(
    BUILD,
    "run_hook build\n",
    "run_hook build\ntouch -r wsgi.py /tmp/time; printf '#' | dd conv=notrunc of=wsgi.py status=none; touch -r /tmp/time wsgi.py\n",
    "=hello-wsgi",
    "BUILD-30"
)]
#[case::not_process_1(START, "exec mod_wsgi-express", "mod_wsgi-express", "=hello-wsgi", "START-2")]
#[case::another_port(START, "--port 80 ", "--port 8000 ", "=hello-wsgi", "START-1")]
#[case::for_itself_alone(START, "--port 80 ", "--host 127.0.0.1 --port 80 ", "=hello-wsgi", "START-1")]
#[case::set_up_alone(START, "--port 80 ", "--setup-only --port 80 ", "=hello-wsgi", "START-1")]
#[case::of_one_name(START, "--port 80 ", "--server-name example.org --port 80 ", "=hello-wsgi", "START-1")]
#[case::another_callable(START, "--port 80 ", "--callable-object app --port 80 ", "=hello-wsgi", "START-1")]
#[case::small_bodies(START, "--port 80 ", "--limit-request-body 100000 --port 80 ", "=request-body", "START-13")]
#[case::one_thread(START, "--port 80 ", "--threads 1 --port 80 ", "=concurrent-requests", "START-15")]
#[case::one_by_one(START, "--port 80 ", "--debug-mode --port 80 ", "=concurrent-requests", "START-15")]
#[case::ascii(START, "--locale \"$LANG\"", "--locale de_DE", "=locale", "IMAGE-9")]
#[case::server_in_the_application(
    START,
    "--port 80 ",
    "--server-root /app/server --port 80 ",
    "=hello-wsgi",
    "START-20"
)]
#[case::logs_in_the_application(START, "--port 80 ", "--log-directory logs --port 80 ", "=hello-wsgi", "START-20")]
#[case::mounted_below(START, "--port 80 ", "--mount-point /elsewhere --port 80 ", "=hello-wsgi", "START-1")]
#[case::https_alone(START, "--port 80 ", "--https-only --https-port 443 --port 80 ", "=hello-wsgi", "START-1")]
#[case::log_to_nowhere(
    START,
    "--locale \"$LANG\" \"$@\"",
    "--locale \"$LANG\" \"$@\" > /dev/null 2>&1",
    "=access-log",
    "START-12"
)]
#[case::arguments_lost(START, "--locale \"$LANG\" \"$@\"", "--locale \"$LANG\"", "=module-application", "START-4")]
#[case::own_working_directory(
    START,
    "--locale \"$LANG\" \"$@\"",
    "--locale \"$LANG\" \"$@\" --working-directory /app",
    "=working-directory-of-a-script",
    "START-25"
)]
#[case::hooks_write_for_root_alone(START, "set -e\n", "set -e\numask 077\n", "=deploy-makes-the-script", "START-8")]
#[case::checkout_gone(
    BUILD,
    "--src=\"$__folder/tmp\"\n",
    "--src=\"$__folder/tmp\"\n    rm -rf \"$__folder/tmp\"\n",
    "=older-checkout-in-the-way",
    "BUILD-41"
)]
#[case::as_root(START, "--user \"${MOD_WSGI_USER:-www-data}\"", "--user root", "=hello-wsgi", "START-3")]
#[case::log_elsewhere(START, "--access-log ", "", "=access-log", "START-12")]
#[case::deploy_ignored(START, "run_hook deploy\n", "run_hook deploy || true\n", "=failing-deploy-hook", "START-9")]
fn a_broken_step_is_named_by_its_clause(
    #[case] step: &str,
    #[case] from: &str,
    #[case] to: &str,
    #[case] scenario: &str,
    #[case] clause: &str,
) {
    let file = broken(step, from, to);
    let option = if step == BUILD { "--build-step" } else { "--start-step" };
    let run = run(&["--strict", option, file.path().to_str().unwrap(), scenario]);
    let scenario = &run.report["scenarios"][0];
    assert_eq!(scenario["verdict"], "fail", "{}", run.output());
    let broken = scenario["findings"].as_array().unwrap().iter().filter(|finding| finding["outcome"] != "held");
    let clauses: Vec<&str> = broken
        .flat_map(|finding| finding["clauses"].as_array().unwrap())
        .filter_map(|clause| clause.as_str())
        .collect();
    assert!(clauses.contains(&clause), "{clauses:?}: {}", run.output());
    run.assert().code(1);
}

/// Another wording, `python -m pip`, or requirements read in one go are nobody's business.
#[rstest]
#[case::wording(BUILD, "echo \" -----> Installing dependencies with pip\"", "echo '** pip'")]
// pip installs in any folder, and projects of any name.
#[case::pip_in_a_folder_without_utf_8(
    BUILD,
    "run_hook build",
    "run_hook build; (mkdir /tmp/$'\\xff'; cd /tmp/$'\\xff'; echo six > r; pip install -U -r r $(printf 'n%.0s' {1..270}))"
)]
#[case::python_m_pip(
    BUILD,
    "pip install -r requirements.txt -U",
    "python -m pip install --upgrade --requirement=requirements.txt"
)]
#[case::option_words(
    BUILD,
    "-U --exists-action=w --src=\"$__folder/tmp\"",
    "--src \"$PWD/$__folder/tmp\" --exists-action w -U"
)]
#[case::apt_words(
    BUILD,
    "apt-get install -y git --no-install-recommends",
    "apt-get -qq --yes --no-install-recommends install git"
)]
#[case::port_words(START, "--port 80 ", "--port=80 ")]
fn a_legitimate_difference_is_no_fail(#[case] step: &str, #[case] from: &str, #[case] to: &str) {
    let file = broken(step, from, to);
    let option = if step == BUILD { "--build-step" } else { "--start-step" };
    let run = run(&[option, file.path().to_str().unwrap()]);
    run.assert().success();
}

/// A container begins with the engine's umask.
#[test]
fn the_umask_of_the_program_is_not_that_of_its_sandboxes() {
    let mut command = Command::new("sh");
    command.args(["-c", "umask 077; exec \"$@\"", "sh"]).arg(program());
    command.args(["run", "--tier", "contract", "--strict"]).current_dir(root()).env("DOCKER_HOST", NO_ENGINE);
    let _slot = Slot::take();
    assert_cmd::Command::from_std(command).assert().success();
}

#[test]
fn what_a_step_leaves_running_ends_with_its_sandbox() {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(b"#!/bin/sh\nsleep 86417 &\nexit 3\n").unwrap();
    let run = run(&["--build-step", file.path().to_str().unwrap(), "=hello-wsgi"]);
    assert_eq!(run.verdict("hello-wsgi"), "fail", "{}", run.output());
    run.assert().code(1);
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let sleeping = processes
        .filter_map(|process| std::fs::read_to_string(process.path().join("cmdline")).ok())
        .any(|words| words.contains("86417"));
    assert!(!sleeping);
}

#[test]
fn a_missing_interpreter_is_the_candidates_fault() {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(b"#!/no/such/interpreter\n").unwrap();
    let run = run(&["--build-step", file.path().to_str().unwrap(), "=hello-wsgi"]);
    assert_eq!(run.verdict("hello-wsgi"), "fail", "{}", run.output());
    run.assert().code(1);
}

/// A build that does one thing or the other: told as flaky, and never tried into a pass.
#[test]
fn what_comes_out_otherwise_when_it_is_repeated_is_flaky() {
    let suite = Suite::new();
    let scenario = "summary = \"x\"\nsource = \"x\"\n[modes]\n\".docker/action_hooks/build\" = \"0755\"\n[build]\noutcome = \"success\"\n";
    suite.hello("by-chance", scenario);
    suite.write(
        "by-chance/app/.docker/action_hooks/build",
        "#!/bin/sh\nexit $(( $(od -An -N1 -tu1 /dev/urandom) % 2 ))\n",
    );
    suite.hello("steady", "summary = \"x\"\nsource = \"x\"\n[build]\noutcome = \"success\"\n");
    let place = suite.path().to_str().unwrap();
    let repeated = run(&["--suite", place, "--repeat", "30"]);
    let flaky = repeated.report["finish"]["flaky"].as_array().unwrap();
    assert_eq!(flaky.len(), 1, "{flaky:?}");
    assert!(flaky[0].as_str().unwrap().starts_with("by-chance [python-3.11 docker]: "), "{flaky:?}");
    assert!(repeated.output().contains("flaky: by-chance"), "{}", repeated.output());
    assert_eq!(repeated.report["tally"]["planned"], 60);
    repeated.assert().code(1);
    let stopped = run(&["--suite", place, "--repeat", "1000", "--until-fail"]);
    assert!(stopped.report["tally"]["planned"].as_u64().unwrap() > 100);
    assert!(stopped.report["scenarios"].as_array().unwrap().len() < 200);
    assert!(stopped.output().contains("stopped at the first failure (--until-fail)"), "{}", stopped.output());
    stopped.assert().code(1);
}

/// Where no user namespaces are permitted all is done in one container, with the same verdicts and reports.
#[test]
fn without_namespaces_the_same_runs_in_one_container() {
    // A user namespace in which there can be no further ones, unless this machine permits none to begin with.
    const NONE: &str = "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$@\"";
    let permitted = Command::new("unshare").args(["--user", "--map-root-user", "true"]).status().unwrap().success();
    let engine = PrivateEngine::start();
    let report = tempfile::tempdir().unwrap();
    let words = ["run", "--tier", "contract", "--dialect", "all", "--strict", "--report"];
    let mut command = Command::new("unshare");
    if permitted {
        command.args(["--user", "--map-root-user", "sh", "-c", NONE, "sh"]);
    } else {
        command = Command::new("env");
    }
    let output = command
        .arg(program())
        .args(words)
        .arg(report.path())
        .current_dir(root())
        .env("NO_COLOR", "1")
        .env("DOCKER_HOST", engine.docker_host())
        .env("WSGI_PROOF_CACHE", engine.cache())
        .output()
        .unwrap();
    let text = text(&output);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("running everything in one container"), "{text}");
    let document: serde_json::Value =
        serde_json::from_slice(&std::fs::read(report.path().join("report.json")).unwrap()).unwrap();
    let scenarios = document["scenarios"].as_array().unwrap();
    assert!(scenarios.iter().filter(|scenario| scenario["verdict"] == "pass").count() > 160, "{text}");
    assert!(engine.leftovers().is_empty(), "{:?}", engine.leftovers());
}

#[test]
fn the_cache_folder_and_the_memory_are_left_empty() {
    run(&["=hello-wsgi"]).assert().success();
    let pruned = without_engine(&["prune"]).output().unwrap();
    assert!(!String::from_utf8_lossy(&pruned.stdout).contains("sandbox"), "{pruned:?}");
}

#[test]
fn what_failed_is_run_again() {
    let place = Place::of(User::Own);
    let _slot = Slot::take();
    let good = "summary = \"x\"\nsource = \"x\"\n[build]\noutcome = \"success\"\n";
    let bad = format!("{good}log = ['^never$']\n");
    let suite = place.suite();
    suite.hello("good", good).hello("bad", &bad).hello("worse", &bad);
    let run = |arguments: &[&str], code: i32, told: &str| {
        let output = place.call(&[&["run", "--tier", "contract"], arguments].concat()).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", text(&output));
        assert!(text(&output).contains(told), "no {told}: {}", text(&output));
    };
    run(&["--last-failed"], 4, "nothing failed in the last run");
    run(&[], 1, "3 of 3 scenarios: 1 passed, 2 failed");
    run(&["--last-failed"], 1, "2 of 2 scenarios: 0 passed, 2 failed");
    suite.hello("worse", good);
    run(&["--last-failed"], 1, "2 of 2 scenarios: 1 passed, 1 failed");
    run(&["--last-failed"], 1, "1 of 1 scenarios: 0 passed, 1 failed");
    suite.hello("bad", good);
    run(&["--last-failed"], 0, "1 of 1 scenarios: 1 passed");
    run(&["--last-failed"], 4, "nothing failed in the last run");
}
