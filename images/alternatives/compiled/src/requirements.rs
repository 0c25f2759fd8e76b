//! Which tools of version control the requirements need, as pip reads them.

use std::path::Path;
use std::process::Command;

/// Prints the scheme of each address that is asked for. What pip refuses it says itself, when it is to install.
const PROGRAM: &str = "
import sys
# The application's folder, whose files may be named as modules.
del sys.path[0]
try:
    from pip._internal.network.session import PipSession
    from pip._internal.req import parse_requirements
    from pip._internal.req.constructors import install_req_from_parsed_requirement as whole
except ImportError:
    from pip.download import PipSession
    from pip.req import parse_requirements
    whole = lambda requirement: requirement
try:
    for requirement in map(whole, parse_requirements('requirements.txt', session=PipSession())):
        if requirement.link and requirement.match_markers():
            print(requirement.link.scheme)
except (Exception, SystemExit):
    pass
";

/// The schemes of the addresses that requirements.txt asks for, in the working directory; none where there is no such file.
pub fn schemes() -> Vec<String> {
    if !Path::new("requirements.txt").is_file() {
        return Vec::new();
    }
    let output = Command::new("python").args(["-c", PROGRAM]).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}
