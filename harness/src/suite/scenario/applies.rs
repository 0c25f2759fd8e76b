//! `[[not_applicable]]` and `nothing_to_serve` of a scenario file, resolved: what is left out, and why.

use std::path::Path;

use super::Declared;
use super::file::{NotApplicableTable, OutcomeKey, ScenarioFile, SubjectKey, Typed};
use super::resolve::Resolver;
use crate::suite::dialect::Dialect;
use crate::suite::tier::Tier;

/// Why a scenario does not apply in the cell that it is loaded for, by tier.
#[derive(Default)]
pub(super) struct Reasons {
    /// In the image tier.
    pub(super) image: Option<Declared<String>>,
    /// In the contract tier.
    pub(super) contract: Option<Declared<String>>,
}

/// Why the scenario does not apply in the cell that it is loaded for, if so.
pub(super) fn reasons(resolver: &mut Resolver<'_>, tables: &[Typed<NotApplicableTable>]) -> Reasons {
    let mut reasons = Reasons::default();
    for typed in tables {
        let table = typed.get();
        if table.variants.is_none() && table.dialects.is_none() && table.tiers.is_none() {
            resolver
                .fault(typed.span(), "`[[not_applicable]]` names neither variants, dialects nor tiers")
                .label("the scenario would apply nowhere");
        }
        if table.because.get().trim().is_empty() {
            resolver.fault(table.because.span(), "the reason is empty");
        }
        let setting = resolver.setting();
        for name in table.variants.iter().flat_map(Typed::get) {
            if !setting.variants.contains(name.get()) {
                resolver
                    .fault(name.span(), format!("there is no variant `{}`", name.get().escape_debug()))
                    .advice(format!("images/variants.toml has {}", setting.variants.join(", ")));
            }
        }
        let variants = table
            .variants
            .as_ref()
            .is_none_or(|names| names.get().iter().any(|name| *name.get() == setting.cell.variant.name));
        let dialects = table.dialects.as_ref().is_none_or(|names| names.get().contains(&setting.cell.dialect));
        if variants && dialects {
            let reason = resolver.declared(&table.because, table.because.get().trim().to_owned());
            for (tier, place) in [(Tier::Image, &mut reasons.image), (Tier::Contract, &mut reasons.contract)] {
                if table.tiers.as_ref().is_none_or(|tiers| tiers.get().contains(&tier)) {
                    place.get_or_insert_with(|| reason.clone());
                }
            }
        }
    }
    reasons
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
