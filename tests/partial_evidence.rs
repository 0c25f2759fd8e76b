//! Texts that are larger than what is read of them: what they lack is not known, so nothing that must be absent is taken for absent.

use crate::support::{NO_ENGINE, Run, SharedRun, Suite};

/// Prints twenty megabytes, and then what must not be there.
const FLOOD: &str =
    "yes xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx | head -c 20000000\necho\necho FORBIDDEN\n";
/// Prints it first.
const EARLY: &str = "echo FORBIDDEN\nyes xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx | head -c 20000000\n";
/// Prints more lines than it prints megabytes of them.
const EMPTY_LINES: &str = "yes '' | head -c 1000000\necho FORBIDDEN\n";
/// What a terminal would write over.
const HIDDEN: &str = "printf 'FORBIDDEN\\rnothing of the kind\\n'\n";
/// What a terminal does not show: a string that has no end, and one that has.
const UNENDED: &str = "printf '\\033]FORBIDDEN\\n'\n";
const ENDED: &str = "printf '\\033]0;FORBIDDEN\\007nothing of the kind\\n'\n";
/// Control characters, each of which takes six bytes where the engine keeps them, after what must not be there. They are within the
/// limit; what the engine dropped of them would not be missed.
const CONTROL: &str =
    "import sys\nprint('FORBIDDEN')\nfor _ in range(1700):\n    print('\\x01' * 1000)\nsys.stdout.flush()\n";

const SERVED: &str = "[[serve.http]]\npath = \"/\"\n";

/// Adds a scenario whose application has this hook.
fn hooked(suite: &Suite, name: &str, (hook, script): (&str, &str), scenario: &str) {
    let hook = format!(".docker/action_hooks/{hook}");
    let modes = format!("[modes]\n\"{hook}\" = \"0755\"\n");
    suite.hello(name, &format!("summary = \"x\"\nsource = \"x\"\n{modes}{scenario}"));
    let interpreter = if script.contains("import") { "/usr/bin/env python" } else { "/bin/sh" };
    suite.write(&format!("{name}/app/{hook}"), &format!("#!{interpreter}\n{script}"));
}

fn place(suite: &Suite) -> &str {
    suite.path().to_str().unwrap()
}

/// All of them in the contract tier.
fn sandboxes() -> &'static Run {
    static RUN: SharedRun = SharedRun::new();
    RUN.get(|| {
        let suite = Suite::new();
        let build = "[build]\noutcome = \"success\"\nlog_absent = ['^FORBIDDEN']\n";
        for (name, script) in [("build", FLOOD), ("early-in-the-build", EARLY), ("empty-lines", EMPTY_LINES)] {
            hooked(&suite, name, ("build", script), build);
        }
        hooked(&suite, "hidden", ("build", HIDDEN), build);
        hooked(&suite, "unended", ("build", UNENDED), build);
        hooked(&suite, "ended", ("build", ENDED), &build.replace('^', ""));
        let fails = "[build]\noutcome = \"failure\"\nphase = \"build\"\nexit_code = 7\nbecause = '^x+$'\n";
        hooked(&suite, "is-to-fail", ("build", &format!("{FLOOD}exit 7\n")), fails);
        let start = format!("[build]\noutcome = \"success\"\n[serve]\nlog_absent = ['^FORBIDDEN']\n{SERVED}");
        for (name, script) in [("start", FLOOD), ("early-in-the-start", EARLY)] {
            hooked(&suite, name, ("deploy", script), &start);
        }
        let shell = format!(
            "run = [\"mod_wsgi-docker-shell\", \"bash\", \"-c\", '''{FLOOD}''']\noutput_absent = 'FORBIDDEN'\n"
        );
        let escaped = shell.replace(FLOOD, ENDED);
        for (name, shell) in [("command", shell), ("escaped-command", escaped)] {
            let scenario = "summary = \"x\"\nsource = \"x\"\n[build]\noutcome = \"success\"\n[[command]]\n";
            suite.hello(name, &format!("{scenario}{shell}"));
        }
        Run::cold(&[("DOCKER_HOST", NO_ENGINE)], &["--tier", "contract", "--suite", place(&suite)])
    })
}

#[test]
fn what_a_log_lacks_that_was_cut_is_not_known_in_the_contract_tier() {
    let run = sandboxes();
    for (name, broken) in [
        ("build", &["limit of the build's log size"][..]),
        ("early-in-the-build", &["limit of the build's log size"]),
        ("empty-lines", &["limit of the build's log size"]),
        // A build that is to fail is not excused either.
        ("is-to-fail", &["limit of the build's log size"]),
        ("start", &["limit of the container's log size"]),
        // What is there is there.
        ("early-in-the-start", &["container log without /^FORBIDDEN/", "limit of the container's log size"]),
    ] {
        assert_eq!(run.verdict(name), "fail", "{name}: {}", run.output());
        assert_eq!(run.broken(name), broken, "{name}: {}", run.output());
        assert!(run.scenario(name).contains("what the rest lacks cannot be known"), "{}", run.scenario(name));
        assert!(run.scenario(name).contains("(cut here: its output is larger than 16 MB"), "{name}");
    }
    run.assert().code(1);
}

#[test]
fn what_an_output_lacks_that_was_cut_is_not_known_in_the_contract_tier() {
    let run = sandboxes();
    let broken = run.broken("command");
    assert_eq!(run.verdict("command"), "fail", "{}", run.output());
    assert!(
        matches!(&broken[..], [one] if one.starts_with("limit of the command `mod_wsgi-docker-shell bash -c ")),
        "{broken:?}"
    );
}

/// All of them in images.
fn images() -> &'static Run {
    static RUN: SharedRun = SharedRun::new();
    RUN.get(|| {
        let suite = Suite::new();
        let flood = "[\"sh\", \"-c\", \"yes xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx | head -c 20000000; echo; echo FORBIDDEN\"]";
        let command = format!("run = {flood}\noutput_absent = 'FORBIDDEN'\n");
        suite.hello(
            "commands",
            &format!("summary = \"x\"\nsource = \"x\"\n[limits]\nlog-megabytes = 2\n[build]\noutcome = \"success\"\n[[command]]\n{command}[serve]\n{SERVED}[[serve.command]]\n{command}"),
        );
        let control = format!("[limits]\nlog-megabytes = 2\n[build]\noutcome = \"success\"\n[serve]\nlog_absent = ['^FORBIDDEN']\n{SERVED}");
        hooked(&suite, "control-characters", ("deploy", CONTROL), &control);
        let build = "[build]\noutcome = \"success\"\nlog_absent = ['^FORBIDDEN']\n";
        hooked(&suite, "hidden", ("build", HIDDEN), build);
        Run::of(&["--suite", place(&suite)])
    })
}

/// In a container of its own, and in the one that serves.
#[test]
fn what_an_output_lacks_that_was_cut_is_not_known_in_images() {
    let run = images();
    assert_eq!(run.verdict("commands"), "fail", "{}", run.output());
    let broken = run.broken("commands");
    let limit = "limit of the command `sh -c yes ";
    assert!(matches!(&broken[..], [one, other] if one.starts_with(limit) && other.starts_with(limit)), "{broken:?}");
}

#[test]
fn what_the_engine_would_drop_of_a_log_is_kept() {
    let run = images();
    assert_eq!(run.broken("control-characters"), ["container log without /^FORBIDDEN/"], "{}", run.output());
}

#[test]
fn what_a_terminal_would_write_over_is_there() {
    for run in [sandboxes(), images()] {
        assert_eq!(run.broken("hidden"), ["build log without /^FORBIDDEN/"], "{}", run.output());
    }
}

#[test]
fn what_a_terminal_would_not_show_is_there() {
    let run = sandboxes();
    assert_eq!(run.broken("unended"), ["build log without /^FORBIDDEN/"], "{}", run.output());
    assert_eq!(run.broken("ended"), ["build log without /FORBIDDEN/"], "{}", run.output());
    let broken = run.broken("escaped-command");
    assert!(matches!(&broken[..], [one] if one.ends_with("output without /FORBIDDEN/")), "{broken:?}");
}
