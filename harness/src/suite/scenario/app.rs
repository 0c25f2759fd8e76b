//! The application folder of a scenario: that it is there, and that it can be built from.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::APP_FOLDER;
use super::context;
use super::dockerfile;
use super::resolver::Resolver;

/// The application folder, checked. `span` is the place in the file that calls for one.
pub(super) fn folder(resolver: &mut Resolver<'_>, folder: &Path, span: Range<usize>) -> Option<PathBuf> {
    let app = folder.join(APP_FOLDER);
    match fs::symlink_metadata(&app) {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => {
            resolver.fault(span, format!("`{APP_FOLDER}` is not a folder"));
            return None;
        }
        Err(_) => {
            resolver
                .fault(span, format!("the scenario has no `{APP_FOLDER}/` folder"))
                .label("an application is built from it")
                .advice(format!(
                    "add `{APP_FOLDER}/` with a Dockerfile, or say `subject = \"onbuild-image\"` or `\"base-image\"`"
                ));
            return None;
        }
    }
    if !app.join(dockerfile::FILE).is_file() {
        resolver
            .fault(span, format!("`{APP_FOLDER}/` has no `Dockerfile`"))
            .label("the application is built with it")
            .advice("a Dockerfile of two lines will do: `ARG IMAGE` and `FROM ${IMAGE}`");
        return None;
    }
    can_be_context(resolver, &app, span);
    Some(app)
}

/// Reports what keeps the folder from being a build context, if anything does.
pub(super) fn can_be_context(resolver: &mut Resolver<'_>, app: &Path, span: Range<usize>) {
    if let Err(error) = context::entries(app) {
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
        resolver.fault(span, format!("{error}{cause}")).label("the application of this one");
    }
}
