//! What is installed in the end: constraints applied, and what contradicts itself refused.

use std::collections::BTreeMap;

use pep440_rs::Version;

use super::Requirement;
use super::item::Item;
use super::marker::Applies;
use super::pip::Pip;
use super::read::Asked;
use super::refused::Refused;
use crate::suite::project_name::normalised;

/// How many constraints are applied to requirements in all, with their versions: many of one name meet many of it.
const MAX_APPLIED: usize = 100_000;

/// The requirements that are installed, with what constraints say of them.
///
/// # Errors
/// When pip refuses a constraint, or two that it can tell from the files alone to contradict each other.
pub(crate) fn resolved(asked: Vec<Asked>, pip: Pip) -> Result<Vec<Requirement>, Refused> {
    if asked.iter().any(Asked::has_undefined_marker) {
        return Err(Refused::exception("UndefinedComparison: a marker compares what cannot be compared"));
    }
    let possible = |asked: &Asked| asked.item.marker != Some(Applies::No);
    let kept = if pip.is_legacy() {
        in_order(asked.into_iter().filter(possible).collect())?
    } else {
        constrained(asked, &possible)?
    };
    Ok(kept.iter().filter_map(|asked| Requirement::of(asked, pip)).collect())
}

/// As pip since 20.3 does it: constraints are collected first.
fn constrained(asked: Vec<Asked>, possible: &dyn Fn(&Asked) -> bool) -> Result<Vec<Asked>, Refused> {
    let (constraints, mut kept): (Vec<Asked>, Vec<Asked>) = asked.into_iter().partition(|asked| asked.constraint);
    for Asked { item, .. } in &constraints {
        if item.name.is_none() {
            return Err(Refused::error("Unnamed requirements are not allowed as constraints"));
        }
        if !item.extras.is_empty() {
            return Err(Refused::error("Constraints cannot have extras"));
        }
    }
    let mut by_name: BTreeMap<String, Vec<&Item>> = BTreeMap::new();
    for Asked { item, .. } in constraints.iter().filter(|constraint| possible(constraint)) {
        by_name.entry(name(item).unwrap_or_default()).or_default().push(item);
    }
    let mut applied = 0;
    for one in &mut kept {
        let of_name = name(&one.item).and_then(|name| by_name.get(&name));
        for constraint in of_name.into_iter().flatten() {
            applied += 1 + constraint.versions.len();
            if applied > MAX_APPLIED {
                return Err(Refused::beyond("MemoryError: more constraints of the same name than can be applied"));
            }
            one.item.address = one.item.address.take().or_else(|| constraint.address.clone());
            one.item.versions.extend(constraint.versions.iter().cloned());
        }
    }
    let certainly = |asked: &&Asked| asked.item.marker.is_none_or(|applies| applies == Applies::Yes);
    let mut pins: BTreeMap<String, Version> = BTreeMap::new();
    for Asked { item, .. } in kept.iter().filter(certainly) {
        for version in item.versions.iter().filter_map(pin) {
            let name = name(item).unwrap_or_default();
            let other = pins.entry(name.clone()).or_insert_with(|| version.clone());
            if *other != version {
                return Err(Refused::error(format!("Cannot install {name}=={other} and {name}=={version}")));
            }
        }
    }
    Ok(kept)
}

/// The version that an operator and a version stand for alone.
fn pin((operator, version): &(String, String)) -> Option<Version> {
    (operator == "==").then(|| version.parse().ok()).flatten()
}

/// As pip before 20.3 does it: one after the other.
fn in_order(asked: Vec<Asked>) -> Result<Vec<Asked>, Refused> {
    let mut kept: Vec<Asked> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for one in asked {
        let name = name(&one.item);
        let place = name.as_ref().and_then(|name| places.get(name));
        match place.and_then(|place| kept.get_mut(*place)) {
            Some(before) if before.constraint && !one.constraint => {
                if one.item.address.is_some() && one.item.address != before.item.address {
                    let name = name.unwrap_or_default();
                    return Err(Refused::error(format!("Could not satisfy constraints for '{name}'")));
                }
                *before = Asked { constraint: false, item: before.item.clone(), ..one };
            }
            Some(before) if before.constraint => {}
            Some(before) => {
                if before.item.extras == one.item.extras && before.item.versions != one.item.versions {
                    return Err(Refused::error(format!("Double requirement given: {}", name.unwrap_or_default())));
                }
            }
            None => {
                places.extend(name.map(|name| (name, kept.len())));
                kept.push(one);
            }
        }
    }
    kept.retain(|one| !one.constraint);
    Ok(kept)
}

fn name(item: &Item) -> Option<String> {
    item.name.as_deref().map(normalised)
}
