//! What no build gets past: an engine fetches what an `ADD`, a `FROM` or a `COPY --from` names by its own networks, which lead anywhere.

use std::io::Read;
use std::path::Path;

use super::{BuildRequest, Engine, EngineError};
use crate::suite::scenario::dockerfile::{begun_with, by_trigger, frontend};

impl Engine {
    /// Why a build is refused, if it is: its Dockerfile, or a trigger of an image that it begins with, would have the engine fetch
    /// something, or that cannot be told.
    ///
    /// # Errors
    /// When the engine cannot say which triggers an image has.
    pub(super) async fn refusal(&self, request: &BuildRequest) -> Result<Option<String>, EngineError> {
        let Some(text) = dockerfile(request) else {
            return Ok(Some(format!("{} is no file of its context", request.dockerfile)));
        };
        if request.builder.is_buildkit()
            && let Some((line, what)) = frontend(&text)
        {
            return Ok(Some(format!("{}, line {line}: {what}, which BuildKit would fetch", request.dockerfile)));
        }
        let images = match begun_with(&text, &request.arguments) {
            Ok(images) => images,
            Err(fetch) => return Ok(Some(format!("{}, {fetch}", request.dockerfile))),
        };
        for id in images {
            // An engine never fetches an image by its id.
            let Some(image) = self.inspect_image(&id).await? else { continue };
            if let Some(what) = image.triggers.iter().find_map(|trigger| by_trigger(trigger)) {
                return Ok(Some(format!("{what} ({})", request.dockerfile)));
            }
        }
        Ok(None)
    }
}

/// The text of a build's Dockerfile, as the engine unpacks it: the last file of its name.
fn dockerfile(request: &BuildRequest) -> Option<String> {
    let mut archive = tar::Archive::new(request.context.as_slice());
    let mut found = None;
    for entry in archive.entries().ok()? {
        let mut entry = entry.ok()?;
        let is_it =
            entry.path().is_ok_and(|path| path.strip_prefix(".").unwrap_or(&path) == Path::new(&request.dockerfile));
        if is_it && entry.header().entry_type().is_file() {
            let mut text = Vec::new();
            entry.read_to_end(&mut text).ok()?;
            found = String::from_utf8(text).ok();
        } else if is_it {
            found = None;
        }
    }
    found
}
