//! mod_wsgi-express: says that it serves, and ends.

use super::record::Effect;
use super::{Done, complain, say};

pub(super) fn act(arguments: &[String]) -> Done {
    match arguments.first().map(String::as_str) {
        Some("start-server") => {
            complain("[stub] Apache/2.4 mod_wsgi configured -- resuming normal operations");
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
