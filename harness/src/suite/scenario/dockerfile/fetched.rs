//! What an engine itself would fetch for a Dockerfile or a trigger. It does so by its own networks, not by the run's: so it is refused
//! before anything is built. Whatever cannot be told from what is fetched is refused with it.

use std::collections::BTreeMap;

use super::read::{Dockerfile, Does};
use super::{Unreadable, read};

/// What an engine would fetch, and for which line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub(crate) struct Fetch {
    /// The line, counted from 1.
    pub(crate) line: usize,
    pub(crate) what: String,
}

/// The images that the stages of a Dockerfile begin with, none of which an engine has to fetch: they are named by arguments of the
/// build, or as such, by id.
///
/// # Errors
/// When an engine would fetch something, or when it cannot be told.
pub(crate) fn begun_with(text: &str, arguments: &BTreeMap<String, String>) -> Result<Vec<String>, Fetch> {
    let file = read(text).map_err(|Unreadable { line, why }| Fetch {
        line,
        what: format!("{why}; it cannot be told what it would fetch"),
    })?;
    let line_of = |place: usize| text[..place].matches('\n').count() + 1;
    if let Some((place, what)) = &file.unclear {
        let what = format!("builders may read {what} otherwise; it cannot be told what it would fetch");
        return Err(Fetch { line: line_of(*place), what });
    }
    if let Some((place, what)) = &file.only_buildkit {
        let what = format!("{what} is for BuildKit alone; it cannot be told what it would fetch");
        return Err(Fetch { line: line_of(place.start), what });
    }
    let mut stages = Stages::default();
    let mut images = Vec::new();
    for instruction in &file.instructions {
        let found = match &instruction.does {
            Does::Begin { image, name } => {
                let found = stages.image(image, arguments);
                stages.names.push(name.as_ref().map(|name| name.to_lowercase()));
                found.map(|image| images.extend(image))
            }
            other => of(other, &stages.names).map_or(Ok(()), Err),
        };
        found.map_err(|what| Fetch { line: line_of(instruction.place.start), what })?;
    }
    Ok(images)
}

/// What an engine would fetch for a trigger, if anything.
pub(crate) fn by_trigger(trigger: &str) -> Option<String> {
    let refused = |what: String| Some(format!("the trigger `{}`: {what}", trigger.escape_debug()));
    // A trigger is a text of its own for a builder, and one of several lines may have directives.
    if trigger.contains('\n') || trigger.trim_start().starts_with('#') {
        return refused("it cannot be told what it would fetch (it is not one instruction)".to_owned());
    }
    match read(&format!("FROM scratch\n{trigger}\n")) {
        Ok(Dockerfile { unclear: Some((_, what)), .. }) => {
            refused(format!("builders may read {what} otherwise; it cannot be told what it would fetch"))
        }
        Ok(Dockerfile { only_buildkit: Some((_, what)), .. }) => refused(format!("{what} is for BuildKit alone")),
        Ok(file) => {
            // Of the stages of an application nothing is known.
            let found = file.instructions.iter().skip(1).find_map(|instruction| match &instruction.does {
                Does::Begin { .. } => Some("it begins another stage".to_owned()),
                does => of(does, &[None]),
            });
            found.and_then(refused)
        }
        Err(unreadable) => refused(format!("it cannot be told what it would fetch ({})", unreadable.why)),
    }
}

/// What an engine would fetch for an instruction in the last of these stages.
pub(super) fn of(does: &Does, stages: &[Option<String>]) -> Option<String> {
    match does {
        Does::Trigger(does) => of(does, stages),
        Does::Copy { from: Some(from), .. } => {
            // The stage itself is none that it could copy from.
            let earlier = stages.split_last().map_or(&[][..], |(_, earlier)| earlier);
            let by_number = from.parse().is_ok_and(|number: usize| number < earlier.len());
            let by_name = earlier.iter().flatten().any(|name| *name == from.to_lowercase());
            (!by_number && !by_name).then(|| format!("`COPY --from={}` names no earlier stage", from.escape_debug()))
        }
        Does::Add { sources } => sources
            .iter()
            .find(|path| may_be_remote(path))
            .map(|path| format!("`ADD {}` downloads", path.escape_debug())),
        _ => None,
    }
}

/// Whether the source of an `ADD` is, or could be, an address: the builder takes quotes and escapes out of it, and puts variables in.
fn may_be_remote(path: &str) -> bool {
    path.contains("://") || path.starts_with("git@") || path.contains(['$', '"', '\'', '\\', '`'])
}

/// The stages so far.
#[derive(Default)]
struct Stages {
    names: Vec<Option<String>>,
}

impl Stages {
    /// The image that a stage begins with, by id; `None` for an earlier stage or nothing. Why it would be fetched, if it would.
    fn image(&self, image: &str, arguments: &BTreeMap<String, String>) -> Result<Option<String>, String> {
        let image = image.trim_matches('"');
        let argument = image
            .strip_prefix('$')
            .map(|name| name.strip_prefix('{').and_then(|name| name.strip_suffix('}')).unwrap_or(name));
        let named = argument.map_or(Some(image), |name| arguments.get(name).map(String::as_str)).unwrap_or(image);
        let is_stage = self.names.iter().flatten().any(|name| *name == named.to_lowercase());
        if argument.is_none() && (named == "scratch" || is_stage) {
            return Ok(None);
        }
        if named
            .strip_prefix("sha256:")
            .is_some_and(|id| id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
        {
            return Ok(Some(named.to_owned()));
        }
        Err(format!("`FROM {}` names no image of the run", image.escape_debug()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn id(digit: char) -> String {
        format!("sha256:{}", digit.to_string().repeat(64))
    }

    fn of_file(text: &str) -> Result<Vec<String>, String> {
        let arguments = BTreeMap::from([("IMAGE".to_owned(), id('a')), ("REMOTE".to_owned(), "debian".to_owned())]);
        begun_with(text, &arguments).map_err(|fetch| fetch.to_string())
    }

    #[test]
    fn images_of_the_run_and_stages_are_not_fetched() {
        let text = format!(
            "ARG IMAGE\nFROM ${{IMAGE}} AS One\nFROM {} AS two\nFROM one\nCOPY --from=TWO /x /x\nADD x /y\n",
            id('b')
        );
        assert_eq!(of_file(&text), Ok(vec![id('a'), id('b')]));
        assert_eq!(of_file("FROM scratch\nCOPY . /\nONBUILD ADD x /x\n"), Ok(Vec::new()));
    }

    #[test]
    fn all_that_is_fetched_is_refused() {
        let on = "ARG IMAGE\nFROM ${IMAGE}\n";
        for instruction in [
            "ADD http://192.0.2.1/x /x",
            "add https://192.0.2.1/x /x",
            "ADD [\"http://192.0.2.1/x\", \"/x\"]",
            "ADD --chown=0:0 git@192.0.2.1:x /x",
            "ADD x http:\"//\"192.0.2.1/x /x/",
            "ADD $ADDRESS /x",
            "ADD ht\\tp://192.0.2.1/x /x",
            "COPY --from=nginx /x /x",
            "COPY --from=1 /x /x",
            "COPY --from=$STAGE /x /x",
            "ONBUILD ADD http://192.0.2.1/x /x",
            "ONBUILD COPY --from=nginx /x /x",
            "RUN <<EOF\nADD http://192.0.2.1/x /x\nEOF",
            // Bytes of characters that are white space to the classic builder: C3 A0, C4 85.
            "ADD --chown=\u{e0}http://192.0.2.1/x /y /z/",
            "COPY --chown=0:0\u{105}--from=nginx:latest /x /x",
            "COPY --ch\\\nown=\u{e0}--from=nginx /x /x",
            "ONBUILD ADD --chown=\u{e0}http://192.0.2.1/x /y /z/",
            "ADD\u{b}x /x",
        ] {
            let found = of_file(&format!("{on}{instruction}\n"));
            assert!(found.as_ref().is_err_and(|what| what.starts_with("line 3: ")), "{instruction}: {found:?}");
        }
        for from in ["debian", "${REMOTE}", "$OTHER", "${IMAGE:-debian}", "sha256:abc", "\"debian\""] {
            assert!(of_file(&format!("ARG IMAGE\nARG REMOTE\nFROM {from}\n")).is_err(), "{from}");
        }
        assert!(of_file("FROM ${IMAGE}\nnonsense\n").is_err());
    }

    #[test]
    fn another_escape_character_hides_nothing() {
        let text = "# escape=`\nARG IMAGE\nFROM ${IMAGE}\nRUN x \\\nADD http://192.0.2.1/x /x\n";
        assert!(of_file(text).is_err());
        let text = "# check=skip=all\n# escape=`\nARG IMAGE\nFROM ${IMAGE}\nRUN x `\nADD http://192.0.2.1/x /x\n";
        assert!(of_file(text).is_err_and(|what| what.starts_with("line 2: ")));
    }

    #[test]
    fn triggers_that_fetch_are_refused() {
        for trigger in [
            "ADD http://192.0.2.1/x /x",
            "add [\"http://192.0.2.1/x\", \"/x\"]",
            "COPY --from=nginx /x /x",
            "COPY --from=0 /x /x",
            "RUN true\nADD http://192.0.2.1/x /x",
            "FROM debian",
            "nonsense",
            "ADD --chown=\u{e0}http://192.0.2.1/x /y /z/",
            "COPY --chown=0:0\u{e0}--from=nginx:latest /x /x",
            "# escape=`\nADD x /x",
            "\u{85}COPY . /app",
        ] {
            assert!(by_trigger(trigger).is_some(), "{trigger}");
        }
        for trigger in [
            "COPY . /app",
            "RUN mod_wsgi-docker-build",
            "ADD . /app",
            "COPY --chown=0:0 \u{e4} /app",
            "ENV A=http://x",
            "CMD [ \"x\" ]",
        ] {
            assert_eq!(by_trigger(trigger), None, "{trigger}");
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

        #[test]
        fn any_text_can_be_held_against_it(text in r"((FROM|RUN|ARG|COPY|ADD|ONBUILD)? ?(--from=|<<E|\$\{IMAGE\}| AS a|[ -~\u{e4}]{0,20})\\?\r?\n){0,8}") {
            drop(begun_with(&text, &BTreeMap::new()));
            by_trigger(&text);
        }
    }
}
