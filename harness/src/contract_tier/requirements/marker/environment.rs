//! The values of variables.

use crate::contract_tier::requirements::pip::Pip;

/// What is known of a variable.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Value {
    Known(String),
    /// The version of a Python, of which the last number is not known.
    Full {
        /// What stands before it.
        minor: String,
    },
    /// It is that of one machine or one release.
    Unknown,
}

/// The value of a variable; `None` where pip has none.
pub(super) fn value(variable: &str, pip: Pip) -> Option<Value> {
    let (major, minor) = pip.python;
    let known = |text: &str| Value::Known(text.to_owned());
    let full = || Value::Full { minor: format!("{major}.{minor}") };
    let old = pip.is_on_python_2();
    Some(match variable {
        "python_version" => Value::Known(format!("{major}.{minor}")),
        // Python 2 does not say what implements it, and names the kernel's version.
        "implementation_version" if old => known("0"),
        "python_full_version" | "implementation_version" => full(),
        "implementation_name" => known(if old { "" } else { "cpython" }),
        "sys_platform" => known(if old { "linux2" } else { "linux" }),
        "os_name" => known("posix"),
        "platform_machine" => known(std::env::consts::ARCH),
        "platform_python_implementation" => known("CPython"),
        "platform_system" => known("Linux"),
        "platform_release" | "platform_version" => Value::Unknown,
        // No extra of a requirement itself is asked for.
        "extra" => known(""),
        _ => return None,
    })
}
