//! mod_wsgi-express: says that it serves, and ends.

pub(in crate::contract_tier) mod options;

use std::fs;
use std::path::Path;

use super::record::Effect;
use super::{Done, complain, say};
use options::Options;

/// Options that name a folder, which is made.
const FOLDERS: [&str; 2] = ["--server-root", "--log-directory"];

/// What it says on standard output, where the access log comes with `--log-to-terminal`.
pub(crate) const URL: &str = "[stub] Server URL         : http://localhost:80/";

/// What it says on standard error, where the error log comes with `--log-to-terminal`.
pub(crate) const READY: &str = "[stub] Apache/2.4 mod_wsgi configured -- resuming normal operations";

pub(super) fn act(arguments: &[String], folder: &Path) -> Done {
    match arguments.first().map(String::as_str) {
        Some(command @ ("start-server" | "setup-server")) => {
            let options = Options(&arguments[1..]);
            if let Some(why) = options.refused() {
                complain(&format!("mod_wsgi-express: error: {why}"));
                return Done::nothing(2);
            }
            if let Err(error) = lay_out(&options, folder) {
                complain(&format!("mod_wsgi-express: {error}"));
                return Done::nothing(1);
            }
            // It lays out a configuration, and no server is started.
            if command == "setup-server" || options.given("--setup-only") {
                return Done::nothing(0);
            }
            say(URL);
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

/// Makes the folders that options name. The usual ones are in `/tmp`.
fn lay_out(options: &Options, folder: &Path) -> std::io::Result<()> {
    for named in FOLDERS.into_iter().filter_map(|option| options.value(option)) {
        fs::create_dir_all(folder.join(named))?;
    }
    Ok(())
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
            assert_eq!(act(&words, Path::new("/")).effect, effect, "{words:?}");
        }
    }
}
