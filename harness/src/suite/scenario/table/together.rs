//! Whether the tables of a file go together, and with the scenario's folder.

use std::path::Path;

use super::build::OutcomeKey;
use super::image;
use super::whole::{ScenarioFile, Subject, SubjectKey};
use crate::suite::dialect::Dialect;
use crate::suite::scenario::APP_FOLDER;
use crate::suite::scenario::resolver::Resolver;
use crate::suite::scenario::typed::Typed;

/// Reports what only a scenario of an application may have.
pub(super) fn no_application(resolver: &mut Resolver<'_>, folder: &Path, file: &ScenarioFile) {
    let place = file.subject.as_ref().map_or(0..0, Typed::span);
    if let Some(build) = &file.build {
        resolver
            .fault(build.span(), "a scenario of an image has a `[build]`")
            .label("nothing is built for it")
            .advice("remove `[build]`, or the `subject`");
    }
    if folder.join(APP_FOLDER).exists() {
        resolver
            .fault(place.clone(), format!("a scenario of an image has an `{APP_FOLDER}/` folder"))
            .advice(format!("remove `{APP_FOLDER}/`, or the `subject`"));
    }
    let rebuild = file.rebuild.first().map(|table| ("[[rebuild]]", table.span()));
    let generate = file.generate.as_ref().map(|table| ("[generate]", table.span()));
    let folders = file.keep_folders.as_ref().map(|keep| ("keep_folders", keep.span()));
    for (key, span) in [rebuild, generate, folders].into_iter().flatten() {
        resolver.fault(span, format!("a scenario of an image has `{key}`")).label("nothing is built for it");
    }
    if let Some(path) = file.modes.keys().next() {
        resolver.fault(path.span(), "a scenario of an image has `[modes]`").label("there are no files to set modes of");
    }
    if let Some(serve) = &file.serve {
        resolver
            .fault(serve.span(), "a scenario of an image has a `[serve]`")
            .label("the image has no application to serve");
    }
}

/// Reports a scenario of an image that asserts nothing.
pub(super) fn something_asserted(resolver: &mut Resolver<'_>, file: &ScenarioFile, subject: Subject) {
    if let Some(image) = &file.image
        && image::is_empty(image.get())
    {
        resolver.fault(image.span(), "`[image]` asserts nothing").advice("give it a key, or remove it");
    }
    let asserts = file.build.is_some()
        || file.image.is_some()
        || file.serve.is_some()
        || !file.file.is_empty()
        || !file.command.is_empty()
        || !file.structure_tests.is_empty();
    if !asserts && subject != Subject::Application {
        resolver
            .fault(file.summary.span(), "the scenario asserts nothing")
            .advice("add `[image]`, `[[file]]`, `[[command]]` or `structure_tests`");
    }
}

/// Reports what is expected of an image that a failing build does not leave.
pub(super) fn nothing_after_failure(resolver: &mut Resolver<'_>, file: &ScenarioFile) {
    let words = match file.build.as_ref().map(|build| build.get().outcome.get()) {
        Some(OutcomeKey::Failure) => "a build that must fail",
        Some(OutcomeKey::Either) => "a build that may fail",
        Some(OutcomeKey::Success) | None => return,
    };
    let rebuild = file.rebuild.first().map(|table| ("[[rebuild]]", table.span()));
    let image = file.image.as_ref().map(|table| ("[image]", table.span()));
    let first_file = file.file.first().map(|table| ("[[file]]", table.span()));
    let command = file.command.first().map(|table| ("[[command]]", table.span()));
    let structure = file.structure_tests.first().map(|name| ("structure_tests", name.span()));
    let serve = file.serve.as_ref().map(|table| ("[serve]", table.span()));
    for (table, span) in [rebuild, image, first_file, command, structure, serve].into_iter().flatten() {
        resolver.fault(span, format!("`{table}` of {words}")).label("there will be no image to look at");
    }
}

/// An application with both dialects' folders must say that they keep their names.
pub(super) fn folders(resolver: &mut Resolver<'_>, app: Option<&Path>, file: &ScenarioFile) {
    let other = Dialect::Whiskey.folder();
    let keeps = file.keep_folders.as_ref().is_some_and(|keep| *keep.get());
    if !keeps && app.is_some_and(|app| app.join(other).exists()) {
        resolver
            .fault(file.summary.span(), format!("the application has a `{other}` folder"))
            .label(format!("`{}` gets the name of the dialect's folder", Dialect::Docker.folder()))
            .advice("say `keep_folders = true` where the names themselves matter, or use `.docker` alone");
    }
}

/// "Build green, serve red" must not go unseen: an application that is built is also served, or the file says why not.
pub(super) fn something_to_serve(resolver: &mut Resolver<'_>, file: &ScenarioFile) {
    let application = file.subject.as_ref().is_none_or(|subject| *subject.get() == SubjectKey::Application);
    let succeeds = file.build.as_ref().is_some_and(|build| *build.get().outcome.get() == OutcomeKey::Success);
    match (&file.nothing_to_serve, &file.serve) {
        (Some(typed), _) if !application || !succeeds => {
            resolver
                .fault(typed.span(), "`nothing_to_serve` where no application is built")
                .label("only for an application whose build succeeds");
        }
        (Some(typed), Some(_)) => {
            resolver.fault(typed.span(), "`nothing_to_serve` beside `[serve]`").advice("remove one of the two");
        }
        (Some(typed), None) if typed.get().trim().is_empty() => {
            resolver.fault(typed.span(), "the reason is empty");
        }
        (None, None) if application && succeeds => {
            resolver
                .fault(file.summary.span(), "the application is built, but never served")
                .label("a build can be green and what it built be broken")
                .advice("add `[serve]` with a `[[serve.http]]`, or say why not: `nothing_to_serve = \"...\"`");
        }
        _ => {}
    }
}
