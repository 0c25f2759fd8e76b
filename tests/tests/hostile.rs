//! Hostile candidates and applications: each ends within its limits, with the verdict that it deserves, and what comes after it runs as
//! ever.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use rstest::rstest;
use wsgi_proof_tests::{Run, Suite, wsgi_proof};

/// A hook of this text, which is run in the build.
fn with_hook(text: &str, limits: &str, build: &str) -> (Suite, String) {
    let suite = Suite::new();
    let scenario = format!(
        "summary = \"x\"\nsource = \"x\"\n[modes]\n\".docker/action_hooks/build\" = \"0755\"\n[limits]\n{limits}\n[build]\n{build}\n"
    );
    suite.hello("hostile", &scenario);
    suite.write("hostile/app/.docker/action_hooks/build", text);
    suite.hello("innocent", "summary = \"x\"\nsource = \"x\"\n[build]\noutcome = \"success\"\n[serve]\n[[serve.http]]\npath = \"/\"\nbody = '^Hello World!$'\n");
    let place = suite.path().to_str().unwrap().to_owned();
    (suite, place)
}

/// One job: the innocent one comes after the hostile one.
fn run(place: &str, options: &[&str]) -> Run {
    Run::of(&[&["--suite", place, "--jobs", "1"], options].concat())
}

#[rstest]
#[case::never_ends("#!/bin/sh\nexec sleep 100000\n", "build-seconds = 10", "limit of the build's time")]
#[case::never_ends_and_talks(
    "#!/bin/sh\nwhile :; do echo x; sleep 1; done\n",
    "build-seconds = 10",
    "limit of the build's time"
)]
#[case::ignores_sigterm(
    "#!/bin/sh\ntrap '' TERM INT HUP\nwhile :; do sleep 1; done\n",
    "build-seconds = 10",
    "limit of the build's time"
)]
#[case::gigabyte_of_log(
    "#!/bin/sh\nhead -c 1000000000 /dev/zero | tr '\\0' 'x' | fold -w 100\n",
    "log-megabytes = 2",
    "limit of the build's log size"
)]
#[case::fills_the_disk(
    "#!/bin/sh\nwhile :; do head -c 10000000 /dev/zero >> /app/large; sleep 0.1; done\n",
    "disk-megabytes = 60",
    "limit of the build's disk space"
)]
fn a_build_that_takes_too_much_is_stopped(#[case] hook: &str, #[case] limits: &str, #[case] broken: &str) {
    let (_suite, place) = with_hook(hook, limits, "outcome = \"success\"");
    let run = run(&place, &[]);
    assert_eq!(run.verdict("hostile"), "fail", "{}", run.output());
    assert_eq!(run.broken("hostile"), [broken], "{}", run.output());
    assert_eq!(run.verdict("innocent"), "pass", "{}", run.output());
    run.assert.code(1);
}

/// A build that is to fail is not excused by one that never ends.
#[test]
fn a_failure_that_is_expected_is_not_one_that_takes_too_long() {
    let failure = "outcome = \"failure\"\nphase = \"build\"\nexit_code = 1\nbecause = 'x'";
    let (_suite, place) = with_hook("#!/bin/sh\necho x\nsleep 100000\n", "build-seconds = 10", failure);
    let run = run(&place, &[]);
    assert_eq!(run.broken("hostile"), ["limit of the build's time"], "{}", run.output());
}

#[test]
fn a_fork_bomb_finds_an_end() {
    let bomb = "#!/usr/bin/env bash\nbomb() { bomb | bomb & }\nbomb\nsleep 5\nps() { ls -d /proc/[0-9]* | wc -l; }\necho \"$(ps) processes\"\nexit 3\n";
    let (_suite, place) = with_hook(bomb, "build-seconds = 60", "outcome = \"success\"");
    let run = run(&place, &["--limit", "processes=200"]);
    assert_eq!(run.verdict("hostile"), "fail", "{}", run.output());
    assert_eq!(run.verdict("innocent"), "pass", "{}", run.output());
}

#[test]
fn memory_has_an_end() {
    let hungry = "#!/usr/bin/env python\nx = []\nwhile True:\n    x.append(bytearray(10000000))\n";
    let (_suite, place) = with_hook(hungry, "memory-megabytes = 200", "outcome = \"success\"");
    let run = run(&place, &[]);
    assert_eq!(run.verdict("hostile"), "fail", "{}", run.output());
    assert!(run.scenario("hostile").contains("exit code 137"), "{}", run.scenario("hostile"));
    assert_eq!(run.verdict("innocent"), "pass", "{}", run.output());
}

/// A log that would break reports and terminals: escapes, invalid UTF-8, what XML does not allow.
#[test]
fn a_log_with_anything_in_it_leaves_reports_valid() {
    let hook = "#!/bin/sh\nprintf 'a\\033[2Jb \\033]0;title\\007c \\377\\376 ]]> &amp; <x> \\001\\013\\014 \\342\\200\\256 end\\n'\nexit 1\n";
    let (_suite, place) = with_hook(hook, "", "outcome = \"success\"");
    let run = run(&place, &[]);
    assert_eq!(run.verdict("hostile"), "fail", "{}", run.output());
    let log = &run.report["scenarios"].as_array().unwrap().iter().find(|one| one["name"] == "hostile").unwrap()["logs"];
    assert!(log.to_string().contains("ab c "), "{log:#}");
    assert!(!run.output().contains('\u{1b}') && !run.output().contains('\u{1}'), "{:?}", run.output());
    let bad =
        |character: char| (character < ' ' && !"\n\r\t".contains(character)) || "\u{fffe}\u{ffff}".contains(character);
    assert!(!run.junit.contains(bad), "{:?}", run.junit);
    let checked = std::process::Command::new("python3")
        .args(["-c", "import sys, xml.dom.minidom as m; m.parseString(sys.argv[1].encode())", &run.junit])
        .status()
        .unwrap();
    assert!(checked.success(), "{}", run.junit);
}

/// What listens on port 80 instead of Apache, by a start step of the application's own.
fn serving(server: &str, limits: &str, http: &str) -> Run {
    let suite = Suite::new();
    let scenario = format!(
        "summary = \"x\"\nsource = \"x\"\n[limits]\n{limits}\n[build]\noutcome = \"success\"\n[serve]\n{http}\n[serve.stop]\nexit_code = 0\nwithin_seconds = 3\n"
    );
    suite.hello("hostile", &scenario);
    suite.write(
        "hostile/app/Dockerfile",
        "ARG IMAGE\nFROM ${IMAGE}\nENTRYPOINT [ \"python\", \"-u\", \"/app/server.py\" ]\nCMD []\n",
    );
    let server = format!(
        "import signal, socket, sys, time\nsocket.setdefaulttimeout(60)\nlistener = socket.socket()\nlistener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\nlistener.bind(('', 80))\nlistener.listen(50)\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n{server}"
    );
    suite.write("hostile/app/server.py", &server);
    suite.hello("innocent", "summary = \"x\"\nsource = \"x\"\n[build]\noutcome = \"success\"\n[serve]\n[[serve.http]]\npath = \"/\"\nbody = '^Hello World!$'\n");
    let run = run(suite.path().to_str().unwrap(), &[]);
    assert_eq!(run.verdict("hostile"), "fail", "{}", run.output());
    assert_eq!(run.verdict("innocent"), "pass", "{}", run.output());
    run
}

const HELLO: &str = "[[serve.http]]\npath = \"/\"\nbody = '^Hello World!$'\n";
const SHORT: &str = "ready-seconds = 6\nrequest-seconds = 3";

#[rstest]
#[case::never_answers(
    "while True:\n    c = listener.accept()[0]\n    keep = globals().setdefault('keep', [])\n    keep.append(c)\n"
)]
#[case::byte_by_byte(
    "while True:\n    c = listener.accept()[0]\n    try:\n        c.recv(9)\n        c.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: 100000\\r\\n\\r\\n')\n        while True:\n            c.sendall(b'x')\n            time.sleep(0.5)\n    except OSError:\n        pass\n"
)]
#[case::endless_headers(
    "while True:\n    c = listener.accept()[0]\n    try:\n        c.recv(9)\n        c.sendall(b'HTTP/1.1 200 OK\\r\\n')\n        while True:\n            c.sendall(b'X-Y: ' + b'z' * 1000 + b'\\r\\n')\n    except OSError:\n        pass\n"
)]
#[case::endless_body(
    "while True:\n    c = listener.accept()[0]\n    try:\n        c.recv(9)\n        c.sendall(b'HTTP/1.1 200 OK\\r\\n\\r\\n')\n        while True:\n            c.sendall(b'x' * 65536)\n    except OSError:\n        pass\n"
)]
#[case::no_http("while True:\n    c = listener.accept()[0]\n    c.sendall(b'\\x00\\xff nonsense')\n    c.close()\n")]
fn an_answer_that_does_not_come_is_not_waited_for_for_ever(#[case] server: &str) {
    let run = serving(server, SHORT, HELLO);
    let broken = run.broken("hostile");
    assert!(broken.iter().any(|check| check.starts_with("GET /")), "{broken:?}");
}

#[test]
fn a_container_that_fills_the_disk_is_stopped() {
    let server = "with open('/var/tmp/large', 'wb') as large:\n    while True:\n        large.write(b'x' * 10000000)\n        large.flush()\n        time.sleep(0.1)\n";
    let run = serving(server, "disk-megabytes = 60\nready-seconds = 60", HELLO);
    assert_eq!(run.broken("hostile"), ["limit of the container's disk space"], "{}", run.output());
}

#[test]
fn a_redirect_in_a_circle_is_one_answer() {
    let server = "while True:\n    c = listener.accept()[0]\n    c.recv(9)\n    c.sendall(b'HTTP/1.1 302 Found\\r\\nLocation: /\\r\\nContent-Length: 0\\r\\n\\r\\n')\n    c.close()\n";
    let run = serving(server, SHORT, HELLO);
    assert!(run.scenario("hostile").contains("302"), "{}", run.scenario("hostile"));
}

#[test]
fn a_container_that_dies_after_its_first_answer_is_found_out() {
    let server = "c = listener.accept()[0]\nc.recv(9)\nc.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: 12\\r\\nConnection: close\\r\\n\\r\\nHello World!')\nc.close()\nsys.exit(7)\n";
    let run = serving(server, SHORT, &format!("{HELLO}{HELLO}"));
    assert!(run.scenario("hostile").contains("exit code 7"), "{}", run.scenario("hostile"));
}

#[test]
fn a_container_that_ignores_sigterm_is_killed() {
    let server = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True:\n    c = listener.accept()[0]\n    c.recv(9)\n    c.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: 12\\r\\nConnection: close\\r\\n\\r\\nHello World!')\n    c.close()\n";
    let run = serving(server, SHORT, HELLO);
    assert_eq!(run.broken("hostile"), ["stop time", "stop exit code"]);
}

/// It answers once it has said more than it may.
#[test]
fn a_container_that_never_stops_talking_is_read_to_its_limit() {
    let server = "import threading\nenough = threading.Event()\ndef talk():\n    said = 0\n    while True:\n        sys.stdout.write('x' * 99 + '\\n')\n        said += 1\n        if said == 50000:\n            enough.set()\nthreading.Thread(target=talk, daemon=True).start()\nenough.wait()\nwhile True:\n    c = listener.accept()[0]\n    c.recv(9)\n    c.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: 12\\r\\nConnection: close\\r\\n\\r\\nHello World!')\n    c.close()\n";
    let run = serving(server, "log-megabytes = 2", &format!("log_absent = ['y']\n{HELLO}"));
    assert_eq!(run.broken("hostile"), ["limit of the container's log size"], "{}", run.output());
}

/// An application folder that would hold up the suite, or show what is elsewhere on this host. It is refused before anything runs.
#[rstest]
#[case::pipe("mkfifo app/thing", "named pipe")]
#[case::socket("python3 -c \"import socket; socket.socket(socket.AF_UNIX).bind('app/thing')\"", "is a socket")]
#[case::sparse_terabyte("truncate -s 1T app/thing", "1000000000000 bytes|1099511627776|more than the 67108864")]
#[case::link_out("ln -s ../../../../../etc/passwd app/thing", "leads out of the application folder")]
#[case::absolute_link("ln -s /etc/passwd app/thing", "leads out of the application folder")]
#[case::folder_elsewhere("mv app there && ln -s there app", "`app` is not a folder")]
#[case::dockerfile_elsewhere(
    "rm app/Dockerfile && ln -s /etc/passwd app/Dockerfile",
    "leads out of the application folder"
)]
#[case::volume_elsewhere(
    "ln -s /etc volume && printf '\\n[serve]\\nvolume = \"read-only\"\\n[[serve.http]]\\npath = \"/\"\\nbody = \"^x$\"\\n' >> scenario.toml",
    "has no `volume/` folder"
)]
fn a_folder_that_cannot_be_built_from_is_refused(#[case] spoil: &str, #[case] why: &str) {
    let suite = Suite::new();
    suite.hello(
        "hostile",
        "summary = \"x\"\nsource = \"x\"\nnothing_to_serve = \"x\"\n[build]\noutcome = \"success\"\n",
    );
    let folder = suite.path().join("scenarios/hostile");
    if spoil.contains("volume") {
        let text = std::fs::read_to_string(folder.join("scenario.toml")).unwrap();
        std::fs::write(folder.join("scenario.toml"), text.replace("nothing_to_serve = \"x\"\n", "")).unwrap();
    }
    let spoilt = std::process::Command::new("sh").args(["-ec", spoil]).current_dir(&folder).status().unwrap();
    assert!(spoilt.success());
    let assert = wsgi_proof(&["run", "--suite", suite.path().to_str().unwrap()]).assert().code(2);
    let text = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(why.split('|').any(|why| text.contains(why)), "{text}");
    assert!(!text.contains("root:x:"), "{text}");
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
    let run = run(suite.path().to_str().unwrap(), &[]);
    assert_eq!(run.verdict("hostile"), "pass", "{}", run.output());
}

#[test]
fn a_run_that_takes_too_long_ends_and_says_so() {
    let (_suite, place) = with_hook("#!/bin/sh\nsleep 100000\n", "build-seconds = 600", "outcome = \"success\"");
    let run = run(&place, &["--run-seconds", "15"]);
    assert_eq!(run.report["complete"], false);
    assert_eq!(run.report["end"], "time-is-over");
    assert!(run.output().contains("the time of the whole run was over"), "{}", run.output());
    run.assert.code(3);
}
