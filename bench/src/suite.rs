//! The built-in suite. Its flows are files (`bench/flows/`), which Node-RED opens as well.

use crate::case::{Case, Drive, PORT_VARIABLE, Pace, Port, Source};
use crate::figure::Kind::{Build, Cpu, MemoryIdle, MemoryLoad, P50, P99, P999, Rate, Start};
use crate::{figure::Kind, http, instrument};
use serde_json::Value;
use std::sync::Arc;

/// What flows that drive themselves report.
const OWN: &[Kind] = &[Rate, Cpu];
/// What a throughput case reports.
const THROUGHPUT: &[Kind] = &[Rate, Cpu, MemoryLoad];
/// What a latency case reports.
const LATENCY: &[Kind] = &[P50, P99, P999, Cpu];

/// The flow files.
const FLOWS: &[(&str, &str)] = &[
    ("chain", include_str!("../flows/chain.json")),
    ("fan-out", include_str!("../flows/fan-out.json")),
    ("fir", include_str!("../flows/fir.json")),
    ("mandelbrot", include_str!("../flows/mandelbrot.json")),
    ("split-join", include_str!("../flows/split-join.json")),
    ("template", include_str!("../flows/template.json")),
    ("jsonata", include_str!("../flows/jsonata.json")),
    ("http", include_str!("../flows/http.json")),
    ("tcp", include_str!("../flows/tcp.json")),
    ("mqtt", include_str!("../flows/mqtt.json")),
    ("start", include_str!("../flows/start.json")),
];

fn flow(name: &str) -> Result<Vec<Value>, String> {
    let text = FLOWS.iter().find(|(of, _)| *of == name);
    let (_, text) = text.ok_or_else(|| format!("the suite has no flow {name}"))?;
    serde_json::from_str(text).map_err(|e| format!("bench/flows/{name}.json: {e}"))
}

/// The cases whose names a regular expression matches, in the order in which they are run.
///
/// # Errors
/// It is no regular expression, or it matches none; the text says which there are.
pub fn cases(only: Option<&str>) -> Result<Vec<Case>, String> {
    let mut cases = all()?;
    let Some(only) = only else { return Ok(cases) };
    let pattern = regex::Regex::new(only)
        .map_err(|e| format!("--only {only}: it is no regular expression: {e}"))?;
    let names: Vec<String> = cases.iter().map(|case| case.name.clone()).collect();
    cases.retain(|case| pattern.is_match(&case.name));
    match cases.is_empty() {
        true => Err(format!(
            "--only {only}: no case of that name; there are {}",
            names.join(", ")
        )),
        false => Ok(cases),
    }
}

fn all() -> Result<Vec<Case>, String> {
    Ok(vec![
        own("chain", "chain of five function and five change nodes", OWN)?,
        own("fan-out", "fan-out of a 1 KB payload to ten nodes", OWN)?,
        own(
            "fir",
            "FIR filter of 32 taps over 1,000 numbers in a function",
            OWN,
        )?,
        own(
            "mandelbrot",
            "Mandelbrot, 64 × 64, at most 200 steps, in a function",
            OWN,
        )?,
        own(
            "split-join",
            "split of an array of 1,000 objects, change, join: arrays",
            OWN,
        )?,
        own("template", "mustache template with a section", OWN)?,
        own(
            "jsonata",
            "JSONata: a change with two rules, a switch with one",
            OWN,
        )?,
        socket(
            "http-throughput",
            "http in, function, http response: 32 connections",
            "http",
            web(),
            None,
        )?,
        socket(
            "http-latency",
            "the same: one connection, 500/s",
            "http",
            web(),
            Some(500.0),
        )?,
        socket(
            "tcp-throughput",
            "tcp lines, json, switch, change, function, json, tcp",
            "tcp",
            lines(),
            None,
        )?,
        socket(
            "tcp-latency",
            "the same at 1,000/s",
            "tcp",
            lines(),
            Some(1000.0),
        )?,
        socket(
            "mqtt-throughput",
            "mqtt in, function, mqtt out",
            "mqtt",
            topics(),
            None,
        )?,
        socket(
            "mqtt-latency",
            "the same at 1,000/s",
            "mqtt",
            topics(),
            Some(1000.0),
        )?,
        Case {
            name: "start".to_owned(),
            title: "start of the process to the first message".to_owned(),
            flow: Source::Nodes(flow("start")?),
            drive: Drive::Start("vgdc-bench: the first message"),
            flood: false,
            pace: Pace::None,
            figures: vec![Start, Build],
        },
        Case {
            name: "memory".to_owned(),
            title: "resident memory of the chain, before it is started and while it runs"
                .to_owned(),
            ..own("chain", "", &[MemoryIdle, MemoryLoad])?
        },
    ])
}

/// A flow that drives itself.
fn own(name: &str, title: &str, figures: &[Kind]) -> Result<Case, String> {
    Ok(Case {
        name: name.to_owned(),
        title: title.to_owned(),
        flow: Source::Nodes(instrument::add(&flow(name)?)?),
        drive: Drive::Own,
        flood: true,
        pace: Pace::None,
        figures: figures.to_vec(),
    })
}

/// A flow that is driven over a socket: as fast as it goes, or at a rate.
fn socket(
    name: &str,
    title: &str,
    file: &str,
    drive: Drive,
    rate: Option<f64>,
) -> Result<Case, String> {
    Ok(Case {
        name: name.to_owned(),
        title: title.to_owned(),
        flow: Source::Nodes(flow(file)?),
        drive,
        flood: rate.is_none(),
        pace: rate.map_or(Pace::None, Pace::Rate),
        figures: rate.map_or(THROUGHPUT, |_| LATENCY).to_vec(),
    })
}

fn web() -> Drive {
    Drive::Http {
        requests: Arc::new(|number| {
            let path = format!("/bench?n={number}&name=sensor");
            http::request("localhost", "GET", &path, None)
        }),
        connections: 32,
    }
}

fn lines() -> Drive {
    let line = |number: u64| {
        let kind = ["temperature", "humidity", "other"][(number % 3) as usize];
        let value = number % 50;
        format!("{{\"kind\":\"{kind}\",\"value\":{value},\"seq\":{number}}}\n").into_bytes()
    };
    Drive::Tcp {
        port: Port::Variable(PORT_VARIABLE.to_owned()),
        pieces: Arc::new(line),
        // (the flow adds no newline: an answer is an object without objects in it)
        end: b'}',
        check: Arc::new(is_answer),
    }
}

/// Whether this is what the tcp flow makes of reading `number`.
fn is_answer(number: u64, answer: &[u8]) -> bool {
    let Ok(answer) = serde_json::from_slice::<Value>(answer) else {
        return false;
    };
    let value = number % 50;
    answer["seq"] == number + 1
        && answer["reading"] == value
        && answer["unit"] == "C"
        && answer["high"] == (value > 30)
        && answer["fahrenheit"].as_f64() == Some(value as f64 * 9.0 / 5.0 + 32.0)
}

fn topics() -> Drive {
    Drive::Mqtt {
        to: "bench/in",
        from: "bench/out",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_of_the_table_is_there_once() {
        let cases = all().expect("the flow files are good");
        let names: std::collections::BTreeSet<_> = cases.iter().map(|c| c.name.as_str()).collect();
        assert_eq!((cases.len(), names.len()), (15, 15));
        for case in &cases {
            assert!(
                !case.title.is_empty() && !case.figures.is_empty(),
                "{}",
                case.name
            );
            assert!(case.flood || case.pace != Pace::None || case.name == "start");
        }
    }

    #[test]
    fn cases_are_chosen_by_name() {
        let found = |only| cases(Some(only)).map(|cases| cases.len());
        assert_eq!(found("^http"), Ok(2));
        assert_eq!(found("^chain$"), Ok(1));
        assert!(found("nothing").is_err_and(|why| why.contains("mqtt-latency")));
        assert!(found("(").is_err_and(|why| why.contains("regular expression")));
    }

    #[test]
    fn answers_are_checked() {
        let good =
            br#"{"kind":"other","reading":40,"unit":"C","fahrenheit":104,"high":true,"seq":141}"#;
        assert!(is_answer(140, good));
        assert!(!is_answer(139, good));
        assert!(!is_answer(140, b"}"));
    }
}
