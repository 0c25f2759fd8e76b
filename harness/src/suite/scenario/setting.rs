//! What scenarios are loaded for.

use crate::suite::cell::Cell;

/// What scenarios are loaded for: a cell, and which variants there are beside.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting<'a> {
    pub cell: &'a Cell,
    /// The names of all variants, for `[[not_applicable]]` to name.
    pub variants: &'a [String],
}
