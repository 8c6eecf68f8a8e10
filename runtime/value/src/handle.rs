//! Values that live in this process and cannot leave it: HTTP responses, sockets, functions.

use crate::Value;
use std::any::Any;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

struct Inner {
    kind: &'static str,
    number: u64,
    /// Its name, once somebody asked for it. It is in the table from then on.
    id: OnceLock<String>,
    props: Value,
    thing: Thing,
}

enum Thing {
    Here(Arc<dyn Any + Send + Sync>),
    /// Of the other side: its kind there.
    Foreign(String),
}

/// Refers to something in this process. Its properties are what flows can read of it.
#[derive(Clone)]
pub struct Handle(Arc<Inner>);

/// The handles whose names were given out, as long as somebody holds them.
fn table() -> MutexGuard<'static, HashMap<String, Weak<Inner>>> {
    static TABLE: LazyLock<Mutex<HashMap<String, Weak<Inner>>>> = LazyLock::new(Mutex::default);
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Handle {
    /// A new handle.
    pub fn new(kind: &'static str, props: Value, inner: Arc<dyn Any + Send + Sync>) -> Handle {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Handle(Arc::new(Inner {
            kind,
            number,
            id: OnceLock::new(),
            props,
            thing: Thing::Here(inner),
        }))
    }

    /// A handle of the other side of a link, which this process never gave out: carried through as it is.
    pub fn foreign(kind: &str, id: &str) -> Handle {
        let thing = Thing::Foreign(kind.to_owned());
        let id = OnceLock::from(id.to_owned());
        Handle(Arc::new(Inner {
            kind: "foreign",
            number: 0,
            id,
            props: Value::Undefined,
            thing,
        }))
    }

    /// What it is, for example `ServerResponse`.
    pub fn kind(&self) -> &str {
        match &self.0.thing {
            Thing::Here(_) => self.0.kind,
            Thing::Foreign(kind) => kind,
        }
    }

    /// Its name, unique in this process. Being asked for it makes it known to [`Handle::lookup`].
    pub fn id(&self) -> &str {
        self.0.id.get_or_init(|| {
            let id = format!("h{}", self.0.number);
            table().insert(id.clone(), Arc::downgrade(&self.0));
            id
        })
    }

    /// What flows can read of it.
    pub fn props(&self) -> &Value {
        &self.0.props
    }

    /// The thing itself. `None`: it is of another type, or of the other side.
    pub fn downcast<T: Any + Send + Sync>(&self) -> Option<&T> {
        match &self.0.thing {
            Thing::Here(inner) => inner.downcast_ref(),
            Thing::Foreign(_) => None,
        }
    }

    /// The handle with this name, while somebody holds it.
    pub fn lookup(id: &str) -> Option<Handle> {
        table().get(id).and_then(Weak::upgrade).map(Handle)
    }

    /// True when both are the same.
    pub fn ptr_eq(&self, other: &Handle) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let (Thing::Here(_), Some(id)) = (&self.thing, self.id.get()) {
            table().remove(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_found_while_it_is_held() {
        let handle = Handle::new("Socket", Value::Undefined, Arc::new(7_u8));
        let id = handle.id().to_owned();
        let found = Handle::lookup(&id).expect("it is held");
        assert!(found.ptr_eq(&handle));
        assert_eq!(
            (
                found.kind(),
                found.downcast::<u8>(),
                found.downcast::<u16>()
            ),
            ("Socket", Some(&7), None)
        );
        drop((found, handle));
        assert!(Handle::lookup(&id).is_none());
        assert!(!table().contains_key(&id), "nothing is left of it");
    }

    #[test]
    fn a_handle_of_the_other_side_is_carried_through() {
        let handle = Handle::foreign("Socket", "other7");
        assert_eq!((handle.kind(), handle.id()), ("Socket", "other7"));
        assert!(Handle::lookup("other7").is_none());
    }
}
