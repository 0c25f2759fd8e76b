//! `run --watch`: what a change concerns runs again, and nothing else.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{NO_ENGINE, Slot, Suite, call, first_run};

const EXPECTS: &str =
    "summary = \"x\"\nsource = \"x\"\n[build]\noutcome = \"success\"\n[serve]\n[[serve.http]]\npath = \"/\"\n";

/// How long it may say nothing.
const MOST: Duration = Duration::from_secs(120);

/// A run that watches, and all the lines that it prints.
struct Watching {
    program: Child,
    lines: Receiver<String>,
    _slot: Slot,
}

impl Watching {
    fn start(suite: &Suite, arguments: &[&str]) -> Self {
        first_run();
        let slot = Slot::take();
        let suite = suite.path().to_str().unwrap();
        let own = ["run", "--watch", "--tier", "contract", "--suite", suite];
        let mut command = call(&[&own, arguments].concat());
        command.env("DOCKER_HOST", NO_ENGINE).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut program = command.spawn().unwrap();
        let (sender, lines) = channel();
        let (out, err) = (program.stdout.take().unwrap(), program.stderr.take().unwrap());
        let other = sender.clone();
        thread::spawn(move || BufReader::new(out).lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        thread::spawn(move || BufReader::new(err).lines().map_while(Result::ok).try_for_each(|line| other.send(line)));
        Self { program, lines, _slot: slot }
    }

    /// All that it prints until it has both told a result and watches again.
    fn until_it_watches(&self, result: &str) -> String {
        let mut text = String::new();
        let (mut told, mut watches) = (false, false);
        while !(told && watches) {
            // Not a measurement: a test that waits for ever tells nothing.
            let line = self.lines.recv_timeout(MOST).unwrap_or_else(|error| panic!("{error}: {result}: {text}"));
            told |= line.contains(result);
            watches |= line.starts_with("watching ");
            writeln!(text, "{line}").unwrap();
        }
        text
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        drop(self.program.kill());
        drop(self.program.wait());
    }
}

#[test]
fn what_a_change_concerns_runs_again() {
    let suite = Suite::new();
    for name in ["one-hello", "two-hello", "other"] {
        suite.hello(name, EXPECTS);
    }
    let mut watching = Watching::start(&suite, &["hello"]);
    let first = watching.until_it_watches("2 of 2 scenarios: 2 passed");
    assert!(!first.contains("PASS other"), "{first}");

    suite.hello("two-hello", &EXPECTS.replace("[serve]", "log = ['^no such line$']\n[serve]"));
    let changed = watching.until_it_watches("1 of 1 scenarios: 0 passed, 1 failed");
    assert!(changed.contains("two-hello") && !changed.contains("one-hello"), "{changed}");

    // What cannot be loaded ends nothing.
    suite.write("two-hello/scenario.toml", "summary = ");
    watching.until_it_watches("two-hello/scenario.toml");
    suite.hello("two-hello", EXPECTS);
    watching.until_it_watches("1 of 1 scenarios: 1 passed");

    // What the filters leave out is no run.
    suite.write("other/app/wsgi.py", "syntax error");
    watching.until_it_watches("no scenario that is selected has changed");
    suite.write("contract.toml", "version = 1\n\n");
    watching.until_it_watches("2 of 2 scenarios: 2 passed");

    kill_process(Pid::from_child(&watching.program), Signal::INT).unwrap();
    assert_eq!(watching.program.wait().unwrap().code(), Some(130));
}
