//! git and hg, once they are installed.

use super::record::Tool;
use super::{Done, say};

pub(super) fn act(tool: Tool, arguments: &[String]) -> Done {
    if arguments.iter().any(|argument| argument == "--version" || argument == "version") {
        say(match tool {
            Tool::Hg => "Mercurial Distributed SCM (version 6, a stub)",
            _ => "git version 2.0 (a stub)",
        });
    }
    Done::nothing(0)
}
