//! Failures of the file system in the words of Node.js, and the names of files.

use crate::network::net::code;
use std::io;
use std::path::{Path, PathBuf};
use vgdc_core::Cx;
use vgdc_core::value::{ErrorValue, Value};

/// What went wrong: the failure, the call, and the file where the call names one.
pub struct FsError {
    code: &'static str,
    call: &'static str,
    path: Option<String>,
}

impl FsError {
    /// A failure of a call that names a file.
    pub fn at(error: &io::Error, call: &'static str, path: &Path) -> FsError {
        FsError {
            code: code(error),
            call,
            path: Some(path.display().to_string()),
        }
    }

    /// A failure of a call on an open file.
    pub fn of(error: &io::Error, call: &'static str) -> FsError {
        FsError {
            code: code(error),
            call,
            path: None,
        }
    }

    fn message(&self) -> String {
        let words = words(self.code);
        match &self.path {
            Some(path) => format!("{}: {words}, {} '{path}'", self.code, self.call),
            None => format!("{}: {words}, {}", self.code, self.call),
        }
    }

    /// As `String(error)` gives it.
    pub fn text(&self) -> String {
        format!("Error: {}", self.message())
    }

    /// As an error value with `errno`, `code`, `syscall` and `path`.
    pub fn value(&self) -> Value {
        let mut error = ErrorValue::new("Error", self.message());
        if let Some(number) = number(self.code) {
            error = error.with("errno", number);
        }
        error = error.with("code", self.code).with("syscall", self.call);
        if let Some(path) = &self.path {
            error = error.with("path", path.as_str());
        }
        error.into()
    }
}

/// Linux's number of a code, as `libuv` gives it.
fn number(code: &str) -> Option<f64> {
    Some(match code {
        "ENOENT" => -2.0,
        "EACCES" => -13.0,
        "EEXIST" => -17.0,
        "ENOTDIR" => -20.0,
        "EISDIR" => -21.0,
        "EINVAL" => -22.0,
        "EMFILE" => -24.0,
        "EFBIG" => -27.0,
        "ENOSPC" => -28.0,
        "EROFS" => -30.0,
        "ENAMETOOLONG" => -36.0,
        "ENOTEMPTY" => -39.0,
        "ELOOP" => -40.0,
        "EDQUOT" => -122.0,
        _ => return None,
    })
}

/// What `libuv` says of a code.
fn words(code: &str) -> &'static str {
    match code {
        "ENOENT" => "no such file or directory",
        "EACCES" => "permission denied",
        "EISDIR" => "illegal operation on a directory",
        "ENOTDIR" => "not a directory",
        "ENOSPC" => "no space left on device",
        "EDQUOT" => "disk quota exceeded",
        "EROFS" => "read-only file system",
        "EEXIST" => "file already exists",
        "EFBIG" => "file too large",
        "ENOTEMPTY" => "directory not empty",
        "EMFILE" => "too many open files",
        "EINVAL" => "invalid argument",
        "ELOOP" => "too many symbolic links encountered",
        "ENAMETOOLONG" => "name too long",
        _ => "i/o error",
    }
}

/// A file's place: a name that is not absolute is in the setting `fileWorkingDirectory`, when there is one.
pub fn place(cx: &Cx<'_>, name: &str) -> PathBuf {
    match cx.setting("fileWorkingDirectory") {
        Value::Str(folder) if !folder.is_empty() && !Path::new(name).is_absolute() => {
            normal(&Path::new(&*folder).join(name))
        }
        _ => PathBuf::from(name),
    }
}

/// Without `.` and `..`, as `path.resolve` gives it.
fn normal(path: &Path) -> PathBuf {
    use std::path::Component;
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let mut out = PathBuf::new();
    for part in whole.components() {
        match part {
            Component::ParentDir => drop(out.pop()),
            Component::CurDir => {}
            part => out.push(part),
        }
    }
    out
}
