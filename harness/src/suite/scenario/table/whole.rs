//! A scenario file as a whole: the keys at its top, and its tables.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use super::build::{BuildExpectation, BuildTable};
use super::command::{CommandExpectation, CommandTable};
use super::file::{FileExpectation, FileTable};
use super::fixtures::FixturesTable;
use super::generate::{Generate, GenerateTable};
use super::image::{ImageExpectation, ImageTable};
use super::not_applicable::{NotApplicableTable, Reasons};
use super::rebuild::{Rebuild, RebuildTable};
use super::serve::{ServeExpectation, ServeTable};
use super::{
    build, command, file, fixtures, generate, image, modes, not_applicable, rebuild, serve, structure, together,
};
use crate::outcome::{At, ClauseId};
use crate::suite::dialect::Dialect;
use crate::suite::limits::Limit;
use crate::suite::scenario::resolver::Resolver;
use crate::suite::scenario::typed::Typed;
use crate::suite::scenario::{APP_FOLDER, Declared, app, dockerfile};
use crate::suite::structure::StructureTest;

/// A scenario: a sample application, what is done with it, and what must come out.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "wsgi-proof scenario")]
pub(crate) struct ScenarioFile {
    /// One sentence: what must hold.
    pub(crate) summary: Typed<String>,
    /// Where the expectation comes from.
    pub(crate) source: Typed<String>,
    /// The clauses of the contract that it proves, such as `BUILD-1`.
    #[serde(default)]
    pub(crate) proves: Vec<Typed<String>>,
    /// What the scenario looks at.
    #[schemars(extend("default" = "application"))]
    pub(crate) subject: Option<Typed<SubjectKey>>,
    /// Where the scenario does not apply, and why.
    #[serde(default)]
    pub(crate) not_applicable: Vec<Typed<NotApplicableTable>>,
    /// Whether folders named `.docker` and `.whiskey` in `app/` keep their names. Otherwise `.docker` gets the name of the
    /// dialect's folder.
    #[schemars(extend("default" = false))]
    pub(crate) keep_folders: Option<Typed<bool>>,
    /// Why there is nothing to serve, though the build succeeds.
    pub(crate) nothing_to_serve: Option<Typed<String>>,
    /// What a candidate may take, where that is not as usual: `build-seconds`, `ready-seconds`, `request-seconds`, `command-seconds`,
    /// `memory-megabytes`, `processes` (of containers), `log-megabytes`, `disk-megabytes`.
    #[serde(default)]
    pub(crate) limits: BTreeMap<Typed<String>, Typed<i64>>,
    /// Files that are made for the build instead of being kept in `app/`.
    pub(crate) generate: Option<Typed<GenerateTable>>,
    /// Octal modes of files in `app/` that differ from 0644 (directories: 0755), by path relative to `app/`.
    #[serde(default)]
    pub(crate) modes: BTreeMap<Typed<String>, Typed<String>>,
    /// What the fixtures must take into account.
    pub(crate) fixtures: Option<FixturesTable>,
    /// What the build must come to; required for an application.
    pub(crate) build: Option<Typed<BuildTable>>,
    /// The build done again on the layer cache, in order.
    #[serde(default)]
    pub(crate) rebuild: Vec<Typed<RebuildTable>>,
    /// What the image's configuration must be.
    pub(crate) image: Option<Typed<ImageTable>>,
    /// What the image's file system must hold.
    #[serde(default)]
    pub(crate) file: Vec<Typed<FileTable>>,
    /// Commands run in a fresh container of the image.
    #[serde(default)]
    pub(crate) command: Vec<Typed<CommandTable>>,
    /// Files of container-structure-test (schema version 2.0.0) beside the scenario file, whose tests the image must pass.
    #[serde(default)]
    pub(crate) structure_tests: Vec<Typed<String>>,
    /// What a started container must do.
    pub(crate) serve: Option<Typed<ServeTable>>,
}

/// What a scenario looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SubjectKey {
    /// An application image, built from `app/` on the candidate.
    Application,
    /// The candidate's onbuild image itself.
    OnbuildImage,
    /// The candidate's base image itself.
    BaseImage,
}

/// What a scenario looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Subject {
    /// An application image, built from `app/` on the candidate.
    Application,
    /// The candidate's onbuild image itself.
    OnbuildImage,
    /// The candidate's base image itself.
    BaseImage,
}

/// One scenario, resolved and valid.
#[derive(Debug, Clone)]
pub(crate) struct Scenario {
    /// The folder's name, unique in the suite.
    pub name: String,
    /// One sentence: what must hold.
    pub summary: Declared<String>,
    /// Where the expectation comes from.
    pub source: String,
    /// The clauses of the contract that it proves.
    pub proves: Vec<Declared<ClauseId>>,
    /// What the scenario looks at.
    pub subject: Subject,
    /// The dialect that it was loaded for.
    pub dialect: Dialect,
    /// Why it does not apply in the cell that it was loaded for, if so.
    pub not_applicable: Option<Declared<String>>,
    /// Why it does not apply in the contract tier, if so.
    pub not_in_contract_tier: Option<Declared<String>>,
    /// Whether the application's folders `.docker` and `.whiskey` keep their names.
    pub keep_folders: bool,
    /// What the candidate may take, where that is not as usual.
    pub limits: Vec<Limit>,
    /// Files that are made for the build.
    pub generate: Option<Generate>,
    /// The application folder (the build context); only for [`Subject::Application`].
    pub app: Option<PathBuf>,
    /// Modes of files of the application that differ from the default, by their path in `app/`.
    pub modes: BTreeMap<PathBuf, u32>,
    /// Projects that the build may look up in the package index without finding them (PEP 503-normalised).
    pub absent_packages: Vec<String>,
    /// What the build must come to; only for [`Subject::Application`].
    pub build: Option<BuildExpectation>,
    /// The build done again on the layer cache, in order.
    pub rebuilds: Vec<Rebuild>,
    /// What the image's configuration must be.
    pub image: ImageExpectation,
    /// What the image's file system must hold.
    pub files: Vec<FileExpectation>,
    /// Commands run in a fresh container of the image.
    pub commands: Vec<CommandExpectation>,
    /// Tests of container-structure-test files on the image.
    pub structure: Vec<StructureTest>,
    /// What the container must do when it is started.
    pub serve: Option<ServeExpectation>,
}

impl Scenario {
    /// A scenario of an image that has nothing but the tests of a file.
    pub(crate) fn of_structure(
        name: &str,
        subject: Subject,
        dialect: Dialect,
        file: &Path,
        test: StructureTest,
    ) -> Self {
        let summary = format!("The image passes the structure tests of {}", file.display());
        Self {
            name: name.to_owned(),
            summary: Declared { value: summary, at: At { file: file.to_owned(), line: 1 } },
            source: "container-structure-test".to_owned(),
            proves: Vec::new(),
            subject,
            dialect,
            not_applicable: None,
            not_in_contract_tier: None,
            keep_folders: false,
            limits: Vec::new(),
            generate: None,
            app: None,
            modes: BTreeMap::new(),
            absent_packages: Vec::new(),
            build: None,
            rebuilds: Vec::new(),
            image: ImageExpectation::default(),
            files: Vec::new(),
            commands: Vec::new(),
            structure: vec![test],
            serve: None,
        }
    }

    /// Whether anything is expected of the image itself: its configuration, files, or commands in it.
    pub(crate) fn examines_image(&self) -> bool {
        !self.image.is_empty() || !self.files.is_empty() || !self.commands.is_empty() || !self.structure.is_empty()
    }
}

/// Resolves a file; `folder` is the scenario's folder.
pub(in crate::suite::scenario) fn resolve(
    resolver: &mut Resolver<'_>,
    name: &str,
    folder: &Path,
    file: &ScenarioFile,
) -> Scenario {
    resolver.not_empty(&file.summary, "summary");
    resolver.not_empty(&file.source, "source");
    let subject = match file.subject.as_ref().map(Typed::get) {
        None | Some(SubjectKey::Application) => Subject::Application,
        Some(SubjectKey::OnbuildImage) => Subject::OnbuildImage,
        Some(SubjectKey::BaseImage) => Subject::BaseImage,
    };
    let app = if subject == Subject::Application {
        let place = file.subject.as_ref().map_or_else(|| file.summary.span(), Typed::span);
        app::folder(resolver, folder, place)
    } else {
        together::no_application(resolver, folder, file);
        None
    };
    let not_for_builder = app.as_deref().and_then(|app| dockerfile::check(resolver, name, app));
    together::folders(resolver, app.as_deref(), file);
    let modes = modes::resolve(resolver, app.as_deref(), &file.modes, ("modes", APP_FOLDER));
    if file.build.is_none() && subject == Subject::Application {
        resolver
            .fault(file.summary.span(), "a scenario of an application has no `[build]`")
            .advice("add `[build]` with `outcome = \"success\"` or `\"failure\"`");
    }
    together::something_asserted(resolver, file, subject);
    together::nothing_after_failure(resolver, file);
    together::something_to_serve(resolver, file);
    let build = file.build.as_ref().and_then(|build| build::resolve(resolver, build));
    let rebuilds = rebuild::resolve(resolver, app.as_deref(), &file.rebuild);
    let generate = file.generate.as_ref().and_then(|table| generate::resolve(resolver, app.as_deref(), table));
    let Reasons { image: not_applicable, contract: not_in_contract_tier } =
        not_applicable::resolve(resolver, &file.not_applicable);
    let limits = file.limits.iter().filter_map(|(name, value)| limit(resolver, name, value)).collect();
    let image = file.image.as_ref().map(|image| image::resolve(resolver, image.get())).unwrap_or_default();
    let files = file::resolve(resolver, &file.file);
    let commands = command::resolve(resolver, &file.command);
    let structure = structure::resolve(resolver, folder, &file.structure_tests);
    let serve = file.serve.as_ref().map(|table| serve::resolve(resolver, folder, table));
    let absent_packages = fixtures::resolve(resolver, file.fixtures.as_ref());
    Scenario {
        name: name.to_owned(),
        summary: resolver.declared(&file.summary, file.summary.get().trim().to_owned()),
        source: file.source.get().trim().to_owned(),
        proves: resolver.clauses(&file.proves),
        subject,
        dialect: resolver.cell().dialect,
        not_applicable: not_applicable.or(not_for_builder),
        not_in_contract_tier,
        keep_folders: file.keep_folders.as_ref().is_some_and(|keep| *keep.get()),
        limits,
        generate,
        app,
        modes,
        absent_packages,
        build,
        rebuilds,
        image,
        files,
        commands,
        structure,
        serve,
    }
}

fn limit(resolver: &mut Resolver<'_>, name: &Typed<String>, value: &Typed<i64>) -> Option<Limit> {
    match Limit::new(name.get(), *value.get()) {
        Ok(limit) => Some(limit),
        Err(why) => {
            resolver.fault(value.span(), why);
            None
        }
    }
}
