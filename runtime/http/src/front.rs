//! What stands before and behind the routes: TLS, who is let in, folders of files. Given once, before the listener binds.

use crate::auth::BasicAuth;
use crate::cors::Cors;
use crate::statics::Files;
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::rustls::ServerConfig;

/// See the module.
#[derive(Default)]
pub struct Front {
    /// With it connections are `https:`.
    pub tls: Option<Arc<ServerConfig>>,
    /// Who may ask for what lies under the prefix, which ends with a slash.
    pub auth: Option<(String, BasicAuth)>,
    /// Asked in their order for what no route answers.
    pub folders: Vec<Folder>,
    /// How long a connection that nobody upgrades is kept; then it is closed without a word.
    pub upgrade_timeout: Option<Duration>,
    /// Each answer says that it is from Express.
    pub powered_by: bool,
}

/// A folder whose files are answers.
pub struct Folder {
    /// Begins and ends with a slash.
    pub root: String,
    /// Which pages of others may read the files.
    pub cors: Option<Cors>,
    /// Who may.
    pub auth: Option<Arc<BasicAuth>>,
    /// The files.
    pub files: Files,
}

/// What is left of a path under a prefix that ends with a slash; it begins with a slash, or is empty for the prefix
/// itself without its slash. Case does not count, as in Express.
pub(crate) fn below<'p>(path: &'p str, root: &str) -> Option<&'p str> {
    let bare = root.strip_suffix('/').unwrap_or(root);
    let head = path.get(..bare.len())?;
    let rest = &path[bare.len()..];
    (head.eq_ignore_ascii_case(bare) && (rest.is_empty() || rest.starts_with('/'))).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_at_a_slash() {
        for (path, root, expected) in [
            ("/api/x", "/api/", Some("/x")),
            ("/API", "/api/", Some("")),
            ("/api/", "/api/", Some("/")),
            ("/apix", "/api/", None),
            ("/x", "/", Some("/x")),
            ("/", "/", Some("/")),
            ("", "/api/", None),
        ] {
            assert_eq!(below(path, root), expected, "{path} {root}");
        }
    }
}
