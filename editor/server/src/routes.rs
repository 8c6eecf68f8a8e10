//! What can be asked: methods and paths, and what one must be allowed for each.

use crate::insight::PackageFiles;
use vgdc_http::http::Method;
use vgdc_http::percent_decode;

/// A request that is the editor's. Everything else goes on to the flows' nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// The editor's page.
    Page,
    /// A file of the editor.
    Asset(String),
    /// The page to log in on.
    LoginPage,
    /// What that page sends.
    LoginForm,
    /// Ends the session of the page.
    Logout,
    Login,
    Token,
    Revoke,
    GetFlows,
    PostFlows,
    GetState,
    PostState,
    GetFlow(String),
    PostFlow,
    PutFlow(String),
    DeleteFlow(String),
    Nodes,
    NodeModule(String),
    NodeSet(String, String),
    /// Installs a package.
    AddNodes,
    /// Removes one.
    RemoveNodes(String),
    /// The words of a set of nodes by package and name, or of all.
    Words(Option<(String, String)>),
    /// The pictures of nodes that packages have.
    Icons,
    /// A file of a package.
    PackageFile(PackageFiles, String, String),
    Settings,
    GetUserSettings,
    PostUserSettings,
    Credentials(String, String),
    GetContext(Place),
    DeleteContext(Place),
    Inject(String),
    Debug {
        id: Option<String>,
        state: String,
    },
    Diagnostics,
    Comms,
    Info,
    Types,
    Check,
    Code(String),
    Plan,
    Preview,
    GetTests,
    PutTests,
    RunTests,
    RecordTests,
    Replay,
    GetHistory,
    PostHistory,
    /// A message for a node that runs.
    Receive(String),
    GetMesh,
    PutMesh,
    Place,
    /// The control protocol on a WebSocket.
    Control,
}

/// A place in a context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// `global`, `flow` or `node`.
    pub scope: String,
    /// The flow's or node's id.
    pub id: Option<String>,
    /// A path of properties.
    pub key: Option<String>,
}

impl Route {
    /// The route of a request, if it is the editor's. `is_asset` says whether there is such a file.
    pub(crate) fn find(
        method: &Method,
        path: &str,
        is_asset: impl Fn(&str) -> bool,
    ) -> Option<Route> {
        let parts: Vec<String> = path
            .strip_prefix('/')?
            .split('/')
            .map(percent_decode)
            .collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let method = if *method == Method::HEAD {
            &Method::GET
        } else {
            method
        };
        let own = |text: &str| text.to_owned();
        let (get, post) = (*method == Method::GET, *method == Method::POST);
        let (put, delete) = (*method == Method::PUT, *method == Method::DELETE);
        Some(match *parts.as_slice() {
            [""] if get => Route::Page,
            ["flows"] if get => Route::GetFlows,
            ["flows"] if post => Route::PostFlows,
            ["flows", "state"] if get => Route::GetState,
            ["flows", "state"] if post => Route::PostState,
            ["flow"] if post => Route::PostFlow,
            ["flow", id] if get => Route::GetFlow(own(id)),
            ["flow", id] if put => Route::PutFlow(own(id)),
            ["flow", id] if delete => Route::DeleteFlow(own(id)),
            ["nodes"] if get => Route::Nodes,
            ["nodes"] if post => Route::AddNodes,
            ["nodes", scope, module] if delete && scope.starts_with('@') => {
                Route::RemoveNodes(format!("{scope}/{module}"))
            }
            ["nodes", module] if delete => Route::RemoveNodes(own(module)),
            ["nodes", "messages"] if get => Route::Words(None),
            ["nodes", scope, module, set, "messages"] if get && scope.starts_with('@') => {
                Route::Words(Some((format!("{scope}/{module}"), own(set))))
            }
            ["nodes", module, set, "messages"] if get => {
                Route::Words(Some((own(module), own(set))))
            }
            ["icons"] if get => Route::Icons,
            ["icons", ref rest @ ..] if get => {
                let (module, path) = in_package(rest)?;
                Route::PackageFile(PackageFiles::Icons, module, path)
            }
            ["resources", ref rest @ ..] if get => {
                let (module, path) = in_package(rest)?;
                Route::PackageFile(PackageFiles::Resources, module, path)
            }
            ["nodes", scope, module] if get && scope.starts_with('@') => {
                Route::NodeModule(format!("{scope}/{module}"))
            }
            ["nodes", scope, module, set] if get && scope.starts_with('@') => {
                Route::NodeSet(format!("{scope}/{module}"), own(set))
            }
            ["nodes", module] if get => Route::NodeModule(own(module)),
            ["nodes", module, set] if get => Route::NodeSet(own(module), own(set)),
            ["settings"] if get => Route::Settings,
            ["settings", "user"] if get => Route::GetUserSettings,
            ["settings", "user"] if post => Route::PostUserSettings,
            ["credentials", ty, id] if get => Route::Credentials(own(ty), own(id)),
            ["context", ..] if get => Route::GetContext(place(&parts[1..])?),
            ["context", ..] if delete => Route::DeleteContext(place(&parts[1..])?),
            ["inject", id] if post => Route::Inject(own(id)),
            ["debug", state] if post => Route::Debug {
                id: None,
                state: own(state),
            },
            ["debug", id, state] if post => Route::Debug {
                id: Some(own(id)),
                state: own(state),
            },
            ["diagnostics"] if get => Route::Diagnostics,
            ["comms"] if get => Route::Comms,
            ["auth", "login"] if get => Route::Login,
            ["auth", "token"] if post => Route::Token,
            ["auth", "revoke"] if post => Route::Revoke,
            ["vgdc", "login"] if get => Route::LoginPage,
            ["vgdc", "login"] if post => Route::LoginForm,
            ["vgdc", "logout"] if post => Route::Logout,
            ["vgdc", "v1", ref rest @ ..] => Route::of_ours(method, rest)?,
            _ if get && is_asset(&parts.join("/")) => Route::Asset(parts.join("/")),
            _ => return None,
        })
    }

    /// Of those below `/vgdc/v1`.
    fn of_ours(method: &Method, parts: &[&str]) -> Option<Route> {
        let (get, post, put) = (
            *method == Method::GET,
            *method == Method::POST,
            *method == Method::PUT,
        );
        Some(match *parts {
            ["info"] if get => Route::Info,
            ["types"] if get => Route::Types,
            ["check"] if post => Route::Check,
            ["code", id] if get || post => Route::Code(id.to_owned()),
            ["plan"] if post => Route::Plan,
            ["preview"] if post => Route::Preview,
            ["tests"] if get => Route::GetTests,
            ["tests"] if put => Route::PutTests,
            ["tests", "run"] if post => Route::RunTests,
            ["tests", "record"] if post => Route::RecordTests,
            ["replay"] if post => Route::Replay,
            ["history"] if get => Route::GetHistory,
            ["history"] if post => Route::PostHistory,
            ["receive", id] if post => Route::Receive(id.to_owned()),
            ["mesh"] if get => Route::GetMesh,
            ["mesh"] if put => Route::PutMesh,
            ["mesh", "place"] if post => Route::Place,
            ["control"] if get => Route::Control,
            _ => return None,
        })
    }

    /// What one must be allowed; `None` for what everybody may ask.
    pub(crate) fn permission(&self) -> Option<&'static str> {
        Some(match self {
            // (a page and its files are no secret; comms asks itself, since a client may say later who it is)
            Route::Page | Route::Asset(_) | Route::LoginPage | Route::LoginForm | Route::Logout => {
                return None;
            }
            Route::Login | Route::Token | Route::Revoke | Route::Comms => return None,
            Route::GetFlows | Route::GetState | Route::GetFlow(_) => "flows.read",
            Route::PostFlows
            | Route::PostState
            | Route::PostFlow
            | Route::PutFlow(_)
            | Route::DeleteFlow(_) => "flows.write",
            Route::Nodes
            | Route::NodeModule(_)
            | Route::NodeSet(..)
            | Route::Words(_)
            | Route::Icons
            | Route::Types => "nodes.read",
            Route::AddNodes | Route::RemoveNodes(_) => "nodes.write",
            // (as in Node-RED: a frame that has no cookie asks, and what is on the disk of a package is no secret)
            Route::PackageFile(..) => return None,
            Route::Settings | Route::GetUserSettings | Route::Info => "settings.read",
            Route::PostUserSettings => "settings.write",
            Route::Credentials(..) => "credentials.read",
            Route::GetContext(_) => "context.read",
            Route::DeleteContext(_) => "context.write",
            Route::Inject(_) => "inject.write",
            Route::Debug { .. } => "debug.write",
            Route::Diagnostics => "diagnostics.read",
            Route::Check | Route::Code(_) | Route::Plan | Route::Place => "flows.read",
            Route::GetTests | Route::GetMesh | Route::Preview => "flows.read",
            Route::GetHistory => "debug.read",
            Route::PostHistory => "debug.write",
            // (flows that are tried run code of whoever sends them)
            Route::RunTests | Route::RecordTests | Route::Replay => "flows.write",
            Route::PutTests | Route::PutMesh => "flows.write",
            Route::Receive(_) => "inject.write",
            // (it can do everything)
            Route::Control => "*",
        })
    }
}

/// A package and a path in it.
fn in_package(parts: &[&str]) -> Option<(String, String)> {
    let (module, path) = match parts {
        [scope, module, path @ ..] if scope.starts_with('@') => (format!("{scope}/{module}"), path),
        [module, path @ ..] => ((*module).to_owned(), path),
        [] => return None,
    };
    (!path.is_empty()).then(|| (module, path.join("/")))
}

fn place(parts: &[&str]) -> Option<Place> {
    let key = |parts: &[&str]| Some(parts.join("/")).filter(|key| !key.is_empty());
    let (id, key) = match parts {
        ["global", rest @ ..] => (None, key(rest)),
        ["flow" | "node", id, rest @ ..] if !id.is_empty() => (Some((*id).to_owned()), key(rest)),
        _ => return None,
    };
    Some(Place {
        scope: (*parts.first()?).to_owned(),
        id,
        key,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(method: &str, path: &str) -> Option<Route> {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        Route::find(&method, path, |name| name == "assets/x-1.js")
    }

    #[test]
    fn requests_find_their_routes() {
        assert_eq!(find("GET", "/"), Some(Route::Page));
        assert_eq!(find("HEAD", "/flows"), Some(Route::GetFlows));
        assert_eq!(
            find("GET", "/flow/a%20b"),
            Some(Route::GetFlow("a b".into()))
        );
        assert_eq!(
            find("GET", "/nodes/@a/b/c"),
            Some(Route::NodeSet("@a/b".into(), "c".into()))
        );
        assert_eq!(
            find("GET", "/assets/x-1.js"),
            Some(Route::Asset("assets/x-1.js".into()))
        );
        assert_eq!(
            find("GET", "/context/flow/f/a.b[0]"),
            Some(Route::GetContext(Place {
                scope: "flow".into(),
                id: Some("f".into()),
                key: Some("a.b[0]".into())
            }))
        );
        assert_eq!(
            find("DELETE", "/context/global/k"),
            Some(Route::DeleteContext(Place {
                scope: "global".into(),
                id: None,
                key: Some("k".into())
            }))
        );
    }

    #[test]
    fn what_is_not_the_editors_goes_on() {
        for (method, path) in [
            ("POST", "/"),
            ("GET", "/assets/../secret"),
            ("GET", "/assets/y.js"),
            ("PUT", "/flows"),
            ("GET", "/context/other/x"),
            ("GET", "/flowsx"),
            ("GET", "/%ff"),
            ("GET", "x"),
        ] {
            assert_eq!(find(method, path), None, "{method} {path}");
        }
    }

    #[test]
    fn whatever_changes_something_needs_leave_to_write() {
        for (method, path) in [
            ("POST", "/flows"),
            ("POST", "/flows/state"),
            ("POST", "/flow"),
            ("PUT", "/flow/x"),
            ("DELETE", "/flow/x"),
            ("DELETE", "/context/global/x"),
            ("POST", "/inject/x"),
            ("POST", "/debug/x/enable"),
            ("POST", "/settings/user"),
            ("POST", "/nodes"),
            ("DELETE", "/nodes/x"),
            ("DELETE", "/nodes/@s/x"),
            ("POST", "/vgdc/v1/receive/x"),
            ("POST", "/vgdc/v1/tests/run"),
            ("POST", "/vgdc/v1/replay"),
            ("PUT", "/vgdc/v1/tests"),
            ("PUT", "/vgdc/v1/mesh"),
            ("POST", "/vgdc/v1/history"),
        ] {
            let route = find(method, path).expect(path);
            assert!(
                route.permission().is_some_and(|it| it.ends_with(".write")),
                "{method} {path}"
            );
        }
    }
}
