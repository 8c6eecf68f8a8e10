//! Unix sockets.

use super::{BoxFuture, BoxStream, Listener, Transport};
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tokio::net::{UnixListener, UnixStream};

pub(super) struct Unix {
    path: PathBuf,
}

impl Unix {
    pub(super) fn to(path: &str) -> Unix {
        Unix { path: path.into() }
    }
}

fn told(path: &Path, what: &str, error: &io::Error) -> io::Error {
    io::Error::new(
        error.kind(),
        format!("cannot {what} unix:{}: {error}", path.display()),
    )
}

impl Transport for Unix {
    fn connect(&self) -> BoxFuture<'_, io::Result<BoxStream>> {
        Box::pin(async {
            let stream = UnixStream::connect(&self.path).await;
            let stream = stream.map_err(|e| told(&self.path, "connect to", &e))?;
            Ok(Box::new(stream) as BoxStream)
        })
    }

    fn describe(&self) -> String {
        format!("unix:{}", self.path.display())
    }
}

pub(super) struct UnixAt {
    listener: UnixListener,
    path: PathBuf,
}

impl UnixAt {
    /// A socket of that name that nobody listens on any more is put away; one that is in use is not.
    pub(super) async fn bind(path: &str) -> io::Result<UnixAt> {
        let path = PathBuf::from(path);
        let failed = |e: io::Error| told(&path, "listen on", &e);
        let is_socket = std::fs::symlink_metadata(&path).is_ok_and(|m| m.file_type().is_socket());
        if is_socket
            && let Err(error) = UnixStream::connect(&path).await
            && error.kind() == io::ErrorKind::ConnectionRefused
        {
            std::fs::remove_file(&path).map_err(failed)?;
        }
        let listener = UnixListener::bind(&path).map_err(failed)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
        Ok(UnixAt { listener, path })
    }
}

impl Listener for UnixAt {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<BoxStream>> {
        Box::pin(async {
            let (stream, _) = self.listener.accept().await?;
            Ok(Box::new(stream) as BoxStream)
        })
    }

    fn address(&self) -> String {
        format!("unix:{}", self.path.display())
    }
}

impl Drop for UnixAt {
    fn drop(&mut self) {
        // (what cannot be removed is put away by the next who listens there)
        let _ = std::fs::remove_file(&self.path);
    }
}
