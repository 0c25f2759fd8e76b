//! A run that does less than the suite's lock says is not green, whatever its scenarios say.

use crate::support::{Run, Suite};

const GREETING: &str =
    "summary = \"x\"\nsource = \"x\"\n\n[build]\noutcome = \"success\"\n[serve]\n[[serve.http]]\npath = \"/\"\n";

fn run(suite: &Suite, arguments: &[&str]) -> Run {
    Run::of(&[&["--suite", suite.path().to_str().unwrap()], arguments].concat())
}

#[test]
fn less_than_before_fails_until_the_lock_is_made_anew() {
    let suite = Suite::new();
    suite.hello("one", &format!("{GREETING}body = '^Hello'\n")).hello("two", GREETING).hello("three", GREETING);
    suite.write("assertions.lock", "version = 2\n[image.cells]\n\"python-3.11 docker\" = 0\n[image.scenarios]\n");

    run(&suite, &["--write-lock"]).assert().success();
    run(&suite, &[]).assert().success();
    // Part of the suite is as much as it can be.
    run(&suite, &["=one"]).assert().success();

    // An assertion is gone, two scenarios are, and one has come that the lock does not have. That each of the first two is enough is a
    // unit test of the lock.
    suite.hello("one", GREETING).hello("unknown", GREETING);
    for name in ["two", "three"] {
        std::fs::remove_dir_all(suite.path().join("scenarios").join(name)).unwrap();
    }
    let less = run(&suite, &[]);
    for told in [
        "not in assertions.lock: unknown; `wsgi-proof run --variant all --dialect all --write-lock`, in each --tier adds it",
        "less than the assertion lock: one made 2 assertions; assertions.lock requires 3",
        "2 scenarios ran in python-3.11 docker",
    ] {
        assert!(less.output().contains(told), "{told}: {}", less.output());
    }
    assert_eq!(less.verdict("one"), "pass");
    assert!(less.junit.contains("assertion lock"), "{}", less.junit);
    less.assert().code(1);
}
