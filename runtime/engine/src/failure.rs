//! What was thrown, as Node-RED hands it on: texts, lines, and `msg.error`.

use std::sync::Arc;

use vgdc_value::{ErrorValue, Object, Rare, Str, Value};

use crate::engine::{Inner, Overrun};
use crate::error::{CompileError, JsError, Phase};
use crate::export::export;
use crate::message;
use crate::native::node::to_message;
use crate::raw::{self, Ctx, JSValue, JsResult, Val, qjs};
use crate::texts::{self, Code};

/// The file name that stack traces give a text of a function node.
pub(crate) fn file_name(phase: Phase, id: &str, name: &str) -> String {
    let kind = match phase {
        Phase::Setup => " setup",
        Phase::Body => "",
        Phase::Close => " cleanup",
    };
    let name = if name.is_empty() {
        String::new()
    } else {
        format!(" [{name}]")
    };
    format!("Function node{kind}:{id}{name}")
}

/// The first position in a stack trace that lies in a function node's text: line and column as they stand there.
pub(crate) fn position(stack: &str) -> Option<(u32, u32)> {
    let line = stack
        .lines()
        .find(|line| line.trim_start().starts_with("at ") && line.contains("Function node"))?;
    let mut parts = line.trim_end_matches(')').rsplitn(3, ':');
    let column = parts.next()?.parse().ok()?;
    let line = parts.next()?.parse().ok()?;
    Some((line, column))
}

/// The first line of a text stands behind the wrapper's line.
fn user_line(line: u32) -> u32 {
    line.saturating_sub(1)
}

/// Lines of white space that were cut off the text the trace is about, as Node-RED cuts setup and close texts.
fn skipped_lines(inner: &Inner, stack: &str) -> u32 {
    let Some(realm) = inner.current() else {
        return 0;
    };
    let at = match stack {
        stack if stack.contains("Function node setup:") => 0,
        stack if stack.contains("Function node cleanup:") => 2,
        _ => 1,
    };
    realm.info.skipped[at]
}

/// The pending exception of a body, setup or timer as an error. None: it was `undefined`, which Node-RED takes for success.
pub(crate) fn pending(ctx: Ctx, inner: &Inner, msg: Option<JSValue>) -> Option<JsError> {
    match ctx.take_exception() {
        Some(error) => thrown(ctx, inner, error.raw(), msg),
        None => Some(stopped(ctx, inner, msg)),
    }
}

/// What the interrupt handler stopped.
fn stopped(ctx: Ctx, inner: &Inner, msg: Option<JSValue>) -> JsError {
    let value = overrun(inner);
    let message = value.to_js_string();
    JsError {
        value,
        message,
        line: 0,
        column: 0,
        msg: msg.and_then(|msg| leave(ctx, inner, msg)),
    }
}

/// The message as it is now; None when it cannot leave (it nests too deep).
fn leave(ctx: Ctx, inner: &Inner, msg: JSValue) -> Option<vgdc_value::Msg> {
    match export(ctx, inner, msg, None) {
        Ok(value) => Some(to_message(value)),
        Err(_) => {
            drop(ctx.take_exception());
            message::is_message(inner, msg).then(|| message::base(inner, msg).into())
        }
    }
}

/// The error for code that was stopped, with Node's text and code.
pub(crate) fn overrun(inner: &Inner) -> Value {
    let mut properties = Object::new();
    let message = match inner.watch.take_overrun() {
        Some(Overrun::Time(ms)) => {
            properties.insert("code", "ERR_SCRIPT_EXECUTION_TIMEOUT");
            format!("Script execution timed out after {ms}ms")
        }
        Some(Overrun::Memory) | None => "JavaScript heap out of memory".to_owned(),
    };
    let stack = format!("Error: {message}");
    let error = ErrorValue {
        name: Str::from("Error"),
        message: Str::from(message),
        stack: Str::from(stack),
        properties,
    };
    Value::Rare(Arc::new(Rare::Error(error)))
}

/// What a body threw or rejected with.
pub(crate) fn thrown(
    ctx: Ctx,
    inner: &Inner,
    error: JSValue,
    msg: Option<JSValue>,
) -> Option<JsError> {
    match thrown_inside(ctx, inner, error, msg) {
        Ok(failure) => failure,
        // Looking at the error failed itself (a throwing getter): say so rather than nothing.
        Err(_) => {
            drop(ctx.take_exception());
            let text = "an error that cannot be shown".to_owned();
            let msg = msg.and_then(|msg| leave(ctx, inner, msg));
            Some(JsError {
                value: Value::from(text.as_str()),
                message: text,
                line: 0,
                column: 0,
                msg,
            })
        }
    }
}

fn thrown_inside(
    ctx: Ctx,
    inner: &Inner,
    error: JSValue,
    msg: Option<JSValue>,
) -> JsResult<Option<JsError>> {
    let (mut line, mut column) = (0, 0);
    let value = if raw::is_object(error) && has_stack(ctx, error)? {
        let stack = ctx.text(ctx.get_named(error, c"stack")?.raw())?;
        if let Some((at, col)) = position(&stack) {
            (line, column) = (user_line(at) + skipped_lines(inner, &stack), col);
        }
        if let Some(msg) = msg {
            ctx.set_named(msg, c"error", ctx.dup(error))?;
        }
        if let Some(message) = reference_error(&stack).filter(|_| msg.is_some()) {
            let message = ctx.string(&message)?;
            ctx.set_named(error, c"message", message)?;
        }
        export(ctx, inner, error, None)?
    } else if raw::is_string(error) || msg.is_none() {
        export(ctx, inner, error, None)?
    } else {
        // SAFETY: all values are live.
        let text = ctx.check(unsafe {
            qjs::JS_JSONStringify(ctx.raw(), error, qjs::JS_UNDEFINED, qjs::JS_UNDEFINED)
        })?;
        if raw::is_undefined(text.raw()) {
            return Ok(None);
        }
        export(ctx, inner, text.raw(), None)?
    };
    let message = value.to_js_string();
    let msg = msg.and_then(|msg| leave(ctx, inner, msg));
    Ok(Some(JsError {
        value,
        message,
        line,
        column,
        msg,
    }))
}

fn has_stack(ctx: Ctx, error: JSValue) -> JsResult<bool> {
    // SAFETY: the value is live.
    if unsafe { qjs::JS_IsError(error) } {
        return Ok(true);
    }
    let stack = ctx.atom("stack")?;
    // SAFETY: both are live; no descriptor is asked for.
    match unsafe { qjs::JS_GetOwnProperty(ctx.raw(), std::ptr::null_mut(), error, stack.raw()) } {
        found if found < 0 => Err(raw::Thrown),
        found => Ok(found > 0),
    }
}

/// Node-RED puts the place into the message of reference errors, and only of those.
fn reference_error(stack: &str) -> Option<String> {
    let mut lines = stack
        .lines()
        .skip_while(|line| !line.starts_with("ReferenceError"));
    let head = lines.next()?;
    let place = lines.next().and_then(|line| {
        let mut parts = line.trim_end().rsplitn(3, ':');
        let (column, line) = (
            parts.next()?.parse::<u32>().ok()?,
            parts.next()?.parse::<u32>().ok()?,
        );
        Some(format!(" (line {}, col {column})", user_line(line)))
    });
    Some(format!("{head}{}", place.unwrap_or_default()))
}

/// The error that a body gave to `node.done`, as it is.
pub(crate) fn from_done(
    ctx: Ctx,
    inner: &Inner,
    error: JSValue,
    msg: JSValue,
) -> JsResult<JsError> {
    let value = export(ctx, inner, error, None)?;
    let position = match &value {
        Value::Rare(rare) => match &**rare {
            Rare::Error(error) => position(&error.stack),
            _ => None,
        },
        _ => None,
    };
    let (line, column) = position.map_or((0, 0), |(line, column)| (user_line(line), column));
    let message = value.to_js_string();
    let msg = if raw::is_object(msg) {
        Some(to_message(export(ctx, inner, msg, None)?))
    } else {
        None
    };
    Ok(JsError {
        value,
        message,
        line,
        column,
        msg,
    })
}

/// The pending exception of compiling a text.
pub(crate) fn compile(ctx: Ctx, phase: Phase, source: &str) -> CompileError {
    let Some(error) = ctx.take_exception() else {
        return broken(phase, "Error", "JavaScript heap out of memory", None);
    };
    let text = |name| read_text(ctx, &error, name);
    let name = text(c"name").unwrap_or_else(|| "SyntaxError".to_owned());
    let place = text(c"stack").as_deref().and_then(position);
    let code = place.and_then(|(line, column)| Code::at(source, user_line(line), column));
    let message = texts::syntax(&text(c"message").unwrap_or_default(), code);
    broken(phase, &name, &message, place)
}

fn read_text(ctx: Ctx, error: &Val, name: &std::ffi::CStr) -> Option<String> {
    let text = ctx
        .get_named(error.raw(), name)
        .and_then(|value| ctx.text(value.raw()));
    text.inspect_err(|_| drop(ctx.take_exception())).ok()
}

/// A compile error from its parts; `place` as it stands in the wrapped text.
pub(crate) fn broken(
    phase: Phase,
    name: &str,
    message: &str,
    place: Option<(u32, u32)>,
) -> CompileError {
    let (line, column) = place.map_or((0, 0), |(line, column)| (user_line(line), column));
    // The lines Node-RED counts in front of a setup or close text are its own wrapper's.
    let (kind, wrapper) = match phase {
        Phase::Setup => ("setup", 16),
        Phase::Body => ("body", 0),
        Phase::Close => ("cleanup", 15),
    };
    let message = match line {
        0 => message.to_owned(),
        line => format!("{message} ({kind}:line {})", line + wrapper),
    };
    let error = ErrorValue {
        name: Str::from(name),
        message: Str::from(message.as_str()),
        stack: Str::from(format!("{name}: {message}")),
        properties: Object::new(),
    };
    let value = Value::Rare(Arc::new(Rare::Error(error)));
    CompileError {
        message: format!("{name}: {message}"),
        line,
        column,
        phase,
        value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_found_in_stacks() {
        let stack = "TypeError: x\n    at f (Function node:ab12 [a:b]:3:7)\n    at Function node:ab12 [a:b]:9:1";
        assert_eq!(position(stack), Some((3, 7)));
        assert_eq!(position("Error: at 3:4"), None);
    }

    #[test]
    fn reference_errors_carry_their_place() {
        let stack = "ReferenceError: x is not defined\n    at Function node:a:3:7";
        assert_eq!(
            reference_error(stack).as_deref(),
            Some("ReferenceError: x is not defined (line 2, col 7)")
        );
        assert_eq!(
            reference_error("TypeError: y\n    at Function node:a:3:7"),
            None
        );
    }
}
