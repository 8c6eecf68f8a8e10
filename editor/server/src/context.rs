//! `/context`: what contexts hold.

use crate::answer;
use crate::encode;
use crate::rev::stringify;
use crate::routes::Place;
use crate::serve::{Asked, Editor};
use std::sync::Arc;
use vgdc_core::store::{Scope, StoreError, Stores};
use vgdc_http::Response;
use vgdc_http::http::StatusCode;
use vgdc_value::{Object, Value};

/// Letters and elements that are shown of a value.
const SHOWN: usize = 1000;

/// The stores, and whose context is meant; `None` where there is no such node.
async fn look_up(editor: &Editor, place: &Place) -> Option<(Arc<Stores>, Option<Scope>)> {
    editor
        .driver
        .control()
        .with_runtime(async |runtime| {
            let id = place.id.as_deref().unwrap_or_default();
            let scope = match place.scope.as_str() {
                "global" => Some(Scope::Global),
                "flow" => Some(Scope::Flow(id.into())),
                _ => runtime
                    .nodes()
                    .iter()
                    .any(|node| node.id == id)
                    .then(|| Scope::Node(id.into())),
            };
            (runtime.stores().clone(), scope)
        })
        .await
}

fn stopping() -> Response {
    answer::wrong(
        StatusCode::SERVICE_UNAVAILABLE,
        "stopping",
        "the process is stopping",
    )
}

fn failed(error: &StoreError) -> Response {
    answer::wrong(
        StatusCode::BAD_REQUEST,
        error.code.unwrap_or("unexpected_error"),
        &error.message,
    )
}

/// Waits where a store works on files.
async fn blocking<T: Send + 'static>(act: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    // (it ends early only if the process does)
    tokio::task::spawn_blocking(act).await.ok()
}

/// The store that is asked for by its name, `Some(None)` where none is named; nothing where there is no such store.
fn store_of(stores: &Stores, asked: &Asked) -> Option<Option<String>> {
    let named = asked.value("store").filter(|store| !store.is_empty());
    let is_there = |store: &String| stores.names().any(|name| name == store);
    named.as_ref().is_none_or(is_there).then_some(named)
}

/// `GET /context/…`: a value, or all that a context has.
pub(crate) async fn get(editor: &Editor, place: &Place, asked: &Asked) -> Response {
    let Some((stores, scope)) = look_up(editor, place).await else {
        return stopping();
    };
    let Some(store) = store_of(&stores, asked) else {
        return answer::not_found();
    };
    let Some(scope) = scope else {
        return answer::json(StatusCode::OK, "{}");
    };
    let (key, keys_only) = (place.key.clone(), asked.value("keysOnly").is_some());
    let read = blocking(move || match key {
        Some(key) => one(&stores, &scope, &key, store.as_deref(), keys_only),
        None => all(&stores, &scope, store.as_deref(), keys_only),
    });
    match read.await {
        None => stopping(),
        Some(Err(error)) => failed(&error),
        Some(Ok(object)) => match stringify(&Value::Object(object)) {
            Ok(text) => answer::json(StatusCode::OK, text),
            Err(why) => answer::wrong(StatusCode::BAD_REQUEST, "unexpected_error", &why),
        },
    }
}

fn one(
    stores: &Stores,
    scope: &Scope,
    key: &str,
    store: Option<&str>,
    keys_only: bool,
) -> Result<Object, StoreError> {
    let default = stores.default_name();
    let store = store.unwrap_or(default);
    let value = stores.get(scope, key, Some(store))?;
    if keys_only {
        let mut object = Object::new();
        object.insert(store, keys_of(&value));
        return Ok(object);
    }
    let mut object = encode::shown(&value, SHOWN).into_object();
    if store != default {
        object.insert("store", store);
    }
    Ok(object)
}

/// What a value has inside it, for a list that opens when somebody wants to see more.
fn keys_of(value: &Value) -> Object {
    let mut object = Object::new();
    let array = |items: &[Value]| format!("array[{}]", items.len());
    match value {
        Value::Array(items) => {
            object.insert("format", array(items));
        }
        Value::Object(members) => {
            let entry = |(key, member): (&vgdc_value::Key, &Value)| {
                let mut entry = Object::new();
                entry.insert("key", key.as_str());
                match member {
                    Value::Array(items) => {
                        entry.insert("format", array(items));
                        entry.insert("length", items.len() as f64);
                    }
                    member if member.type_of() == "object" => {
                        entry.insert("format", "object");
                    }
                    _ => {}
                }
                Value::Object(entry)
            };
            let keys: Vec<Value> = members.iter().map(entry).collect();
            object.insert("keys", Value::from(keys));
            object.insert("format", "object");
        }
        _ => {
            object.insert("keys", vgdc_value::Array::new());
        }
    }
    object
}

fn all(
    stores: &Stores,
    scope: &Scope,
    store: Option<&str>,
    keys_only: bool,
) -> Result<Object, StoreError> {
    let names: Vec<String> = match store {
        Some(store) => vec![store.to_owned()],
        None => stores.names().map(str::to_owned).collect(),
    };
    let mut object = Object::new();
    for name in names {
        let keys = stores.keys(scope, Some(&name))?;
        let mut own = Object::new();
        if keys_only {
            let entry = |key: String| {
                let mut entry = Object::new();
                entry.insert("key", key);
                Value::Object(entry)
            };
            let keys: Vec<Value> = keys.into_iter().map(entry).collect();
            own.insert("keys", Value::from(keys));
        } else {
            for key in keys {
                let value = stores.get(scope, &path_of(&key), Some(&name))?;
                own.insert(key, encode::shown(&value, SHOWN).into_object());
            }
        }
        object.insert(name, own);
    }
    Ok(object)
}

/// A key as a path: one that is no name stands in brackets.
fn path_of(key: &str) -> String {
    let is_name = key
        .chars()
        .enumerate()
        .all(|(at, c)| c == '_' || c == '$' || c.is_alphabetic() || (at > 0 && c.is_numeric()));
    match is_name && !key.is_empty() {
        true => key.to_owned(),
        false => format!("[\"{}\"]", key.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

/// `DELETE /context/…/key`.
pub(crate) async fn delete(editor: &Editor, place: &Place, asked: &Asked) -> Response {
    let Some((stores, scope)) = look_up(editor, place).await else {
        return stopping();
    };
    let Some(store) = store_of(&stores, asked) else {
        return answer::not_found();
    };
    let Some(scope) = scope else {
        return answer::empty(StatusCode::NO_CONTENT);
    };
    let Some(key) = place.key.clone() else {
        return answer::not_found();
    };
    let store = store.unwrap_or_else(|| stores.default_name().to_owned());
    match blocking(move || stores.set(&scope, &key, Value::Undefined, Some(&store))).await {
        None => stopping(),
        Some(Err(error)) => failed(&error),
        Some(Ok(())) => answer::empty(StatusCode::NO_CONTENT),
    }
}
