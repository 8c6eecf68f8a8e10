//! What the process offers to nodes (an HTTP listener, a thread pool), found by type.
//!
//! The core does not know any of them: the program that embeds a runtime puts them in, nodes take them out.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// A table of shared services, at most one of each type.
#[derive(Default)]
pub struct Services {
    table: RwLock<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

impl Services {
    /// Offers a service, in place of one of the same type.
    pub fn insert<T: Any + Send + Sync>(&self, service: Arc<T>) {
        self.table
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(TypeId::of::<T>(), service);
    }

    /// The service of this type, when the process offers one.
    pub fn get<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        table
            .get(&TypeId::of::<T>())
            .cloned()
            .and_then(|any| any.downcast().ok())
    }

    /// The service of this type; made by `make` when there is none yet.
    pub fn get_or_insert<T: Any + Send + Sync>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        if let Some(found) = self.get() {
            return found;
        }
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        let entry = table
            .entry(TypeId::of::<T>())
            .or_insert_with(|| Arc::new(make()));
        match entry.clone().downcast() {
            Ok(service) => service,
            Err(_) => unreachable!("the table is keyed by type"),
        }
    }
}
