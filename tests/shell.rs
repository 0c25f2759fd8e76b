//! `shell`: a command in what a scenario is about, with its network and its fixtures.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};

use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;

use crate::support::{NO_ENGINE, PrivateEngine, Slot, first_run, program, root, text, without_engine, wsgi_proof};

/// What a person would type, without a terminal: standard input is no terminal here.
const TYPED: &str = "id -u; pwd
echo to-standard-error >&2
until python3 -c 'import urllib.request as u; print(u.urlopen(\"http://127.0.0.1\").read().decode())' 2> /dev/null; do
    sleep 1
done
pip download --quiet --no-deps --dest /tmp six && ls /tmp
timeout 5 python3 -c 'import socket; socket.create_connection((\"1.1.1.1\", 53), 3)' 2> /dev/null || echo no way out
exit 7
";

#[test]
fn it_is_in_the_container_that_serves() {
    first_run();
    let _slot = Slot::take();
    let assert = wsgi_proof(&["shell", "hello-wsgi"]).write_stdin(TYPED).assert().code(1);
    let output = assert.get_output();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    for line in ["0\n/app\n", "Hello World! from uid ", "six-1.", "no way out\n"] {
        assert!(out.contains(line), "{line}: {}", text(output));
    }
    assert!(err.contains("to-standard-error\n") && !out.contains("to-standard-error"), "{}", text(output));
    assert!(err.contains("this is the container of hello-wsgi, which is to serve at "), "{err}");
    assert!(err.ends_with("the command returned 7\n"), "{err}");
}

/// The last layer that its build has made, where what failed can be done again by hand.
#[test]
fn after_a_failed_build_it_is_in_the_image_before() {
    first_run();
    let _slot = Slot::take();
    let again = "mod_wsgi-docker-build; echo \"returned $?\"; touch /tmp/x";
    let assert = wsgi_proof(&["shell", "failing-build-hook", "--", "sh", "-c", again]).assert().code(0);
    assert
        .stdout(contains("the build hook has begun\n").and(contains("returned 42\n")))
        .stderr(contains("the build failed: ").and(contains("this is the image before the instruction that failed\n")));
}

/// Somebody who reads what a program prints, and types.
struct Person {
    child: Child,
    output: Box<dyn Read>,
    seen: String,
}

impl Person {
    fn begin(command: &mut Command) -> Self {
        let (reader, writer) = std::io::pipe().unwrap();
        command.stdin(Stdio::piped()).stdout(writer.try_clone().unwrap()).stderr(writer);
        let child = command.spawn().unwrap();
        // The command has the writing ends, and they must not outlive it.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Self { child, output: Box::new(reader), seen: String::new() }
    }

    /// Reads on until this has come.
    fn sees(&mut self, text: &str) {
        let mut chunk = [0; 1024];
        while !self.seen.contains(text) {
            let read = self.output.read(&mut chunk).unwrap();
            assert_ne!(read, 0, "{text} never came: {}", self.seen);
            self.seen.push_str(&String::from_utf8_lossy(&chunk[..read]));
        }
    }

    fn types(&mut self, text: &str) {
        self.child.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }
}

/// What is typed goes on as it is, control-C too; afterwards the terminal is as it was.
#[test]
fn a_terminal_is_passed_on() {
    first_run();
    let _slot = Slot::take();
    let shell = format!("{} shell base-image-size", program().display());
    let inner = format!("stty rows 33 cols 77; {shell}; echo \"returned $?\"; stty -a");
    let mut command = Command::new("script");
    command.args(["--quiet", "--return", "--command", &inner, "/dev/null"]).current_dir(root());
    let mut person = Person::begin(command.env("TERM", "xterm-color").env("SHELL", "/bin/sh"));
    person.sees("# ");
    person.types("stty size; tty; echo \"kind:\" $TERM\r");
    for text in ["33 77\r\n", "/dev/pts/0\r\n", "kind: xterm-color\r\n"] {
        person.sees(text);
    }
    // One program, since a shell that is interrupted between two commands of a line goes on with the second one.
    person.types("sh -c 'echo slee\"\"ping; exec sleep 1000'\r");
    person.sees("sleeping\r\n");
    person.types("\u{3}");
    // What is typed before the interrupt is taken would be lost, as in any terminal.
    person.sees("^C");
    person.types("echo went''on; exit 3\r");
    for text in ["wenton\r\n", "returned 0\r\n", " icanon"] {
        person.sees(text);
    }
    assert!(person.child.wait().unwrap().success());
}

/// Whatever ends it, nothing of it is left.
#[test]
fn nothing_of_it_is_left() {
    let engine = PrivateEngine::start();
    for (typed, signal, code) in [("exit\n", None, Some(0)), ("", Some("-TERM"), Some(143))] {
        let mut person = Person::begin(&mut engine.call(&["shell", "volume"]));
        person.sees("this is the container of");
        person.types(typed);
        if let Some(signal) = signal {
            Command::new("kill").args([signal, &person.child.id().to_string()]).status().unwrap();
        }
        assert_eq!(person.child.wait().unwrap().code(), code, "{}", person.seen);
        assert_eq!((engine.leftovers(), engine.volumes()), (Vec::<String>::new(), Vec::new()));
    }
}

#[test]
fn what_cannot_be_opened_is_refused() {
    let refused = |arguments: &[&str], code: i32, why: &str| {
        without_engine(&[&["shell"], arguments].concat()).assert().code(code).stderr(contains(why));
    };
    refused(&["hello"], 4, "hello");
    refused(&["hello-wsgi", "--variant", "all"], 2, "one variant, one dialect and one builder");
    refused(&["setup-py-ignored", "--dialect", "docker"], 4, "does not apply");
    refused(&["hello-wsgi"], 3, NO_ENGINE);
}
