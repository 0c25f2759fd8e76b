//! Which checks speak for a clause, as `checks` of contract.toml names them.

use serde::Deserialize;

use crate::outcome::CheckId;

/// A check, or several whose ids begin alike (`stop-*`); and after a space how their subject begins, where they have one:
/// `image-environment LANG`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct CheckSelector {
    ids: Vec<CheckId>,
    subject: String,
}

impl CheckSelector {
    /// Whether findings of this check about this subject are meant.
    pub(crate) fn selects(&self, id: CheckId, subject: &str) -> bool {
        self.ids.contains(&id) && subject.starts_with(&self.subject)
    }
}

impl TryFrom<String> for CheckSelector {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let (id, subject) = text.split_once(' ').unwrap_or((&text, ""));
        let is_meant = |check: &&CheckId| match id.strip_suffix('*') {
            Some(beginning) => check.as_str().starts_with(beginning),
            None => check.as_str() == id,
        };
        let ids: Vec<CheckId> = CheckId::ALL.iter().filter(is_meant).copied().collect();
        if ids.is_empty() {
            return Err(format!("no check has the ID `{id}`; `wsgi-proof checks` lists them"));
        }
        if !subject.is_empty()
            && let Some(without) = ids.iter().find(|check| !check.has_subject())
        {
            return Err(format!("the check `{without}` has no subject that `{subject}` could begin"));
        }
        Ok(Self { ids, subject: subject.to_owned() })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn selector(text: &str) -> CheckSelector {
        text.to_owned().try_into().unwrap()
    }

    #[test]
    fn checks_are_selected_by_id_and_subject() {
        assert!(selector("stop-*").selects(CheckId::StopTime, ""));
        assert!(!selector("stop-*").selects(CheckId::EndTime, ""));
        let python = selector("command-* python");
        assert!(python.selects(CheckId::CommandOutput, "python --version"));
        assert!(!python.selects(CheckId::CommandOutput, "pip --version"));
        assert!(selector("image-label").selects(CheckId::ImageLabel, "version"));
    }

    #[test]
    fn what_selects_nothing_is_refused() {
        for (text, words) in [
            ("stop time", "no check has the ID `stop`"),
            ("none-*", "no check has the ID `none-*`"),
            ("build-log x", "the check `build-log` has no subject"),
        ] {
            assert!(CheckSelector::try_from(text.to_owned()).unwrap_err().contains(words), "{text}");
        }
    }
}
