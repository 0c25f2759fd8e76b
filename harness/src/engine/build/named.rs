//! Names for what `BuildKit` builds on. It takes images by name alone, and asks a registry for what it takes for a name.

use std::collections::BTreeMap;

use super::super::image::{KEPT, run_of_tag};
use super::super::{Engine, EngineError, LABEL_RUN};

impl Engine {
    /// These arguments, with the name of an image of ours in the place of its id. One that is kept has its own name, or gets that; one of
    /// the run gets one that goes with it; what is the user's is called as they call it.
    ///
    /// # Errors
    /// When the engine cannot name an image, or the user has not.
    pub(super) async fn named(
        &self,
        mut arguments: BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, String>, EngineError> {
        let journal = self.journal()?;
        for value in arguments.values_mut() {
            if !value.starts_with("sha256:") {
                continue;
            }
            let Some(image) = self.inspect(value).await? else { continue };
            let kept = journal.all_kept().map_err(EngineError::journal)?;
            if let Some(kept) = kept.into_iter().find(|kept| kept.is_current && kept.id == *value) {
                self.name(value, &kept.name).await?;
                *value = format!("{KEPT}:{}", kept.name);
                continue;
            }
            let labels = image.config.and_then(|config| config.labels).unwrap_or_default();
            let names = image.repo_tags.unwrap_or_default();
            let is_of_run = labels.get(LABEL_RUN).map(String::as_str) == journal.run();
            // What is the user's gets no name of ours: it would go with it.
            let name = names.into_iter().find(|name| !is_of_run || run_of_tag(name) == journal.run());
            *value = match name {
                Some(name) => name,
                None if is_of_run => {
                    let tag = self.making_tag()?;
                    self.name(value, &tag).await?;
                    format!("{KEPT}:{tag}")
                }
                None => {
                    return Err(EngineError::Unsuitable {
                        what: format!("BuildKit builds on images by name alone, and {value} has none"),
                    });
                }
            };
        }
        Ok(arguments)
    }
}
