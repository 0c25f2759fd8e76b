//! Hostile candidates and applications: each ends within its limits, with the verdict that it deserves, and what comes after it runs as
//! ever.
//!
//! There are two runs, one of hostile builds and one of hostile containers, and most tests look at one of them. After each hostile scenario
//! comes an innocent one, with a hostile one beside it or before it.

use rstest::rstest;

use crate::support::{Run, SharedRun, Suite};

const INNOCENT: &str = "summary = \"x\"\nsource = \"x\"\n[build]\noutcome = \"success\"\n[serve]\n[[serve.http]]\npath = \"/\"\nbody = '^Hello World!$'\n";
const SUCCESS: &str = "outcome = \"success\"";

/// Hooks that are run in the build: the scenario's name, the hook, the scenario's limits, and what it expects of the build.
const BUILDS: &[(&str, &str, &str, &str)] = &[
    ("never-ends", "#!/bin/sh\nexec sleep 100000\n", "build-seconds = 10", SUCCESS),
    ("talks-for-ever", "#!/bin/sh\nwhile :; do echo x; sleep 1; done\n", "build-seconds = 10", SUCCESS),
    ("ignores-sigterm", "#!/bin/sh\ntrap '' TERM INT HUP\nwhile :; do sleep 1; done\n", "build-seconds = 10", SUCCESS),
    (
        "gigabyte-of-log",
        "#!/bin/sh\nhead -c 1000000000 /dev/zero | tr '\\0' 'x' | fold -w 100\n",
        "log-megabytes = 2",
        SUCCESS,
    ),
    (
        "fills-the-disk",
        "#!/bin/sh\nwhile :; do head -c 10000000 /dev/zero >> /app/large; sleep 0.1; done\n",
        "disk-megabytes = 60",
        SUCCESS,
    ),
    (
        "fills-a-mounted-file",
        "#!/bin/sh\nfor n in $(seq 60); do head -c 10000000 /dev/zero >> /etc/hosts; sleep 0.2; done\n",
        "disk-megabytes = 60",
        SUCCESS,
    ),
    (
        "names-another-container",
        "#!/bin/sh\necho ' ---> Running in 0123456789ab'\nfor n in $(seq 40); do head -c 10000000 /dev/zero >> /app/large; sleep 0.1; done\nexit 1\n",
        "disk-megabytes = 60",
        SUCCESS,
    ),
    (
        "speaks-of-a-full-disk",
        "#!/bin/sh\necho \"cp: error writing 'x': No space left on device\"\nexit 1\n",
        "",
        SUCCESS,
    ),
    (
        "is-to-fail",
        "#!/bin/sh\necho x\nsleep 100000\n",
        "build-seconds = 10",
        "outcome = \"failure\"\nphase = \"build\"\nexit_code = 1\nbecause = 'x'",
    ),
    (
        "fork-bomb",
        "#!/usr/bin/env bash\nbomb() { bomb | bomb & }\nbomb\nsleep 5\nps() { ls -d /proc/[0-9]* | wc -l; }\necho \"$(ps) processes\"\nexit 3\n",
        "build-seconds = 60",
        SUCCESS,
    ),
    (
        "hungry",
        "#!/usr/bin/env python\nx = []\nwhile True:\n    x.append(bytearray(10000000))\n",
        "memory-megabytes = 200",
        SUCCESS,
    ),
    ("file-in-the-place-of-app", "#!/bin/sh\ncd /\nrm -rf /app\n: > /app\n", "", SUCCESS),
    (
        "user-taken-away",
        "#!/bin/sh\nsed -i /^www-data/d /etc/passwd\n",
        "",
        "outcome = \"success\"\n[serve]\nuser = \"www-data\"\n[[serve.http]]\npath = \"/\"",
    ),
    (
        "any-bytes",
        "#!/bin/sh\nprintf 'a\\033[2Jb \\033]0;title\\007c \\377\\376 ]]> &amp; <x> \\001\\013\\014 \\342\\200\\256 end\\n'\nexit 1\n",
        "",
        SUCCESS,
    ),
];

/// Two jobs: hostile scenarios wait for their limits more than they work.
fn run(suite: &Suite, options: &[&str]) -> Run {
    Run::of(&[&["--suite", suite.path().to_str().unwrap(), "--jobs", "2"], options].concat())
}

fn hooked(suite: &Suite, name: &str, hook: &str, limits: &str, build: &str) {
    let scenario = format!(
        "summary = \"x\"\nsource = \"x\"\n[modes]\n\".docker/action_hooks/build\" = \"0755\"\n[limits]\n{limits}\n[build]\n{build}\n"
    );
    suite.hello(name, &scenario).write(&format!("{name}/app/.docker/action_hooks/build"), hook);
}

fn builds() -> &'static Run {
    static RUN: SharedRun = SharedRun::new();
    RUN.get(|| {
        let suite = Suite::new();
        for (name, hook, limits, build) in BUILDS {
            hooked(&suite, name, hook, limits, build);
            suite.hello(&after(name), INNOCENT);
        }
        suite.hello(
            "is-named-after-a-full-disk",
            "summary = \"x\"\nsource = \"x\"\n[build]\noutcome = \"success\"\n[[command]]\nrun = [\"/bin/no space left on device\"]\nexit_code = 127\n",
        );
        run(&suite, &["--limit", "processes=200"])
    })
}

/// The innocent scenario that comes after this one.
fn after(name: &str) -> String {
    format!("{name}-then-innocent")
}

/// The run of the builds, in which this one fails, and the innocent one after it does not.
fn failed_build(name: &str) -> &'static Run {
    let run = builds();
    assert_eq!(run.verdict(name), "fail", "{}", run.output());
    assert_eq!(run.verdict(&after(name)), "pass", "{}", run.output());
    run
}

#[rstest]
#[case::never_ends("never-ends", "limit of the build's time")]
#[case::never_ends_and_talks("talks-for-ever", "limit of the build's time")]
#[case::ignores_sigterm("ignores-sigterm", "limit of the build's time")]
#[case::gigabyte_of_log("gigabyte-of-log", "limit of the build's log size")]
#[case::fills_the_disk("fills-the-disk", "limit of the build's disk space")]
#[case::fills_a_mounted_file("fills-a-mounted-file", "limit of the build's disk space")]
// It is watched itself, whichever container its log names.
#[case::names_another_container("names-another-container", "limit of the build's disk space")]
fn a_build_that_takes_too_much_is_stopped(#[case] name: &str, #[case] broken: &str) {
    let run = failed_build(name);
    assert_eq!(run.broken(name), [broken], "{}", run.output());
    run.assert().code(1);
}

/// A build that is to fail is not excused by one that never ends.
#[test]
fn a_failure_that_is_expected_is_not_one_that_takes_too_long() {
    let run = failed_build("is-to-fail");
    assert_eq!(run.broken("is-to-fail"), ["limit of the build's time"], "{}", run.output());
}

/// Whether a disk is full is measured. Who says so, or has a name that does, keeps nobody else from running.
#[test]
fn a_full_disk_is_not_believed() {
    let run = failed_build("speaks-of-a-full-disk");
    assert!(!run.output().contains("disk is full"), "{}", run.output());
    assert_eq!(run.verdict("is-named-after-a-full-disk"), "pass", "{}", run.output());
}

/// That an engine cannot go on with an image is the image's doing where it can with another one.
#[test]
fn an_image_that_the_engine_cannot_go_on_with_fails() {
    for (name, broken) in [("file-in-the-place-of-app", "build outcome"), ("user-taken-away", "container starts")] {
        let run = failed_build(name);
        assert_eq!(run.broken(name), [broken], "{}", run.output());
    }
}

#[test]
fn a_fork_bomb_finds_an_end() {
    failed_build("fork-bomb");
}

#[test]
fn memory_has_an_end() {
    let run = failed_build("hungry");
    assert!(run.scenario("hungry").contains("exit code 137"), "{}", run.scenario("hungry"));
}

/// A log that would break reports and terminals: escapes, invalid UTF-8, what XML does not allow.
#[test]
fn a_log_with_anything_in_it_leaves_reports_valid() {
    let run = failed_build("any-bytes");
    let log = &run.reported("any-bytes").unwrap()["logs"];
    assert!(log.to_string().contains("ab c "), "{log:#}");
    assert!(!run.output().contains('\u{1b}') && !run.output().contains('\u{1}'), "{:?}", run.output());
    let bad =
        |character: char| (character < ' ' && !"\n\r\t".contains(character)) || "\u{fffe}\u{ffff}".contains(character);
    assert!(!run.junit.contains(bad), "{:?}", run.junit);
    let report = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(report.path(), &run.junit).unwrap();
    let checked = std::process::Command::new("python3")
        .args(["-c", "import sys, xml.dom.minidom as m; m.parse(sys.argv[1])"])
        .arg(report.path())
        .status()
        .unwrap();
    assert!(checked.success(), "{}", run.junit);
}

const HELLO: &str = "[[serve.http]]\npath = \"/\"\nbody = '^Hello World!$'\n";
const SHORT: &str = "ready-seconds = 6\nrequest-seconds = 3";
/// What all of the servers below begin with.
const LISTENING: &str = "import signal, socket, sys, time\nsocket.setdefaulttimeout(60)\nlistener = socket.socket()\nlistener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\nlistener.bind(('', 80))\nlistener.listen(50)\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n";

/// What listens on port 80 instead of Apache, by a start step of the application's own: the scenario's name, the server, the scenario's
/// limits, and further expectations.
const SERVERS: &[(&str, &str, &str, &str)] = &[
    (
        "never-answers",
        "while True:\n    c = listener.accept()[0]\n    keep = globals().setdefault('keep', [])\n    keep.append(c)\n",
        SHORT,
        "",
    ),
    (
        "byte-by-byte",
        "while True:\n    c = listener.accept()[0]\n    try:\n        c.recv(9)\n        c.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: 100000\\r\\n\\r\\n')\n        while True:\n            c.sendall(b'x')\n            time.sleep(0.5)\n    except OSError:\n        pass\n",
        SHORT,
        "",
    ),
    (
        "endless-headers",
        "while True:\n    c = listener.accept()[0]\n    try:\n        c.recv(9)\n        c.sendall(b'HTTP/1.1 200 OK\\r\\n')\n        while True:\n            c.sendall(b'X-Y: ' + b'z' * 1000 + b'\\r\\n')\n    except OSError:\n        pass\n",
        SHORT,
        "",
    ),
    (
        "endless-body",
        "while True:\n    c = listener.accept()[0]\n    try:\n        c.recv(9)\n        c.sendall(b'HTTP/1.1 200 OK\\r\\n\\r\\n')\n        while True:\n            c.sendall(b'x' * 65536)\n    except OSError:\n        pass\n",
        SHORT,
        "",
    ),
    (
        "no-http",
        "while True:\n    c = listener.accept()[0]\n    c.sendall(b'\\x00\\xff nonsense')\n    c.close()\n",
        SHORT,
        "",
    ),
    (
        "fills-the-disk",
        "with open('/var/tmp/large', 'wb') as large:\n    while True:\n        large.write(b'x' * 10000000)\n        large.flush()\n        time.sleep(0.1)\n",
        "disk-megabytes = 60\nready-seconds = 60",
        "",
    ),
    (
        "fills-a-volume",
        "with open('/data/large', 'wb') as large:\n    for _ in range(60):\n        large.write(b'x' * 10000000)\n        large.flush()\n        time.sleep(0.2)\n",
        "disk-megabytes = 60\nready-seconds = 60",
        "",
    ),
    (
        "fills-what-is-mounted",
        "with open('/app/large', 'wb') as large:\n    for _ in range(60):\n        large.write(b'x' * 10000000)\n        large.flush()\n        time.sleep(0.2)\n",
        "disk-megabytes = 60\nready-seconds = 60",
        "volume = \"read-write\"\n",
    ),
    (
        "redirects",
        "while True:\n    c = listener.accept()[0]\n    c.recv(9)\n    c.sendall(b'HTTP/1.1 302 Found\\r\\nLocation: /\\r\\nContent-Length: 0\\r\\n\\r\\n')\n    c.close()\n",
        "",
        "",
    ),
    (
        "dies",
        "c = listener.accept()[0]\nc.recv(9)\nc.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: 12\\r\\nConnection: close\\r\\n\\r\\nHello World!')\nc.close()\nsys.exit(7)\n",
        "",
        "[[serve.http]]\npath = \"/\"\nbody = '^Hello World!$'\n",
    ),
    (
        "ignores-sigterm",
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True:\n    c = listener.accept()[0]\n    c.recv(9)\n    c.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: 12\\r\\nConnection: close\\r\\n\\r\\nHello World!')\n    c.close()\n",
        "",
        "",
    ),
    (
        "talks-for-ever",
        "import threading\nenough = threading.Event()\ndef talk():\n    said = 0\n    while True:\n        sys.stdout.write('x' * 99 + '\\n')\n        said += 1\n        if said == 50000:\n            enough.set()\nthreading.Thread(target=talk, daemon=True).start()\nenough.wait()\nwhile True:\n    c = listener.accept()[0]\n    c.recv(9)\n    c.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: 12\\r\\nConnection: close\\r\\n\\r\\nHello World!')\n    c.close()\n",
        "log-megabytes = 2",
        "log_absent = ['y']\n",
    ),
];

fn servers() -> &'static Run {
    static RUN: SharedRun = SharedRun::new();
    RUN.get(|| {
        let suite = Suite::new();
        for (name, server, limits, more) in SERVERS {
            // As long as it takes, but for the one that is waited for.
            let seconds = if *name == "ignores-sigterm" { 3 } else { 60 };
            let scenario = format!(
                "summary = \"x\"\nsource = \"x\"\n[limits]\n{limits}\n[build]\noutcome = \"success\"\n[serve]\n{more}{HELLO}\n[serve.stop]\nexit_code = 0\nwithin_seconds = {seconds}\n"
            );
            suite.hello(name, &scenario);
            suite.write(
                &format!("{name}/app/Dockerfile"),
                "ARG IMAGE\nFROM ${IMAGE}\nVOLUME /data\nENTRYPOINT [ \"python\", \"-u\", \"/app/server.py\" ]\nCMD []\n",
            );
            // Where a volume is mounted on it, the folder `app` is not seen.
            let folder = if more.starts_with("volume") { "volume" } else { "app" };
            suite.write(&format!("{name}/{folder}/server.py"), &format!("{LISTENING}{server}"));
            suite.hello(&after(name), INNOCENT);
        }
        run(&suite, &[])
    })
}

/// The run of the containers, in which this one fails, and the innocent one after it does not.
fn failed_server(name: &str) -> &'static Run {
    let run = servers();
    assert_eq!(run.verdict(name), "fail", "{}", run.output());
    assert_eq!(run.verdict(&after(name)), "pass", "{}", run.output());
    run
}

#[rstest]
#[case::never_answers("never-answers")]
#[case::byte_by_byte("byte-by-byte")]
#[case::endless_headers("endless-headers")]
#[case::endless_body("endless-body")]
#[case::no_http("no-http")]
fn an_answer_that_does_not_come_is_not_waited_for_for_ever(#[case] name: &str) {
    let broken = failed_server(name).broken(name);
    assert!(broken.iter().any(|check| check.starts_with("GET /")), "{broken:?}");
}

#[rstest]
#[case::of_its_own("fills-the-disk")]
#[case::of_a_volume("fills-a-volume")]
#[case::of_a_volume_of_the_scenario("fills-what-is-mounted")]
fn a_container_that_fills_the_disk_is_stopped(#[case] name: &str) {
    let run = failed_server(name);
    assert_eq!(run.broken(name), ["limit of the container's disk space"], "{}", run.output());
}

#[test]
fn a_redirect_in_a_circle_is_one_answer() {
    let run = failed_server("redirects");
    assert!(run.scenario("redirects").contains("302"), "{}", run.scenario("redirects"));
}

#[test]
fn a_container_that_dies_after_its_first_answer_is_found_out() {
    let run = failed_server("dies");
    assert!(run.scenario("dies").contains("exit code 7"), "{}", run.scenario("dies"));
}

#[test]
fn a_container_that_ignores_sigterm_is_killed() {
    assert_eq!(failed_server("ignores-sigterm").broken("ignores-sigterm"), ["stop time", "stop exit code"]);
}

/// It answers once it has said more than it may.
#[test]
fn a_container_that_never_stops_talking_is_read_to_its_limit() {
    let run = failed_server("talks-for-ever");
    assert_eq!(run.broken("talks-for-ever"), ["limit of the container's log size"], "{}", run.output());
}

/// Names that a command could take for options, and that a shell would do something with.
#[test]
fn names_that_look_like_options_are_names() {
    let suite = Suite::new();
    suite.hello(
        "hostile",
        "summary = \"x\"\nsource = \"x\"\n[build]\noutcome = \"success\"\n[[file]]\npath = \"/app/-rf\"\nstate = \"exists\"\n[[file]]\npath = \"/app/--help\"\nstate = \"exists\"\n[serve]\n[[serve.http]]\npath = \"/\"\nbody = '^Hello World!$'\n",
    );
    for name in ["-rf", "--help", "-e", "$(reboot)", "a b;c", "*", "'", "\u{e4}\n"] {
        suite.write(&format!("hostile/app/{name}"), "x");
        suite.write(&format!("hostile/app/.docker/user_vars/{name}"), "x");
    }
    let run = run(&suite, &[]);
    assert_eq!(run.verdict("hostile"), "pass", "{}", run.output());
}

#[test]
fn a_run_that_takes_too_long_ends_and_says_so() {
    let suite = Suite::new();
    hooked(&suite, "hostile", "#!/bin/sh\nsleep 100000\n", "build-seconds = 600", SUCCESS);
    let run = run(&suite, &["--run-seconds", "10"]);
    assert_eq!(run.report["complete"], false);
    assert_eq!(run.report["end"], "time-is-over");
    assert!(run.output().contains("time limit of the run reached"), "{}", run.output());
    run.assert().code(3);
}
