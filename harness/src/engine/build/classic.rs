//! The classic builder. It runs the commands of a build in containers, on a network of our own.

use std::sync::LazyLock;

use bollard::models::{BuildInfo, BuildInfoAux, ImageId};
use bollard::query_parameters::{BuildImageOptions, BuilderVersion};
use regex::Regex;

use super::classic_log::{MadeImages, is_last_word};
use super::dialogue::{Dialogue, Said, sorted};
use crate::check::evidence::BuildEnd;

/// What the classic builder says when a command of the Dockerfile or of a trigger returned non-zero.
#[allow(clippy::expect_used, reason = "a constant pattern")]
static RETURNED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?s)^The command '(.*)' returned a non-zero code: (\d+)").expect("a constant pattern")
});

/// What the classic builder says of a Dockerfile that cannot be followed, and of an instruction other than a command that
/// failed.
#[allow(clippy::expect_used, reason = "a constant pattern")]
static DOCKERFILES_DOING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)^(COPY|ADD|WORKDIR|USER|ENV|ONBUILD|HEALTHCHECK|STOPSIGNAL|SHELL|EXPOSE|VOLUME|LABEL|FROM) |dockerfile|unknown instruction|unknown flag|unable to find user|unable to find group|no build stage|base name .* should not be blank|invalid reference format|failed to process|requires (at least|exactly) |bad flag|syntax error|invalid (from flag|containerPort)|missing ",
    )
    .expect("a constant pattern")
});

/// A build by the classic builder.
#[derive(Debug, Default)]
pub(super) struct Classic {
    made: MadeImages,
    image: Option<String>,
}

impl Dialogue for Classic {
    const HAS_SESSION: bool = false;

    fn ask(options: BuildImageOptions) -> BuildImageOptions {
        BuildImageOptions { version: BuilderVersion::BuilderV1, ..options }
    }

    fn hear(&mut self, message: BuildInfo) -> Said {
        let text = message.stream.unwrap_or_default();
        let made = text.lines().filter_map(|line| self.made.read(line)).collect();
        let is_over = self.image.as_deref().is_some_and(|image| is_last_word(&text, image));
        let image = match message.aux {
            Some(BuildInfoAux::Default(ImageId { id })) => id,
            _ => None,
        };
        self.image = image.clone().or(self.image.take());
        Said { text: text.into_bytes(), image, made, is_over, ..Said::default() }
    }

    fn end_of(message: String) -> Result<BuildEnd, String> {
        sorted(message, std::slice::from_ref(&*RETURNED), &DOCKERFILES_DOING)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn end_of(message: String) -> Result<BuildEnd, String> {
        Classic::end_of(message)
    }

    #[test]
    fn a_command_that_returned_non_zero() {
        let message = "The command '/bin/sh -c mod_wsgi-docker-build' returned a non-zero code: 23".to_owned();
        assert_eq!(
            end_of(message.clone()).unwrap(),
            BuildEnd::Failed { command: Some("/bin/sh -c mod_wsgi-docker-build".into()), exit_code: Some(23), message }
        );
    }

    #[test]
    fn another_instruction_that_failed() {
        let message = "COPY failed: file not found in build context".to_owned();
        assert!(matches!(end_of(message).unwrap(), BuildEnd::Failed { command: None, .. }));
    }

    /// Whether a disk is full is measured, and not asked of who has failed.
    #[test]
    fn a_command_that_speaks_of_a_full_disk_has_failed() {
        let message = "The command '/bin/sh -c echo No space left on device' returned a non-zero code: 1".to_owned();
        assert!(matches!(end_of(message), Ok(BuildEnd::Failed { exit_code: Some(1), .. })));
    }

    #[test]
    fn a_program_that_is_not_there() {
        let message = "OCI runtime create failed: exec: \"nosuch\": executable file not found in $PATH: unknown";
        let end = end_of(message.to_owned()).unwrap();
        assert!(matches!(end, BuildEnd::Failed { command: None, exit_code: Some(127), .. }));
    }

    #[test]
    fn what_is_unknown_is_not_held_against_the_candidate() {
        for message in ["Get https://registry/v2/: dial tcp: lookup failed", "rpc error: transport is closing", "EOF"] {
            assert!(end_of(message.to_owned()).is_err(), "{message}");
        }
        for message in
            ["dockerfile parse error line 2: unknown instruction: RUM", "ADD failed: x", "unable to find user y"]
        {
            assert!(matches!(end_of(message.to_owned()), Ok(BuildEnd::Failed { .. })), "{message}");
        }
    }

    #[test]
    fn the_engines_own_trouble_is_not_either() {
        let message = "OCI runtime create failed: runc did not terminate".to_owned();
        assert!(end_of(message).is_err());
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

        #[test]
        fn any_message_of_a_builder_is_sorted(message in r"(The command '[ -~]{0,10}' returned a non-zero code: [0-9]{0,30})|[ -~\n\u{e4}]{0,40}") {
            drop(end_of(message));
        }
    }
}
