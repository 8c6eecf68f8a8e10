//! Runs cases against `vgdc run --control stdio` and says what is answered otherwise.

use crate::case::{Answer, Case, SINGLE};
use crate::outside;
use serde_json::{Map, Value as Json, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use vgdc_tests::Control;

/// How many cases are deployed together; fewer where times count, so that none is late.
const TOGETHER: usize = 60;
const TIMED_TOGETHER: usize = 16;
/// How long what has to come is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// Levels of the log that cases show. (What is logged as an error is an event of its own, too.)
const LOGGED: [&str; 2] = ["warn", "info"];

/// A case that runs: its nodes have ids of their own, so that many can be deployed at once.
struct Running<'a> {
    case: &'a Case,
    prefix: String,
    nodes: Vec<Json>,
    /// What stands in the case for what is another each time: a folder, ports, the listener's address.
    places: Vec<(&'static str, String)>,
    /// Removed when the case is over.
    folder: Option<tempfile::TempDir>,
    /// The listener's address.
    url: String,
    clients: outside::Clients,
    answers: Vec<Answer>,
    /// Nothing is looked at any more.
    is_over: bool,
}

/// What differs, by the number of the case.
pub fn differences(cases: &[&Case]) -> Vec<(usize, String)> {
    let mut groups: Vec<(String, Vec<usize>)> = Vec::new();
    for (at, case) in cases.iter().enumerate() {
        let alone = case.alone.then_some(at);
        let key = json!([case.settings, case.env, case.timed, case.slow, alone]).to_string();
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, members)) => members.push(at),
            None => groups.push((key, vec![at])),
        }
    }
    let mut control = Control::start(&[]);
    let mut number = 0;
    let mut wrong = Vec::new();
    let mut batches: Vec<Vec<usize>> = Vec::new();
    for (_, mut members) in groups {
        let timed = members.first().is_some_and(|at| cases[*at].timed);
        members.sort_by_key(|at| cases[*at].time());
        let size = if timed { TIMED_TOGETHER } else { TOGETHER };
        batches.extend(members.chunks(size).map(<[usize]>::to_vec));
    }
    for members in batches {
        let url = control.good("info", json!({}))["http"]["url"].to_string();
        let mut batch: Vec<Running<'_>> = members
            .iter()
            .map(|at| {
                number += 1;
                Running::new(cases[*at], number, url.trim_matches('"'))
            })
            .collect();
        run(&mut control, &mut batch);
        for (at, running) in members.iter().zip(&batch) {
            if let Some(why) = running.difference() {
                wrong.push((*at, why));
            }
        }
    }
    wrong.sort_by_key(|(at, _)| *at);
    wrong
}

impl<'a> Running<'a> {
    fn new(case: &'a Case, number: usize, url: &str) -> Running<'a> {
        let prefix = format!("k{number}_");
        let text = json!([case.node, case.flow, case.steps]).to_string();
        let needs_folder = text.contains("@DIR@") || text.contains("\"$file\"");
        let folder = (!case.files.is_empty() || needs_folder)
            .then(|| tempfile::tempdir().expect("a folder"));
        let mut places = Vec::new();
        if let Some(folder) = &folder {
            for (name, content) in &case.files {
                let content = content.as_str().unwrap_or_default();
                std::fs::write(folder.path().join(name), content).expect("a file");
            }
            places.push(("@DIR@", folder.path().display().to_string()));
        }
        if text.contains("@PORT") {
            places.push(("@PORT1@", new_port().to_string()));
            places.push(("@PORT2@", new_port().to_string()));
        }
        if text.contains("@H") {
            let host = url.trim_start_matches("http://");
            let port = host.rsplit(':').next().unwrap_or_default();
            places.push(("@HTTP@", url.to_owned()));
            places.push(("@HOST@", host.to_owned()));
            places.push(("@HPORT@", port.to_owned()));
        }
        places.push(("@ID@", prefix.clone()));
        let answers = vec![Answer::default(); case.answers.len()];
        let mut running = Running {
            nodes: Vec::new(),
            case,
            prefix,
            places,
            folder,
            url: url.to_owned(),
            clients: outside::Clients::new(),
            answers,
            is_over: false,
        };
        running.nodes = running
            .filled(&Json::Array(running.deployed()))
            .as_array()
            .cloned()
            .unwrap_or_default();
        running
    }

    fn deployed(&self) -> Vec<Json> {
        let (case, prefix) = (self.case, &self.prefix);
        let tab = format!("{prefix}t");
        if let Some(node) = &case.node {
            let mut node = node.clone();
            let wires = vec![json!([format!("{prefix}h")]); case.outputs];
            let own = [
                ("id", json!(format!("{prefix}n"))),
                ("z", json!(tab)),
                ("wires", Json::Array(wires)),
            ];
            for (key, value) in own {
                node.insert(key.to_owned(), value);
            }
            return vec![
                json!({ "id": tab, "type": "tab", "label": "tab" }),
                Json::Object(node),
                json!({ "id": format!("{prefix}h"), "type": "helper", "z": tab, "wires": [] }),
            ];
        }
        let ids: Vec<&str> = case
            .flow
            .iter()
            .filter_map(|node| node["id"].as_str())
            .collect();
        let mut nodes: Vec<Json> = case
            .flow
            .iter()
            .map(|node| renamed(node, &ids, prefix))
            .collect();
        if !nodes.iter().any(|node| node["type"] == "tab") {
            for node in &mut nodes {
                let has_place = node.get("z").is_some_and(|z| !z.is_null());
                if !has_place && node["type"] != "subflow" {
                    node["z"] = json!(tab);
                }
            }
            nodes.insert(0, json!({ "id": tab, "type": "tab", "label": "tab" }));
        }
        nodes
    }

    /// With what stands for places in them.
    fn filled(&self, value: &Json) -> Json {
        let mut text = value.to_string();
        for (name, real) in &self.places {
            let quoted = json!(real).to_string();
            text = text
                .replace(&format!("\"{name}\""), &quoted)
                .replace(name, quoted.trim_matches('"'));
        }
        serde_json::from_str(&text).expect("it is still JSON")
    }

    fn id(&self, own: Option<&str>) -> String {
        let own = own.or(self.case.to.as_deref()).unwrap_or(SINGLE);
        format!("{}{own}", self.prefix)
    }

    fn scope(&self, scope: &str) -> String {
        match scope.split_once(':') {
            Some((kind, id)) => format!("{kind}:{}{id}", self.prefix),
            None => scope.to_owned(),
        }
    }

    /// Without what is another each time: ids, times, stacks, places.
    fn masked(&self, value: &Json) -> Json {
        match value {
            Json::String(text) => self.masked_text(text),
            Json::Number(number) => match (self.port(number), number.as_i64()) {
                (Some(name), _) => json!(name),
                (None, Some(n)) if is_now(n) => json!("#now"),
                _ => value.clone(),
            },
            Json::Array(items) => items.iter().map(|item| self.masked(item)).collect(),
            Json::Object(object) => {
                let mut kept = Map::new();
                for (key, value) in object {
                    if key != "stack" || !value.is_string() {
                        kept.insert(key.clone(), self.masked_property(key, value));
                    }
                }
                if object.get("$type") == Some(&json!("handle")) {
                    kept.insert("id".to_owned(), json!("#"));
                }
                Json::Object(kept)
            }
            other => other.clone(),
        }
    }

    fn masked_property(&self, key: &str, value: &Json) -> Json {
        // (a sum over headers that are others each time)
        if key == "x-node-red-request-node" {
            return json!("#");
        }
        match self.masked(value) {
            Json::Number(port) if key == "port" && port.as_u64() >= Some(1024) => json!("#port"),
            masked => masked,
        }
    }

    /// The name of a port of the case.
    fn port(&self, number: &serde_json::Number) -> Option<&'static str> {
        let text = number.to_string();
        let mut ports = self
            .places
            .iter()
            .filter(|(name, _)| name.starts_with("@PORT"));
        ports.find(|(_, real)| *real == text).map(|(name, _)| *name)
    }

    fn masked_text(&self, text: &str) -> Json {
        let mut text = text.replace(&self.prefix, "");
        for (name, real) in &self.places {
            text = text.replace(real, name);
        }
        let is_id = matches!(text.len(), 16 | 28)
            && text
                .chars()
                .all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c));
        let is_process = text
            .strip_prefix("pid:")
            .is_some_and(|pid| !pid.is_empty() && pid.chars().all(|c| c.is_ascii_digit()));
        if is_id {
            json!("#")
        } else if is_process {
            json!("pid:#")
        } else if is_time(&text) || is_http_time(&text) {
            json!("#now")
        } else {
            json!(text)
        }
    }

    /// An event in a case's short form.
    fn short(&self, event: &Json, step: usize) -> Json {
        let own = (!self.case.timed).then(|| format!("m{}", step + 1));
        let message = |first: Json, msg: &Json| {
            let mut msg = self.masked(msg).as_object().cloned().unwrap_or_default();
            // (one that has lost its id gets a new one)
            let id = msg.shift_remove("_msgid").unwrap_or(json!("#"));
            // (in a copy they stand last)
            for key in ["req", "res"] {
                if let Some(value) = msg.shift_remove(key) {
                    msg.insert(key.to_owned(), value);
                }
            }
            let is_own = own.as_deref().is_some_and(|own| id == own);
            match is_own {
                true => json!([first, msg]),
                false => json!([first, msg, id]),
            }
        };
        match event["event"].as_str().unwrap_or_default() {
            "send" => message(
                json!(event["output"].as_u64().unwrap_or(0) + 1),
                &event["msg"],
            ),
            "input" => message(json!("in"), &event["msg"]),
            "done" => {
                let id = event["msg"]
                    .get("_msgid")
                    .map_or(json!("#"), |id| self.masked(id));
                match own {
                    Some(own) if id == own => json!("done"),
                    _ => json!(format!("done {}", id.as_str().unwrap_or_default())),
                }
            }
            "log" => json!([event["level"], self.masked(&event["message"])]),
            "debug" => {
                let keys = ["name", "topic", "property", "value", "format"];
                let keys = keys
                    .into_iter()
                    .filter(|key| *key != "name" || event["name"] != "");
                let shown = keys
                    .into_iter()
                    .filter_map(|key| Some((key.to_owned(), self.masked(event.get(key)?))));
                json!(["debug", shown.collect::<Map<_, _>>()])
            }
            "error" => json!(["error", self.masked(&event["message"])]),
            "seen" => json!(["seen", self.masked(&event["seen"])]),
            kind => json!([kind, self.masked(&event["status"])]),
        }
    }

    /// What a step saw outside, as an event.
    fn seen(&self, value: Json) -> Json {
        let node = match self.case.node {
            Some(_) => SINGLE,
            None => "client",
        };
        json!({ "event": "seen", "node": format!("{}{node}", self.prefix), "seen": value })
    }

    /// Whether what a step sees outside was recorded to be an answer.
    fn is_answered(&self, step: usize) -> bool {
        let answer = self.case.answers.get(step);
        let mut lines = answer.iter().flat_map(|answer| answer.0.values().flatten());
        !lines.any(|line| *line == json!(["seen", "no answer"]))
    }

    /// How many events are still to come, up to this step.
    fn is_missing(&self, step: usize) -> bool {
        let last = self.answers.len().saturating_sub(1).min(step);
        (0..=last).any(|at| self.answers[at].len() < self.case.answers[at].len())
    }

    fn difference(&self) -> Option<String> {
        let node = match &self.case.node {
            Some(node) => json!(node).to_string(),
            None => json!(self.case.flow).to_string(),
        };
        let wrong = (0..self.answers.len()).find_map(|at| {
            let (got, wanted) = (&self.answers[at].0, &self.case.answers[at].0);
            let text = |nodes: &BTreeMap<String, Vec<Json>>| json!(nodes).to_string();
            // (as texts: the order of properties counts)
            (text(got) != text(wanted)).then(|| {
                let step = match self.case.timed {
                    true => json!(self.case.steps),
                    false => self.case.steps[at].clone(),
                };
                format!(
                    "  {step}\n  Node-RED {}\n  vgdc     {}",
                    text(wanted),
                    text(got)
                )
            })
        })?;
        Some(format!("  {node}\n{wrong}"))
    }
}

/// A port that nobody listens on, another each time, below those that the system gives to who asks for any.
fn new_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // (two test processes begin at different ones)
    let begin = std::process::id() % 8_000;
    loop {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = 20_000 + ((begin + step) % 12_000) as u16;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// The same with the ids of its flow made the case's own.
fn renamed(value: &Json, ids: &[&str], prefix: &str) -> Json {
    match value {
        Json::String(text) => {
            let inner = text.strip_prefix("subflow:").filter(|id| ids.contains(id));
            if ids.contains(&text.as_str()) {
                json!(format!("{prefix}{text}"))
            } else if let Some(inner) = inner {
                json!(format!("subflow:{prefix}{inner}"))
            } else {
                value.clone()
            }
        }
        Json::Array(items) => items
            .iter()
            .map(|item| renamed(item, ids, prefix))
            .collect(),
        Json::Object(object) => object
            .iter()
            .map(|(key, value)| (key.clone(), renamed(value, ids, prefix)))
            .collect(),
        other => other.clone(),
    }
}

/// True for a time within a day from now.
fn is_now(millis: i64) -> bool {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |now| now.as_millis() as i64);
    (millis - now).abs() < 86_400_000
}

/// True for a text that is a time as HTTP writes it; of 1970 are those that are meant to be long gone.
fn is_http_time(text: &str) -> bool {
    let shape = |c: char| match c {
        'A'..='Z' => 'A',
        'a'..='z' => 'a',
        '0'..='9' => '0',
        c => c,
    };
    let shape: String = text.chars().map(shape).collect();
    shape == "Aaa, 00 Aaa 0000 00:00:00 AAA" && !text.contains(" 1970 ")
}

/// True for a text that is a time (of today, as far as the date says).
fn is_time(text: &str) -> bool {
    let shape = |text: &str| {
        let digits = text
            .chars()
            .map(|c| if c.is_ascii_digit() { '0' } else { c });
        digits.collect::<String>()
    };
    if !matches!(
        shape(text).as_str(),
        "0000-00-00T00:00:00Z" | "0000-00-00T00:00:00.000Z"
    ) {
        return false;
    }
    let part = |from: usize, to: usize| text[from..to].parse::<i64>().unwrap_or(0);
    let (year, month, day) = (part(0, 4), part(5, 7), part(8, 10));
    // (days since 1970 by the civil calendar)
    let (y, m) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let era = y.div_euclid(400);
    let day_of_era = (y - era * 400) * 365 + (y - era * 400) / 4 - (y - era * 400) / 100
        + (153 * m + 2) / 5
        + day
        - 1;
    is_now((era * 146_097 + day_of_era - 719_468) * 86_400_000 + part(11, 13) * 3_600_000)
}

fn run(control: &mut Control, batch: &mut [Running<'_>]) {
    watch(control, batch);
    control.events.clear();
    let flows: Vec<Json> = batch
        .iter()
        .flat_map(|running| running.nodes.clone())
        .collect();
    let mut credentials = Map::new();
    for running in batch.iter() {
        for (id, secrets) in &running.case.credentials {
            credentials.insert(format!("{}{id}", running.prefix), secrets.clone());
        }
    }
    let first = batch[0].case;
    let fields = json!({
        "flows": flows, "credentials": credentials, "settings": first.settings, "env": first.env,
    });
    let deployed = control.ask("deploy", fields);
    assert_eq!(deployed["ok"], true, "{}: {deployed}", first.name);
    control.good("settle", json!({}));
    if first.timed {
        return run_timed(control, batch);
    }
    let slow = first.slow > 0;
    let steps = batch
        .iter()
        .map(|running| running.case.steps.len())
        .max()
        .unwrap_or(0);
    for step in 0..steps {
        for running in batch
            .iter_mut()
            .filter(|running| step < running.case.steps.len())
        {
            act(control, running, step);
        }
        if !slow {
            control.good("settle", json!({}));
        }
        let begin = Instant::now();
        loop {
            take(control, batch, step);
            let missing = batch.iter().any(|running| running.is_missing(step));
            if !missing || begin.elapsed() > PATIENCE {
                break;
            }
            std::thread::sleep(Duration::from_millis(3));
            control.good("nodes", json!({}));
        }
        let wait = |running: &Running<'_>| running.case.steps.get(step)?["$wait"].as_u64();
        if let Some(wait) = batch.iter().filter_map(wait).max() {
            std::thread::sleep(Duration::from_millis(wait));
        }
    }
    control.good("nodes", json!({}));
    take(control, batch, steps.saturating_sub(1));
}

/// Does the steps of all cases at their times.
fn run_timed(control: &mut Control, batch: &mut [Running<'_>]) {
    let mut steps = Vec::new();
    for (at, running) in batch.iter().enumerate() {
        let mut time = 0;
        for (step, what) in running.case.steps.iter().enumerate() {
            match what["$wait"].as_u64() {
                Some(wait) => time += wait,
                None => steps.push((time, at, Some(step))),
            }
        }
        steps.push((running.case.time(), at, None));
    }
    steps.sort();
    let begin = Instant::now();
    for (time, at, step) in steps {
        let due = Duration::from_millis(time);
        std::thread::sleep(due.saturating_sub(begin.elapsed()));
        match step {
            Some(step) => act(control, &mut batch[at], step),
            None => {
                control.good("nodes", json!({}));
                take(control, batch, 0);
                batch[at].is_over = true;
            }
        }
    }
}

fn watch(control: &mut Control, batch: &[Running<'_>]) {
    let (mut single, mut helpers, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for running in batch {
        for node in &running.nodes {
            let id = node["id"].clone();
            match (running.case.node.is_some(), node["type"] == "helper") {
                (true, false) => single.push(id),
                (true, true) => {}
                (false, true) => helpers.push(id),
                (false, false) => others.push(id),
            }
        }
    }
    let kinds = ["error", "status", "log", "debug"];
    let all = ["send", "done", "error", "status", "log", "debug"];
    control.good("watch", json!({ "nodes": single, "events": all }));
    control.good("watch", json!({ "nodes": helpers, "events": ["input"] }));
    control.good("watch", json!({ "nodes": others, "events": kinds }));
}

fn act(control: &mut Control, running: &mut Running<'_>, step: usize) {
    let what = running.filled(&running.case.steps[step]);
    if what.get("$wait").is_some() {
        return;
    }
    if what["$stop"] == true {
        let shown = ["tab", "group", "subflow", "helper"];
        let stopped = running.nodes.iter().filter(|node| {
            let ty = node["type"].as_str().unwrap_or_default();
            !shown.contains(&ty)
        });
        let ids: Vec<&Json> = stopped.map(|node| &node["id"]).collect();
        control.good("stop", json!({ "nodes": ids }));
    } else if let Some(set) = what["$set"].as_array() {
        let scope = running.scope(set[0].as_str().unwrap_or_default());
        control.good(
            "context.set",
            json!({ "scope": scope, "key": set[1], "value": set[2] }),
        );
    } else if let Some(get) = what["$get"].as_array() {
        let scope = running.scope(get[0].as_str().unwrap_or_default());
        let value = control.ask("context.get", json!({ "scope": scope, "key": get[1] }));
        let value = match value["ok"] == true {
            true => value
                .get("result")
                .cloned()
                .unwrap_or(json!({ "$type": "undefined" })),
            false => value["error"]["message"].clone(),
        };
        let node = match running.case.node {
            Some(_) => SINGLE,
            None => "context",
        };
        let event = json!({ "event": "status", "node": format!("{}{node}", running.prefix), "status": { "context": value } });
        control.events.push(event);
    } else if what.get("$file").is_some() {
        let folder = running.folder.as_ref().expect("the case has a folder");
        let seen = outside::file(folder.path(), &what);
        control.events.extend(seen.map(|seen| running.seen(seen)));
    } else if what.get("$tcp").is_some() {
        let seen = outside::tcp(&mut running.clients, &what);
        control.events.extend(seen.map(|seen| running.seen(seen)));
    } else if what.get("$request").is_some() {
        let quiet = what["quiet"] == true;
        let is_answered = running.is_answered(step) && !quiet;
        let seen = outside::request(&running.url, &what, is_answered);
        if !quiet {
            control.events.push(running.seen(seen));
        }
    } else if let Some(button) = what["$button"].as_str() {
        let mut fields = json!({ "node": running.id(Some(button)) });
        if let Some(msg) = what.get("msg") {
            fields["msg"] = msg.clone();
        }
        control.good("button", fields);
    } else {
        let to = what["$to"].as_str();
        let msg = if to.is_some() { &what["msg"] } else { &what };
        let mut whole = Map::new();
        if msg.get("_msgid").is_none() {
            whole.insert("_msgid".to_owned(), json!(format!("m{}", step + 1)));
        }
        whole.extend(msg.as_object().cloned().unwrap_or_default());
        // (it is refused by a node that could not start)
        control.ask("receive", json!({ "node": running.id(to), "msg": whole }));
    }
}

/// Gives the events that have come to their cases, as those of this step.
fn take(control: &mut Control, batch: &mut [Running<'_>], step: usize) {
    let by_prefix: HashMap<String, usize> = batch
        .iter()
        .enumerate()
        .map(|(at, running)| (running.prefix.clone(), at))
        .collect();
    for event in control.events.drain(..) {
        let node = event["node"].as_str().unwrap_or_default().to_owned();
        let Some(end) = node.find('_') else { continue };
        let (prefix, node) = node.split_at(end + 1);
        let Some(at) = by_prefix.get(prefix) else {
            continue;
        };
        let running = &mut batch[*at];
        let is_other = running.case.node.is_some() && node != SINGLE;
        let level = event["level"].as_str().unwrap_or_default();
        let is_hidden = running.case.hide.contains(&event["event"])
            || running.case.ignore.iter().any(|ignored| ignored == node);
        if running.is_over
            || is_other
            || is_hidden
            || event["event"] == "log" && !LOGGED.contains(&level)
        {
            continue;
        }
        let line = running.short(&event, step);
        let last = running.answers.len().saturating_sub(1);
        let nodes = &mut running.answers[step.min(last)].0;
        nodes.entry(node.to_owned()).or_default().push(line);
    }
}
