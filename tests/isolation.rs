//! Isolation, proved: canaries that get nowhere, and canaries that do and say so.

use std::path::PathBuf;

use serde_json::Value;

use crate::support::proxy::Proxy;
use crate::support::{PrivateEngine, Run, SharedRun, Suite, first_run, text};

/// Asks the fixture server for something that it does not have, and goes on as if nothing were.
const ASKING: &str = "try:\n    from urllib.request import urlopen\nexcept ImportError:\n    from urllib2 import urlopen\ntry:\n    urlopen('http://fixtures.wsgi-proof.test:8399/nothing/of/the/kind').read()\nexcept Exception as error:\n    print(error)\n";

/// A run in which what no scenario declares is asked for: by pip, by a hook, and by an application.
pub(crate) fn undeclared() -> &'static Run {
    static RUN: SharedRun = SharedRun::new();
    RUN.get(|| {
        let suite = Suite::new();
        // The project exists, but this suite's lock does not have it and the scenario does not declare it absent.
        suite.hello(
            "undeclared",
            "summary = \"x\"\nsource = \"a test\"\n\n[build]\noutcome = \"failure\"\nphase = \"pip\"\nexit_code = 1\nbecause = 'No matching distribution'\n",
        );
        suite.write("undeclared/app/requirements.txt", "requests\n");
        let served = "summary = \"x\"\nsource = \"x\"\n[modes]\n\".docker/action_hooks/build\" = \"0755\"\n[build]\noutcome = \"success\"\n[serve]\n[[serve.http]]\npath = \"/\"\nbody = '^Hello World!$'\n";
        for name in ["asks-in-the-build", "asks-in-the-container"] {
            suite.hello(name, served);
            suite.write(&format!("{name}/app/.docker/action_hooks/build"), "#!/usr/bin/env python\n");
        }
        suite.write("asks-in-the-build/app/.docker/action_hooks/build", &format!("#!/usr/bin/env python\n{ASKING}"));
        let application =
            "def application(environ, start_response):\n    start_response('200 OK', [])\n    return [b'Hello World!']\n";
        suite.write("asks-in-the-container/app/wsgi.py", &format!("{ASKING}{application}"));
        let many = format!("{ASKING}for number in range(3000):\n    try:\n        urlopen('http://fixtures.wsgi-proof.test:8399/no/%d' % number).read()\n    except Exception:\n        pass\n");
        suite.hello("asks-without-end", served);
        suite.write("asks-without-end/app/.docker/action_hooks/build", &format!("#!/usr/bin/env python\n{many}"));
        suite.run()
    })
}

/// Each of its requests counts, and a few are named.
#[test]
fn a_flood_of_requests_is_a_number() {
    let run = undeclared();
    assert_eq!(run.verdict("asks-without-end"), "error", "{}", run.output());
    let named = run.output().lines().filter(|line| line.contains("undeclared request: ")).count();
    assert!((5..=11).contains(&named), "{named}: {}", run.output());
    let more = run.output();
    assert!(more.contains(" more were made"), "{more}");
}

/// What an image would have the engine fetch is refused, and held against the image.
#[test]
fn triggers_that_fetch_are_refused_before_anything_is_built() {
    let engine = PrivateEngine::start();
    engine.load_image(
        "fetching:1",
        r#"{"architecture":"amd64","os":"linux","config":{"OnBuild":["ADD http://192.0.2.1/x /x"],"Cmd":["x"]},"rootfs":{"type":"layers","diff_ids":[]}}"#,
    );
    engine.command(&["run", "=hello-wsgi"]).assert().success();
    let images = ["--base-image", "wsgi-proof:base-python-3.11", "--onbuild-image", "fetching:1"];
    let ran = engine.command(&[&["run", "=hello-wsgi"], &images[..]].concat()).assert().code(1);
    let text = text(ran.get_output());
    assert!(text.contains("build outcome") && text.contains("the trigger `ADD http://192.0.2.1/x /x`"), "{text}");
    // The engine did not even try.
    assert!(!text.contains("ADD failed"), "{text}");
    engine.ask("DELETE", "/images/fetching:1", b"");

    let candidate = tempfile::tempdir().unwrap();
    for (instruction, what) in [
        ("ADD http://192.0.2.1/x /x", "Dockerfile, line 3: `ADD http://192.0.2.1/x` downloads"),
        ("COPY --from=debian /x /x", "Dockerfile, line 3: `COPY --from=debian` names no earlier stage"),
        ("FROM debian", "Dockerfile, line 3: `FROM debian` names no image of the run"),
    ] {
        std::fs::write(
            candidate.path().join("Dockerfile"),
            format!("ARG DISTRIBUTION\nFROM ${{DISTRIBUTION}}\n{instruction}\n"),
        )
        .unwrap();
        let folder = candidate.path().to_str().unwrap();
        let ran = engine.command(&["run", "=hello-wsgi", "--dockerfile", folder]).assert().code(1);
        let text = crate::support::text(ran.get_output());
        assert!(text.contains(what), "{what}: {text}");
    }
}

/// A build and a container that succeed without what they asked for prove nothing: nobody knows what it would have been.
#[test]
fn what_a_scenario_did_not_declare_is_an_error() {
    let run = undeclared();
    for name in ["asks-in-the-build", "asks-in-the-container"] {
        assert_eq!(run.verdict(name), "error", "{}", run.output());
        assert!(
            run.scenario(name).contains("a build or container requested `/nothing/of/the/kind`"),
            "{}",
            run.scenario(name)
        );
    }
    assert!(run.output().contains("undeclared request: "), "{}", run.output());
    assert!(run.junit.contains("name=\"undeclared requests\""), "{}", run.junit);
    run.assert().code(3);
}

fn ways(report: &Value, what: &str) -> Vec<String> {
    let ways = report["finish"]["isolation"][what].as_array().expect("what the canaries found");
    ways.iter().map(|way| way.as_str().unwrap().to_owned()).collect()
}

#[test]
fn canaries_get_nowhere() {
    let run = first_run();
    let tried = ways(&run.report, "tried");
    for kind in [
        "TCP to another network",
        "UDP to",
        "ICMP to",
        "a name look-up",
        "the engine's machine at the network's gateway",
        "another port of the relay",
        "a socket of an engine",
        "an abstract socket",
        "AF_VSOCK to",
        "an `ADD` of",
        "a trigger with an `ADD` of",
    ] {
        assert!(tried.iter().any(|way| way.starts_with(kind) || way.contains(kind)), "{kind}: {tried:#?}");
    }
    // Whether it is open depends on the engine and the machine.
    let weakened: Vec<String> =
        ways(&run.report, "weakened").into_iter().filter(|way| !way.contains("VSOCK")).collect();
    assert_eq!(weakened, Vec::<String>::new());
    assert_eq!(ways(&run.report, "broken"), Vec::<String>::new());
    assert!(run.junit.contains("name=\"isolation\""), "{}", run.junit);
}

#[test]
fn a_network_that_isolates_nothing_is_an_error() {
    let engine = PrivateEngine::start();
    // Undone is what shuts its bridges in.
    engine.inside(&["sh", "-c", "cd /proc/sys/net/ipv4 && echo 1 > ip_forward && echo 0 > conf/all/arp_ignore"]);
    let socket = PathBuf::from(engine.docker_host().strip_prefix("unix://").unwrap());
    let proxy = Proxy::weakening(&socket);
    let report = tempfile::tempdir().unwrap();
    let place = report.path().to_str().unwrap();
    let assert = engine
        .command(&["run", "=hello-wsgi", "--report", place])
        .env("DOCKER_HOST", proxy.docker_host())
        .assert()
        .code(3);
    let text = String::from_utf8_lossy(&assert.get_output().stdout).into_owned();
    let document: Value = serde_json::from_slice(&std::fs::read(report.path().join("report.json")).unwrap()).unwrap();
    let broken = ways(&document, "broken");
    for canary in ["build", "container"] {
        for way in [
            "TCP to another network",
            "UDP to another",
            "ICMP to another",
            "a DNS query to",
            "TCP to the engine's machine",
        ] {
            let beginning = format!("the canary {canary} got out by {way}");
            assert!(broken.iter().any(|way| way.starts_with(&beginning)), "{beginning}: {broken:#?}");
        }
    }
    assert!(broken.iter().any(|way| way.contains("a name look-up")), "{broken:#?}");
    assert!(text.contains("isolation broken: results cannot be trusted"), "{text}");
    // Though every scenario passes, a candidate is not said to keep the contract.
    let verify = ["verify", "--tier", "image", "--only", "=failing-pre-build-hook"];
    engine.command(&verify).env("DOCKER_HOST", proxy.docker_host()).assert().code(3);
    assert!(engine.leftovers().is_empty(), "{:?}", engine.leftovers());
}
