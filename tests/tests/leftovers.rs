//! What a run leaves on the engine: nothing, or with `--keep` what was asked for, until it is pruned.

#![allow(clippy::unwrap_used)]

use wsgi_proof_tests::{Run, Suite, wsgi_proof};

fn prune(arguments: &[&str]) -> String {
    let output = wsgi_proof(&[&["prune"], arguments].concat()).assert().success().get_output().stdout.clone();
    String::from_utf8(output).unwrap()
}

#[test]
fn what_is_kept_stays_through_the_next_run_and_goes_with_prune() {
    let suite = Suite::new();
    suite.hello(
        "kept",
        "summary = \"must fail\"\nsource = \"a test\"\n\n[build]\noutcome = \"success\"\n[serve]\n[[serve.http]]\npath = \"/\"\nbody = 'Goodbye'\n",
    );
    let kept = Run::of(&["--suite", suite.path().to_str().unwrap(), "--keep"]);
    let container = format!("container wsgi-proof-{}", kept.report["run"]["run"].as_str().unwrap());
    assert!(kept.output().contains(&format!("kept: {container}")), "{}", kept.output());
    kept.assert.code(1);

    Run::of(&["=onbuild-image"]).assert.success();
    assert!(prune(&["--dry-run"]).contains(&format!("would remove {container}")));
    assert!(prune(&[]).contains(&format!("removed {container}")));
    assert!(prune(&["--dry-run"]).starts_with("nothing to do"));
}
