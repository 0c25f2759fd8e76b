//! The candidate's images as an archive: saved for a bundle, or loaded from one.

use std::path::PathBuf;
use std::sync::OnceLock;

use tokio::sync::OnceCell;

use super::Setup;
use super::prepare::{PrepareError, Prepared, without};
use crate::engine::{EngineError, Identity, SavedImages};

/// An archive that is to be made of both images, as shipped.
#[derive(Debug)]
pub(crate) struct Saving {
    /// Where nothing is yet.
    pub file: PathBuf,
    /// The two, when they are in it.
    pub images: OnceLock<[Identity; 2]>,
}

/// An archive that both images come from.
#[derive(Debug)]
pub(crate) struct Loading {
    saved: SavedImages,
    loaded: OnceCell<Vec<String>>,
}

impl Saving {
    pub(crate) fn into(file: PathBuf) -> Self {
        Self { file, images: OnceLock::new() }
    }

    /// Saves the base and the onbuild image.
    pub(super) async fn save(&self, setup: &Setup, images: &[String]) -> Result<Prepared, PrepareError> {
        let [_, _] = images else { return Err(without("candidate")) };
        let saved = setup.engine.save(images, &self.file).await?;
        let Ok(saved) = <[Identity; 2]>::try_from(saved) else { return Err(without("candidate")) };
        // A plan has one such step.
        drop(self.images.set(saved));
        Ok(Prepared { image: None, note: "saved".to_owned() })
    }
}

impl Loading {
    pub(crate) fn of(saved: SavedImages) -> Self {
        Self { saved, loaded: OnceCell::new() }
    }

    /// The image on this engine that had this id where it was saved. The first one that is asked for loads both.
    pub(super) async fn image(&self, setup: &Setup, id: &str) -> Result<Option<String>, EngineError> {
        let loaded = self.loaded.get_or_try_init(|| setup.engine.load(&self.saved)).await?;
        let own = self.saved.images.iter().zip(loaded).find(|(identity, _)| identity.id == id);
        Ok(own.map(|(_, image)| image.clone()))
    }
}
