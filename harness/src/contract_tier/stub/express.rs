//! mod_wsgi-express: says that it serves, and ends.

use super::record::Effect;
use super::{Done, complain, say};

/// What it says on the terminal.
pub(crate) const READY: &str = "[stub] Apache/2.4 mod_wsgi configured -- resuming normal operations";

pub(super) fn act(arguments: &[String]) -> Done {
    match arguments.first().map(String::as_str) {
        // It lays out a configuration, and no server is started.
        Some("start-server" | "setup-server") if only_sets_up(arguments) => Done::nothing(0),
        Some("start-server") => {
            complain(READY);
            Done::with(Effect::Serves)
        }
        Some("module-location") => {
            say("/usr/local/wsgi/lib/mod_wsgi.so");
            Done::nothing(0)
        }
        Some(_) => Done::nothing(0),
        None => Done::nothing(1),
    }
}

/// Whether that is all: `--setup-only`, or as much of it as no other option begins with (`optparse`).
fn only_sets_up(arguments: &[String]) -> bool {
    arguments[0] == "setup-server" || arguments.iter().any(|argument| is(argument, "--setup-only", "--setu"))
}

/// Whether a word is an option: written out, or so much of it as is at least `least`.
fn is(word: &str, name: &str, least: &str) -> bool {
    word.starts_with(least) && name.starts_with(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_only_set_up_does_not_serve() {
        for (words, effect) in [
            ("start-server wsgi.py", Effect::Serves),
            ("start-server --setup-only wsgi.py", Effect::None),
            ("start-server --setup wsgi.py", Effect::None),
            ("start-server --setenv A b wsgi.py", Effect::Serves),
            ("setup-server wsgi.py", Effect::None),
        ] {
            let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
            assert_eq!(act(&words).effect, effect, "{words:?}");
        }
    }
}
