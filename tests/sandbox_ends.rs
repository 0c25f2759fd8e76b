//! How sandboxes end, whatever a step does about it: nothing outlives the program or an ordinary run, nothing holds up its end, and no
//! text of a step is taken for what the sandbox says of itself.

use std::path::Path;
use std::time::{Duration, Instant};

use rstest::rstest;
use rustix::process::{Signal, kill_process};

use crate::sandbox::{SCENARIO, call, child_of, marker, place, processes, run, step};
use crate::support::place::User;
use crate::support::text;

/// Process 1 takes off the signal that it would get when the program dies.
pub(crate) const TAKEN_OFF: &str = "import ctypes, subprocess, time\nctypes.CDLL(None).prctl(1, 0)\nfor _ in range(2): subprocess.Popen([\"sleep\", \"MARKER\"], start_new_session=True)\ntime.sleep(1000)";
/// Another thread of process 1 executes a program: the signal belonged to the first one.
pub(crate) const ANOTHER_THREAD: &str = "import os, subprocess, threading, time\nfor _ in range(2): subprocess.Popen([\"sleep\", \"MARKER\"], start_new_session=True)\nthreading.Thread(target=lambda: os.execvp(\"sleep\", [\"sleep\", \"MARKER\"])).start()\ntime.sleep(1000)";
/// Sends its log's end in connections that nobody has taken when it ends.
pub(crate) const SENT_AWAY: &str = "import array, os, socket, time
stop = time.time() + 1
for _ in range(4):
    if os.fork() == 0:
        kept = []
        while time.time() < stop + 3:
            s = socket.socket(socket.AF_UNIX)
            s.setblocking(False)
            try:
                s.connect(\"/run/wsgi-proof/calls\")
                s.sendmsg([b\"x\"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array(\"i\", [1]))])
            except OSError:
                pass
            kept = kept[-300:] + [s]
        os._exit(0)
while time.time() < stop: pass
os._exit(0)";

/// A step and its children end with the program, however it ends.
#[rstest]
#[case::signal_taken_off(TAKEN_OFF)]
#[case::another_thread(ANOTHER_THREAD)]
fn nothing_outlives_the_program(#[case] lines: &str, #[values(User::Own, User::Ordinary)] user: User) {
    let place = place(user, SCENARIO);
    let marker = marker();
    let step = step(&place, &format!("exec python3 -c '{}' {marker}", lines.replace("MARKER", &marker)));
    let mut program = call(&place, &["--build-step", &step]).spawn().unwrap();
    let begun = Instant::now();
    while processes(&marker) < 3 {
        assert!(begun.elapsed() < Duration::from_secs(60), "the step is not under way");
        assert!(program.try_wait().unwrap().is_none(), "the program has ended");
        std::thread::yield_now();
    }
    // As `kill -9`: nothing of it is left to clean up.
    kill_process(child_of(&program).unwrap(), Signal::KILL).unwrap();
    program.wait().unwrap();
    await_end(&marker);
}

/// Waits until no process has this word among its arguments.
fn await_end(word: &str) {
    let begun = Instant::now();
    while processes(word) > 0 {
        assert!(begun.elapsed() < Duration::from_secs(30), "processes of the step are left");
        std::thread::yield_now();
    }
}

/// Where bubblewrap is in the step's control group, the kernel may kill it for the step's memory. Root alone has groups here.
#[rstest]
#[case::its_words("bwrap: execvp /usr/local/bin/x: No such file or directory")]
#[case::other_words("hello")]
fn a_step_that_has_bubblewrap_killed_fails_and_is_gone(#[case] said: &str) {
    let place = place(User::Own, SCENARIO);
    let marker = marker();
    let lines = format!(
        "echo '{said}'\nexec python3 -c 'import os, threading, time\nthreading.Thread(target=lambda: os.execvp(\"sh\", \
         [\"sh\", \"-c\", \"exec > /dev/null 2>&1; while :; do cat /dev/zero >> /dev/shm/x; done; : {marker}\"])).start()\n\
         time.sleep(1000)'"
    );
    let step = step(&place, &lines);
    let limits = ["--build-step", &step, "--limit", "memory-megabytes=60", "--limit", "build-seconds=5"];
    let (output, report) = run(&place, call(&place, &limits));
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert_eq!(report["scenarios"][0]["verdict"], "fail", "{}", text(&output));
    assert!(!text(&output).contains("127"), "{}", text(&output));
    assert_eq!(processes(&marker), 0, "processes of the step are left");
}

#[rstest]
fn what_is_sent_away_holds_up_no_end(#[values(User::Own, User::Ordinary)] user: User) {
    let place = place(user, SCENARIO);
    let step = step(&place, &format!("exec python3 -c '{SENT_AWAY}'"));
    let (output, report) = run(&place, call(&place, &["--build-step", &step, "--run-seconds", "300"]));
    // Held up, it would be inconclusive when the time of the run is over.
    assert!(
        ["pass", "fail"].contains(&report["scenarios"][0]["verdict"].as_str().unwrap_or_default()),
        "{}",
        text(&output)
    );
}

/// What is removed and open, or beyond any path, is in memory, and counts where a control group counts it.
#[rstest]
#[case::removed("exec 8> /var/tmp/x; rm /var/tmp/x; head -c 60000000 /dev/zero >&8; sleep 1; exit 0")]
#[case::in_no_folder(
    "exec python3 -c 'import os, time\nf = os.memfd_create(\"x\")\nos.write(f, bytes(60000000))\ntime.sleep(1)'"
)]
#[case::beyond_paths(
    "cd /var/tmp; for i in $(seq 30); do mkdir $(printf 'd%.0s' $(seq 200)) && cd d*; done; head -c 60000000 /dev/zero > x; exit 0"
)]
fn files_that_no_path_leads_to_are_limited(#[case] lines: &str) {
    let place = place(User::Own, SCENARIO);
    let step = step(&place, lines);
    let limits = ["--build-step", &step, "--limit", "disk-megabytes=20"];
    let (output, report) = run(&place, call(&place, &limits));
    assert_eq!(report["scenarios"][0]["verdict"], "fail", "{}", text(&output));
    assert!(format!("{}", report["scenarios"][0]["findings"]).contains("disk-megabytes"), "{}", text(&output));
}

/// bubblewrap that is killed while it makes a sandbox leaves process 1 waiting for a word of its, of which nobody has a handle yet.
#[rstest]
fn nothing_outlives_a_sandbox_being_made(
    #[values(Signal::INT, Signal::KILL)] signal: Signal,
    #[values(User::Own, User::Ordinary)] user: User,
) {
    let marker = marker();
    // Its environment is among the words of bubblewrap, which are process 1's, too, until it executes the step.
    let place =
        place(user, &SCENARIO.replace("[serve]", &format!("[serve]\nenvironment = {{ MARKER = \"{marker}\" }}")));
    let step = step(&place, "exec sleep 1000");
    for _ in 0..10 {
        let mut program = call(&place, &["--start-step", &step]).spawn().unwrap();
        let child = loop {
            if let Some(child) = child_of(&program).filter(|_| processes(&marker) > 0) {
                break child;
            }
            assert!(program.try_wait().unwrap().is_none(), "no sandbox was seen");
            std::thread::yield_now();
        };
        kill_process(child, signal).unwrap();
        program.wait().unwrap();
        await_end(&marker);
    }
}

/// Control groups go with the run that made them, also where it is stopped.
#[rstest]
fn stopped_runs_leave_no_control_groups() {
    let place = place(User::Own, SCENARIO);
    let step = step(&place, "trap '' INT TERM; for i in 1 2 3 4 5 6 7 8; do sleep 1000 & done; wait; wait");
    let before = groups();
    for _ in 0..3 {
        let (output, _) = run(&place, call(&place, &["--build-step", &step, "--run-seconds", "1"]));
        assert_ne!(output.status.code(), Some(0), "{}", text(&output));
    }
    // Other tests make and remove some meanwhile: a run removes its groups first, and then its folder.
    let is_left = |group: &std::path::PathBuf| !before.contains(group) && is_unused(group) && group.exists();
    let left: Vec<_> = groups().into_iter().filter(is_left).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// The folders of this machine's control groups that runs have made.
fn groups() -> Vec<std::path::PathBuf> {
    let mut folders = vec![Path::new("/sys/fs/cgroup").to_owned()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        for entry in entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
            if entry.file_name().to_string_lossy().starts_with("wsgi-proof-run-") {
                found.push(entry.path());
            } else {
                folders.push(entry.path());
            }
        }
    }
    found
}

/// Whether the run with this group has ended: its folder has gone.
fn is_unused(group: &Path) -> bool {
    let name = group.file_name().unwrap().to_string_lossy().replace("wsgi-proof-", "");
    !["/dev/shm", "/var/tmp"].iter().any(|folder| Path::new(folder).join("wsgi-proof-0").join(&name).exists())
}

/// What a sandbox cannot do is no reason for a fail: it has one user alone.
#[rstest]
fn files_can_be_given_to_others(#[values(User::Own, User::Ordinary)] user: User) {
    let place = place(user, SCENARIO);
    let lines = "set -e; touch /var/tmp/a; chown www-data:www-data /var/tmp/a; chown -h 1234 /var/tmp/a; install -o www-data /var/tmp/a /var/tmp/b; exit 0";
    let step = step(&place, lines);
    let (output, report) = run(&place, call(&place, &["--build-step", &step]));
    assert_eq!(report["scenarios"][0]["verdict"], "pass", "{}", text(&output));
}

/// A container's root goes through folders that are closed.
#[rstest]
fn closed_folders_are_no_fault_of_the_sandbox(#[values(User::Own, User::Ordinary)] user: User) {
    let place = place(user, SCENARIO);
    let step = step(&place, "chmod 000 /run /etc /var/tmp; exit 0");
    let (output, report) = run(&place, call(&place, &["--build-step", &step]));
    assert_eq!(report["scenarios"][0]["verdict"], "pass", "{}", text(&output));
}

/// An engine executes the entry point itself, and a shell the build step.
#[rstest]
fn a_script_without_a_first_line_is_no_entry_point() {
    let place = place(User::Own, SCENARIO);
    let text_of = |name: &str| std::fs::read_to_string(crate::support::root().join("images/base").join(name)).unwrap();
    let start = text_of("mod_wsgi-docker-start")
        .replace("#!/usr/bin/env bash\n", "[ \"$BASH_VERSION\" ] || exec bash \"$0\" \"$@\"\n");
    let build = text_of("mod_wsgi-docker-build")
        .replace("#!/usr/bin/env bash\n", "[ \"$BASH_VERSION\" ] || exec bash \"$0\" \"$@\"\n");
    for (option, script, verdict) in [("--start-step", start, "fail"), ("--build-step", build, "pass")] {
        let path = place.path().join("script");
        std::fs::write(&path, script).unwrap();
        let (output, report) = run(&place, call(&place, &[option, path.to_str().unwrap()]));
        assert_eq!(report["scenarios"][0]["verdict"], verdict, "{option}: {}", text(&output));
    }
}

/// A user who may not go into the application's folder has no container there, and what was found before stays found.
#[rstest]
fn a_folder_that_is_closed_to_its_user_is_a_failure(#[values(User::Own, User::Ordinary)] user: User) {
    let place = place(user, &SCENARIO.replace("[serve]", "[serve]\nuser = \"12345:0\""));
    let step = step(&place, "rm /app/wsgi.py; chmod 000 /app; exit 0");
    let (output, report) = run(&place, call(&place, &["--build-step", &step]));
    assert_eq!(report["scenarios"][0]["verdict"], "fail", "{}", text(&output));
    // An ordinary user, who stands for that one, cannot look into it, either.
    let told = ["/app/wsgi.py", "what its own user may not read"].iter().any(|told| text(&output).contains(told));
    assert!(told, "{}", text(&output));
}
