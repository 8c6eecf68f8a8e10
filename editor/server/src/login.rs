//! How people and tools are let in: the link that is printed at the start, a page to log in on, Node-RED's token routes.

use crate::answer;
use crate::assets;
use crate::auth::{Auth, Refusal, Shown};
use crate::guard::Origin;
use crate::serve::{Asked, Editor, form};
use serde_json::json;
use std::time::Duration;
use vgdc_http::Response;
use vgdc_http::http::{HeaderMap, StatusCode, header};
use vgdc_value::Value;

/// The cookie of our own pages.
const COOKIE: &str = "vgdc_session";

/// The session that a browser shows.
pub(crate) fn cookie(headers: &HeaderMap) -> Option<String> {
    let all = headers.get_all(header::COOKIE).iter();
    let texts = all.filter_map(|value| value.to_str().ok());
    let mut pairs = texts
        .flat_map(|text| text.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value.to_owned())
}

/// Gives the browser a session; pages of others never send it, and no script reads it.
fn with_cookie(
    answered: Response,
    editor: &Editor,
    asked: &Asked,
    token: &str,
    lasts: Duration,
) -> Response {
    let secure = if asked.secure { "; Secure" } else { "" };
    let text = format!(
        "{COOKIE}={token}; Path={}/; HttpOnly; SameSite=Strict; Max-Age={}{secure}",
        editor.root,
        lasts.as_secs()
    );
    answer::with(answered, header::SET_COOKIE, &text)
}

/// Sends a browser to another page of ours.
fn go_to(editor: &Editor, path: &str) -> Response {
    let answered = answer::empty(StatusCode::SEE_OTHER);
    answer::with(
        answered,
        header::LOCATION,
        &format!("{}{path}", editor.root),
    )
}

/// The editor's page, for who may see the flows.
pub(crate) fn page(editor: &Editor, asked: &Asked) -> Response {
    match &asked.access {
        Some(access) if access.may("flows.read") => assets::page(asked),
        // A link from another page comes without our cookie, which is for requests of our own pages: loading the page once more from
        // here brings it along.
        _ if asked.header("sec-fetch-site") == Some("cross-site")
            && asked.value("here").is_none() =>
        {
            again(editor)
        }
        _ => go_to(editor, "/vgdc/login"),
    }
}

/// A page that loads the editor's page.
fn again(editor: &Editor) -> Response {
    let to = format!("{}/?here", editor.root);
    let body = format!(
        "<p><a href=\"{}\">Go on to the editor</a></p>",
        escaped(&to)
    );
    let answered = html(StatusCode::OK, &body);
    answer::with(answered, header::REFRESH, &format!("0; url={to}"))
}

fn html(status: StatusCode, body: &str) -> Response {
    let text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>vgdc</title>\n<h1>vgdc</h1>\n{body}\n</html>\n"
    );
    answer::typed(status, "text/html; charset=utf-8", text)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}

/// The page to log in on; with the code of a link, what lets in.
pub(crate) async fn form_page(editor: &Editor, asked: &Asked) -> Response {
    let Some(code) = asked.value("code") else {
        return the_form(editor, StatusCode::OK, "");
    };
    match editor
        .auth
        .log_in(asked.peer.ip(), Shown::Code(&code))
        .await
    {
        // (the browser sends the cookie with what pages of ours ask for, not with what a link from elsewhere leads on to)
        Ok(begun) => with_cookie(again(editor), editor, asked, &begun.token, begun.lasts),
        // (a browser that was let in already may follow its link once more)
        Err(_)
            if cookie(&asked.headers)
                .is_some_and(|token| editor.auth.of_token(&token).is_some()) =>
        {
            go_to(editor, "/")
        }
        Err(refusal) => refused(
            editor,
            refusal,
            "This link has been used already. Paste the token that vgdc printed, or start vgdc anew.",
        ),
    }
}

/// What the page to log in on sends.
pub(crate) async fn submit(editor: &Editor, asked: &Asked) -> Response {
    if asked.origin != Origin::Own {
        return the_form(
            editor,
            StatusCode::FORBIDDEN,
            "The browser did not say that this page sent the form.",
        );
    }
    let fields = form(&String::from_utf8_lossy(&asked.body));
    let field = |name: &str| {
        fields
            .iter()
            .find(|(key, _)| key == name)
            .map_or("", |(_, value)| value)
    };
    let shown = match editor.auth.has_users() {
        true => Shown::Password {
            name: field("username"),
            password: field("password"),
            scope: "",
        },
        false => Shown::Token(field("token").trim()),
    };
    match editor.auth.log_in(asked.peer.ip(), shown).await {
        Ok(begun) => with_cookie(go_to(editor, "/"), editor, asked, &begun.token, begun.lasts),
        Err(refusal) => refused(editor, refusal, "That is not right."),
    }
}

fn refused(editor: &Editor, refusal: Refusal, wrong: &str) -> Response {
    match refusal {
        Refusal::Wrong => the_form(editor, StatusCode::FORBIDDEN, wrong),
        Refusal::Wait(wait) => {
            let seconds = wait.as_secs().max(1);
            let said = format!("Too many tries: wait {seconds} seconds.");
            let answered = the_form(editor, StatusCode::TOO_MANY_REQUESTS, &said);
            answer::with(answered, header::RETRY_AFTER, &seconds.to_string())
        }
        Refusal::Failed(why) => the_form(editor, StatusCode::INTERNAL_SERVER_ERROR, &why),
    }
}

fn the_form(editor: &Editor, status: StatusCode, said: &str) -> Response {
    let fields = match editor.auth.has_users() {
        true => {
            "<p><label>User name <input name=\"username\" autocomplete=\"username\" required autofocus></label></p>\n\
             <p><label>Password <input name=\"password\" type=\"password\" autocomplete=\"current-password\" required></label></p>"
        }
        false => {
            "<p>Follow the link that vgdc printed when it started, or paste the token that it printed.</p>\n\
             <p><label>Token <input name=\"token\" type=\"password\" autocomplete=\"off\" required autofocus></label></p>"
        }
    };
    let said = match said {
        "" => String::new(),
        said => format!("<p role=\"alert\">{}</p>\n", escaped(said)),
    };
    let action = escaped(&format!("{}/vgdc/login", editor.root));
    html(
        status,
        &format!(
            "{said}<form method=\"post\" action=\"{action}\">\n{fields}\n<p><button>Log in</button></p>\n</form>"
        ),
    )
}

/// Ends the session of the page.
pub(crate) fn log_out(editor: &Editor, asked: &Asked) -> Response {
    if asked.origin != Origin::Own {
        return answer::empty(StatusCode::FORBIDDEN);
    }
    if let Some(token) = cookie(&asked.headers) {
        editor.auth.revoke(&token);
    }
    with_cookie(
        go_to(editor, "/vgdc/login"),
        editor,
        asked,
        "",
        Duration::ZERO,
    )
}

/// `GET /auth/login`: what to ask a user for; nothing where he needs not log in.
pub(crate) fn prompts(editor: &Editor, asked: &Asked) -> Response {
    if editor.auth.has_users() {
        return answer::ok(&json!({
            "type": "credentials",
            "prompts": [
                {"id": "username", "type": "text", "label": "user.username"},
                {"id": "password", "type": "password", "label": "user.password"},
            ],
        }));
    }
    match asked.access {
        Some(_) => answer::ok(&json!({})),
        // (the token goes where a password would; there is no name)
        None => answer::ok(&json!({
            "type": "credentials",
            "prompts": [{"id": "password", "type": "password", "label": "user.password"}],
        })),
    }
}

fn grant(status: StatusCode, error: &str, description: &str) -> Response {
    let body = json!({"error": error, "error_description": description}).to_string();
    answer::typed(status, "application/json", body)
}

/// What a tool sends to `/auth/…`: JSON or a form.
fn fields(asked: &Asked) -> Result<impl Fn(&str) -> String + use<>, Response> {
    let is_form = asked
        .header("content-type")
        .is_some_and(|ty| ty.starts_with("application/x-www-form-urlencoded"));
    let (pairs, body) = match is_form {
        true => (
            form(&String::from_utf8_lossy(&asked.body)),
            Value::Undefined,
        ),
        false => (Vec::new(), asked.json()?),
    };
    Ok(
        move |name: &str| match pairs.iter().find(|(key, _)| key == name) {
            Some((_, value)) => value.clone(),
            None => body.get(name).as_str().unwrap_or_default().to_owned(),
        },
    )
}

/// `POST /auth/token`: a token for a user's name and password.
pub(crate) async fn token(editor: &Editor, asked: &Asked) -> Response {
    let field = match fields(asked) {
        Ok(field) => field,
        Err(refusal) => return refusal,
    };
    if !Auth::is_client(&field("client_id")) {
        return answer::unauthorized();
    }
    let ty = field("grant_type");
    if ty != "password" {
        let why = format!("Unsupported grant type: {ty}");
        return grant(StatusCode::NOT_IMPLEMENTED, "unsupported_grant_type", &why);
    }
    let (name, password, scope) = (field("username"), field("password"), field("scope"));
    let shown = match editor.auth.has_users() {
        true => Shown::Password {
            name: &name,
            password: &password,
            scope: &scope,
        },
        false => Shown::Token(&password),
    };
    match editor.auth.log_in(asked.peer.ip(), shown).await {
        Ok(begun) => {
            let body = json!({
                "access_token": begun.token, "expires_in": begun.lasts.as_secs(), "token_type": "Bearer",
            });
            answer::typed(StatusCode::OK, "application/json", body.to_string())
        }
        Err(Refusal::Wrong) => grant(
            StatusCode::FORBIDDEN,
            "invalid_grant",
            "Invalid resource owner credentials",
        ),
        Err(Refusal::Wait(wait)) => {
            let seconds = wait.as_secs().max(1).to_string();
            let answered = grant(
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_tries",
                "Too many login attempts",
            );
            answer::with(answered, header::RETRY_AFTER, &seconds)
        }
        Err(Refusal::Failed(why)) => grant(StatusCode::INTERNAL_SERVER_ERROR, "server_error", &why),
    }
}

/// `POST /auth/revoke`: ends the session of a token.
pub(crate) fn revoke(editor: &Editor, asked: &Asked) -> Response {
    match fields(asked) {
        Ok(field) => {
            editor.auth.revoke(&field("token"));
            answer::empty(StatusCode::OK)
        }
        Err(refusal) => refusal,
    }
}
