//! Values that live in this process and cannot leave it: HTTP responses, sockets, functions.

use crate::Value;
use std::any::Any;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

struct Inner {
    kind: &'static str,
    id: String,
    props: Value,
    inner: Arc<dyn Any + Send + Sync>,
}

/// Refers to something in this process. Its properties are what flows can read of it.
#[derive(Clone)]
pub struct Handle(Arc<Inner>);

fn table() -> &'static Mutex<HashMap<String, Weak<Inner>>> {
    static TABLE: OnceLock<Mutex<HashMap<String, Weak<Inner>>>> = OnceLock::new();
    TABLE.get_or_init(Mutex::default)
}

impl Handle {
    /// A new handle.
    pub fn new(kind: &'static str, props: Value, inner: Arc<dyn Any + Send + Sync>) -> Handle {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = format!("h{}", NEXT.fetch_add(1, Ordering::Relaxed));
        Handle(Arc::new(Inner {
            kind,
            id,
            props,
            inner,
        }))
    }

    /// A handle of the other side of a link, which this process never gave out: carried through as it is.
    pub fn foreign(kind: &str, id: &str) -> Handle {
        let props = Value::Undefined;
        Handle(Arc::new(Inner {
            kind: "foreign",
            id: id.to_owned(),
            props,
            inner: Arc::new(kind.to_owned()),
        }))
    }

    /// What it is, for example `ServerResponse`.
    pub fn kind(&self) -> &str {
        match self.0.inner.downcast_ref::<String>() {
            Some(kind) if self.0.kind == "foreign" => kind,
            _ => self.0.kind,
        }
    }

    /// Its name, unique in this process. Being asked for it makes it known to [`Handle::lookup`].
    pub fn id(&self) -> &str {
        let mut table = table().lock().unwrap_or_else(PoisonError::into_inner);
        if table.len() > 1000 {
            table.retain(|_, known| known.strong_count() > 0);
        }
        table.insert(self.0.id.clone(), Arc::downgrade(&self.0));
        &self.0.id
    }

    /// What flows can read of it.
    pub fn props(&self) -> &Value {
        &self.0.props
    }

    /// The thing itself.
    pub fn downcast<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.0.inner.downcast_ref()
    }

    /// The handle with this name, while somebody holds it.
    pub fn lookup(id: &str) -> Option<Handle> {
        let table = table().lock().unwrap_or_else(PoisonError::into_inner);
        table.get(id).and_then(Weak::upgrade).map(Handle)
    }

    /// True when both are the same.
    pub fn ptr_eq(&self, other: &Handle) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Ok(mut table) = table().try_lock() {
            table.remove(&self.id);
        }
    }
}
