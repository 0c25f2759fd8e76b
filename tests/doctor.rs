//! `doctor` tries an engine out, and leaves nothing of that behind.

use serde_json::Value;

use crate::support::PrivateEngine;

fn states(engine: &PrivateEngine) -> Vec<(String, String)> {
    let doctor = engine.command(&["doctor", "--json"]).assert().success();
    let document: Value = serde_json::from_slice(&doctor.get_output().stdout).expect("a document");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let capabilities = document["capabilities"].as_array().expect("capabilities");
    capabilities.iter().map(|one| (text(&one["name"]), text(&one["state"]))).collect()
}

#[test]
fn doctor_tries_an_engine_out() {
    let engine = PrivateEngine::start();
    engine.command(&["run", "=hello-wsgi"]).assert().success();
    let states = states(&engine);
    for name in ["store", "network", "build", "buildkit", "copy", "relay"] {
        assert!(states.contains(&(name.to_owned(), "holds".to_owned())), "{name}: {states:?}");
    }
    assert!(engine.leftovers().is_empty(), "{:?}", engine.leftovers());
}
