//! A run that does less than the suite's lock says is not green, whatever its scenarios say.

#![allow(clippy::unwrap_used)]

use wsgi_proof_tests::{Run, Suite};

const GREETING: &str =
    "summary = \"x\"\nsource = \"x\"\n\n[build]\noutcome = \"success\"\n[serve]\n[[serve.http]]\npath = \"/\"\n";

fn run(suite: &Suite, arguments: &[&str]) -> Run {
    Run::of(&[&["--suite", suite.path().to_str().unwrap()], arguments].concat())
}

#[test]
fn less_than_before_fails_until_the_lock_is_made_anew() {
    let suite = Suite::new();
    suite.hello("one", &format!("{GREETING}body = '^Hello'\n")).hello("two", GREETING);
    suite.write("assertions.lock", "version = 2\n[image.cells]\n\"python-3.11 docker\" = 0\n[image.scenarios]\n");

    let unknown = run(&suite, &[]);
    assert!(unknown.output().contains("less than before: one is not in assertions.lock"), "{}", unknown.output());
    unknown.assert.code(1);
    run(&suite, &["--write-lock"]).assert.success();
    run(&suite, &[]).assert.success();
    // Part of the suite is as much as it can be.
    run(&suite, &["=one"]).assert.success();

    // An assertion is gone.
    suite.hello("one", GREETING);
    let fewer = run(&suite, &["=one"]);
    assert_eq!(fewer.verdict("one"), "pass");
    let told = "less than before: one made 2 assertions, and assertions.lock says 3";
    assert!(fewer.output().contains(told), "{}", fewer.output());
    assert!(fewer.junit.contains("as much as before"), "{}", fewer.junit);
    fewer.assert.code(1);
    suite.hello("one", &format!("{GREETING}body = '^Hello'\n"));

    // A scenario is gone.
    std::fs::remove_dir_all(suite.path().join("scenarios/two")).unwrap();
    let lost = run(&suite, &[]);
    assert!(lost.output().contains("1 scenarios ran in python-3.11 docker"), "{}", lost.output());
    lost.assert.code(1);
}
