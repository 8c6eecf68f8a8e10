//! The JavaScript part of the sandbox, compiled to bytecode once an engine and evaluated in a context when first needed.

use std::collections::HashMap;
use std::ffi::CStr;

use crate::raw::{Ctx, JsResult, Val, qjs};

/// One file of `js/`: a function that takes the native helpers and returns what it provides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Lib {
    Stack,
    Core,
    Buffer,
    Text,
    Url,
    Util,
    Red,
    Intl,
    Http,
}

impl Lib {
    const ALL: [Lib; 9] = [
        Lib::Stack,
        Lib::Core,
        Lib::Buffer,
        Lib::Text,
        Lib::Url,
        Lib::Util,
        Lib::Red,
        Lib::Intl,
        Lib::Http,
    ];

    /// The library that the sandbox asks for by this name.
    pub(crate) fn named(name: &str) -> Option<Lib> {
        Lib::ALL
            .into_iter()
            .find(|lib| lib.file().to_bytes().strip_prefix(b"vgdc:") == Some(name.as_bytes()))
    }

    fn file(self) -> &'static CStr {
        match self {
            Lib::Stack => c"vgdc:stack",
            Lib::Core => c"vgdc:core",
            Lib::Buffer => c"vgdc:buffer",
            Lib::Text => c"vgdc:text",
            Lib::Url => c"vgdc:url",
            Lib::Util => c"vgdc:util",
            Lib::Red => c"vgdc:red",
            Lib::Intl => c"vgdc:intl",
            Lib::Http => c"vgdc:http",
        }
    }

    fn source(self) -> &'static str {
        match self {
            Lib::Stack => include_str!("../js/stack.js"),
            Lib::Core => include_str!("../js/core.js"),
            Lib::Buffer => include_str!("../js/buffer.js"),
            Lib::Text => include_str!("../js/text.js"),
            Lib::Url => include_str!("../js/url.js"),
            Lib::Util => include_str!("../js/util.js"),
            Lib::Red => include_str!("../js/red.js"),
            Lib::Intl => include_str!("../js/intl.js"),
            Lib::Http => include_str!("../js/http.js"),
        }
    }
}

/// The bytecode of all libraries.
#[derive(Default)]
pub(crate) struct Libs {
    code: HashMap<Lib, Vec<u8>>,
}

impl Libs {
    pub(crate) fn compile(ctx: Ctx) -> JsResult<Libs> {
        let code = Lib::ALL
            .into_iter()
            .map(|lib| Ok((lib, bytecode(ctx, lib)?)))
            .collect::<JsResult<_>>()?;
        Ok(Libs { code })
    }

    /// The library's function, in this context.
    pub(crate) fn load(&self, ctx: Ctx, lib: Lib) -> JsResult<Val> {
        let code = self.code.get(&lib).map(Vec::as_slice).unwrap_or_default();
        // SAFETY: pointer and length describe bytecode that this very QuickJS wrote; `EvalFunction` takes over its value.
        unsafe {
            let flags = qjs::JS_READ_OBJ_BYTECODE as i32;
            let script = ctx.check(qjs::JS_ReadObject(
                ctx.raw(),
                code.as_ptr(),
                code.len() as qjs::size_t,
                flags,
            ))?;
            ctx.check(qjs::JS_EvalFunction(ctx.raw(), script.into_raw()))
        }
    }
}

fn bytecode(ctx: Ctx, lib: Lib) -> JsResult<Vec<u8>> {
    let flags = qjs::JS_EVAL_FLAG_COMPILE_ONLY | qjs::JS_EVAL_FLAG_STRICT;
    let script = ctx.eval(lib.source(), lib.file(), 1, flags)?;
    let mut len: qjs::size_t = 0;
    let flags = (qjs::JS_WRITE_OBJ_BYTECODE | qjs::JS_WRITE_OBJ_STRIP_SOURCE) as i32;
    // SAFETY: the script is live; QuickJS returns `len` bytes that are freed here once.
    unsafe {
        let data = qjs::JS_WriteObject(ctx.raw(), &mut len, script.raw(), flags);
        if data.is_null() {
            return Err(crate::raw::Thrown);
        }
        let code = std::slice::from_raw_parts(data, len as usize).to_vec();
        qjs::js_free(ctx.raw(), data.cast());
        Ok(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_library_is_found_by_its_name() {
        for lib in Lib::ALL {
            let name = lib
                .file()
                .to_str()
                .map(|file| file.trim_start_matches("vgdc:"))
                .unwrap_or_default();
            assert_eq!(Lib::named(name), Some(lib));
        }
        assert_eq!(Lib::named("fs"), None);
    }
}
