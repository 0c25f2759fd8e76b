//! What a run leaves on the engine: nothing, or with `--keep` what was asked for, until it is pruned.

use serde_json::{Value, json};

use crate::support::{PrivateEngine, Suite, text};

/// What another program has made on the images that runs keep: a container that runs, an image, and one without a name.
pub(crate) struct Neighbour<'a> {
    engine: &'a PrivateEngine,
    container: String,
    images: Vec<String>,
}

impl<'a> Neighbour<'a> {
    pub(crate) fn begin(engine: &'a PrivateEngine) -> Self {
        let id = |(status, answer): (u16, String)| {
            assert_eq!(status, 201, "{answer}");
            let json: Value = serde_json::from_str(answer.split("\r\n\r\n").last().unwrap()).unwrap();
            json["Id"].as_str().unwrap().to_owned()
        };
        let body = json!({ "Image": "wsgi-proof:onbuild-python-3.11", "Entrypoint": ["sleep"], "Cmd": ["100000"],
            "HostConfig": { "NetworkMode": "none" } });
        let container = id(engine.ask("POST", "/containers/create", body.to_string().as_bytes()));
        assert_eq!(engine.ask("POST", &format!("/containers/{container}/start"), b"").0, 204);
        let commit = |more: &str| id(engine.ask("POST", &format!("/commit?container={container}{more}"), b"{}"));
        let images = vec![commit(""), commit("&comment=named&repo=neighbours&tag=own")];
        Self { engine, container, images }
    }

    /// Sees that all of it is as it was.
    pub(crate) fn is_untouched(&self) {
        let (_, answer) = self.engine.ask("GET", &format!("/containers/{}/json", self.container), b"");
        assert!(answer.contains("\"Running\":true"), "{answer}");
        for image in &self.images {
            assert_eq!(self.engine.ask("GET", &format!("/images/{image}/json"), b"").0, 200, "{image} is gone");
        }
    }
}

impl Drop for Neighbour<'_> {
    fn drop(&mut self) {
        self.engine.ask("DELETE", &format!("/containers/{}?force=1", self.container), b"");
        for image in &self.images {
            self.engine.ask("DELETE", &format!("/images/{image}?force=1"), b"");
        }
    }
}

/// Images and containers inherit labels from what they are made of: that makes them nobody else's.
#[test]
fn what_others_make_on_images_that_are_kept_is_theirs() {
    let engine = PrivateEngine::start();
    engine.command(&["run", "=hello-wsgi"]).assert().success();
    let neighbour = Neighbour::begin(&engine);
    engine.command(&["run", "=hello-wsgi"]).assert().success();
    neighbour.is_untouched();
    let pruned = text(engine.command(&["prune"]).assert().success().get_output());
    assert!(pruned.starts_with("nothing to remove"), "{pruned}");
    neighbour.is_untouched();
    // Even where the images that it is made on are no longer wanted.
    engine.command(&["prune", "--images"]).assert().success();
    neighbour.is_untouched();
}

#[test]
fn what_is_kept_stays_through_the_next_run_and_goes_with_prune() {
    let engine = PrivateEngine::start();
    let suite = Suite::new();
    suite.hello(
        "kept",
        "summary = \"must fail\"\nsource = \"a test\"\n\n[build]\noutcome = \"success\"\n[serve]\nvolume = \"read-write\"\n[[serve.http]]\npath = \"/\"\nbody = 'Goodbye'\n",
    );
    suite.write("kept/volume/wsgi.py", "");
    let kept = engine.command(&["run", "--suite", suite.path().to_str().unwrap(), "--keep"]).assert().code(1);
    let told = text(kept.get_output());
    let container = told.split("kept: container ").nth(1).and_then(|rest| rest.split_whitespace().next());
    let container = format!("container {}", container.unwrap_or_else(|| panic!("{told}")));
    assert!(container.starts_with("container wsgi-proof-"), "{told}");
    let volumes = engine.volumes();
    assert!(matches!(volumes.as_slice(), [one] if told.contains(&format!("kept: volume {one}"))), "{volumes:?} {told}");

    engine.command(&["run", "=onbuild-image"]).assert().success();
    assert_eq!(engine.volumes(), volumes);
    let leftovers = engine.leftovers();
    assert!(leftovers.iter().any(|line| line.starts_with(&format!("would remove {container}"))), "{leftovers:?}");
    let prune = |arguments: &[&str]| text(engine.command(arguments).assert().success().get_output());
    let pruned = prune(&["prune"]);
    assert!(pruned.contains(&format!("removed {container}")), "{pruned}");
    assert!(pruned.contains(&format!("removed volume {}", volumes[0])), "{pruned}");
    assert!(engine.volumes().is_empty(), "{:?}", engine.volumes());
    let nothing = prune(&["prune", "--dry-run"]);
    assert!(nothing.starts_with("nothing to remove"), "{nothing}");
}
