//! What packages show: the listener asks the hosts for what no route of the program answers.

use crate::proxy;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use vgdc_http::HttpServer;

/// The hosts' own HTTP servers, by the names of their places.
pub(crate) struct Pages {
    http: Arc<HttpServer>,
    sockets: Mutex<Vec<(String, Arc<Path>)>>,
}

impl Pages {
    pub fn new(http: Arc<HttpServer>) -> Pages {
        Pages {
            http,
            sockets: Mutex::default(),
        }
    }

    /// A host listens on this socket.
    ///
    /// # Errors
    /// The program cannot listen on its port.
    pub fn add(&self, place: &str, socket: PathBuf) -> std::io::Result<()> {
        self.http.bind()?;
        self.change(place, Some(socket));
        Ok(())
    }

    /// A host listens no more.
    pub fn remove(&self, place: &str) {
        self.change(place, None);
    }

    fn change(&self, place: &str, socket: Option<PathBuf>) {
        let mut sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        sockets.retain(|(name, _)| name != place);
        sockets.extend(socket.map(|socket| (place.to_owned(), socket.into())));
        // (who is asked first does not hang on who was ready first)
        sockets.sort();
        let all: Vec<Arc<Path>> = sockets.iter().map(|(_, socket)| socket.clone()).collect();
        let handler = (!all.is_empty()).then(|| proxy::to(all.into()));
        self.http.set_fallback(handler);
    }
}
