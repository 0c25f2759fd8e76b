//! What builds begin with: an image that has a label of ours which all that is built on it inherits, so that what an engine makes of a
//! build whose client has died is known to be ours. Images that are kept have no such label, for users build on those.

use std::collections::HashMap;

use super::{Engine, EngineError, LABEL_KEY, LABEL_OWNER, LABEL_RUN};
use crate::outcome::RunId;

impl Engine {
    /// An image to build on in the place of this one, which is the same but for the label. With a name it is the cache folder's, and
    /// used again the next time; else it is the run's.
    ///
    /// # Errors
    /// When the engine cannot, or when what came out differs in more than the label.
    pub(crate) async fn foundation(&self, image: &str, name: Option<&str>, run: &RunId) -> Result<String, EngineError> {
        let journal = self.journal()?;
        let unexpected = |what| EngineError::Unexpected { operation: "preparing a build".to_owned(), what };
        let Some(below) = self.inspect(image).await? else {
            return Err(unexpected(format!("there is no image {image}")));
        };
        let id = below.id.unwrap_or_default();
        let labels = below.config.and_then(|config| config.labels).unwrap_or_default();
        let has = |label: &str, value: &str| labels.get(label).is_some_and(|own| own == value);
        if has(LABEL_OWNER, journal.owner()) || has(LABEL_RUN, run.as_str()) {
            return Ok(id);
        }
        let Some(name) = name else {
            return self.copy_with(&id, &[], own(LABEL_RUN, run.as_str()), None, run).await;
        };
        let name = format!("on-{name}");
        let _one = self.founding.lock().await;
        if let Some(made) = journal.kept(&name).map_err(EngineError::journal)?
            && let Some(found) = self.inspect_image(&made).await?
            && found.labels.get(LABEL_KEY) == Some(&id)
        {
            return Ok(made);
        }
        let mut labels = own(LABEL_OWNER, journal.owner());
        labels.extend(own(LABEL_KEY, &id));
        let made = self.copy_with(&id, &[], labels, None, run).await?;
        journal.keep(&name, &made).map_err(EngineError::journal)?;
        Ok(made)
    }
}

fn own(label: &str, value: &str) -> HashMap<String, String> {
    HashMap::from([(label.to_owned(), value.to_owned())])
}
