//! Many runs of the contract tier on hostile steps, as root and as an ordinary user in turns: each fails, the run after each passes, no
//! process is left, and nothing of this machine has changed. `WSGI_PROOF_HOSTILE_RUNS` says how many steps are run.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::sandbox::{ATTEMPTS, FORKS, SCENARIO, call, marker, place, processes, run, step};
use crate::sandbox_ends::{ANOTHER_THREAD, SENT_AWAY, TAKEN_OFF};
use crate::support::place::User;
use crate::support::text;

/// What caps a step, and thereby this test.
const LIMITS: [&str; 10] = [
    "--limit",
    "build-seconds=3",
    "--limit",
    "memory-megabytes=150",
    "--limit",
    "processes=60",
    "--limit",
    "disk-megabytes=20",
    "--limit",
    "log-megabytes=1",
];

/// Lines of steps. Each ends with an exit code that the scenario does not expect, or is stopped by a limit.
const STEPS: [&str; 25] = [
    "kill -STOP $$; exit 7",
    "for i in $(seq 20); do (trap '' HUP; setsid sleep MARKER < /dev/null > /dev/null 2>&1 &) ; done; exit 7",
    "trap '' INT TERM HUP; cd /app && rm -rf requirements.txt .docker && mkfifo requirements.txt .docker; mkfifo /run/stubs/fifo; sleep MARKER & sleep MARKER",
    "cd /; for name in run dev proc usr tmp app var; do mv $name $name-away; ln -s /oldroot/etc $name; done 2> /dev/null; exit 7",
    "cd /; rm -rf /app; ln -s /etc /app; exit 7",
    "cd /app; rm -f requirements.txt; ln -s /etc/passwd requirements.txt; ln -s /etc/shadow wsgi.py; exit 7",
    "cd /app; perl -e 'for (1 .. 20000) { mkdir \"d\"; chdir \"d\" }'; exit 7",
    "cd /app; mkdir -p x/y; touch x/y/z; chmod 000 x/y x; chmod 000 /run /etc /var/tmp /app; exit 7",
    "cd /app; truncate -s 100G requirements.txt wsgi.py; exit 7",
    "cd /app; perl -e 'for (1 .. 20000) { open F, \">r$_\"; print F \"-r r\", $_ + 1, \"\\n\"; close F }'; echo '-r r1' > requirements.txt; exit 7",
    "exec 8> /var/tmp/x; rm /var/tmp/x; head -c 60000000 /dev/zero >&8; sleep 1; exit 7",
    "python3 -c 'import os, time\nf = os.memfd_create(\"x\")\nos.write(f, bytes(60000000))\ntime.sleep(1)'; exit 7",
    "cd /var/tmp; for i in $(seq 30); do mkdir $(printf 'd%.0s' $(seq 200)) && cd d*; done; head -c 60000000 /dev/zero > x; exit 7",
    "python3 -c 'x = bytearray(300000000)'; exit 7",
    "head -c 3000000 /dev/zero | tr '\\0' 'x' | fold -w 100; exit 7",
    "for i in $(seq 60); do head -c 1000000 /dev/zero >> /app/large; done; exit 7",
    "mkdir /app/d && cd /app/d && python3 -c 'for i in range(30000): open(str(i), \"w\")'; exit 7",
    "printf '::stop-commands::x\\n##[error]x\\n\\033]0;x\\007\\033[2J \\377\\376 ]]> &amp; \\357\\277\\277\\n'; touch \"$(printf '/app/a\\nb\\377')\"; exit 7",
    "python3 -c 'import threading, os, time\nthreading.Thread(target=lambda: os.execvp(\"sh\", [\"sh\", \"-c\", \"while :; do cat /dev/zero >> /dev/shm/x; done; : MARKER\"])).start()\ntime.sleep(1000)' 2> /dev/null; exit 7",
    "python3 -c 'import fcntl, os, time\nfor path in (\"/run/wsgi-proof/program\", \"/run/wsgi-proof/orders.json\", \"/usr/local/bin/pip\"):\n    for operation in (lambda f: fcntl.fcntl(f, 1024, 0), lambda f: fcntl.flock(f, 6)):\n        try:\n            operation(os.open(path, os.O_RDONLY))\n        except OSError:\n            pass\ntime.sleep(1000)'",
    "cp /bin/bash /app/x; chmod 6755 /app/x; ln /usr/bin/env /app/y; mknod /app/z c 1 3; exit 7",
    "python3 -c 'import ctypes\nc = ctypes.CDLL(None)\nfor key in range(1, 9): c.shmat(c.shmget(key, 100000000, 0o1666), 0, 0)\nc.mq_open(b\"/wsgi-proof\", 0o102, 0o666, 0)'; exit 7",
    "cd /app; rm -rf .docker; ln -s . .docker; ln -s x y; ln -s y x; for i in $(seq 300); do ln -s /proc/self/root/etc l$i; done; exit 7",
    "rm -rf /app /run/stubs /var/tmp/* 2> /dev/null; exit 7",
    "for i in 1 2 3 4 5 6 7 8; do python3 -c 'while True: pass' MARKER & done; wait",
];

/// Where this is not true, a step does nothing: should a sandbox fail to be one, its attack must not become real.
const IS_SANDBOX: &str = "[ -e /run/wsgi-proof/orders.json ] && [ $$ -lt 100 ] || exit 7\n";

/// How many steps are run.
fn runs() -> usize {
    std::env::var("WSGI_PROOF_HOSTILE_RUNS").ok().and_then(|text| text.parse().ok()).unwrap_or(6)
}

/// Every step: those above, and those of other tests.
fn steps(marker: &str) -> Vec<String> {
    let attempts = ATTEMPTS.map(|(_, attempt)| format!("({attempt}) > /dev/null 2>&1\n"));
    let python = |lines: &str| format!("python3 -c '{lines}' MARKER\nexit 7");
    let of_others = [attempts.concat() + "exit 7", FORKS.to_owned()]
        .into_iter()
        .chain([TAKEN_OFF, ANOTHER_THREAD].map(|lines| format!("exec {}", python(lines))))
        .chain([python(SENT_AWAY)]);
    of_others
        .chain(STEPS.map(str::to_owned))
        .map(|lines| IS_SANDBOX.to_owned() + &lines.replace("MARKER", marker))
        .collect()
}

/// What a step could have changed of this machine: each file's kind, mode, owners, size and times, and the contents of programs and
/// configuration. What the tests themselves write, and other programs all the time, is elsewhere.
fn listing() -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut folders: Vec<PathBuf> = ["/etc", "/usr", "/opt", "/srv", "/boot", "/home"].map(PathBuf::from).into();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            // Every interpreter writes them, also this machine's.
            if path.file_name().is_some_and(|name| name == "__pycache__") {
                continue;
            }
            let Ok(data) = entry.metadata() else { continue };
            let mut told = format!(
                "{:o} {} {} {} {} {}",
                data.mode(),
                data.uid(),
                data.gid(),
                data.nlink(),
                data.ctime(),
                data.ctime_nsec()
            );
            if data.is_dir() {
                folders.push(path.clone());
            } else if data.is_file() {
                told += &format!(" {} {}", data.size(), data.mtime());
                if path.starts_with("/etc") || path.iter().any(|name| name == "bin" || name == "sbin") {
                    let content = fs::read(&path).unwrap_or_default();
                    told += &format!(" {:x?}", Sha256::digest(content).as_slice());
                }
            }
            found.insert(path, told);
        }
    }
    for path in ["kernel/core_pattern", "kernel/modprobe", "kernel/hostname", "kernel/sysrq", "vm/overcommit_memory"] {
        let path = Path::new("/proc/sys").join(path);
        let content = fs::read_to_string(&path).unwrap_or_default();
        found.insert(path, content);
    }
    found
}

#[test]
fn hostile_runs_change_nothing_and_hinder_nobody() {
    let marker = marker();
    let places = [User::Own, User::Ordinary].map(|user| place(user, SCENARIO));
    let steps = steps(&marker);
    let before = listing();
    for number in 0..runs() {
        // Each step comes to both users.
        let (lines, place) = (&steps[number / 2 * 7 % steps.len()], &places[number % 2]);
        let step = step(place, lines);
        let (output, report) = run(place, call(place, &[&["--build-step", step.as_str()], &LIMITS[..]].concat()));
        assert_eq!(report["scenarios"][0]["verdict"], "fail", "{lines}: {}", text(&output));
        assert_eq!(output.status.code(), Some(1), "{lines}: {}", text(&output));
        assert_eq!(processes(&marker), 0, "processes are left of {lines}");
        let (output, _) = run(place, call(place, &[]));
        assert_eq!(output.status.code(), Some(0), "after {lines}: {}", text(&output));
    }
    let after = listing();
    let changed: Vec<_> =
        before.keys().chain(after.keys()).filter(|path| before.get(*path) != after.get(*path)).collect();
    assert!(changed.is_empty(), "{changed:?}");
    assert!(before.len() > 1000, "{} files were looked at", before.len());
    let left = fs::read_dir(places[1].sandboxes()).into_iter().flatten().flatten();
    let left: Vec<_> = left.map(|entry| entry.file_name()).filter(|name| name != "lock").collect();
    assert!(!places[1].is_of_another_user() || left.is_empty(), "{left:?}");
}
