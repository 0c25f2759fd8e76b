//! Names of Python projects.

/// The name in its normal form (PEP 503): lower case, and one dash for each run of dashes, underscores and dots.
pub(crate) fn normalised(name: &str) -> String {
    let mut normal = String::new();
    for character in name.trim().chars() {
        match character {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            other => normal.extend(other.to_lowercase()),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_project_are_the_same() {
        for name in ["Zope.Interface", "zope_interface", "zope-._interface", " ZOPE-interface "] {
            assert_eq!(normalised(name), "zope-interface", "{name}");
        }
    }
}
