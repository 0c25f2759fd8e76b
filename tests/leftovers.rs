//! What a run leaves on the engine: nothing, or with `--keep` what was asked for, until it is pruned.

use crate::support::{PrivateEngine, Suite, text};

#[test]
fn what_is_kept_stays_through_the_next_run_and_goes_with_prune() {
    let engine = PrivateEngine::start();
    let suite = Suite::new();
    suite.hello(
        "kept",
        "summary = \"must fail\"\nsource = \"a test\"\n\n[build]\noutcome = \"success\"\n[serve]\n[[serve.http]]\npath = \"/\"\nbody = 'Goodbye'\n",
    );
    let kept = engine.command(&["run", "--suite", suite.path().to_str().unwrap(), "--keep"]).assert().code(1);
    let told = text(kept.get_output());
    let container = told.split("kept: container ").nth(1).and_then(|rest| rest.split_whitespace().next());
    let container = format!("container {}", container.unwrap_or_else(|| panic!("{told}")));
    assert!(container.starts_with("container wsgi-proof-"), "{told}");

    engine.command(&["run", "=onbuild-image"]).assert().success();
    let leftovers = engine.leftovers();
    assert!(leftovers.iter().any(|line| line.starts_with(&format!("would remove {container}"))), "{leftovers:?}");
    let prune = |arguments: &[&str]| text(engine.command(arguments).assert().success().get_output());
    let pruned = prune(&["prune"]);
    assert!(pruned.contains(&format!("removed {container}")), "{pruned}");
    let nothing = prune(&["prune", "--dry-run"]);
    assert!(nothing.starts_with("nothing to remove"), "{nothing}");
}
