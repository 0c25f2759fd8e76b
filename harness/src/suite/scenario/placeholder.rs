//! Placeholders of scenario files: `@{folder}`, `@{python}` and the like stand for what is so in a cell.

use std::borrow::Cow;

use crate::suite::cell::Cell;

const OPENING: &str = "@{";

/// The text with every placeholder replaced; `escape` is applied to each value. A name that there is not is an error.
pub(super) fn fill<'t>(
    text: &'t str,
    cell: &Cell,
    escape: impl Fn(&str) -> String,
) -> Result<Cow<'t, str>, UnknownPlaceholder> {
    if !text.contains(OPENING) {
        return Ok(Cow::Borrowed(text));
    }
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(OPENING) {
        filled.push_str(before);
        let (name, tail) = after.split_once('}').ok_or_else(|| UnknownPlaceholder(after.to_owned()))?;
        let value = cell.value(name).ok_or_else(|| UnknownPlaceholder(name.to_owned()))?;
        filled.push_str(&escape(&value));
        rest = tail;
    }
    filled.push_str(rest);
    Ok(Cow::Owned(filled))
}

/// A placeholder that there is not.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct UnknownPlaceholder(pub(super) String);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::cell::tests::cell;
    use crate::suite::dialect::Dialect;

    #[test]
    fn placeholders_are_filled_wherever_they_stand() {
        let filled = fill("/app/@{folder}/x @{python}", &cell(Dialect::Whiskey), str::to_owned);
        assert_eq!(filled.as_deref(), Ok("/app/.whiskey/x 3.11"));
        let escaped = fill("^@{folder}$", &cell(Dialect::Docker), regex::escape);
        assert_eq!(escaped.as_deref(), Ok(r"^\.docker$"));
        assert_eq!(fill("a@b {x}", &cell(Dialect::Docker), str::to_owned).as_deref(), Ok("a@b {x}"));
    }

    #[test]
    fn a_name_that_there_is_not_is_an_error() {
        let cell = cell(Dialect::Docker);
        assert_eq!(fill("@{other}", &cell, str::to_owned), Err(UnknownPlaceholder("other".to_owned())));
        assert_eq!(fill("@{folder", &cell, str::to_owned), Err(UnknownPlaceholder("folder".to_owned())));
    }
}
