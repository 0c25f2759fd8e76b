//! `[[not_applicable]]`: where a scenario does not apply, and why.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::suite::dialect::Dialect;
use crate::suite::scenario::Declared;
use crate::suite::scenario::resolver::Resolver;
use crate::suite::scenario::typed::Typed;
use crate::suite::tier::Tier;

/// Where a scenario does not apply, and why. Both lists: only where a variant of the one meets a dialect of the other.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NotApplicableTable {
    /// The variants; every one unless said.
    pub(crate) variants: Option<Typed<Vec<Typed<String>>>>,
    /// The dialects; every one unless said.
    pub(crate) dialects: Option<Typed<Vec<Dialect>>>,
    /// The tiers; every one unless said.
    pub(crate) tiers: Option<Typed<Vec<Tier>>>,
    /// The reason, which the report shows.
    pub(crate) because: Typed<String>,
}

/// Why a scenario does not apply in the cell that it is loaded for, by tier.
#[derive(Default)]
pub(super) struct Reasons {
    /// In the image tier.
    pub(super) image: Option<Declared<String>>,
    /// In the contract tier.
    pub(super) contract: Option<Declared<String>>,
}

/// Why the scenario does not apply in the cell that it is loaded for, if so.
pub(super) fn resolve(resolver: &mut Resolver<'_>, tables: &[Typed<NotApplicableTable>]) -> Reasons {
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
