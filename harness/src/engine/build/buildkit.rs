//! `BuildKit`, as it is inside of an engine. It runs the commands of a build on the engine's default bridge alone, and tells of no
//! containers; images to build on it takes by name alone.

use std::sync::LazyLock;

use bollard::models::{BuildInfo, BuildInfoAux, ImageId};
use bollard::query_parameters::{BuildImageOptions, BuilderVersion};
use regex::Regex;

use super::buildkit_log::BuildKitLog;
use super::dialogue::{Dialogue, Said, sorted};
use crate::check::evidence::BuildEnd;
use crate::outcome::RunId;

/// What it says when a command returned non-zero: until Docker 20.10, and since.
#[allow(clippy::expect_used, reason = "constant patterns")]
static RETURNED: LazyLock<[Regex; 2]> = LazyLock::new(|| {
    [
        r"(?s)^executor failed running \[(.*)\]: exit code: (\d+)",
        r#"(?s)^process "(.*)" did not complete successfully: exit code: (\d+)"#,
    ]
    .map(|pattern| Regex::new(pattern).expect("a constant pattern"))
});

/// What it says of a Dockerfile that cannot be followed, and of an instruction other than a command that failed.
#[allow(clippy::expect_used, reason = "a constant pattern")]
static DOCKERFILES_DOING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)^dockerfile parse error|^failed to (compute cache key|calculate checksum).*not found|unknown instruction|unable to find (user|group)|no build stage|base name .* should not be blank|invalid reference format|failed to parse stage name|failed to process|requires (at least|exactly) |unknown flag|bad flag|syntax error|invalid containerPort|^missing ",
    )
    .expect("a constant pattern")
});

/// What stands before the cause in its messages.
const BEFORE: [&str; 7] = [
    "failed to solve with frontend dockerfile.v0: ",
    "failed to solve: ",
    "failed to create LLB definition: ",
    "failed to build LLB: ",
    "failed to read dockerfile: ",
    "rpc error: code = Unknown desc = ",
    "failed to load cache key: ",
];

/// A build by `BuildKit`.
#[derive(Debug, Default)]
pub(super) struct BuildKit {
    log: BuildKitLog,
}

impl Dialogue for BuildKit {
    const HAS_SESSION: bool = true;

    fn ask(options: BuildImageOptions) -> BuildImageOptions {
        // One of its own: the engine keeps what it asks of a client by this id.
        let session = format!("wsgi-proof-{}", RunId::new());
        BuildImageOptions { version: BuilderVersion::BuilderBuildKit, session: Some(session), ..options }
    }

    fn hear(&mut self, message: BuildInfo) -> Said {
        match message.aux {
            Some(BuildInfoAux::Default(ImageId { id: Some(id) })) => Said {
                text: self.log.rest(),
                image: Some(id.clone()),
                made: vec![id],
                is_over: true,
                ..Said::default()
            },
            Some(aux) => {
                let text = self.log.read(aux);
                Said { text, ran: self.log.has_run, is_partial: self.log.is_clipped, ..Said::default() }
            }
            None => Said::default(),
        }
    }

    fn end_of(message: String) -> Result<BuildEnd, String> {
        let mut cause = message.as_str();
        while let Some(rest) = BEFORE.iter().find_map(|before| cause.strip_prefix(before)) {
            cause = rest;
        }
        // What is not known keeps all of its words.
        sorted(cause.to_owned(), &*RETURNED, &DOCKERFILES_DOING).map_err(|_| message)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn failed(message: &str) -> (Option<String>, Option<i64>, String) {
        let end = BuildKit::end_of(message.to_owned()).unwrap();
        let BuildEnd::Failed { command, exit_code, message } = end else { unreachable!("{end:?}") };
        (command, exit_code, message)
    }

    /// Docker 20.10 and 26.1.
    #[test]
    fn a_command_that_returned_non_zero() {
        for (message, command) in [
            ("executor failed running [/bin/sh -c exit 23]: exit code: 23", "/bin/sh -c exit 23"),
            (
                "process \"/bin/sh -c echo \\\"x\\\"; exit 23\" did not complete successfully: exit code: 23",
                "/bin/sh -c echo \\\"x\\\"; exit 23",
            ),
            ("failed to solve: process \"x\" did not complete successfully: exit code: 23", "x"),
        ] {
            let (found, exit_code, _) = failed(message);
            assert_eq!((found.as_deref(), exit_code), (Some(command), Some(23)), "{message}");
        }
    }

    #[test]
    fn what_stands_before_the_cause_is_left_out() {
        let cause = "dockerfile parse error line 2: unknown instruction: RUM";
        let before = "failed to solve with frontend dockerfile.v0: failed to create LLB definition: ";
        assert_eq!(failed(&format!("{before}{cause}")), (None, None, cause.to_owned()));
        let copied = "failed to compute cache key: \"/x\" not found: not found";
        assert_eq!(failed(copied).1, None);
    }

    #[test]
    fn what_is_unknown_is_not_held_against_the_candidate() {
        for message in [
            "failed to do request: Head \"https://registry/v2/\": dial tcp: lookup failed",
            "failed to compute cache key: failed to walk the context: input/output error",
            "runc did not terminate successfully",
            "",
        ] {
            assert!(BuildKit::end_of(message.to_owned()).is_err(), "{message}");
        }
    }
}
