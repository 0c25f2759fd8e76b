//! git and hg, once they are installed.

use super::record::Tool;
use super::{Done, say};

pub(super) fn act(tool: Tool, arguments: &[String]) -> Done {
    if arguments.iter().any(|argument| argument == "--version" || argument == "version") {
        say(match tool {
            Tool::Hg => "Mercurial Distributed SCM (version 6, a stand-in)",
            _ => "git version 2.0 (a stand-in)",
        });
    }
    Done::nothing(0)
}
