//! Steps that do what the contract asks for in a way of their own: no clause is broken.

use std::io::Write;

use rstest::rstest;
use tempfile::NamedTempFile;

use crate::support::{Run, changed_file};

const BUILD: &str = "mod_wsgi-docker-build";
const START: &str = "mod_wsgi-docker-start";
/// Where a step can begin with something.
const BEGIN: &str = "set -e\n";
const PIP: &str = "pip install -r requirements.txt -U --exists-action=w --src=\"$__folder/tmp\"";

#[rstest]
// What an image of Debian has.
#[case::image_files(
    BUILD,
    BEGIN,
    "set -e\n. /etc/os-release; echo \"on $ID\"; test -d /etc/apt -a -k /tmp; dpkg-query -W bash\n\
    printf 'Acquire::Retries \"3\";\\n' > /etc/apt/apt.conf.d/80-retries; exec 9> /run/lock/step; date > /var/log/step.log\n\
    python3 -c 'import socket; socket.create_server((\"localhost\", 0)).close()'\n",
    "=git-requirement"
)]
#[case::apt_by_settings(
    BUILD,
    "apt-get install -y git --no-install-recommends",
    "echo 'APT::Get::Assume-Yes \"1\"; APT { Install-Recommends \"0\"; };' > /etc/apt/apt.conf.d/99own; apt-get install git",
    "=git-requirement"
)]
#[case::apt_answered(
    BUILD,
    "apt-get install -y git",
    "yes | apt-get -oAPT::Install-Recommends=false install git/stable",
    "=git-requirement"
)]
#[case::apt_version(BUILD, "apt-get install -y git", "apt-get -qq install 'git=1:2.*'", "=git-requirement")]
#[case::apt_distclean(BUILD, "rm -rf /var/lib/apt/lists/*", "apt-get distclean", "=git-requirement")]
#[case::apt_lists_elsewhere(
    BUILD,
    "apt-get update\n    apt-get install",
    "set_o='-o Dir::State::Lists=/tmp/lists'; apt-get $set_o update\n    apt-get $set_o install",
    "=git-requirement"
)]
#[case::apt_again(
    BUILD,
    "    apt-get update\n",
    "    apt-get update || apt-get update || apt-get update\n",
    "=nothing-after-a-failing-git-installation"
)]
#[case::apt_lists_of_old(
    BUILD,
    "    apt-get update\n",
    "    apt-get update || echo 'with the lists that are there'\n",
    "=nothing-after-a-failing-git-installation"
)]
#[case::pip_again(BUILD, PIP, "try() { PIP; }; try || try || try", "=missing-requirement")]
#[case::wheels_first(
    BUILD,
    PIP,
    "pip wheel -w /tmp/wheels -r requirements.txt; PIP --no-index --find-links=/tmp/wheels",
    "=every-phase"
)]
#[case::report_of_pip(
    BUILD,
    PIP,
    "PIP --report /tmp/report; python -c 'import json; json.load(open(\"/tmp/report\"))'",
    "=commented-git-requirement"
)]
#[case::pip_reinstalls(BUILD, PIP, "pip uninstall -y -r requirements.txt; PIP", "=commented-git-requirement")]
#[case::python_alone(
    BUILD,
    "pip install -r",
    "env -i /usr/local/wsgi/bin/python3 -I -m pip install -r",
    "=every-phase"
)]
#[case::pip_by_its_function(
    BUILD,
    PIP,
    "set_pip() { python -c 'import sys, pip; sys.exit(pip.main(sys.argv[2:]))' \"$@\"; }; unset PYTHONPATH; set_pip PIP",
    "=commented-git-requirement"
)]
#[case::modules_of_the_application(START, BEGIN, "set -e\nexport PYTHONPATH=/app\n", "=module-application")]
#[case::server_elsewhere(
    START,
    "--port 80 ",
    "--server-root /tmp/server --limit-request-body 0 --port 80 ",
    "=request-body"
)]
#[case::more_threads(START, "--port 80 ", "--processes 2 --threads 2 --port 80 ", "=concurrent-requests")]
#[case::checkouts_elsewhere(BUILD, "--src=\"$__folder/tmp\"", "--src=/srv/checkouts", "=editable-git-requirement")]
#[case::abbreviated(START, "--log-to-terminal", "--log-to-term", "=hello-wsgi")]
#[case::all_addresses(START, "--port 80 ", "--host 0.0.0.0 --mount-point / --port 80 ", "=hello-wsgi")]
#[case::system_of_the_image(START, BEGIN, "set -e\n. /etc/os-release\n", "=hello-wsgi")]
fn break_no_clause(#[case] step: &str, #[case] from: &str, #[case] to: &str, #[case] scenario: &str) {
    let file = changed_file(step, from, &to.replace("PIP", PIP));
    let option = if step == BUILD { "--build-step" } else { "--start-step" };
    let path = file.path().to_str().unwrap();
    let run = Run::without_engine(&["--strict", option, path, scenario]);
    assert_eq!(run.report["scenarios"][0]["verdict"], "pass", "{}", run.output());
    run.assert().success();
}

/// Whether there is such a package, no stub can know: what came after it is not taken for proved, and what is broken stays broken.
#[test]
fn a_package_that_no_stub_knows_is_inconclusive() {
    let verdicts = |package: &str| {
        let file = changed_file(BUILD, "apt-get install -y git", package);
        let path = file.path().to_str().unwrap();
        let arguments = ["--build-step", path, "=git-requirement", "=pre-build-system-package"];
        let run = Run::without_engine(&arguments);
        (run.verdict("git-requirement").to_owned(), run.verdict("pre-build-system-package").to_owned(), run)
    };
    let (git, other, run) = verdicts("apt-get install -y git ca-certificates");
    assert_eq!((git.as_str(), other.as_str()), ("pass", "pass"), "{}", run.output());
    let (git, other, run) = verdicts("apt-get install -y git no-such-tool");
    // What the application's own hook installs is known to the application.
    assert_eq!((git.as_str(), other.as_str()), ("error", "pass"), "{}", run.output());
    assert!(run.output().contains("no-such-tool, which its stub does not know"), "{}", run.output());
    run.assert().code(3);
    let (git, other, run) = verdicts("apt-get install -y no-such-tool");
    assert_eq!((git.as_str(), other.as_str()), ("fail", "pass"), "{}", run.output());
}

/// What a step prints comes into reports, and neither users nor keys of this machine belong there.
#[test]
fn this_machine_s_users_and_keys_are_not_in_a_sandbox() {
    let mut file = NamedTempFile::new().unwrap();
    let step = "#!/bin/sh\ncat /proc/keys /proc/key-users | sed 's/^/KEY /'\nsed 's/^/USER /' /etc/passwd\nexit 7\n";
    file.write_all(step.as_bytes()).unwrap();
    let path = file.path().to_str().unwrap();
    let run = Run::without_engine(&["--build-step", path, "=hello-wsgi"]);
    let log = run.report["scenarios"][0].to_string();
    assert!(log.contains("USER www-data:x:33:33:") && !log.contains("KEY "), "{log}");
    // Those of an image, and no more.
    assert_eq!(log.matches("USER ").count(), 18, "{log}");
}
