//! What was expected, held against what came.

use crate::Failure;
use crate::file::Answer;
use crate::http_step::Answered;
use crate::matcher::Matcher;
use serde_json::Value as Json;
use vgdc_value::Value;

pub(crate) fn answer_is(
    answered: &Answered,
    wanted: &Answer,
    line: u64,
) -> Result<Vec<Failure>, Failure> {
    let mut failures = Vec::new();
    let mut check = |what: &str, wanted: &Json, got: &Value| -> Result<(), Failure> {
        if let Err(wrong) = Matcher::read(wanted, false, line)?.check(got) {
            let mut failure = Failure::new(line, format!("the answer's {}", wrong.told(what)));
            failure
                .detail
                .push(String::from_utf8_lossy(&answered.body).into_owned());
            failures.push(failure);
        }
        Ok(())
    };
    if let Some(status) = &wanted.status {
        check("status", status, &Value::Number(f64::from(answered.status)))?;
    }
    for (name, header) in &wanted.headers {
        let small = name.to_lowercase();
        let got = answered.headers.iter().find(|(known, _)| *known == small);
        let got = got.map_or(Value::Undefined, |(_, value)| Value::from(value.as_str()));
        check(&format!("header {name}"), header, &got)?;
    }
    if let Some(body) = &wanted.body {
        let text = String::from_utf8(answered.body.clone());
        let got = match text {
            Err(bytes) => Value::Buffer(bytes.into_bytes().into()),
            Ok(text) if body.is_string() => Value::from(text),
            Ok(text) => vgdc_value::json::parse(&text).unwrap_or_else(|_| Value::from(text)),
        };
        check("body", body, &got)?;
    }
    Ok(failures)
}

impl crate::matcher::Mismatch {
    /// What is wrong, below a name.
    pub(crate) fn told(&self, name: &str) -> String {
        let place = match self.path.as_str() {
            "" => name.to_owned(),
            path if path.starts_with('[') || name.is_empty() => format!("{name}{path}"),
            path => format!("{name}.{path}"),
        };
        format!("{place}: expected {}, got {}", self.expected, self.got)
    }
}

/// Whether an expected error is about its text.
pub(crate) fn is_about_text(wanted: &Json) -> bool {
    match wanted {
        Json::String(_) => true,
        Json::Object(map) => map
            .keys()
            .all(|key| ["$regex", "$contains", "$any", "$length"].contains(&key.as_str())),
        _ => false,
    }
}

/// Compares what came with a list of what must have come, or with how many.
pub(crate) fn compared(
    what: &str,
    each: &str,
    wanted: &Json,
    got: &[Value],
    line: u64,
) -> Result<Option<Failure>, Failure> {
    let many = |n: usize| match (n, each) {
        (0, _) => format!("no {each}"),
        (1, _) => format!("1 {each}"),
        (n, "status") => format!("{n} statuses"),
        (n, _) => format!("{n} {each}s"),
    };
    let all = || got.iter().map(crate::matcher::shown).collect();
    let fail = |message: String| {
        Ok(Some(Failure {
            line,
            message,
            detail: all(),
        }))
    };
    match wanted {
        Json::Number(count) => match count.as_u64() {
            Some(count) if count == got.len() as u64 => Ok(None),
            Some(count) => fail(format!(
                "{what} {}, expected {}",
                many(got.len()),
                many(count as usize)
            )),
            None => Err(Failure::new(
                line,
                format!("{count} cannot be how many there are"),
            )),
        },
        Json::Array(list) => {
            for (index, (wanted, got)) in list.iter().zip(got).enumerate() {
                let open = wanted.as_object().is_some_and(|map| !map.is_empty());
                if let Err(wrong) = Matcher::read(wanted, open, line)?.check(got) {
                    let place = if list.len() > 1 {
                        format!("{each} {}, ", index + 1)
                    } else {
                        String::new()
                    };
                    return fail(format!("{what}: {place}{}", wrong.told("")));
                }
            }
            match list.len() == got.len() {
                true => Ok(None),
                false => fail(format!(
                    "{what} {}, expected {}",
                    many(got.len()),
                    many(list.len())
                )),
            }
        }
        Json::Object(map) if map.keys().all(|key| key.starts_with('$')) && !map.is_empty() => {
            let list = Value::from(got.to_vec());
            match Matcher::read(wanted, false, line)?.check(&list) {
                Ok(()) => Ok(None),
                Err(wrong) => fail(format!("{what}: {}", wrong.told(""))),
            }
        }
        other => Err(Failure::new(
            line,
            format!("expected a list, or how many, not {other}"),
        )),
    }
}

/// What a node sent: a list over all outputs, how many, or by output from 1.
pub(crate) fn sent(
    name: &str,
    wanted: &Json,
    got: &[(usize, Value)],
    line: u64,
) -> Result<Vec<Failure>, Failure> {
    let of = |output: Option<usize>| -> Vec<Value> {
        let there = got
            .iter()
            .filter(|(from, _)| output.is_none_or(|output| output == *from));
        there.map(|(_, value)| value.clone()).collect()
    };
    match wanted {
        Json::Object(map) if !map.keys().any(|key| key.starts_with('$')) => {
            let mut failures = Vec::new();
            for (key, wanted) in map {
                let output = key.parse::<usize>().ok().filter(|output| *output > 0);
                let Some(output) = output else {
                    let message =
                        format!("`sends` by outputs has numbers from 1 for keys, not \"{key}\"");
                    return Err(Failure::new(line, message));
                };
                let what = format!("\"{name}\" sent from output {output}");
                failures.extend(compared(
                    &what,
                    "message",
                    wanted,
                    &of(Some(output - 1)),
                    line,
                )?);
            }
            Ok(failures)
        }
        _ => Ok(compared(
            &format!("\"{name}\" sent"),
            "message",
            wanted,
            &of(None),
            line,
        )?
        .into_iter()
        .collect()),
    }
}
