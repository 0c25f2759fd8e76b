//! Steps with one change, in the contract tier: a defect is named by its clause, and a legitimate difference is none.

use rstest::rstest;

use crate::support::{Run, changed_file};

const BUILD: &str = "mod_wsgi-docker-build";
const START: &str = "mod_wsgi-docker-start";

#[test]
fn the_stub_accepts_the_options_of_the_variants_pip() {
    let file = changed_file(BUILD, "requirements.txt -U", "requirements.txt -U --allow-all-external");
    let step = file.path().to_str().unwrap();
    for (variant, verdict) in [("python-2.7", "pass"), ("python-3.11", "fail")] {
        let run = Run::without_engine(&["--build-step", step, "--variant", variant, "=git-requirement"]);
        assert_eq!(run.report["scenarios"][0]["verdict"], verdict, "{}", run.output());
    }
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
// No time of a file in memory tells of this.
#[case::changed_by_way_of_memory(
    BUILD,
    "run_hook build\n",
    "run_hook build\npython -c 'import mmap; file = open(\"wsgi.py\", \"r+b\"); text = mmap.mmap(file.fileno(), 0); print(text[0]); text[0:1] = b\"#\"'\n",
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
    "START-34"
)]
#[case::access_log_silenced(
    START,
    "--locale \"$LANG\" \"$@\"",
    "--locale \"$LANG\" \"$@\" > /dev/null",
    "=access-log",
    "START-34"
)]
#[case::error_log_silenced(
    START,
    "--locale \"$LANG\" \"$@\"",
    "--locale \"$LANG\" \"$@\" 2> /dev/null",
    "=error-log",
    "START-12"
)]
#[case::deaf(
    START,
    "exec mod_wsgi-express",
    "exec python3 -c 'import os, signal, sys; signal.pthread_sigmask(signal.SIG_BLOCK, [15]); os.execvp(sys.argv[1], sys.argv[1:])' mod_wsgi-express",
    "=hello-wsgi",
    "START-2"
)]
#[case::files_of_root_alone(
    START,
    "exec mod_wsgi-express",
    "umask 027; exec mod_wsgi-express",
    "=hello-wsgi",
    "START-1"
)]
#[case::no_such_option(START, "--port 80 ", "--isatty --port 80 ", "=hello-wsgi", "START-1")]
#[case::errors_not_logged(START, "--port 80 ", "--log-level crit --port 80 ", "=error-log", "START-12")]
#[case::path_of_its_own(
    BUILD,
    "set -e\n",
    "set -e\nexport PATH=/usr/local/wsgi/bin:/usr/local/bin:/usr/bin:/bin\n",
    "=environment-of-hooks",
    "BUILD-7"
)]
#[case::pyproject_installed(
    BUILD,
    "[[ -f setup.py && ",
    "[[ ( -f setup.py || -f pyproject.toml ) && ",
    "=pyproject-alone",
    "BUILD-14"
)]
#[case::own_modules(
    BUILD,
    "run_hook build",
    "python3 -c 'import shlex'; run_hook build",
    "=modules-of-the-application",
    "BUILD-51"
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
#[case::log_elsewhere(START, "--access-log ", "", "=access-log", "START-34")]
#[case::deploy_ignored(START, "run_hook deploy\n", "run_hook deploy || true\n", "=failing-deploy-hook", "START-9")]
fn a_broken_step_is_named_by_its_clause(
    #[case] step: &str,
    #[case] from: &str,
    #[case] to: &str,
    #[case] scenario: &str,
    #[case] clause: &str,
) {
    let file = changed_file(step, from, to);
    let option = if step == BUILD { "--build-step" } else { "--start-step" };
    let run = Run::without_engine(&["--strict", option, file.path().to_str().unwrap(), scenario]);
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
#[case::times(
    BUILD,
    "echo \" -----> Installing dependencies with pip\"",
    "echo \"[2026-11-29T20:40:01Z] -----> Installing dependencies with pip\""
)]
#[case::tried_again(
    BUILD,
    "pip install -r requirements.txt -U --exists-action=w --src=\"$__folder/tmp\"",
    "pip install -r requirements.txt -U --exists-action=w --src=\"$__folder/tmp\" || pip install --verbose -r requirements.txt -U --exists-action=w --src=\"$__folder/tmp\""
)]
#[case::modules_of_pip(
    BUILD,
    "python /usr/local/lib/mod_wsgi-docker-requirements",
    "python -I -c 'from pip._internal.req.req_file import parse_requirements as read; from pip._internal.network.session import PipSession as S; print([one.link and one.link.is_vcs and one.link.scheme for one in read(\"requirements.txt\", session=S())])' || true"
)]
#[case::port_words(START, "--port 80 ", "--port=80 ")]
fn a_legitimate_difference_is_no_fail(#[case] step: &str, #[case] from: &str, #[case] to: &str) {
    let file = changed_file(step, from, to);
    let option = if step == BUILD { "--build-step" } else { "--start-step" };
    let run = Run::without_engine(&[option, file.path().to_str().unwrap()]);
    run.assert().success();
}

/// What is not known of pip here is no defect of a step that uses it. Where the variant's pip has no such module, it is one.
#[rstest]
#[case::later_pip("import pip._vendor.packaging.requirements", "python-3.11", 3)]
#[case::attribute_of_later_pip(
    "from pip._internal.req import parse_requirements as read; [one.is_editable for one in read(\"requirements.txt\")]",
    "python-3.11",
    3
)]
#[case::where_pip_9_has_it("from pip.req import parse_requirements", "python-2.7", 0)]
#[case::where_later_pip_has_it("import pip._internal", "python-2.7", 1)]
#[case::where_pip_9_had_it("import pip.req", "python-3.11", 1)]
#[case::modules_that_pip_9_has("import pip.index", "python-2.7", 3)]
fn modules_of_pip_that_the_stub_does_not_have_prove_nothing(
    #[case] code: &str,
    #[case] variant: &str,
    #[case] exit_code: i32,
) {
    let file = changed_file(BUILD, "run_hook pre-build", &format!("run_hook pre-build\npython3 -I -c '{code}'"));
    let run =
        Run::without_engine(&["--build-step", file.path().to_str().unwrap(), "--variant", variant, "=git-requirement"]);
    run.assert().code(exit_code);
}
