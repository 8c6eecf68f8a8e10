//! What the variables, functions and methods that a function node has by birth take to compile.

use super::Support;

/// A variable that no text has to declare, and what a use of it takes. `None`: no function node has it.
pub(super) fn global(name: &str) -> Option<Support> {
    Some(match name {
        "undefined" | "NaN" | "Infinity" | "Math" | "Number" | "Boolean" | "isNaN" | "isFinite" => {
            Support::Native
        }
        "flow" | "global" | "context" | "env" => Support::Native,
        "Array" | "Date" | "JSON" | "Object" | "RegExp" | "String" | "console" | "parseFloat"
        | "parseInt" => Support::Helper,
        "Error" | "EvalError" | "RangeError" | "ReferenceError" | "SyntaxError" | "TypeError"
        | "URIError" => Support::Helper,
        "decodeURI" | "decodeURIComponent" | "encodeURI" | "encodeURIComponent" | "escape"
        | "unescape" => Support::Helper,
        "RED" => Support::Helper,
        "AggregateError" | "ArrayBuffer" | "Atomics" | "BigInt" | "BigInt64Array"
        | "BigUint64Array" | "Buffer" | "DataView" => Support::Engine,
        "FinalizationRegistry"
        | "Float32Array"
        | "Float64Array"
        | "Function"
        | "Int16Array"
        | "Int32Array"
        | "Int8Array" => Support::Engine,
        "Intl" | "Map" | "Promise" | "Proxy" | "Reflect" | "Set" | "SharedArrayBuffer"
        | "Symbol" | "Uint16Array" => Support::Engine,
        "Uint32Array" | "Uint8Array" | "Uint8ClampedArray" | "URL" | "URLSearchParams"
        | "WeakMap" | "WeakRef" | "WeakSet" => Support::Engine,
        "eval" | "globalThis" | "promisify" | "util" => Support::Engine,
        "clearInterval" | "clearTimeout" | "setInterval" | "setTimeout" => Support::Engine,
        _ => return None,
    })
}

/// What makes code outlive its call, when it is used.
pub(super) fn outlives(name: &str) -> bool {
    matches!(
        name,
        "setTimeout" | "setInterval" | "setImmediate" | "Promise" | "promisify" | "queueMicrotask"
    )
}

/// A method of a value that may be anything. `None`: of an object whose behaviour is not known.
pub(super) fn method(name: &str) -> Option<Support> {
    let array = matches!(
        name,
        "concat"
            | "entries"
            | "every"
            | "fill"
            | "filter"
            | "find"
            | "findIndex"
            | "findLast"
            | "findLastIndex"
            | "flat"
            | "flatMap"
            | "forEach"
            | "includes"
            | "indexOf"
            | "join"
            | "keys"
            | "lastIndexOf"
            | "map"
            | "pop"
            | "push"
            | "reduce"
            | "reduceRight"
            | "reverse"
            | "shift"
            | "slice"
            | "some"
            | "sort"
            | "splice"
            | "unshift"
            | "values"
    );
    let text = matches!(
        name,
        "at" | "charAt"
            | "charCodeAt"
            | "codePointAt"
            | "endsWith"
            | "match"
            | "matchAll"
            | "padEnd"
            | "padStart"
            | "repeat"
            | "replace"
            | "replaceAll"
            | "search"
            | "split"
            | "startsWith"
            | "substr"
            | "substring"
            | "toLowerCase"
            | "toUpperCase"
            | "trim"
            | "trimEnd"
            | "trimLeft"
            | "trimRight"
            | "trimStart"
    );
    let other = matches!(
        name,
        "exec"
            | "hasOwnProperty"
            | "test"
            | "toExponential"
            | "toFixed"
            | "toPrecision"
            | "toString"
            | "valueOf"
    );
    (array || text || other || is_date_method(name)).then_some(Support::Helper)
}

/// The methods of dates are their parts, with a verb, and their forms. (Those that speak the user's language are not among
/// them.)
fn is_date_method(name: &str) -> bool {
    if matches!(
        name,
        "toISOString"
            | "toJSON"
            | "toDateString"
            | "toTimeString"
            | "toUTCString"
            | "getTimezoneOffset"
    ) {
        return true;
    }
    let Some(part) = name
        .strip_prefix("get")
        .or_else(|| name.strip_prefix("set"))
    else {
        return false;
    };
    let part = part.strip_prefix("UTC").unwrap_or(part);
    matches!(
        part,
        "Date"
            | "Day"
            | "FullYear"
            | "Hours"
            | "Milliseconds"
            | "Minutes"
            | "Month"
            | "Seconds"
            | "Time"
            | "Year"
    )
}

/// A property of the `node` of a function node, and what a call of it takes.
pub(super) fn node_member(name: &str) -> Option<Support> {
    match name {
        "send" | "status" | "log" | "warn" | "error" | "debug" | "trace" | "done" => {
            Some(Support::Native)
        }
        "id" | "name" | "path" | "outputCount" => Some(Support::Native),
        "on" | "linkcall" => Some(Support::Engine),
        _ => None,
    }
}
