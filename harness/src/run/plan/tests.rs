use std::path::PathBuf;

use super::*;
use crate::outcome::At;
use crate::suite::cell::tests::cell;
use crate::suite::dialect::Dialect;
use crate::suite::scenario::Declared;
use crate::suite::scenario::tests::scenario;
use crate::suite::variant::Variant;

fn one_cell(scenarios: Vec<Scenario>) -> Vec<(Cell, Vec<Arc<Scenario>>)> {
    vec![(cell(Dialect::Docker), scenarios.into_iter().map(Arc::new).collect())]
}

fn plan(scenarios: Vec<Scenario>, origin: &CandidateOrigin) -> String {
    Plan::new(one_cell(scenarios), origin).to_string()
}

#[test]
fn cells_share_the_distribution_of_their_suite_and_nothing_else() {
    let hello = || vec![Arc::new(scenario("hello", Subject::BaseImage, true))];
    let other = Cell { variant: Variant::sample("python-3.9"), ..cell(Dialect::Docker) };
    let trixie = Variant { suite: "trixie".to_owned(), ..Variant::sample("python-3.13") };
    let cells = vec![
        (cell(Dialect::Whiskey), hello()),
        (other, hello()),
        (Cell { variant: trixie, ..cell(Dialect::Docker) }, hello()),
    ];
    insta::assert_snapshot!(Plan::new(cells, &CandidateOrigin::default()).to_string(), @"
      0  prepare distribution bookworm
      1  prepare relay  (after 0)
      2  prepare canaries  (after 0, 1)
      3  prepare base image [python-3.11 whiskey]  (after 0, 1)
      4  prepare base image, instrumented [python-3.11 whiskey]  (after 3)
      5  inspect hello [python-3.11 whiskey]  (after 3, 4)
      6  prepare base image [python-3.9 docker]  (after 0, 1)
      7  prepare base image, instrumented [python-3.9 docker]  (after 6)
      8  inspect hello [python-3.9 docker]  (after 6, 7)
      9  prepare distribution trixie
     10  prepare base image [python-3.13 docker]  (after 9, 1)
     11  prepare base image, instrumented [python-3.13 docker]  (after 10)
     12  inspect hello [python-3.13 docker]  (after 10, 11)
    ");
}

#[test]
fn what_does_not_apply_is_planned_without_steps() {
    let mut skipped = scenario("hello", Subject::Application, true);
    let at = At { file: PathBuf::from("hello/scenario.toml"), line: 5 };
    skipped.not_applicable = Some(Declared { value: "there is no such thing".to_owned(), at });
    assert_eq!(plan(vec![skipped], &CandidateOrigin::default()), "  -  skip hello: there is no such thing\n");
}

#[test]
fn an_application_is_built_on_both_images_then_examined_and_served() {
    let text = plan(vec![scenario("hello", Subject::Application, true)], &CandidateOrigin::default());
    insta::assert_snapshot!(text, @"
      0  prepare distribution
      1  prepare relay  (after 0)
      2  prepare canaries  (after 0, 1)
      3  prepare base image  (after 0, 1)
      4  prepare base image, instrumented  (after 3)
      5  prepare onbuild image  (after 3)
      6  prepare onbuild image, instrumented  (after 5)
      7  build hello  (after 4, 6)
      8  serve hello  (after 7)
    ");
}

#[test]
fn a_build_that_must_fail_is_not_served() {
    let text = plan(vec![scenario("broken", Subject::Application, false)], &CandidateOrigin::default());
    assert!(text.contains("build broken") && !text.contains("serve broken"), "{text}");
}

#[test]
fn prebuilt_images_are_built_on_no_distribution() {
    let origin = CandidateOrigin { base: Some("b".into()), onbuild: Some("o".into()) };
    let text = plan(vec![scenario("hello", Subject::Application, true)], &origin);
    assert!(text.contains("prepare relay  (after 0)\n"), "{text}");
    assert!(text.contains("prepare base image  (after 1)\n"), "{text}");
    assert!(text.contains("prepare onbuild image  (after 1)\n"), "{text}");
}

#[test]
fn only_what_is_needed_is_prepared_and_only_once() {
    let scenarios = vec![scenario("a", Subject::BaseImage, true), scenario("b", Subject::BaseImage, true)];
    let text = plan(scenarios, &CandidateOrigin::default());
    assert!(!text.contains("onbuild"), "{text}");
    assert_eq!(text.matches("prepare base image  (").count(), 1);
}

#[test]
fn steps_need_earlier_steps_only() {
    let scenarios = vec![scenario("a", Subject::OnbuildImage, true), scenario("b", Subject::Application, true)];
    let plan = Plan::new(one_cell(scenarios), &CandidateOrigin::default());
    for (id, step) in plan.steps.iter().enumerate() {
        assert!(step.needs.iter().all(|need| *need < id));
    }
}

#[test]
fn a_shell_needs_the_images_and_nothing_else_of_the_scenario() {
    let scenario = Arc::new(scenario("hello", Subject::Application, true));
    let plan = Plan::shell(cell(Dialect::Docker), scenario, &CandidateOrigin::default());
    insta::assert_snapshot!(plan.to_string(), @"
      0  prepare distribution
      1  prepare relay  (after 0)
      2  prepare base image  (after 0, 1)
      3  prepare base image, instrumented  (after 2)
      4  prepare onbuild image  (after 2)
      5  prepare onbuild image, instrumented  (after 4)
      6  shell hello  (after 3, 5)
    ");
}
