//! The suite's own checks, each in a case in which it must fail: on a real image, with one expectation that is wrong.
//! Beside it, in the same scenario, stands nothing else that could be the reason.

use crate::isolation::undeclared;
use crate::support::{Run, SharedRun, Suite};

/// A scenario, and the assertion in it that must not hold.
const CASES: &[(&str, &str, &str)] = &[
    (
        "build-must-fail",
        "[build]\noutcome = \"failure\"\nphase = \"pip\"\nexit_code = 1\nbecause = 'x'\n",
        "build outcome",
    ),
    ("build-log", "[build]\noutcome = \"success\"\nlog = ['no such line']\n", "build log has /no such line/"),
    ("build-log-absent", "[build]\noutcome = \"success\"\nlog_absent = ['^Step 1/']\n", "build log without /^Step 1//"),
    ("triggers", "[build]\noutcome = \"success\"\n[image]\ntriggers = [\"COPY . /app\"]\n", "image triggers"),
    ("entry-point", "[build]\noutcome = \"success\"\n[image]\nentry_point = [\"sh\"]\n", "image entry point"),
    ("command", "[build]\noutcome = \"success\"\n[image]\ncommand = [\"other.py\"]\n", "image command"),
    (
        "ports",
        "[build]\noutcome = \"success\"\n[image]\nexposed_ports = [\"80/tcp\", \"443/tcp\"]\n",
        "image exposed ports",
    ),
    (
        "working-directory",
        "[build]\noutcome = \"success\"\n[image]\nworking_directory = \"/\"\n",
        "image working directory",
    ),
    ("user", "[build]\noutcome = \"success\"\n[image]\nuser = \"www-data\"\n", "image user"),
    (
        "environment",
        "[build]\noutcome = \"success\"\n[image]\nenvironment = { LANG = 'C' }\n",
        "image environment LANG",
    ),
    ("image-size", "[build]\noutcome = \"success\"\n[image]\nmax_megabytes = \"10\"\n", "image size"),
    (
        "rebuild-log",
        "[build]\noutcome = \"success\"\n[[rebuild]]\nlog = ['no such line']\n",
        "log of rebuild 1 has /no such line/",
    ),
    (
        "rebuild-log-absent",
        "[build]\noutcome = \"success\"\n[[rebuild]]\nlog_absent = ['Using cache']\n",
        "log of rebuild 1 without /Using cache/",
    ),
    ("labels", "[build]\noutcome = \"success\"\n[image]\nlabels = { nobody = '.+' }\n", "image label nobody"),
    ("file-exists", "[build]\noutcome = \"success\"\n[[file]]\npath = \"/app/none\"\n", "file /app/none exists"),
    (
        "file-absent",
        "[build]\noutcome = \"success\"\n[[file]]\npath = \"/app/wsgi.py\"\nstate = \"absent\"\n",
        "file /app/wsgi.py is absent",
    ),
    (
        "file-empty",
        "[build]\noutcome = \"success\"\n[[file]]\npath = \"/app\"\nstate = \"empty\"\n",
        "file /app is empty",
    ),
    (
        "file-mode",
        "[build]\noutcome = \"success\"\n[[file]]\npath = \"/app/wsgi.py\"\nmode = \"0755\"\n",
        "file /app/wsgi.py mode",
    ),
    (
        "file-owner",
        "[build]\noutcome = \"success\"\n[[file]]\npath = \"/app/wsgi.py\"\nowner = \"33:33\"\n",
        "file /app/wsgi.py owner",
    ),
    (
        "file-content",
        "[build]\noutcome = \"success\"\n[[file]]\npath = \"/app/wsgi.py\"\ncontent = 'Goodbye'\n",
        "file /app/wsgi.py content",
    ),
    ("command-exit", "[build]\noutcome = \"success\"\n[[command]]\nrun = [\"false\"]\n", "command `false` exit code"),
    (
        "command-missing",
        "[build]\noutcome = \"success\"\n[[command]]\nrun = [\"no-such-program\"]\n",
        "command `no-such-program` exit code",
    ),
    (
        "command-output",
        "[build]\noutcome = \"success\"\n[[command]]\nrun = [\"echo\", \"a\"]\noutput = 'b'\n",
        "command `echo a` output",
    ),
    (
        "http-status",
        "[build]\noutcome = \"success\"\n[serve]\n[[serve.http]]\npath = \"/\"\nstatus = 404\n",
        "GET / status",
    ),
    (
        "http-header",
        "[build]\noutcome = \"success\"\n[serve]\n[[serve.http]]\npath = \"/\"\nheaders = { Content-Type = 'html' }\n",
        "GET / header Content-Type",
    ),
    (
        "http-body",
        "[build]\noutcome = \"success\"\n[serve]\n[[serve.http]]\npath = \"/\"\nbody = 'Goodbye'\n",
        "GET / body",
    ),
    (
        "serve-command",
        "[build]\noutcome = \"success\"\n[serve]\n[[serve.http]]\npath = \"/\"\n[[serve.command]]\nrun = [\"cat\", \"/proc/1/comm\"]\noutput = 'sh'\n",
        "command `cat /proc/1/comm` output",
    ),
    (
        "serve-log",
        "[build]\noutcome = \"success\"\n[serve]\nlog = ['no such line']\n[[serve.http]]\npath = \"/\"\n",
        "container log has /no such line/",
    ),
    (
        "serve-log-absent",
        "[build]\noutcome = \"success\"\n[serve]\nlog_absent = ['resuming normal operations']\n[[serve.http]]\npath = \"/\"\n",
        "container log without /resuming normal operations/",
    ),
    (
        "stop-exit",
        "[build]\noutcome = \"success\"\n[serve]\n[[serve.http]]\npath = \"/\"\n[serve.stop]\nexit_code = 7\nwithin_seconds = 10\n",
        "stop exit code",
    ),
];

/// A build that fails in a hook, and what is expected of it.
fn failing(phase: &str, code: u8, because: &str) -> String {
    format!(
        "summary = \"must fail\"\nsource = \"a test\"\n\n[modes]\n\".docker/action_hooks/pre-build\" = \"0755\"\n\n[build]\noutcome = \"failure\"\nphase = \"{phase}\"\nexit_code = {code}\nbecause = '{because}'\n"
    )
}

/// What is expected of a hook that says "boom" and exits 9, and the verdict of it.
fn failing_builds() -> [(&'static str, String, &'static str); 4] {
    [
        // The phase is known from its progress line, and wording is a SHOULD; the code and the reason are as declared.
        ("other-phase", failing("build", 9, "boom"), "warn"),
        ("other-code", failing("pre-build", 8, "boom"), "fail"),
        ("other-reason", failing("pre-build", 9, "bang"), "fail"),
        ("as-declared", failing("pre-build", 9, "boom"), "pass"),
    ]
}

fn suite() -> Suite {
    let suite = Suite::new();
    for (name, body, _) in CASES {
        suite.hello(name, &format!("summary = \"must fail\"\nsource = \"a test\"\n\n{body}"));
    }
    // A container that does not end at SIGTERM.
    suite.hello(
        "stop-time",
        "summary = \"must fail\"\nsource = \"a test\"\n\n[build]\noutcome = \"success\"\n[serve]\n[[serve.http]]\npath = \"/\"\n[serve.stop]\nwithin_seconds = 1\n",
    );
    suite.write(
        "stop-time/app/Dockerfile",
        "ARG IMAGE\nFROM ${IMAGE}\nENTRYPOINT [ \"sh\", \"-c\", \"trap '' TERM; mod_wsgi-docker-start wsgi.py & while :; do sleep 1; done\" ]\nCMD []\n",
    );
    // A container that ends before it answers.
    suite.hello(
        "http-dead",
        "summary = \"must fail\"\nsource = \"a test\"\n\n[build]\noutcome = \"success\"\n[serve]\n[[serve.http]]\npath = \"/\"\n",
    );
    suite.write(
        "http-dead/app/Dockerfile",
        "ARG IMAGE\nFROM ${IMAGE}\nENTRYPOINT [ \"sh\", \"-c\", \"exit 3\" ]\nCMD []\n",
    );
    for (name, scenario, _) in failing_builds() {
        suite
            .hello(name, &scenario)
            .write(&format!("{name}/app/.docker/action_hooks/pre-build"), "#!/bin/sh\necho boom\nexit 9\n");
    }
    // The Dockerfile, not the build step, is what fails here.
    suite.hello("other-instruction", &failing("pre-build", 9, "boom"));
    suite.write("other-instruction/app/Dockerfile", "ARG IMAGE\nFROM ${IMAGE}\nCOPY none /\n");
    suite.write("other-instruction/app/.docker/action_hooks/pre-build", "#!/bin/sh\nexit 0\n");
    suite
}

/// All of them in one run.
fn run() -> &'static Run {
    static RUN: SharedRun = SharedRun::new();
    RUN.get(|| suite().run())
}

#[test]
fn each_kind_of_assertion_fails_when_it_must() {
    let run = run();
    let mut wrong = Vec::new();
    for (name, check) in CASES
        .iter()
        .map(|(name, _, check)| (*name, *check))
        .chain([("stop-time", "stop time"), ("http-dead", "GET / status")])
    {
        let broken = run.broken(name);
        if run.verdict(name) != "fail" || !broken.iter().any(|one| one.contains(check)) {
            wrong.push(format!("{name}: {} with {broken:?}, not fail with {check}", run.verdict(name)));
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), run.output());
    run.assert().code(1);
}

#[test]
fn a_build_that_fails_for_another_reason_is_no_pass() {
    let run = run();
    for (name, _, verdict) in failing_builds() {
        assert_eq!(run.verdict(name), verdict, "{name}\n{}", run.output());
    }
    assert_eq!(run.verdict("other-instruction"), "fail", "{}", run.output());
    run.assert().code(1);
}

#[test]
fn a_broken_should_is_a_fail_when_that_is_asked_for() {
    let suite = suite();
    let strict = Run::of(&["--suite", suite.path().to_str().unwrap(), "--strict", "=other-phase", "=as-declared"]);
    assert_eq!((strict.verdict("other-phase"), strict.verdict("as-declared")), ("fail", "pass"), "{}", strict.output());
    strict.assert().code(1);
}

#[test]
fn what_the_suite_itself_lacks_is_an_error_and_never_fails_as_expected() {
    let run = undeclared();
    assert_eq!(run.verdict("undeclared"), "error", "{}", run.output());
    assert!(run.output().contains("packages.lock"), "{}", run.output());
    run.assert().code(3);
}
