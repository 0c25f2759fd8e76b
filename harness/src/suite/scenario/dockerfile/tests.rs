//! Dockerfiles, and what is said of them.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use super::*;

const ON: &str = "ARG IMAGE\nFROM ${IMAGE}\n";

fn faults(text: &str) -> String {
    let source = Source::new(Path::new("x/app/Dockerfile"), text.to_owned());
    let file = read(source.text()).unwrap();
    crate::suite::diagnostic::Diagnostics::new(stages::faults(&source, &file)).to_string()
}

#[test]
fn what_descends_from_the_candidate_is_fine() {
    for text in [
        ON,
        "ARG BASE_IMAGE\nFROM $BASE_IMAGE\nRUN true\n",
        "\u{feff}arg IMAGE=x\nfrom \"${IMAGE}\"\n",
        "ARG IMAGE\nFROM ${IMAGE} AS One\nFROM one\nRUN true\n",
        "ARG IMAGE\nARG BASE_IMAGE\nFROM ${BASE_IMAGE} AS a\nFROM scratch AS b\nFROM ${IMAGE}\nCOPY --from=a /x /x\nCOPY --from=1 /y /y\n",
    ] {
        assert_eq!(faults(text), "", "{text}");
    }
}

#[test]
fn what_does_not_is_told_with_its_line() {
    for (text, told) in [
        ("FROM debian:bookworm-slim\n", "1:1: `debian:bookworm-slim` is neither the candidate nor an earlier stage"),
        ("FROM ${IMAGE}\n", "1:1: `IMAGE` is not declared before the first `FROM`"),
        (
            "ARG IMAGE\nFROM ${IMAGE} AS a\nARG BASE_IMAGE\nFROM $BASE_IMAGE\n",
            "4:1: `BASE_IMAGE` is not declared before the first `FROM`",
        ),
        ("ARG IMAGE\nFROM ${IMAGE:-debian}\n", "2:1: `${IMAGE:-debian}` is neither the candidate nor an earlier stage"),
        ("ARG OTHER\nFROM ${OTHER}\n", "2:1: `${OTHER}` is neither the candidate nor an earlier stage"),
        (
            "ARG IMAGE\nFROM ${IMAGE} AS a\nFROM scratch AS b\nFROM b\n",
            "4:1: the last stage does not descend from the candidate",
        ),
        ("ARG IMAGE\nFROM debian AS a\nFROM ${IMAGE}\n", "2:1: `debian` is neither the candidate nor an earlier stage"),
        ("ARG IMAGE\nFROM ${IMAGE} AS own\nCOPY --from=own /x /y\n", "3:1: `COPY --from=own` names no earlier stage"),
        (
            "ARG IMAGE\nFROM ${IMAGE}\nONBUILD COPY --from=nginx /x /y\n",
            "3:1: `COPY --from=nginx` names no earlier stage",
        ),
        ("ARG IMAGE\nFROM ${IMAGE}\nADD https://example.com/x /x\n", "3:1: `ADD https://example.com/x` downloads"),
    ] {
        assert_eq!(faults(text), format!("x/app/Dockerfile:{told}"), "{text}");
    }
}

#[test]
fn what_no_builder_can_follow_is_told_with_its_line() {
    for (text, line, why) in [
        ("ARG IMAGE\nFROM ${IMAGE}\nRUNN true\n", 3, "unknown instruction 'RUNN'"),
        ("# nothing\n", 1, "expected at least one FROM instruction"),
        ("RUN true\n", 1, "expected FROM"),
    ] {
        let unreadable = read(text).unwrap_err();
        assert_eq!((unreadable.line, unreadable.why.as_str()), (line, why), "{text}");
    }
}

#[test]
fn what_only_buildkit_knows_is_no_mistake() {
    let only = |text: &str| read(&format!("{ON}{text}")).unwrap().only_buildkit.map(|(_, what)| what);
    for text in
        ["RUN <<EOF\ntouch /x\nEOF\nCMD []\n", "RUN cat <<EOF > /x\nhello\nEOF\n", "COPY <<EOF /x\nhello\nEOF\n"]
    {
        assert_eq!(only(text).as_deref(), Some("a here-document"), "{text}");
    }
    assert_eq!(only("RUN --mount=type=cache,target=/x true\n").as_deref(), Some("the option `--mount`"));
    assert_eq!(only("COPY --link . /x\n").as_deref(), Some("the option `--link`"));
    assert_eq!(only("ONBUILD RUN --network=none true\n").as_deref(), Some("the option `--network`"));
    assert_eq!(only("COPY --chown=0:0 . /x\nRUN true\n"), None);
}

#[test]
fn lists_in_single_quotes_are_in_shell_form() {
    let command = |text: &str| read(&format!("{ON}{text}")).unwrap().instructions.pop().unwrap().does;
    assert_eq!(
        command("CMD [ 'wsgi.py' ]\n"),
        Does::Command(vec!["/bin/sh".into(), "-c".into(), "[ 'wsgi.py' ]".into()])
    );
    assert_eq!(
        command("SHELL [\"/usr/bin/bash\", \"-ec\"]\nCMD wsgi.py\n"),
        Does::Command(vec!["/usr/bin/bash".into(), "-ec".into(), "wsgi.py".into()])
    );
    assert_eq!(
        command("SHELL [\"x\"]\nFROM ${IMAGE}\nCMD wsgi.py\n"),
        Does::Command(vec!["/bin/sh".into(), "-c".into(), "wsgi.py".into()])
    );
    assert_eq!(command("CMD [ \"a\", \\\n  # of the list\n  \"b\" ]\n"), Does::Command(vec!["a".into(), "b".into()]));
    assert_eq!(command("CMD []\n"), Does::Command(Vec::new()));
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_dockerfile_can_be_read(text in r"\u{feff}?((FROM|RUN|CMD|ARG|COPY|ADD|ONBUILD|ENTRYPOINT|WORKDIR)? ?(--from=|<<E|\$\{IMAGE\}| AS a|[ -~\u{e4}]{0,20})\\?\r?\n){0,8}") {
        let source = Source::new(Path::new("Dockerfile"), text);
        if let Ok(file) = read(source.text()) {
            drop(stages::faults(&source, &file));
        }
    }
}
