//! The image that a failed build has got to.

use std::collections::BTreeMap;

use bollard::models::ImageSummary;
use bollard::query_parameters::ListImagesOptions;

use super::{Engine, EngineError};

impl Engine {
    /// The last of the images that a build has made, one after the other, on one of those that it began with: the engine knows what
    /// each was made of. The log does not name what triggers have made, and commands print into it.
    ///
    /// # Errors
    /// When the engine cannot say.
    pub(crate) async fn got_to(&self, began_with: &[String]) -> Result<Option<String>, EngineError> {
        let options = ListImagesOptions { all: true, ..Default::default() };
        let images = self.docker.list_images(Some(options)).await;
        let images = images.map_err(|error| self.error("listing the images that a build has made", error))?;
        let mut beginnings = Vec::new();
        for image in began_with {
            beginnings.extend(self.inspect(image).await?.and_then(|image| image.id));
        }
        Ok(last_made(&images, &beginnings))
    }
}

/// The image that is the most steps away from these; of several the newest.
fn last_made(images: &[ImageSummary], beginnings: &[String]) -> Option<String> {
    let mut made_of: BTreeMap<&str, Vec<&ImageSummary>> = BTreeMap::new();
    for image in images.iter().filter(|image| !image.parent_id.is_empty() && image.parent_id != image.id) {
        made_of.entry(&image.parent_id).or_default().push(image);
    }
    let mut last = None;
    let mut these = beginnings.to_vec();
    // No image is made of one that is made of it; a list that says so ends nevertheless.
    for _ in 0..images.len() {
        let next = these.iter().filter_map(|one| made_of.get(one.as_str())).flatten();
        let next: Vec<&ImageSummary> = next.copied().filter(|image| !beginnings.contains(&image.id)).collect();
        let Some(newest) = next.iter().max_by_key(|image| image.created) else { break };
        last = Some(newest.id.clone());
        these = next.into_iter().map(|image| image.id.clone()).collect();
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(id: &str, parent: &str, created: i64) -> ImageSummary {
        ImageSummary { id: id.to_owned(), parent_id: parent.to_owned(), created, ..Default::default() }
    }

    #[test]
    fn the_last_image_is_the_furthest_and_the_newest() {
        let begin = ["b", "o"].map(str::to_owned);
        let images = [
            image("b", "", 1),
            image("o", "b", 2),
            image("x", "other", 9),
            image("c", "o", 3),
            image("old", "c", 4),
            image("new", "c", 5),
        ];
        assert_eq!(last_made(&images, &begin).as_deref(), Some("new"));
        assert_eq!(last_made(&images[..3], &begin), None);
        // A circle, which no engine should tell of.
        assert!(last_made(&[image("b", "c", 1), image("c", "b", 1)], &begin).is_some());
    }
}
