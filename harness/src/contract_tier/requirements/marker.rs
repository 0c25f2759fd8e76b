//! Environment markers, evaluated for the Python that pip runs under.

use pep508_rs::{MarkerEnvironment, MarkerEnvironmentBuilder, MarkerTree, MarkerWarningKind};

use super::pip::Pip;

/// Variables whose values are those of one machine or one release, and not known here.
const UNKNOWN: [&str; 7] = [
    "full_version",
    "implementation_version",
    "platform_release",
    "platform_version",
    "platform.version",
    "extra",
    "dependency_groups",
];

/// Whether a marker applies; `None` where it is not known.
pub(super) fn applies(marker: &str, pip: Pip) -> Option<bool> {
    // Python 2 cannot compare other characters.
    let comparable = marker.is_ascii() || !pip.is_on_python_2();
    if !comparable || UNKNOWN.iter().any(|variable| marker.contains(variable)) {
        return None;
    }
    let mut doubtful = false;
    let tree = MarkerTree::parse_reporter(marker, &mut |_: MarkerWarningKind, _: String| doubtful = true).ok()?;
    if doubtful { None } else { Some(tree.evaluate(&environment(pip)?, &[])) }
}

fn environment(pip: Pip) -> Option<MarkerEnvironment> {
    let (major, minor) = pip.python;
    let (version, full) = (format!("{major}.{minor}"), format!("{major}.{minor}.0"));
    // Python 2 does not say what implements it, and names the kernel's version.
    let (name, implementation, platform) =
        if pip.is_on_python_2() { ("", "0", "linux2") } else { ("cpython", full.as_str(), "linux") };
    MarkerEnvironment::try_from(MarkerEnvironmentBuilder {
        implementation_name: name,
        implementation_version: implementation,
        os_name: "posix",
        platform_machine: std::env::consts::ARCH,
        platform_python_implementation: "CPython",
        platform_release: "",
        platform_system: "Linux",
        platform_version: "",
        python_full_version: &full,
        python_version: &version,
        sys_platform: platform,
    })
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract_tier::requirements::samples::{NEW, OLD};

    #[test]
    fn markers_are_those_of_the_variant() {
        for (marker, on_old, on_new) in [
            ("python_version < '3'", Some(true), Some(false)),
            ("python_version >= '3.9' and os_name == 'posix'", Some(false), Some(true)),
            ("sys_platform == 'win32'", Some(false), Some(false)),
            ("'linux' in sys_platform", Some(true), Some(true)),
            ("platform_release == '6.1'", None, None),
        ] {
            assert_eq!((applies(marker, OLD), applies(marker, NEW)), (on_old, on_new), "{marker}");
        }
    }
}
