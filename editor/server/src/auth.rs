//! Who may do what: users of the setting `adminAuth`, or whoever has the token that is made when the editor starts; sessions and the
//! tokens of tools.

use crate::throttle::Throttle;
use crate::tokens::{digest, fresh};
use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use vgdc_value::Value;

/// How long a session lasts where the settings say nothing, as in Node-RED.
const SESSION: Duration = Duration::from_secs(604_800);
/// Sessions that are kept at most; the one that ends first makes room.
const SESSIONS: usize = 1_000;
/// The programs that may ask for tokens with a password, as in Node-RED.
const CLIENTS: [&str; 2] = ["node-red-editor", "node-red-admin"];

/// Why the setting `adminAuth` cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessError(pub String);

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the setting adminAuth: {}", self.0)
    }
}

impl std::error::Error for AccessError {}

/// What somebody may do: names of permissions, `*` and `read` among them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Permissions(Vec<String>);

impl Permissions {
    fn read(value: &Value) -> Option<Permissions> {
        match value {
            Value::Str(one) => Some(Permissions(vec![one.to_string()])),
            Value::Array(all) => {
                let texts = all.iter().map(|one| one.as_str().map(str::to_owned));
                texts.collect::<Option<_>>().map(Permissions)
            }
            _ => None,
        }
    }

    fn all() -> Permissions {
        Permissions(vec!["*".to_owned()])
    }

    /// Whether they have what is asked for, such as `flows.write`.
    fn have(&self, asked: &str) -> bool {
        self.0.iter().any(|own| match own.as_str() {
            "*" => true,
            "read" | "*.read" => asked == "read" || asked.ends_with(".read"),
            "write" | "*.write" => asked == "write" || asked.ends_with(".write"),
            own => own == asked,
        })
    }

    /// As the settings had them.
    fn json(&self) -> serde_json::Value {
        match self.0.as_slice() {
            [one] => one.as_str().into(),
            all => all.to_vec().into(),
        }
    }
}

/// Users that log in with a password.
#[derive(Debug, Clone)]
pub struct Users {
    users: Vec<User>,
    /// What those may who have not logged in.
    default: Option<Permissions>,
    expiry: Duration,
}

#[derive(Clone)]
struct User {
    name: String,
    /// Of bcrypt.
    hash: String,
    permissions: Permissions,
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "User({:?}, {:?})", self.name, self.permissions)
    }
}

impl Users {
    /// Reads the setting; `None` where there is none.
    ///
    /// # Errors
    /// It has what cannot be here, or is not what it should be.
    pub fn read(setting: &Value) -> Result<Option<Users>, AccessError> {
        let wrong = |why: &str| Err(AccessError(why.to_owned()));
        if !setting.truthy() {
            return Ok(None);
        }
        match setting.get("type").as_str() {
            Some("credentials") | None => {}
            Some(other) => {
                return Err(AccessError(format!(
                    "the type \"{other}\" is not supported: users with passwords are (\"credentials\")"
                )));
            }
        }
        let list = match setting.get("users") {
            Value::Array(list) => list,
            user @ Value::Object(_) => [user].into_iter().collect(),
            _ => {
                return wrong("`users` must be a list of `username`, `password` and `permissions`");
            }
        };
        let mut users = Vec::new();
        for user in list.iter() {
            let (name, hash) = (user.get("username"), user.get("password"));
            let (Some(name), Some(hash)) = (name.as_str(), hash.as_str()) else {
                return wrong("a user must have `username` and `password`, both texts");
            };
            if !["$2a$", "$2b$", "$2y$"]
                .iter()
                .any(|begin| hash.starts_with(begin))
            {
                return Err(AccessError(format!(
                    "the password of \"{name}\" must be a bcrypt hash (`node-red admin hash-pw` makes one)"
                )));
            }
            users.push(User {
                name: name.to_owned(),
                hash: hash.to_owned(),
                permissions: Permissions::read(&user.get("permissions"))
                    .unwrap_or_else(Permissions::all),
            });
        }
        let default = setting.get("default");
        let default = match default.truthy() {
            true => Some(
                Permissions::read(&default.get("permissions"))
                    .ok_or_else(|| AccessError("`default` must have `permissions`".to_owned()))?,
            ),
            false => None,
        };
        let expiry = setting
            .get("sessionExpiryTime")
            .as_f64()
            .filter(|s| *s > 0.0);
        Ok(Some(Users {
            users,
            default,
            expiry: expiry
                .and_then(|s| Duration::try_from_secs_f64(s).ok())
                .unwrap_or(SESSION),
        }))
    }
}

/// What somebody who asks may do, and why.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    /// The user's name; `None` for whoever has the token, and for nobody in particular.
    pub user: Option<String>,
    permissions: Permissions,
    /// The session that says so.
    session: Option<[u8; 32]>,
    /// He has not logged in.
    pub anonymous: bool,
}

impl Access {
    /// Whether he may do this, such as `flows.write`.
    pub(crate) fn may(&self, permission: &str) -> bool {
        self.permissions.have(permission)
    }

    /// What Node-RED's settings say of the user.
    pub(crate) fn described(&self) -> Option<serde_json::Value> {
        let permissions = self.permissions.json();
        match (&self.user, self.anonymous) {
            (Some(name), _) => {
                Some(serde_json::json!({"username": name, "permissions": permissions}))
            }
            (None, true) => {
                Some(serde_json::json!({"anonymous": true, "permissions": permissions}))
            }
            (None, false) => None,
        }
    }
}

struct Session {
    user: Option<String>,
    permissions: Permissions,
    ends: Instant,
}

/// A session that has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Begun {
    /// What the client shows from now on.
    pub token: String,
    /// How long it is good for.
    pub lasts: Duration,
}

/// Why somebody is not let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Name or password is wrong, or he may not do what he asks for.
    Wrong,
    /// Too many wrong tries: he has to wait.
    Wait(Duration),
    /// The system cannot do it.
    Failed(String),
}

/// What somebody shows to be let in.
pub(crate) enum Shown<'s> {
    /// A user's name and password, and for what.
    Password {
        name: &'s str,
        password: &'s str,
        scope: &'s str,
    },
    /// The token that was made at the start.
    Token(&'s str),
    /// The code of a link, good for once.
    Code(&'s str),
}

/// See the module.
pub(crate) struct Auth {
    users: Option<Users>,
    /// Of the token that is made at the start, where there are no users.
    token: Option<[u8; 32]>,
    /// Of the code of a link that has not been followed yet.
    code: Mutex<Option<[u8; 32]>>,
    sessions: Mutex<HashMap<[u8; 32], Session>>,
    throttle: Mutex<Throttle>,
    /// Hashing a password takes a core for a while: one at a time.
    hashing: tokio::sync::Semaphore,
}

impl Auth {
    /// With these users, or else with this token and this code for a first link.
    pub(crate) fn new(users: Option<Users>, token: &str, code: &str) -> Auth {
        let own = users.is_none();
        Auth {
            users,
            token: own.then(|| digest(token)),
            code: Mutex::new(own.then(|| digest(code))),
            sessions: Mutex::default(),
            throttle: Mutex::default(),
            hashing: tokio::sync::Semaphore::new(1),
        }
    }

    /// Whether there are users who log in by name.
    pub(crate) fn has_users(&self) -> bool {
        self.users.is_some()
    }

    /// Whether a program of this name may ask for tokens.
    pub(crate) fn is_client(name: &str) -> bool {
        CLIENTS.contains(&name)
    }

    /// What the owner of a session's token, or of the token made at the start, may do.
    pub(crate) fn of_token(&self, token: &str) -> Option<Access> {
        let own = digest(token);
        if self.token == Some(own) {
            return Some(Access {
                user: None,
                permissions: Permissions::all(),
                session: None,
                anonymous: false,
            });
        }
        let mut sessions = self.sessions();
        let session = sessions.get(&own)?;
        if session.ends <= Instant::now() {
            sessions.remove(&own);
            return None;
        }
        Some(Access {
            user: session.user.clone(),
            permissions: session.permissions.clone(),
            session: Some(own),
            anonymous: false,
        })
    }

    /// What somebody may do who shows nothing.
    pub(crate) fn of_nobody(&self) -> Option<Access> {
        let permissions = self.users.as_ref()?.default.clone()?;
        Some(Access {
            user: None,
            permissions,
            session: None,
            anonymous: true,
        })
    }

    /// Whether what gave this access still does.
    pub(crate) fn still_holds(&self, access: &Access) -> bool {
        match access.session {
            None => true,
            Some(session) => {
                let sessions = self.sessions();
                sessions
                    .get(&session)
                    .is_some_and(|it| it.ends > Instant::now())
            }
        }
    }

    /// Ends a session.
    pub(crate) fn revoke(&self, token: &str) {
        self.sessions().remove(&digest(token));
    }

    /// Lets somebody in who shows what is needed.
    pub(crate) async fn log_in(&self, from: IpAddr, shown: Shown<'_>) -> Result<Begun, Refusal> {
        let now = Instant::now();
        if let Some(wait) = self.throttle().must_wait(from, now) {
            return Err(Refusal::Wait(wait));
        }
        let let_in = match shown {
            Shown::Token(token) => (self.token.is_some() && self.token == Some(digest(token)))
                .then(|| (None, Permissions::all())),
            Shown::Code(code) => {
                let mut open = self.code.lock().unwrap_or_else(PoisonError::into_inner);
                let fits = open.is_some() && *open == Some(digest(code));
                if fits {
                    *open = None;
                }
                fits.then(|| (None, Permissions::all()))
            }
            Shown::Password {
                name,
                password,
                scope,
            } => self.with_password(name, password, scope).await,
        };
        match let_in {
            Some((user, permissions)) => {
                self.throttle().succeeded(from);
                self.begin(user, permissions)
            }
            None => {
                self.throttle().failed(from, now);
                Err(Refusal::Wrong)
            }
        }
    }

    async fn with_password(
        &self,
        name: &str,
        password: &str,
        scope: &str,
    ) -> Option<(Option<String>, Permissions)> {
        let users = self.users.as_ref()?;
        let user = users.users.iter().find(|user| user.name == name);
        // (a name that nobody has takes as long as a wrong password)
        let hash = user
            .map_or(
                "$2b$08$EzbfaD082GjDrOnmWdV.OeBucBfEnFEOe4cpJv0CwVAEjMyHmkUd2",
                |user| &user.hash,
            )
            .to_owned();
        let password = password.to_owned();
        let _one = self.hashing.acquire().await.ok()?;
        let verified =
            tokio::task::spawn_blocking(move || bcrypt::verify(password, &hash).unwrap_or(false));
        let fits = verified.await.unwrap_or(false);
        let user = user?;
        let may = scope.is_empty() || scope.split(' ').all(|scope| user.permissions.have(scope));
        (fits && may).then(|| (Some(user.name.clone()), user.permissions.clone()))
    }

    fn begin(&self, user: Option<String>, permissions: Permissions) -> Result<Begun, Refusal> {
        let token = fresh().map_err(Refusal::Failed)?;
        let lasts = self.users.as_ref().map_or(SESSION, |users| users.expiry);
        let now = Instant::now();
        let mut sessions = self.sessions();
        sessions.retain(|_, session| session.ends > now);
        if sessions.len() >= SESSIONS
            && let Some(first) = sessions
                .iter()
                .min_by_key(|(_, it)| it.ends)
                .map(|(key, _)| *key)
        {
            sessions.remove(&first);
        }
        let session = Session {
            user,
            permissions,
            ends: now + lasts,
        };
        sessions.insert(digest(&token), session);
        Ok(Begun { token, lasts })
    }

    fn sessions(&self) -> std::sync::MutexGuard<'_, HashMap<[u8; 32], Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn throttle(&self) -> std::sync::MutexGuard<'_, Throttle> {
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vgdc_value::json;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn users(text: &str) -> Result<Option<Users>, AccessError> {
        Users::read(&json::parse(text).expect("JSON"))
    }

    #[test]
    fn permissions_are_node_reds() {
        for (own, asked, expected) in [
            ("\"*\"", "flows.write", true),
            ("\"read\"", "flows.read", true),
            ("\"read\"", "flows.write", false),
            ("\"read\"", "read", true),
            ("\"read\"", "*", false),
            ("\"flows.write\"", "flows.write", true),
            ("[\"read\",\"inject.write\"]", "inject.write", true),
            ("[]", "flows.read", false),
        ] {
            let own = Permissions::read(&json::parse(own).expect("JSON")).expect("permissions");
            assert_eq!(own.have(asked), expected, "{own:?} {asked}");
        }
    }

    #[tokio::test]
    async fn a_link_is_good_for_once_and_a_token_until_it_is_revoked() {
        let auth = Auth::new(None, "token", "code");
        let begun = auth
            .log_in(HERE, Shown::Code("code"))
            .await
            .expect("the first time");
        assert_eq!(
            auth.log_in(HERE, Shown::Code("code")).await,
            Err(Refusal::Wrong)
        );
        assert_eq!(
            auth.log_in(HERE, Shown::Code("")).await,
            Err(Refusal::Wrong)
        );
        let access = auth.of_token(&begun.token).expect("a session");
        assert!(access.may("flows.write") && auth.still_holds(&access));
        auth.revoke(&begun.token);
        assert!(auth.of_token(&begun.token).is_none() && !auth.still_holds(&access));
        assert!(auth.of_token("token").is_some() && auth.of_token("").is_none());
        assert!(auth.of_nobody().is_none());
    }

    #[tokio::test]
    async fn users_log_in_and_guessing_is_slow() {
        let setting = r#"{"type":"credentials","users":[{"username":"u","password":"$2b$08$EzbfaD082GjDrOnmWdV.OeBucBfEnFEOe4cpJv0CwVAEjMyHmkUd2","permissions":"read"}],
            "default":{"permissions":"read"}}"#;
        let auth = Auth::new(users(setting).expect("users"), "token", "code");
        assert!(
            auth.of_token("token").is_none(),
            "users have no token of the start"
        );
        assert_eq!(
            auth.log_in(HERE, Shown::Code("code")).await,
            Err(Refusal::Wrong)
        );
        let try_with = |password: &'static str, scope: &'static str| Shown::Password {
            name: "u",
            password,
            scope,
        };
        assert_eq!(
            auth.log_in(HERE, try_with("pw", "*")).await,
            Err(Refusal::Wrong)
        );
        assert_eq!(
            auth.log_in(HERE, try_with("no", "read")).await,
            Err(Refusal::Wrong)
        );
        let begun = auth
            .log_in(HERE, try_with("pw", "read"))
            .await
            .expect("it fits");
        let access = auth.of_token(&begun.token).expect("a session");
        assert!(access.may("flows.read") && !access.may("flows.write"));
        assert!(auth.of_nobody().is_some_and(|it| it.may("flows.read")));
        for _ in 0..5 {
            assert_eq!(
                auth.log_in(HERE, try_with("no", "read")).await,
                Err(Refusal::Wrong)
            );
        }
        assert!(matches!(
            auth.log_in(HERE, try_with("pw", "read")).await,
            Err(Refusal::Wait(_))
        ));
    }

    #[test]
    fn settings_that_cannot_be_used_say_why() {
        assert!(users("null").expect("none").is_none());
        for (text, why) in [
            (r#"{"type":"strategy"}"#, "is not supported"),
            (r#"{"type":"credentials"}"#, "`users` must be a list"),
            (r#"{"users":[{"username":"u"}]}"#, "both texts"),
            (
                r#"{"users":[{"username":"u","password":"plain"}]}"#,
                "bcrypt hash",
            ),
        ] {
            let error = users(text).map(drop).expect_err(text).to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
