//! Which distribution this machine has.

use super::PrivateError;

/// The family of this machine's distribution, `debian` or `ubuntu`.
///
/// # Errors
/// When it is another one.
pub(super) fn system() -> Result<String, PrivateError> {
    let text = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    family(&text).ok_or_else(|| PrivateError::OtherSystem { system: name(&text) })
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).map(|value| value.trim_matches('"'))
}

fn family(text: &str) -> Option<String> {
    let id = field(text, "ID").unwrap_or_default();
    let like = field(text, "ID_LIKE").unwrap_or_default();
    std::iter::once(id).chain(like.split(' ')).find(|id| ["debian", "ubuntu"].contains(id)).map(str::to_owned)
}

fn name(text: &str) -> String {
    field(text, "PRETTY_NAME").unwrap_or("an unknown system").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debian_and_what_is_like_it() {
        assert_eq!(family("ID=debian\n").as_deref(), Some("debian"));
        assert_eq!(family("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n").as_deref(), Some("ubuntu"));
        assert_eq!(family("PRETTY_NAME=\"Fedora Linux 43\"\nID=fedora\n"), None);
        assert_eq!(name("PRETTY_NAME=\"Fedora Linux 43\"\n"), "Fedora Linux 43");
    }
}
