//! What is ours, and what only looks like it.

use std::time::Duration;

use bollard::models::ContainerSummaryHostConfig;

use super::*;

/// When the runs began, in seconds since 1970.
const BEGUN: i64 = 1_700_000_000;

fn ours() -> Ours {
    let kept = |name: &str, id: &str, is_current| Kept { name: name.to_owned(), id: id.to_owned(), is_current };
    let past = |run: &str, images: &[&str]| Past {
        run: run.to_owned(),
        begun: BEGUN,
        images: images.iter().map(ToString::to_string).collect(),
        open_builds: 0,
        swept: false,
        age: Duration::ZERO,
    };
    Ours {
        owner: "secret".to_owned(),
        runs: vec![past("a1", &["0123456789ab"]), past("b2", &[])],
        kept: vec![kept("base", "sha256:old", false), kept("base", "sha256:base", true)],
    }
}

fn container(name: &str, network: &str, label: Option<&str>) -> ContainerSummary {
    ContainerSummary {
        names: Some(vec![format!("/{name}")]),
        labels: label.map(|run| HashMap::from([(LABEL_RUN.to_owned(), run.to_owned())])),
        host_config: Some(ContainerSummaryHostConfig { network_mode: Some(network.to_owned()), ..Default::default() }),
        ..Default::default()
    }
}

#[test]
fn a_container_is_ours_by_its_name_or_its_builds_network_and_never_by_a_label() {
    let of = |name, network, label| ours().container(container(name, network, label)).map(|found| found.run);
    assert_eq!(of("wsgi-proof-a1-command-3", "none", None).as_deref(), Some("a1"));
    assert_eq!(of("eager_hopper", "wsgi-proof-b2", None).as_deref(), Some("b2"));
    // A run that does not stand in the journal, another network of ours, and what has only inherited.
    assert_eq!(of("wsgi-proof-c3-command-3", "none", None), None);
    assert_eq!(of("eager_hopper", "wsgi-proof-b2-outside", None), None);
    assert_eq!(of("eager_hopper", "bridge", Some("a1")), None);
}

#[test]
fn a_volume_is_ours_by_its_name() {
    let of = |name: &str| ours().volume(name.to_owned()).map(|found| (found.kind, found.run));
    assert_eq!(of("wsgi-proof-a1-volume-3"), Some((Kind::Volume, "a1".to_owned())));
    // A run that does not stand in the journal, and others'.
    assert_eq!(of("wsgi-proof-c3-volume-3"), None);
    assert_eq!(of("mine-wsgi-proof-a1"), None);
}

fn image(id: &str, parent: &str, names: &[&str], labels: &[(&str, &str)]) -> ImageSummary {
    ImageSummary {
        id: id.to_owned(),
        parent_id: parent.to_owned(),
        repo_tags: names.iter().map(ToString::to_string).collect(),
        labels: labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        created: BEGUN,
        ..Default::default()
    }
}

/// A command of a build can print the id of somebody else's image as the builder names those that it makes.
#[test]
fn an_image_that_was_there_before_the_run_is_not_ours() {
    let of = |created| {
        let image = ImageSummary { created, ..image("sha256:0123456789abcdef", "", &[], &[]) };
        ours().images(vec![image]).into_iter().next().map(|found| found.run)
    };
    assert_eq!(of(BEGUN - 3600), None);
    assert_eq!(of(BEGUN + 3600).as_deref(), Some("a1"));
    // An engine's clock can be late.
    assert_eq!(of(BEGUN - 60).as_deref(), Some("a1"));
}

#[test]
fn an_image_is_ours_by_its_id_its_name_or_the_secret() {
    let of = |image: ImageSummary| {
        let found = ours().images(vec![image]);
        found.into_iter().map(|found| (found.kind, found.run)).next()
    };
    let found = |kind, run: &str| Some((kind, run.to_owned()));
    assert_eq!(of(image("sha256:base", "", &["wsgi-proof:base"], &[])), found(Kind::KeptImage, ""));
    assert_eq!(of(image("sha256:old", "", &["<none>:<none>"], &[])), found(Kind::Image, ""));
    assert_eq!(of(image("sha256:0123456789abcdef", "", &[], &[])), found(Kind::Image, "a1"));
    assert_eq!(of(image("sha256:x", "", &["wsgi-proof:run-b2-7"], &[])), found(Kind::Image, "b2"));
    assert_eq!(of(image("sha256:x", "", &[], &[(LABEL_OWNER, "secret")])), found(Kind::Image, ""));
    assert_eq!(of(image("sha256:x", "", &[], &[(LABEL_RUN, "b2"), (LABEL_OWNER, "secret")])), found(Kind::Image, "b2"));
    // Built on what is kept, of another cache folder, under another's name, and loaded under ours.
    assert_eq!(of(image("sha256:x", "sha256:base", &[], &[(LABEL_OWNER, ""), ("wsgi-proof.key", "k")])), None);
    assert_eq!(of(image("sha256:x", "", &[], &[(LABEL_OWNER, "other"), (LABEL_RUN, "c3")])), None);
    assert_eq!(of(image("sha256:x", "", &["mine:latest"], &[(LABEL_RUN, "a1")])), None);
    assert_eq!(of(image("sha256:x", "", &["wsgi-proof:base"], &[])), None);
}

#[test]
fn what_a_kept_image_is_built_on_is_kept_with_it() {
    let images = vec![
        image("sha256:below", "sha256:lowest", &[], &[(LABEL_OWNER, "secret")]),
        image("sha256:lowest", "", &[], &[]),
        image("sha256:base", "sha256:below", &["wsgi-proof:base", "mine:1"], &[]),
        image("sha256:beside", "sha256:below", &[], &[(LABEL_OWNER, "secret")]),
    ];
    let found = ours().images(images);
    let found: Vec<(&str, Kind)> = found.iter().map(|found| (found.id.as_str(), found.kind)).collect();
    assert_eq!(
        found,
        [("sha256:base", Kind::KeptImage), ("sha256:beside", Kind::Image), ("sha256:below", Kind::KeptImage)]
    );
    // Only our own name of it is ours to take away.
    let named = ours().images(vec![image("sha256:base", "", &["wsgi-proof:base", "mine:1"], &[])]);
    assert_eq!(named[0].tags, ["wsgi-proof:base"]);
}

#[test]
fn an_image_goes_before_what_it_is_built_on() {
    let parents = [("a", ""), ("b", "a"), ("c", "b"), ("d", "else")];
    let parents = parents.into_iter().map(|(id, parent)| (id.to_owned(), parent.to_owned())).collect();
    assert_eq!(["a", "b", "c", "d"].map(|id| depth(id, &parents)), [1, 2, 3, 1]);
}
