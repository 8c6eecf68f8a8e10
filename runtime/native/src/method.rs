//! Methods of texts, numbers, arrays, objects, buffers and dates. `None` is a bail-out.
//!
//! Places in texts are counted in UTF-16 units, as JavaScript counts them. Texts of ASCII, nearly all, need no counting;
//! for others a result that would begin or end inside a pair of units is left to the engine.

use crate::{buffers, dates, locale, ops, regex, texts};
use vgdc_plan::native::{Method, Mutation};
use vgdc_value::{Array, Value, number};

/// The longest text that is made by repeating.
const LONGEST: usize = 1 << 24;

/// Calls a method that changes nothing.
pub(crate) fn call(which: Method, receiver: &Value, args: &[Value]) -> Option<Value> {
    match receiver {
        Value::Str(text) => of_text(which, text, args),
        Value::Number(n) => of_number(which, *n, args),
        Value::Array(items) => of_array(which, receiver, items, args),
        Value::Bool(_) if which == Method::ToString => Some(Value::from(receiver.to_js_string())),
        Value::Bool(_) if which == Method::ValueOf => Some(receiver.clone()),
        Value::Object(object) => match which {
            Method::HasOwnProperty if !object.contains_key("hasOwnProperty") => {
                let key = ops::to_text(args.first()?)?;
                Some(Value::Bool(object.contains_key(key.as_str()?)))
            }
            Method::ToString => ops::to_text(receiver),
            _ => None,
        },
        Value::Buffer(bytes) => buffers::method(which, bytes, args),
        Value::Date(ms) => dates::method(which, *ms, args),
        Value::Rare(_) => regex::method(which, receiver, args),
        _ => None,
    }
}

/// `ToIntegerOrInfinity` of an argument; `default` when it is not there.
fn integer(args: &[Value], at: usize, default: f64) -> Option<f64> {
    match args.get(at) {
        None | Some(Value::Undefined) => Some(default),
        Some(value) => {
            let n = ops::to_number(value)?;
            Some(if n.is_nan() { 0.0 } else { n.trunc() })
        }
    }
}

/// A place from the beginning, or when negative from the end, within a length.
fn relative(n: f64, length: usize) -> usize {
    let length = length as f64;
    let at = if n < 0.0 {
        (length + n).max(0.0)
    } else {
        n.min(length)
    };
    at as usize
}

fn of_number(which: Method, n: f64, args: &[Value]) -> Option<Value> {
    match which {
        Method::ToString => {
            let radix = integer(args, 0, 10.0)?;
            match radix {
                10.0 => Some(Value::from(number::to_js_string(n))),
                2.0..=36.0 if n.is_finite() && n.trunc() == n && n.abs() < 9.0e15 => {
                    Some(Value::from(number::to_radix(n, radix as u32)))
                }
                _ => None,
            }
        }
        Method::ToFixed => {
            let digits = integer(args, 0, 0.0)?;
            let fits = (0.0..=100.0).contains(&digits) && n.abs() < 1e21;
            fits.then(|| Value::from(number::to_fixed(n, digits as usize)))
        }
        Method::ValueOf => Some(Value::Number(n)),
        Method::ToLocaleString => locale::number(n, args),
        _ => None,
    }
}

/// How many UTF-16 units a text has.
fn length(text: &str) -> usize {
    if text.is_ascii() {
        text.len()
    } else {
        text.encode_utf16().count()
    }
}

/// The part of a text between two places.
fn part(text: &str, from: usize, to: usize) -> Option<Value> {
    if from >= to {
        return Some(Value::from(""));
    }
    if text.is_ascii() {
        return Some(Value::from(text.get(from..to)?));
    }
    let units: Vec<u16> = text.encode_utf16().skip(from).take(to - from).collect();
    String::from_utf16(&units).ok().map(Value::from)
}

/// Where a text is in another one.
fn place(text: &str, found: Option<usize>) -> Value {
    Value::Number(match found {
        Some(at) => length(&text[..at]) as f64,
        None => -1.0,
    })
}

fn one_text(args: &[Value]) -> Option<&str> {
    match args {
        [Value::Str(text)] => Some(text),
        _ => None,
    }
}

fn of_text(which: Method, text: &str, args: &[Value]) -> Option<Value> {
    let clamp = |n: f64, most: usize| n.clamp(0.0, most as f64) as usize;
    if let Some((pattern @ Value::Rare(_), rest)) = args.split_first() {
        return regex::of_text(which, text, pattern, rest);
    }
    Some(match which {
        Method::ToString | Method::ValueOf => Value::from(text),
        Method::LocaleCompare => {
            let order = texts::by_locale(text, one_text(args)?)?;
            Value::Number(f64::from(order as i8))
        }
        Method::At => {
            let (at, most) = (integer(args, 0, 0.0)?, length(text) as f64);
            let at = if at < 0.0 { at + most } else { at };
            match (0.0..most).contains(&at) {
                true => part(text, at as usize, at as usize + 1)?,
                false => Value::Undefined,
            }
        }
        Method::ToUpperCase => Value::from(text.to_uppercase()),
        Method::ToLowerCase => Value::from(text.to_lowercase()),
        Method::Trim => Value::from(text.trim_matches(number::is_js_space)),
        Method::TrimStart => Value::from(text.trim_start_matches(number::is_js_space)),
        Method::TrimEnd => Value::from(text.trim_end_matches(number::is_js_space)),
        Method::Split => split(text, args)?,
        Method::IndexOf => place(text, text.find(one_text(args)?)),
        Method::LastIndexOf => place(text, text.rfind(one_text(args)?)),
        Method::Includes => Value::Bool(text.contains(one_text(args)?)),
        Method::StartsWith => Value::Bool(text.starts_with(one_text(args)?)),
        Method::EndsWith => Value::Bool(text.ends_with(one_text(args)?)),
        Method::Substring => {
            let most = length(text);
            let (a, b) = (integer(args, 0, 0.0)?, integer(args, 1, most as f64)?);
            let (a, b) = (clamp(a, most), clamp(b, most));
            part(text, a.min(b), a.max(b))?
        }
        Method::Slice => {
            let most = length(text);
            let from = relative(integer(args, 0, 0.0)?, most);
            part(text, from, relative(integer(args, 1, most as f64)?, most))?
        }
        Method::Substr => {
            let most = length(text);
            let from = relative(integer(args, 0, 0.0)?, most);
            let count = clamp(integer(args, 1, most as f64)?, most - from);
            part(text, from, from + count)?
        }
        Method::CharAt => match integer(args, 0, 0.0)? {
            at if at < 0.0 || at >= length(text) as f64 => Value::from(""),
            at => part(text, at as usize, at as usize + 1)?,
        },
        Method::CharCodeAt => match integer(args, 0, 0.0)? {
            at if at < 0.0 => Value::Number(f64::NAN),
            at => {
                let unit = text.encode_utf16().nth(at.min(4e9) as usize);
                Value::Number(unit.map_or(f64::NAN, f64::from))
            }
        },
        Method::Replace | Method::ReplaceAll => {
            let [Value::Str(from), Value::Str(to)] = args else {
                return None;
            };
            if to.contains('$') || from.is_empty() {
                return None;
            }
            Value::from(match which {
                Method::Replace => text.replacen(&**from, to, 1),
                _ => text.replace(&**from, to),
            })
        }
        Method::Repeat => {
            let count = integer(args, 0, 0.0)?;
            let fits = count >= 0.0 && count * text.len() as f64 <= LONGEST as f64;
            Value::from(fits.then(|| text.repeat(count as usize))?)
        }
        Method::PadStart | Method::PadEnd => pad(which, text, args)?,
        Method::Concat => {
            let mut whole = text.to_owned();
            for arg in args {
                whole.push_str(ops::to_text(arg)?.as_str()?);
            }
            Value::from(whole)
        }
        _ => return None,
    })
}

fn split(text: &str, args: &[Value]) -> Option<Value> {
    let parts: Vec<Value> = match args {
        [] | [Value::Undefined] => vec![Value::from(text)],
        [Value::Str(by)] if by.is_empty() => {
            if !text.is_ascii() {
                return None;
            }
            text.char_indices()
                .map(|(at, _)| Value::from(&text[at..=at]))
                .collect()
        }
        [Value::Str(by)] => text.split(&**by).map(Value::from).collect(),
        _ => return None,
    };
    Some(Value::Array(Array::from(parts)))
}

fn pad(which: Method, text: &str, args: &[Value]) -> Option<Value> {
    let fill = match args.get(1) {
        None | Some(Value::Undefined) => " ",
        Some(Value::Str(fill)) if fill.is_ascii() => fill,
        Some(_) => return None,
    };
    let (own, wanted) = (length(text) as f64, integer(args, 0, 0.0)?);
    if wanted <= own || fill.is_empty() {
        return Some(Value::from(text));
    }
    if wanted > LONGEST as f64 {
        return None;
    }
    let missing = (wanted - own) as usize;
    let filling: String = fill.chars().cycle().take(missing).collect();
    Some(Value::from(match which {
        Method::PadStart => filling + text,
        _ => text.to_owned() + &filling,
    }))
}

/// Where an element is that is a primitive.
fn position(items: &[Value], wanted: &Value, backwards: bool) -> Option<Option<usize>> {
    let plain = matches!(
        wanted,
        Value::Undefined | Value::Null | Value::Bool(_) | Value::Number(_) | Value::Str(_)
    );
    if !plain {
        return None;
    }
    let is =
        |item: &Value| !matches!(item, Value::Rare(_) | Value::Handle(_)) && item.strict_eq(wanted);
    Some(match backwards {
        false => items.iter().position(is),
        true => items.iter().rposition(is),
    })
}

fn of_array(which: Method, receiver: &Value, items: &Array, args: &[Value]) -> Option<Value> {
    let at = |found: Option<usize>| Value::Number(found.map_or(-1.0, |at| at as f64));
    Some(match which {
        Method::ToString => ops::to_text(receiver)?,
        Method::Join => {
            let by = match args {
                [] | [Value::Undefined] => Value::from(","),
                [by] => ops::to_text(by)?,
                _ => return None,
            };
            let by = by.as_str()?;
            let mut whole = String::new();
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    whole.push_str(by);
                }
                if !item.is_nullish() {
                    whole.push_str(ops::to_text(item)?.as_str()?);
                }
            }
            Value::from(whole)
        }
        Method::IndexOf | Method::LastIndexOf => match args {
            [wanted] => at(position(items, wanted, which == Method::LastIndexOf)?),
            _ => return None,
        },
        Method::Includes => match args {
            [Value::Number(n)] if n.is_nan() => Value::Bool(
                items
                    .iter()
                    .any(|item| item.as_f64().is_some_and(f64::is_nan)),
            ),
            [wanted] => Value::Bool(position(items, wanted, false)?.is_some()),
            _ => return None,
        },
        Method::Slice => {
            let most = items.len();
            let from = relative(integer(args, 0, 0.0)?, most);
            let to = relative(integer(args, 1, most as f64)?, most);
            let part = items.get(from..to.max(from)).unwrap_or_default();
            Value::Array(Array::from(part.to_vec()))
        }
        Method::Concat => {
            let mut whole = items.to_vec();
            for arg in args {
                match arg {
                    Value::Array(more) => whole.extend(more.iter().cloned()),
                    Value::Handle(_) | Value::Rare(_) => return None,
                    other => whole.push(other.clone()),
                }
            }
            Value::Array(Array::from(whole))
        }
        Method::At => {
            let at = integer(args, 0, 0.0)?;
            let at = if at < 0.0 {
                at + items.len() as f64
            } else {
                at
            };
            let found = ops::index_of(at).and_then(|at| items.get(at));
            found.cloned().unwrap_or_default()
        }
        Method::Flat if args.is_empty() => {
            let mut whole = Vec::new();
            for item in items {
                match item {
                    Value::Array(inner) => whole.extend(inner.iter().cloned()),
                    Value::Handle(_) | Value::Rare(_) => return None,
                    other => whole.push(other.clone()),
                }
            }
            Value::Array(Array::from(whole))
        }
        _ => return None,
    })
}

/// Calls a method that changes its receiver.
pub(crate) fn mutate(which: Mutation, receiver: &mut Value, args: &mut [Value]) -> Option<Value> {
    let array = match receiver {
        Value::Array(array) => array,
        Value::Date(ms) => return dates::mutate(which, ms, args),
        Value::Buffer(bytes) => return buffers::write(which, bytes, args),
        _ => return None,
    };
    // (they give their receiver)
    let whole = match which {
        Mutation::Reverse => {
            array.make_mut().reverse();
            true
        }
        Mutation::Sort if args.is_empty() => {
            sort(array)?;
            true
        }
        Mutation::SortBy => {
            sort_by(array, args)?;
            true
        }
        Mutation::Fill => {
            let [value] = args else {
                return None;
            };
            array
                .make_mut()
                .iter_mut()
                .for_each(|item| item.clone_from(value));
            true
        }
        _ => false,
    };
    if whole {
        return Some(receiver.clone());
    }
    let items = array.make_mut();
    Some(match which {
        Mutation::Push => {
            items.extend(args.iter_mut().map(std::mem::take));
            Value::from(items.len())
        }
        Mutation::Pop => items.pop().unwrap_or_default(),
        Mutation::Shift if items.is_empty() => Value::Undefined,
        Mutation::Shift => items.remove(0),
        Mutation::Unshift => {
            items.splice(0..0, args.iter_mut().map(std::mem::take));
            Value::from(items.len())
        }
        Mutation::Splice => {
            if args.is_empty() {
                return Some(Value::Array(Array::new()));
            }
            let from = relative(integer(args, 0, 0.0)?, items.len());
            let rest = (items.len() - from) as f64;
            let count = match args.len() {
                1 => rest,
                _ => integer(args, 1, 0.0)?.clamp(0.0, rest),
            };
            let new: Vec<Value> = args.iter_mut().skip(2).map(std::mem::take).collect();
            let gone: Vec<Value> = items.splice(from..from + count as usize, new).collect();
            Value::Array(Array::from(gone))
        }
        _ => return None,
    })
}

/// Sorts by the texts of the elements; what is undefined comes last.
fn sort(array: &mut Array) -> Option<()> {
    let mut keyed = Vec::with_capacity(array.len());
    for item in array.iter() {
        let text = match item {
            Value::Undefined => None,
            other => Some(ops::to_text(other)?),
        };
        keyed.push((text, item.clone()));
    }
    let text = |key: &Option<Value>| key.as_ref().and_then(Value::as_str).map(str::to_owned);
    keyed.sort_by(|(a, _), (b, _)| match (text(a), text(b)) {
        (Some(a), Some(b)) => texts::by_units(&a, &b),
        (a, b) => a.is_none().cmp(&b.is_none()),
    });
    *array = keyed.into_iter().map(|(_, item)| item).collect();
    Some(())
}

/// Sorts by keys, which are given beside: upwards (0) or downwards (1) as numbers, or (2, 3) as texts in the order of
/// dictionaries. Keys that have no order are left to the engine, as is what is undefined.
fn sort_by(array: &mut Array, args: &[Value]) -> Option<()> {
    let [Value::Array(keys), Value::Number(mode)] = args else {
        return None;
    };
    if keys.len() != array.len() || array.iter().any(Value::is_undefined) {
        return None;
    }
    let (down, by_text) = (mode % 2.0 == 1.0, *mode >= 2.0);
    let mut failed = false;
    let mut order: Vec<usize> = (0..keys.len()).collect();
    let numbers: Vec<f64> = match by_text {
        true => Vec::new(),
        false => keys.iter().map(ops::to_number).collect::<Option<_>>()?,
    };
    // (the difference of two infinities is no number)
    if !numbers.iter().all(|n| n.is_finite()) {
        return None;
    }
    order.sort_by(|a, b| {
        let order = match by_text {
            false => numbers[*a].partial_cmp(&numbers[*b]),
            true => match (keys[*a].as_str(), keys[*b].as_str()) {
                (Some(a), Some(b)) => texts::by_locale(a, b),
                _ => None,
            },
        };
        failed |= order.is_none();
        let order = order.unwrap_or(std::cmp::Ordering::Equal);
        if down { order.reverse() } else { order }
    });
    if failed {
        return None;
    }
    *array = order.into_iter().map(|at| array[at].clone()).collect();
    Some(())
}
