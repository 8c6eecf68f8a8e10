//! Through the control protocol: messages to the input of a node, in batches of `receive` requests; or from the output of a
//! node, many in one `send` request.
//!
//! A flood counts a message as carried through when the flow has settled. A paced drive gives each message an id of its own
//! and watches for `done` at the nodes where messages end, so it sees the messages that reach an end under their id.

use super::{Content, Driver, Drove, SILENCE, both};
use crate::control::{self, Control};
use crate::latency::{Latencies, Times, wait_until};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Messages that a flood writes at once.
const BATCH: u64 = 100;
/// Messages of a flood whose requests wait for their answers at most.
const WINDOW: u64 = 2000;
/// What ids of messages begin with.
const MARK: &str = "vgdc-bench-";

/// The driver.
pub struct Receive<'c> {
    control: &'c mut Control,
    /// Node and message of each number.
    messages: Content<(String, Value)>,
    senders: BTreeSet<String>,
    ends: Vec<String>,
}

impl<'c> Receive<'c> {
    /// Sends these messages to `entries`, or from them where they are `senders`; they end at `ends`, or, when that is empty, where no wire leads on.
    ///
    /// # Errors
    /// A node does not run in this target.
    pub fn new(
        control: &'c mut Control,
        messages: Content<(String, Value)>,
        entries: &BTreeSet<String>,
        senders: &BTreeSet<String>,
        ends: &[String],
    ) -> Result<Receive<'c>, String> {
        let nodes = control.ask("nodes", json!({}))?;
        let wires = wires(&nodes);
        if let Some(missing) = entries
            .iter()
            .chain(ends)
            .find(|id| !wires.contains_key(*id))
        {
            return Err(format!(
                "no node {missing} runs: a flow that is built leaves out what nobody can see (choose another with --node)"
            ));
        }
        let ends = match ends.is_empty() {
            true => ends_behind(&wires, entries),
            false => ends.to_vec(),
        };
        Ok(Receive {
            control,
            messages,
            senders: senders.clone(),
            ends,
        })
    }

    fn put(&mut self, number: u64) -> Result<u64, String> {
        let (node, msg) = (self.messages)(number);
        let op = op(&self.senders, &node);
        let requests = &mut self.control.requests;
        requests.put_message(op, &node, &msg.to_string())
    }

    /// Adds the requests for a batch of messages; gives how many requests there are.
    fn put_batch(&mut self, first: u64) -> Result<u64, String> {
        let batch: Vec<_> = (first..first + BATCH).map(|n| (self.messages)(n)).collect();
        let from = batch.first().map(|(node, _)| node.clone());
        let from = from.filter(|node| self.senders.contains(node));
        let from = from.filter(|node| batch.iter().all(|(other, _)| other == node));
        let Some(node) = from else {
            for number in first..first + BATCH {
                self.put(number)?;
            }
            return Ok(BATCH);
        };
        // (an array of outputs, the first of which sends an array of messages)
        let all: Vec<Value> = batch.into_iter().map(|(_, msg)| msg).collect();
        let requests = &mut self.control.requests;
        requests.put_message("send", &node, &json!([all]).to_string())?;
        Ok(1)
    }

    fn follow(&mut self, times: &Times) -> Result<(Instant, Latencies), String> {
        let begin = Instant::now() + Duration::from_millis(5);
        let (messages, sent_all) = (&self.messages, AtomicBool::new(false));
        let senders = &self.senders;
        let Control { requests, lines } = &mut *self.control;
        let send = || {
            let mut number = 0;
            while number < times.count() {
                wait_until(begin + times.due(number));
                // (all that is due by now goes at once)
                while number < times.count() && begin + times.due(number) <= Instant::now() {
                    let (node, mut msg) = messages(number);
                    msg["_msgid"] = format!("{MARK}{number}").into();
                    requests.put_message(op(senders, &node), &node, &msg.to_string())?;
                    number += 1;
                }
                requests.flush()?;
            }
            sent_all.store(true, Ordering::Relaxed);
            Ok(())
        };
        let latencies = both(send, || {
            let mut latencies = Latencies::new();
            let mut seen = vec![false; usize::try_from(times.count()).unwrap_or_default()];
            let mut missing = seen.len();
            let mut quiet_since = Instant::now();
            while missing > 0 {
                let Some((at, line)) = lines.next(Duration::from_millis(50))? else {
                    if sent_all.load(Ordering::Relaxed) && quiet_since.elapsed() > SILENCE {
                        break;
                    }
                    continue;
                };
                quiet_since = at;
                if let Some(lost) = line["lost"].as_u64() {
                    latencies.failed += lost;
                } else if line.get("event").is_none() {
                    control::result(line)?;
                } else if let Some(number) = number_of(&line["msg"]) {
                    latencies.record(begin + times.due(number), at);
                    let first = usize::try_from(number).ok().and_then(|n| seen.get_mut(n));
                    if let Some(seen) = first.filter(|seen| !**seen) {
                        *seen = true;
                        missing -= 1;
                    }
                }
            }
            Ok(latencies)
        })?;
        Ok((begin, latencies))
    }
}

fn op(senders: &BTreeSet<String>, node: &str) -> &'static str {
    match senders.contains(node) {
        true => "send",
        false => "receive",
    }
}

/// The number of a message of a paced drive.
fn number_of(msg: &Value) -> Option<u64> {
    msg["_msgid"].as_str()?.strip_prefix(MARK)?.parse().ok()
}

/// The wires of each node that runs.
fn wires(nodes: &Value) -> BTreeMap<String, Vec<String>> {
    let of = |node: &Value| {
        let to = node["wires"].as_array().into_iter().flatten();
        let to = to.flat_map(|ids| ids.as_array().into_iter().flatten());
        let to = to.filter_map(|id| id.as_str().map(str::to_owned));
        Some((node["id"].as_str()?.to_owned(), to.collect()))
    };
    nodes
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(of)
        .collect()
}

/// The nodes that are reached from `entries` and have no wire that leads on.
fn ends_behind(wires: &BTreeMap<String, Vec<String>>, entries: &BTreeSet<String>) -> Vec<String> {
    let (mut seen, mut todo) = (entries.clone(), Vec::from_iter(entries));
    while let Some(at) = todo.pop() {
        for to in wires.get(at).into_iter().flatten() {
            if seen.insert(to.clone()) {
                todo.push(to);
            }
        }
    }
    let is_end = |id: &String| wires.get(id).is_some_and(Vec::is_empty);
    seen.into_iter().filter(is_end).collect()
}

impl Driver for Receive<'_> {
    fn first(&mut self) -> Result<(), String> {
        let id = self.put(0)?;
        let settle = self.control.requests.put("settle", json!({}))?;
        self.control.requests.flush()?;
        self.control.answer(id)?;
        self.control.answer(settle).map(|_| ())
    }

    fn flood(&mut self, time: Duration) -> Result<Drove, String> {
        let faults = self.control.faults()?;
        let begin = Instant::now();
        let (mut sent, mut waiting) = (0, 0);
        while sent == 0 || begin.elapsed() < time {
            let requests = self.put_batch(sent)?;
            self.control.requests.flush()?;
            sent += BATCH;
            waiting += requests;
            while waiting * (BATCH / requests) > WINDOW {
                match self.control.lines.next(Duration::from_secs(60))? {
                    Some((_, line)) if line.get("id").is_some() => {
                        control::result(line)?;
                        waiting -= 1;
                    }
                    Some(_) => {}
                    None => return Err("it took no message within 60 s".to_owned()),
                }
            }
        }
        self.control.ask("settle", json!({}))?;
        let took = begin.elapsed();
        Ok(Drove {
            messages: sent as f64,
            time: took,
            failed: self.control.faults()?.saturating_sub(faults),
            latencies: None,
        })
    }

    fn paced(&mut self, times: &Times) -> Result<Drove, String> {
        let watched = json!({"nodes": self.ends, "events": ["done"]});
        self.control.ask("watch", watched.clone())?;
        let followed = self.follow(times);
        let (begin, latencies) = followed?;
        self.control.ask("unwatch", watched)?;
        let mut drove = Drove::paced(begin, latencies);
        drove.messages = times.count() as f64;
        if drove.latencies.as_ref().is_some_and(|l| l.count() == 0) {
            drove.latencies = None;
        }
        Ok(drove)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_end_where_no_wire_leads_on() {
        let nodes = json!([
            {"id": "a", "wires": [["b", "c"], []]}, {"id": "b", "wires": [["a", "d"]]},
            {"id": "c", "wires": []}, {"id": "d", "wires": [[]]}, {"id": "e", "wires": []}
        ]);
        let ends = ends_behind(&wires(&nodes), &BTreeSet::from(["a".to_owned()]));
        assert_eq!(ends, ["c", "d"]);
    }

    #[test]
    fn messages_are_known_by_their_id() {
        assert_eq!(number_of(&json!({"_msgid": "vgdc-bench-12"})), Some(12));
        assert_eq!(number_of(&json!({"_msgid": "0a"})), None);
    }
}
