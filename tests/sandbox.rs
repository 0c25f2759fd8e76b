//! The sandbox of the contract tier against build steps that want out, as root and as an ordinary user. Each step tries what it can and
//! prints `held NAME` or `broke NAME`. What it reaches for is the test's own, or is only opened.

use std::path::Path;
use std::process::{Child, Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rstest::rstest;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::place::{Place, User};
use crate::support::{Slot, text};

pub(crate) const SCENARIO: &str = "summary = \"x\"\nsource = \"x\"\n[build]\noutcome = \"success\"\n[serve]\n[[serve.http]]\npath = \"/\"\nbody = '^Hello World!$'\n";

/// What a step tries: a name, and a command that succeeds when the sandbox does not hold.
pub(crate) const ATTEMPTS: [(&str, &str); 21] = [
    ("remount", "mount -o remount,bind,rw /usr && test -w /usr"),
    ("mount", "mkdir -p /app/m && mount -t tmpfs none /app/m"),
    ("sysctl", ": >> /proc/sys/kernel/core_pattern"),
    ("user-namespace", "unshare -Ur true"),
    (
        "clone",
        "python3 -c 'import ctypes,os; p=ctypes.CDLL(None).syscall(56 if os.uname().machine==\"x86_64\" else 220, 0x10000011, 0, 0, 0, 0); os._exit(0) if p==0 else exit(p<0)'",
    ),
    (
        "clone3",
        "python3 -c 'import ctypes,os,struct; a=struct.pack(\"8Q\", 0x10000000, 0, 0, 0, 17, 0, 0, 0); p=ctypes.CDLL(None).syscall(435, a, 64); os._exit(0) if p==0 else exit(p<0)'",
    ),
    ("vsock", "python3 -c 'import socket; socket.socket(40, socket.SOCK_STREAM)'"),
    ("packet-socket", "python3 -c 'import socket; socket.socket(17, socket.SOCK_RAW)'"),
    ("death-signal", "python3 -c 'import ctypes; exit(ctypes.CDLL(None).prctl(1, 0) != 0)'"),
    ("ptrace", "python3 -c 'import ctypes; exit(ctypes.CDLL(None).ptrace(0, 0, 0, 0) != 0)'"),
    (
        "keyring",
        "python3 -c 'import ctypes,os; exit(ctypes.CDLL(None).syscall(250 if os.uname().machine==\"x86_64\" else 219, 0, -3, 1, 0, 0) < 0)'",
    ),
    ("host-root", "test $(stat -c %u /usr) = 0"),
    (
        "more-power",
        "python3 -c 'exit(not int([l for l in open(\"/proc/self/status\") if l.startswith(\"CapBnd\")][0].split()[1], 16) & ~0x4fb)'",
    ),
    ("own-program", ": >> /run/wsgi-proof/program"),
    ("orders", ": >> /run/wsgi-proof/orders.json"),
    ("orders-replaced", "mv /run/wsgi-proof/orders.json /run/wsgi-proof/other"),
    ("step", ": >> /usr/local/bin/mod_wsgi-docker-start"),
    ("descriptor", "head -c 6 <&9 | grep secret"),
    (
        "descriptors",
        "python3 -c 'import os; exit(all(int(n) < 3 or not os.path.exists(\"/proc/self/fd/\" + n) for n in os.listdir(\"/proc/self/fd\")))'",
    ),
    ("network", "python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", 1), 1)'"),
    ("environment", "tr '\\0' '\\n' < /proc/self/environ | grep WSGI_PROOF_SECRET"),
];

/// Starts at most 60 processes, and says how many it could.
pub(crate) const FORKS: &str = "python3 -c 'import os,time
n = 0
try:
    while n < 60:
        if os.fork() == 0:
            time.sleep(100)
        n += 1
except OSError:
    pass
print(n)'
exit 7";

/// A build step of these lines.
pub(crate) fn step(place: &Place, lines: &str) -> String {
    let path = place.path().join("step");
    std::fs::write(&path, format!("#!/bin/bash\n{lines}\n")).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A place with one scenario.
pub(crate) fn place(user: User, scenario: &str) -> Place {
    let place = Place::of(user);
    place.suite().hello("hello", scenario);
    place
}

/// A call of the program in the contract tier, with a report.
pub(crate) fn call(place: &Place, arguments: &[&str]) -> Command {
    let report = place.path().join("home/report");
    place.call(&[&["run", "--tier", "contract", "--report", report.to_str().unwrap()], arguments].concat())
}

/// How a program ended, and its report.
pub(crate) fn run(place: &Place, mut command: Command) -> (Output, Value) {
    let _slot = Slot::take();
    let output = command.output().unwrap();
    let report = std::fs::read(place.path().join("home/report/report.json"))
        .unwrap_or_else(|error| panic!("no report: {error}\n{}", text(&output)));
    (output, serde_json::from_slice(&report).unwrap())
}

/// The same call from a shell that has a file of its own open as descriptor 9, and a variable that is nobody else's business.
fn from_a_shell(call: &Command, file: &Path) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", "file=$1; shift; exec \"$@\" 9< \"$file\"", "sh"]).arg(file);
    shell.arg(call.get_program()).args(call.get_args()).current_dir(call.get_current_dir().unwrap());
    for (name, value) in call.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell.env("WSGI_PROOF_SECRET", "x");
    shell
}

/// The first log of the first scenario.
fn log(report: &Value) -> Vec<String> {
    let lines = report["scenarios"][0]["logs"][0]["lines"].as_array().cloned().unwrap_or_default();
    lines.iter().filter_map(|line| line.as_str().map(str::to_owned)).collect()
}

#[rstest]
fn a_step_gets_no_power(#[values(User::Own, User::Ordinary)] user: User) {
    let place = place(user, SCENARIO);
    let attempts = ATTEMPTS.map(|(name, attempt)| {
        format!("if ({attempt}) > /dev/null 2>&1; then echo broke {name}; else echo held {name}; fi\n")
    });
    let step = step(&place, &format!("{}exit 7", attempts.concat()));
    let secret = place.path().join("secret");
    std::fs::write(&secret, "secret").unwrap();
    let (output, report) = run(&place, from_a_shell(&call(&place, &["--build-step", &step]), &secret));
    let log = log(&report);
    let held: Vec<String> = ATTEMPTS.iter().map(|(name, _)| format!("held {name}")).collect();
    assert_eq!(log, held, "{}", text(&output));
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
}

/// A step that writes down a call which never was, wherever it can.
#[rstest]
fn a_call_that_never_was_is_not_believed(#[values(User::Own, User::Ordinary)] user: User) {
    let place = place(user, SCENARIO);
    place.suite().write("hello/app/requirements.txt", "six\n");
    let record = r#"{"tool":"pip","arguments":["install","-r","requirements.txt","-U","--exists-action=w","--src=.docker/tmp"],"folder":"/app","user":0,"process":2,"environment":{},"effect":{"projects":[{"requirement":{"source":{"index":{"name":"six","pinned":null}},"editable":false,"marked":false,"direct":true,"usual_case":true,"hashed":false,"names_pre_release":false},"fresh":true,"checkout":null,"elsewhere":null,"less":[],"pre_release":false}]},"exit_code":0}"#;
    let step = step(
        &place,
        &format!(
            "echo '{record}' | tee /run/stubs/calls.jsonl > /tmp/call\n\
             python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); s.connect(\"/run/wsgi-proof/calls\"); s.sendall(open(\"/tmp/call\", \"rb\").read()); s.shutdown(1); print(s.recv(9))'\n\
             exit 0"
        ),
    );
    let (output, report) = run(&place, call(&place, &["--build-step", &step]));
    assert_eq!(report["scenarios"][0]["verdict"], "fail", "{}", text(&output));
    assert!(text(&output).contains("pip"), "{}", text(&output));
}

/// What bubblewrap itself would say, said by a step, is a failure of the step.
#[test]
fn words_of_bubblewrap_are_not_believed() {
    let place = place(User::Own, SCENARIO);
    let step = step(&place, "echo 'bwrap: setting up uid map: Permission denied'\nexit 1");
    let (output, report) = run(&place, call(&place, &["--build-step", &step]));
    assert_eq!(report["scenarios"][0]["verdict"], "fail", "{}", text(&output));
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
}

/// Limits hold in this tier, too: of the command line, and of a scenario.
#[rstest]
#[case::processes("processes=20", "", FORKS, |lines: &[String]| lines.iter().any(|line| line.parse::<u32>().is_ok_and(|count| count <= 20)))]
#[case::processes_of_a_scenario("processes=1000", "[limits]\nprocesses = 20\n", FORKS, |lines: &[String]| lines.iter().any(|line| line.parse::<u32>().is_ok_and(|count| count <= 20)))]
#[case::memory("memory-megabytes=100", "", "python3 -c 'x = bytearray(300000000); print(\"broke\")' || echo held; exit 7", |lines: &[String]| lines.iter().any(|line| line == "held"))]
#[case::log("log-megabytes=1", "", "head -c 3000000 /dev/zero | tr '\\0' 'x' | fold -w 100; exit 0", |lines: &[String]| lines.len() < 20_000)]
#[case::disk("disk-megabytes=5", "", "head -c 20000000 /dev/zero > /app/large; exit 0", |_: &[String]| true)]
#[case::many_files("disk-megabytes=5", "", "mkdir /app/d && cd /app/d && python3 -c 'for i in range(3000): open(str(i), \"w\")'; exit 0", |_: &[String]| true)]
fn limits_hold(
    #[case] limit: &str,
    #[case] of_scenario: &str,
    #[case] lines: &str,
    #[case] holds: fn(&[String]) -> bool,
    #[values(User::Own, User::Ordinary)] user: User,
) {
    let place = place(user, &SCENARIO.replace("[build]", &format!("{of_scenario}[build]")));
    let step = step(&place, lines);
    let (output, report) = run(&place, call(&place, &["--build-step", &step, "--limit", limit]));
    assert_eq!(report["scenarios"][0]["verdict"], "fail", "{}", text(&output));
    assert!(holds(&log(&report)), "{}", text(&output));
    let exceeded = |check: &str| format!("{}", report["scenarios"][0]["findings"]).contains(check);
    if limit.starts_with("log") {
        assert!(exceeded("log-megabytes"), "{}", text(&output));
    }
    if limit.starts_with("disk") && output.status.code() == Some(1) && user == User::Own {
        assert!(exceeded("disk-megabytes"), "{}", text(&output));
    }
}

/// What the suite itself puts beside an application is not counted, and a file that has many names is counted once.
#[rstest]
#[case::nothing("exit 0")]
#[case::one_file("head -c 3000000 /dev/zero > /app/file; cd /app; for name in {1..20}; do ln file $name; done; exit 0")]
fn what_keeps_a_limit_is_not_stopped(#[case] lines: &str) {
    let place = place(User::Own, SCENARIO);
    let step = step(&place, lines);
    let (output, report) = run(&place, call(&place, &["--build-step", &step, "--limit", "disk-megabytes=5"]));
    assert!(!format!("{}", report["scenarios"][0]["findings"]).contains("disk-megabytes"), "{}", text(&output));
}

/// A step that hears no signal, with pipes that nobody writes to in the places of files, holds up neither a signal nor the time limit of
/// the run.
#[rstest]
#[case::interrupted(Some(Signal::INT), &[])]
#[case::terminated(Some(Signal::TERM), &[])]
#[case::out_of_time(None, &["--run-seconds", "2"])]
fn a_step_that_hangs_holds_up_no_end(
    #[case] signal: Option<Signal>,
    #[case] arguments: &[&str],
    #[values(User::Own, User::Ordinary)] user: User,
) {
    let place = place(user, SCENARIO);
    let marker = marker();
    let lines = format!(
        "trap '' INT TERM HUP\ncd /app && rm -rf requirements.txt .docker && mkfifo requirements.txt .docker\n\
         mkfifo /run/stubs/fifo\nsleep {marker} & sleep {marker}"
    );
    let step = step(&place, &lines);
    let mut all = vec!["--build-step", &step];
    all.extend(arguments);
    let mut program = call(&place, &all).spawn().unwrap();
    let begun = Instant::now();
    while processes(&marker) < 2 && program.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < Duration::from_secs(60), "the step is not under way");
        std::thread::yield_now();
    }
    if let Some(signal) = signal {
        kill_process(child_of(&program).unwrap(), signal).unwrap();
    }
    let code = program.wait().unwrap().code();
    assert!(code.is_some_and(|code| code != 0), "{code:?}");
    // Not a measurement: the step's own limit is a minute, and a program that waits for it has been held up.
    assert!(begun.elapsed() < Duration::from_secs(50), "it has waited for the step");
    assert_eq!(processes(&marker), 0, "processes of the step are left");
}

/// The program, once it has been started: what the test starts is a guard, which has it as its child.
pub(crate) fn child_of(guard: &Child) -> Option<Pid> {
    let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", guard.id())).unwrap();
    Pid::from_raw(children.trim().parse().ok()?)
}

/// A time to sleep that no other process of this machine has among its arguments.
pub(crate) fn marker() -> String {
    static MARKERS: AtomicU32 = AtomicU32::new(0);
    format!("86{}.{}", std::process::id(), MARKERS.fetch_add(1, Ordering::SeqCst))
}

/// How many processes have this word among their arguments.
pub(crate) fn processes(word: &str) -> usize {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    entries
        .filter(|entry| {
            let arguments = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            arguments.split(|byte| *byte == 0).any(|argument| argument == word.as_bytes())
        })
        .count()
}

/// Folders that a step replaces by links to this machine's, which bubblewrap has at `/oldroot` while it makes a sandbox: nothing is made or
/// changed there.
#[rstest]
fn links_in_place_of_folders_lead_nowhere(#[values(User::Own, User::Ordinary)] user: User) {
    let place = place(user, SCENARIO);
    let outside = place.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    let lines = format!(
        "cd /; for name in run dev proc usr tmp app var; do mv $name $name-away; ln -s /oldroot{} $name; done 2>/dev/null\nexit 0",
        outside.display()
    );
    let step = step(&place, &lines);
    let (output, _) = run(&place, call(&place, &["--build-step", &step]));
    assert_ne!(output.status.code(), Some(3), "{}", text(&output));
    assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 0);
}
