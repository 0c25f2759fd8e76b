//! What a started container must do: each kind of assertion in a case in which it must fail, as in `checks_can_fail`.

#![allow(clippy::unwrap_used)]

use wsgi_proof_tests::Suite;

/// A scenario's `[serve]`, and the assertions in it that must not hold; the others must.
const CASES: &[(&str, &str, &[&str])] = &[
    ("end-but-serves", "[serve.end]\nnonzero = true\nwithin_seconds = 2\n", &["end time", "end exit code"]),
    (
        "end-code",
        "[serve]\narguments = [\"--no-such-option\"]\n[serve.end]\nexit_code = 77\nwithin_seconds = 20\n",
        &["end exit code"],
    ),
    (
        "end-log",
        "[serve]\narguments = [\"--no-such-option\"]\nlog = ['no such line']\n[serve.end]\nnonzero = true\nwithin_seconds = 20\n",
        &["container log has /no such line/"],
    ),
];

#[test]
fn each_kind_of_assertion_about_serving_fails_when_it_must() {
    let suite = Suite::new();
    for (name, body, _) in CASES {
        suite.hello(
            name,
            &format!("summary = \"must fail\"\nsource = \"a test\"\n\n[build]\noutcome = \"success\"\n{body}"),
        );
    }
    let run = suite.run();
    let mut wrong = Vec::new();
    for (name, _, expected) in CASES {
        let broken = run.broken(name);
        if run.verdict(name) != "fail" || broken != *expected {
            wrong.push(format!("{name}: {} with {broken:?}, not fail with {expected:?}", run.verdict(name)));
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), run.output());
    run.assert.code(1);
}
