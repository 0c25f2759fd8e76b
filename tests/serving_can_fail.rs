//! What a started container must do: each kind of assertion in a case in which it must fail, as in `checks_can_fail`.

use crate::support::{Run, SharedRun, Suite};

/// A scenario's `[serve]`, and the assertions in it that must not hold; the others must.
const CASES: &[(&str, &str, &[&str])] = &[
    ("end-but-serves", "[serve.end]\nnonzero = true\nwithin_seconds = 2\n", &["end time", "end exit code"]),
    (
        "end-code",
        "[serve]\narguments = [\"--no-such-option\"]\n[serve.end]\nexit_code = 77\nwithin_seconds = 60\n",
        &["end exit code"],
    ),
    (
        "end-log",
        "[serve]\narguments = [\"--no-such-option\"]\nlog = ['no such line']\n[serve.end]\nnonzero = true\nwithin_seconds = 60\n",
        &["container log has /no such line/"],
    ),
    ("length", "[serve]\n[[serve.http]]\npath = \"/\"\nlength = 11\n", &["GET / length"]),
    (
        "sha256",
        "[serve]\n[[serve.http]]\npath = \"/\"\nsha256 = \"0000000000000000000000000000000000000000000000000000000000000000\"\n",
        &["GET / sha256"],
    ),
    (
        "times",
        "[serve]\n[[serve.http]]\npath = \"/\"\ntimes = 6\nat_once = 3\nbody = 'Goodbye'\n",
        &["GET / body of 6 requests"],
    ),
    (
        "volume-less",
        "[serve]\nunchanged = [\"/app\"]\n[[serve.http]]\npath = \"/\"\n[[serve.command]]\nrun = [\"touch\", \"/app/new\"]\n",
        &["/app unchanged"],
    ),
    (
        "user",
        "[serve]\nuser = \"12345:0\"\n[[serve.http]]\npath = \"/\"\n[[serve.command]]\nrun = [\"id\", \"-u\"]\noutput = '^0$'\n",
        &["command `id -u` output"],
    ),
    (
        "environment-given",
        "[serve]\nenvironment = { NAME = \"value\" }\n[[serve.http]]\npath = \"/\"\n[[serve.command]]\nrun = [\"printenv\", \"NAME\"]\noutput_absent = '^value$'\n",
        &["command `printenv NAME` output without /^value$/"],
    ),
    (
        "read-only",
        "[serve]\nread_only = true\ntmpfs = [\"/tmp:exec\"]\n[[serve.http]]\npath = \"/\"\n[[serve.command]]\nrun = [\"touch\", \"/tmp/x\"]\n[[serve.command]]\nrun = [\"touch\", \"/etc/x\"]\n",
        &["command `touch /etc/x` exit code"],
    ),
    (
        "restart",
        "[serve]\nrestart = \"after-stop\"\n[[serve.http]]\npath = \"/\"\n[[serve.command]]\nrun = [\"mkdir\", \"/made\"]\n",
        &["command `mkdir /made` exit code after the restart"],
    ),
];

/// An application that waits until three requests are in it at the same time, and names the body and a header that came.
const MEETING: &str = "import threading

barrier = threading.Barrier(3)


def application(environ, start_response):
    body = environ['wsgi.input'].read()
    try:
        barrier.wait(timeout=SECONDS)
        status = '200 OK'
    except threading.BrokenBarrierError:
        barrier.reset()
        status = '503 Service Unavailable'
    text = '%s %s %s' % (environ.get('CONTENT_LENGTH'), environ.get('HTTP_X_SAMPLE'), body.decode())
    start_response(status, [('Content-Type', 'text/plain')])
    return [text.encode()]
";

/// A server that answers HEAD with a body.
const TALKATIVE: &str = "import signal
import socket

signal.signal(signal.SIGTERM, lambda *_: exit())

server = socket.create_server(('', 80))
while True:
    connection, _ = server.accept()
    connection.recv(4096)
    connection.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nHello')
    connection.close()
";

/// Requests that are as the scenario says, or not, and the verdict.
fn requests() -> [(&'static str, String, &'static str); 3] {
    [
        ("together", request("POST", "send = 'ab'\ntimes = 3\nat_once = 3\nbody = '^2 None ab$'\n"), "pass"),
        ("one-after-another", request("POST", "send = 'ab'\ntimes = 3\nbody = '^2 None ab$'\n"), "fail"),
        (
            "chunks-and-headers",
            request(
                "POST",
                "send_bytes = 30\nchunked = true\nrequest_headers = { X-Sample = \"yes\" }\ntimes = 3\nat_once = 3\nbody = '^(None)? yes abcdefghijklmnopqrstuvwxyzabcd$'\n",
            ),
            "pass",
        ),
    ]
}

fn request(method: &str, more: &str) -> String {
    format!(
        "summary = \"x\"\nsource = \"a test\"\n\n[build]\noutcome = \"success\"\n[serve]\n[[serve.http]]\npath = \"/\"\nmethod = \"{method}\"\n{more}"
    )
}

fn volume(volume: &str, exit_code: u8) -> String {
    format!(
        "summary = \"x\"\nsource = \"a test\"\n\n[build]\noutcome = \"success\"\n[serve]\nvolume = \"{volume}\"\nunchanged = [\"/app\"]\nvolume_modes = {{ file = \"0640\" }}\n[[serve.http]]\npath = \"/\"\nbody = '^volume$'\n[[serve.command]]\nrun = [\"stat\", \"-c\", \"%a %u\", \"/app/file\"]\noutput = '^640 0$'\n[[serve.command]]\nrun = [\"stat\", \"-c\", \"%a %u:%g\", \"/app\"]\noutput = '^755 0:0$'\n[[serve.command]]\nrun = [\"touch\", \"/app/new\"]\nexit_code = {exit_code}\n"
    )
}

/// Adds the scenarios of volumes to a suite.
pub(crate) fn add_volumes(suite: &Suite) {
    for (name, scenario) in
        [("volume-read-only", volume("read-only", 1)), ("volume-read-write", volume("read-write", 0))]
    {
        suite.hello(name, &scenario).write(&format!("{name}/volume/file"), "").write(
            &format!("{name}/volume/wsgi.py"),
            "def application(environ, start_response):\n    start_response('200 OK', [])\n    return [b'volume']\n",
        );
    }
}

/// All of them in one run.
fn run() -> &'static Run {
    static RUN: SharedRun = SharedRun::new();
    RUN.get(|| {
        let suite = Suite::new();
        for (name, body, _) in CASES {
            suite.hello(
                name,
                &format!("summary = \"must fail\"\nsource = \"a test\"\n\n[build]\noutcome = \"success\"\n{body}"),
            );
        }
        for (name, scenario, _) in requests() {
            // Those that meet have time to.
            let seconds = if name == "one-after-another" { "1" } else { "20" };
            let application = MEETING.replace("SECONDS", seconds);
            suite.hello(name, &scenario).write(&format!("{name}/app/wsgi.py"), &application);
        }
        // Off unless asked for, whatever the image.
        suite.write(
            "chunks-and-headers/app/Dockerfile",
            "ARG IMAGE\nFROM ${IMAGE}\nCMD [ \"--chunked-request\", \"wsgi.py\" ]\n",
        );
        suite.hello("talkative", &request("HEAD", "")).write("talkative/app/wsgi.py", TALKATIVE);
        suite.write(
            "talkative/app/Dockerfile",
            "ARG IMAGE\nFROM ${IMAGE}\nENTRYPOINT [ \"python\", \"-u\" ]\nCMD [ \"wsgi.py\" ]\n",
        );
        add_volumes(&suite);
        suite.run()
    })
}

#[test]
fn requests_are_sent_as_the_scenario_says() {
    let run = run();
    for (name, _, verdict) in requests() {
        assert_eq!(run.verdict(name), verdict, "{name}\n{}", run.output());
    }
    assert_eq!(run.broken("one-after-another"), ["POST / status of 3 requests"], "{}", run.output());
    assert_eq!(run.broken("talkative"), ["HEAD / body"], "{}", run.output());
    run.assert().code(1);
}

#[test]
fn a_volume_is_mounted_and_watched() {
    let run = run();
    assert_eq!(run.verdict("volume-read-only"), "pass", "{}", run.output());
    assert_eq!(run.broken("volume-read-write"), ["/app unchanged"], "{}", run.output());
    run.assert().code(1);
}

#[test]
fn each_kind_of_assertion_about_serving_fails_when_it_must() {
    let run = run();
    let mut wrong = Vec::new();
    for (name, _, expected) in CASES {
        let broken = run.broken(name);
        if run.verdict(name) != "fail" || broken != *expected {
            wrong.push(format!("{name}: {} with {broken:?}, not fail with {expected:?}", run.verdict(name)));
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), run.output());
    run.assert().code(1);
}
