//! **delay** — delays each message (fixed, by `msg.delay`, random), or limits the rate at which they pass: of all messages,
//! or topic by topic; what comes in between is queued, dropped, or sent to a second output. `burst` lets so many pass in a
//! time.
//!
//! `msg.reset` forgets what waits, `msg.flush` sends it at once (a number: so many of it), `msg.toFront` queues at the
//! front, `msg.rate` (milliseconds) changes the rate where that is allowed. At most `nodeMessageBufferMaxLength` messages
//! wait, if that setting is given.
//!
//! `pauseType` says which:
//!
//! - `delay`: `timeout` in `timeoutUnits`; `delayv`: `msg.delay` in milliseconds, else `timeout`; `random`: between
//!   `randomFirst` and `randomLast` in `randomUnits`;
//! - `rate`: `rate` messages in `nbRateUnits` `rateUnits`, spread evenly; what comes in between waits, or with `drop` is
//!   dropped or, with two `outputs`, leaves by the second;
//! - `burst`: the first `rate` messages in that time pass at once, the others are dropped or leave by the second output;
//! - `queue` and `timed`: the latest message of each topic waits (the one it replaces is dropped, or leaves by the
//!   second output); at each beat the first of them is sent, or all.
//!
//! Units are `milliseconds`, `second`, `minute`, `hour` and `day`, with or without an s. `allowrate` lets `msg.rate`
//! count. The status has the number of messages that wait; a *burst* shows green, or red while it holds back. In the
//! mode `rate`, one more than may wait is the error `too many pending messages in delay node`, and what waited is
//! forgotten.

use crate::common::limits::most_waiting;
use std::collections::VecDeque;
use std::time::Duration;
use std::time::Instant;
use vgdc_core::spec::Typing;
use vgdc_core::value::{Msg, Object, Value, number};
use vgdc_core::{Closing, Completion, Cx, Node, NodeError, Process, TimerId};
use vgdc_macros_node::{Config, node};

/// The form's properties.
#[derive(Config)]
pub struct DelayConfig {
    #[field(name = "pauseType", default = "delay", label = "Action", choices = [("delay", "Delay each message"), ("delayv", "Delay, overridden by msg.delay"), ("random", "Random delay"), ("rate", "Limit the rate"), ("timed", "Limit the rate: all at intervals"), ("queue", "Limit the rate: by topic in turn")])]
    pause_type: String,
    #[field(default = "5", kind = Number, filled = true, label = "For", when = [is("pauseType", "delay", "delayv")])]
    timeout: Value,
    #[field(name = "timeoutUnits", default = "seconds", label = "Unit", when = [is("pauseType", "delay", "delayv")], choices = [("milliseconds", "Milliseconds"), ("seconds", "Seconds"), ("minutes", "Minutes"), ("hours", "Hours"), ("days", "Days")])]
    timeout_units: String,
    #[field(name = "randomFirst", default = "1", kind = Number, filled = true, label = "Between", when = [is("pauseType", "random")])]
    random_first: Value,
    #[field(name = "randomLast", default = "5", kind = Number, filled = true, label = "and", when = [is("pauseType", "random")])]
    random_last: Value,
    #[field(name = "randomUnits", default = "seconds", label = "Unit", when = [is("pauseType", "random")], choices = [("milliseconds", "Milliseconds"), ("seconds", "Seconds"), ("minutes", "Minutes"), ("hours", "Hours"), ("days", "Days")])]
    random_units: String,
    #[field(default = "1", kind = Number, filled = true, label = "Messages", when = [is("pauseType", "rate", "timed", "queue")])]
    rate: Value,
    #[field(name = "nbRateUnits", default = "1", kind = Number, label = "per", when = [is("pauseType", "rate", "timed", "queue")])]
    nb_rate_units: Value,
    #[field(name = "rateUnits", default = "second", label = "Unit", when = [is("pauseType", "rate", "timed", "queue")], choices = [("second", "Seconds"), ("minute", "Minutes"), ("hour", "Hours"), ("day", "Days")])]
    rate_units: String,
    #[field(default = false, label = "Drop messages in between", when = [is("pauseType", "rate")])]
    drop: bool,
    #[field(default = false, label = "msg.rate may override the rate", when = [is("pauseType", "rate")])]
    allowrate: bool,
    #[field(default = 1, label = "Dropped messages", when = [is("pauseType", "rate"), is("drop", true)], choices = [("1", "are lost"), ("2", "go to a second output")])]
    outputs: f64,
}

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Fixed,
    Variable,
    Random,
    Rate,
    Burst,
    Queue,
    Timed,
}

struct Waiting {
    msg: Msg,
    completion: Completion,
    /// The timer of a delayed message.
    timer: Option<TimerId>,
}

/// The behaviour.
pub struct Delay {
    mode: Mode,
    timeout_ms: f64,
    random: (f64, f64),
    rate_ms: f64,
    fixed_rate_ms: f64,
    burst: f64,
    burst_ms: f64,
    drop: bool,
    allow_rate: bool,
    second_output: bool,
    max_kept: usize,
    waiting: VecDeque<Waiting>,
    interval: Option<TimerId>,
    report: Option<TimerId>,
    last_sent: Option<Instant>,
    in_flight: Vec<TimerId>,
}

fn unit_ms(unit: &str) -> f64 {
    match unit {
        "milliseconds" => 1.0,
        "minutes" | "minute" => 60_000.0,
        "hours" | "hour" => 3_600_000.0,
        "days" | "day" => 86_400_000.0,
        _ => 1000.0,
    }
}

#[node(type = "delay", category = "function", inputs = 1, outputs = field("outputs"), effect = State, types = types, waits = true, color = "#e6e0f8", icon = "timer.svg")]
impl Node for Delay {
    type Config = DelayConfig;

    fn new(config: DelayConfig, cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        let mode = match config.pause_type.as_str() {
            "delayv" => Mode::Variable,
            "random" => Mode::Random,
            "rate" => Mode::Rate,
            "burst" => Mode::Burst,
            "queue" => Mode::Queue,
            "timed" => Mode::Timed,
            _ => Mode::Fixed,
        };
        let units = config.nb_rate_units.to_number();
        let rate_unit = unit_ms(&config.rate_units);
        let rate_ms = rate_unit / config.rate.to_number() * if units > 0.0 { units } else { 1.0 };
        let random_unit = unit_ms(&config.random_units);
        let mut node = Delay {
            mode,
            timeout_ms: config.timeout.to_number() * unit_ms(&config.timeout_units),
            random: (
                config.random_first.to_number() * random_unit,
                config.random_last.to_number() * random_unit,
            ),
            rate_ms,
            fixed_rate_ms: rate_ms,
            burst: config.rate.to_number(),
            burst_ms: units * rate_unit,
            drop: config.drop,
            allow_rate: config.allowrate,
            second_output: config.outputs == 2.0,
            max_kept: most_waiting(cx),
            waiting: VecDeque::new(),
            interval: None,
            report: None,
            last_sent: None,
            in_flight: Vec::new(),
        };
        match mode {
            Mode::Queue | Mode::Timed => node.start_interval(cx),
            Mode::Burst => light(cx, "green", "ring"),
            _ => {}
        }
        Ok(node)
    }
}

/// Messages come out as they came in, but for what tells this node something; where topics are kept apart, each has one.
fn types(t: &mut dyn Typing) {
    let any = t.ty("any");
    for field in ["flush", "reset", "toFront"] {
        t.set(field, any);
    }
    let (before, text) = (t.get("topic"), t.ty("string"));
    let topic = t.either(before, text);
    t.set("topic", topic);
    for output in 0..t.outputs() {
        t.send(output);
    }
}

/// A status whose text is there and empty.
fn light(cx: &mut Cx<'_>, fill: &str, shape: &str) {
    let mut status = Object::new();
    for (key, part) in [("fill", fill), ("shape", shape), ("text", "")] {
        status.insert(key, part);
    }
    cx.status(status);
}

/// `Object.keys(msg).length`: what is more than its id makes a message.
fn has_content(msg: &Msg) -> bool {
    msg.len() > 1
}

impl Delay {
    fn depth_status(&self, cx: &mut Cx<'_>, shape: &str) {
        let mut status = Object::new();
        status.insert("fill", "blue");
        status.insert("shape", shape);
        status.insert("text", self.waiting.len());
        cx.status(status);
    }

    fn start_interval(&mut self, cx: &mut Cx<'_>) {
        self.stop_interval(cx);
        self.interval = Some(cx.set_timer_ms(self.rate_ms.max(1.0)));
    }

    fn stop_interval(&mut self, cx: &mut Cx<'_>) {
        if let Some(timer) = self.interval.take() {
            cx.clear_timer(timer);
        }
    }

    fn report_depth(&mut self, cx: &mut Cx<'_>) {
        if self.report.is_none() {
            self.report = Some(cx.set_timer(Duration::from_millis(500)));
        }
    }

    fn send(cx: &mut Cx<'_>, waiting: Waiting) {
        cx.send(0, waiting.msg);
        cx.done(waiting.completion);
    }

    // ------------------------------------------------------------------------------------------------- delays

    fn delayed(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        let delay = match self.mode {
            Mode::Variable => {
                let given = msg
                    .get("delay")
                    .map(|delay| number::parse_float(&delay.to_js_string()))
                    .filter(|delay| !delay.is_nan());
                given.unwrap_or(self.timeout_ms).max(0.0)
            }
            Mode::Random => self.random.0 + (self.random.1 - self.random.0) * random(),
            _ => self.timeout_ms,
        };
        let shows = match self.mode {
            Mode::Variable => true,
            Mode::Random => self.timeout_ms >= 1000.0,
            _ => self.timeout_ms > 1000.0,
        };
        let (reset, flush) = (msg.contains_key("reset"), msg.get("flush").cloned());
        let (completion, asked) = (cx.completion(&msg), cx.completion(&msg));
        if msg.len() == 2 && flush.is_some() {
            cx.done(completion);
        } else {
            let timer = cx.set_timer_ms(delay.max(1.0));
            self.waiting.push_back(Waiting {
                msg,
                completion,
                timer: Some(timer),
            });
        }
        if reset {
            self.clear(cx);
            self.depth_status(cx, "ring");
        }
        if let Some(flush) = flush.filter(|_| !reset || self.mode != Mode::Fixed) {
            self.flush_delayed(cx, &flush);
            // (also where it has been told already that nothing of this message is left)
            cx.done(asked);
        } else if !reset && self.mode == Mode::Fixed && shows {
            self.depth_status(cx, "dot");
        }
        if self.mode != Mode::Fixed && shows {
            self.depth_status(cx, "dot");
        }
    }

    fn flush_delayed(&mut self, cx: &mut Cx<'_>, count: &Value) {
        let count = match count {
            Value::Number(n) => (n.floor().max(0.0) as usize).min(self.waiting.len()),
            _ => self.waiting.len(),
        };
        for _ in 0..count {
            let Some(waiting) = self.waiting.pop_front() else {
                break;
            };
            if let Some(timer) = waiting.timer {
                cx.clear_timer(timer);
            }
            self.release(cx, waiting);
        }
        self.depth_status(cx, "dot");
    }

    /// Everything that waits is dropped.
    fn clear(&mut self, cx: &mut Cx<'_>) {
        for waiting in self.waiting.drain(..) {
            if let Some(timer) = waiting.timer {
                cx.clear_timer(timer);
            }
            cx.done(waiting.completion);
        }
    }

    fn due(&mut self, cx: &mut Cx<'_>, timer: TimerId) {
        let Some(at) = self
            .waiting
            .iter()
            .position(|waiting| waiting.timer == Some(timer))
        else {
            return;
        };
        if let Some(waiting) = self.waiting.remove(at) {
            self.release(cx, waiting);
        }
    }

    /// Sends a message that has been delayed.
    fn release(&mut self, cx: &mut Cx<'_>, waiting: Waiting) {
        match self.mode {
            Mode::Fixed => {
                if self.timeout_ms > 1000.0 {
                    self.depth_status(cx, "dot");
                }
                cx.send(0, waiting.msg);
            }
            Mode::Variable => {
                if self.waiting.is_empty() {
                    cx.status(Object::new());
                }
                cx.send(0, waiting.msg);
                self.depth_status(cx, "dot");
            }
            _ => {
                cx.send(0, waiting.msg);
                if self.timeout_ms >= 1000.0 {
                    self.depth_status(cx, "dot");
                }
            }
        }
        cx.done(waiting.completion);
    }

    // ------------------------------------------------------------------------------------------------- rates

    /// The rate that a message asks for.
    fn rate_of(&self, msg: &Msg) -> Option<f64> {
        let rate = msg.get("rate").filter(|_| self.allow_rate)?;
        (!number::parse_float(&rate.to_js_string()).is_nan()).then(|| rate.to_number())
    }

    fn limited(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        if self.drop {
            self.limited_dropping(cx, msg);
            return;
        }
        let (reset, flush) = (msg.contains_key("reset"), msg.get("flush").cloned());
        let mut kept = msg.clone();
        kept.remove("flush");
        if has_content(&kept) {
            self.queue_or_send(cx, kept, &msg, reset, flush.is_some());
        }
        if let Some(flush) = &flush {
            self.flush_queued(cx, flush);
        }
        if reset {
            self.reset(cx, flush.is_some());
        }
        if flush.is_some() || reset {
            cx.done_with(&msg);
        }
    }

    fn queue_or_send(&mut self, cx: &mut Cx<'_>, kept: Msg, msg: &Msg, reset: bool, flush: bool) {
        let rate = self.rate_of(&kept);
        let completion = cx.completion(msg);
        if self.interval.is_none() {
            if let Some(rate) = rate {
                self.rate_ms = rate;
            }
            if !reset {
                cx.send(0, kept);
            } else if flush {
                self.waiting.push_back(Waiting {
                    msg: kept,
                    completion: Completion::default(),
                    timer: None,
                });
            }
            self.report_depth(cx);
            self.start_interval(cx);
            return cx.done(completion);
        }
        if let Some(rate) = rate.filter(|rate| *rate != self.rate_ms) {
            self.rate_ms = rate;
            self.start_interval(cx);
        }
        if self.waiting.len() >= self.max_kept {
            self.waiting.clear();
            return cx.error("too many pending messages in delay node", Some(&kept));
        }
        let to_front = msg
            .get("toFront")
            .is_some_and(|front| matches!(front, Value::Bool(true)));
        let waiting = Waiting {
            msg: kept,
            completion,
            timer: None,
        };
        if to_front {
            self.waiting.push_front(waiting);
        } else {
            self.waiting.push_back(waiting);
        }
        self.report_depth(cx);
    }

    fn flush_queued(&mut self, cx: &mut Cx<'_>, count: &Value) {
        let count = match count {
            Value::Number(n) => (n.floor().max(0.0) as usize).min(self.waiting.len()),
            _ => self.waiting.len(),
        };
        if count == 0 {
            self.stop_interval(cx);
        } else {
            for _ in 0..count {
                let Some(mut waiting) = self.waiting.pop_front() else {
                    break;
                };
                waiting.msg.remove("flush");
                waiting.msg.remove("reset");
                if has_content(&waiting.msg) {
                    Self::send(cx, waiting);
                }
            }
            self.start_interval(cx);
        }
        self.depth_status(cx, "dot");
    }

    fn limited_dropping(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        if msg.contains_key("reset") {
            let flush = msg.contains_key("flush");
            self.reset(cx, flush);
            return cx.done_with(&msg);
        }
        if let Some(rate) = self.rate_of(&msg) {
            self.rate_ms = rate;
        }
        let completion = cx.completion(&msg);
        let now = cx.now();
        let passes = self
            .last_sent
            .is_none_or(|last| (now - last).as_secs_f64() * 1000.0 > self.rate_ms);
        if passes {
            self.last_sent = Some(now);
            cx.send(0, msg);
        } else if self.second_output {
            cx.send(1, msg);
        }
        cx.done(completion);
    }

    fn reset(&mut self, cx: &mut Cx<'_>, flush: bool) {
        if !flush {
            self.stop_interval(cx);
            self.last_sent = None;
        }
        self.waiting.clear();
        self.rate_ms = self.fixed_rate_ms;
        self.depth_status(cx, "ring");
    }

    fn bursting(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        let completion = cx.completion(&msg);
        if msg.contains_key("reset") {
            for timer in self.in_flight.drain(..) {
                cx.clear_timer(timer);
            }
            light(cx, "green", "ring");
        } else if (self.in_flight.len() as f64) < self.burst {
            cx.send(0, msg);
            let timer = cx.set_timer_ms(self.burst_ms);
            self.in_flight.push(timer);
        } else {
            if self.second_output {
                cx.send(1, msg);
            }
            light(cx, "red", "dot");
        }
        cx.done(completion);
    }

    // ------------------------------------------------------------------------------------------------- by topic

    fn by_topic(&mut self, cx: &mut Cx<'_>, mut msg: Msg) {
        if let Some(rate) = self.rate_of(&msg).filter(|rate| *rate != self.rate_ms) {
            self.rate_ms = rate;
            self.start_interval(cx);
        }
        if !msg.contains_key("topic") {
            msg.insert("topic", "_none_");
        }
        let completion = cx.completion(&msg);
        let (flushed, emptied) = (cx.completion(&msg), cx.completion(&msg));
        let (reset, flush) = (msg.contains_key("reset"), msg.get("flush").cloned());
        let fresh = Waiting {
            msg,
            completion,
            timer: None,
        };
        match self
            .waiting
            .iter()
            .position(|waiting| waiting.msg.topic().strict_eq(fresh.msg.topic()))
        {
            Some(at) => {
                let old = std::mem::replace(&mut self.waiting[at], fresh);
                if self.second_output {
                    cx.send(1, old.msg);
                }
                cx.done(old.completion);
            }
            None => {
                self.waiting.push_back(fresh);
                self.report_depth(cx);
            }
        }
        if let Some(flush) = flush {
            let count = match &flush {
                Value::Number(n) => n.floor().max(0.0) as usize,
                _ => self.waiting.len(),
            };
            for _ in 0..count {
                let Some(mut waiting) = self.waiting.pop_front() else {
                    break;
                };
                waiting.msg.remove("flush");
                waiting.msg.remove("reset");
                if waiting.msg.len() > 2 {
                    Self::send(cx, waiting);
                }
            }
            cx.status(Object::new());
            cx.done(flushed);
        }
        if reset {
            for waiting in self.waiting.drain(..) {
                cx.done(waiting.completion);
            }
            self.rate_ms = self.fixed_rate_ms;
            cx.set_status("", "", "reset");
            cx.done(emptied);
        }
    }

    fn tick(&mut self, cx: &mut Cx<'_>) {
        self.interval = Some(cx.set_timer_ms(self.rate_ms.max(1.0)));
        match self.mode {
            Mode::Timed => {
                while let Some(waiting) = self.waiting.pop_front() {
                    Self::send(cx, waiting);
                }
            }
            Mode::Queue => {
                if let Some(waiting) = self.waiting.pop_front() {
                    Self::send(cx, waiting);
                }
            }
            _ => match self.waiting.pop_front() {
                Some(waiting) if has_content(&waiting.msg) => Self::send(cx, waiting),
                Some(_) => {}
                None => self.stop_interval(cx),
            },
        }
        self.report_depth(cx);
    }
}

fn random() -> f64 {
    let bits = u64::from_str_radix(&vgdc_core::value::generate_id(), 16).unwrap_or_default();
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

impl Process for Delay {
    fn input(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        match self.mode {
            Mode::Fixed | Mode::Variable | Mode::Random => self.delayed(cx, msg),
            Mode::Rate => self.limited(cx, msg),
            Mode::Burst => self.bursting(cx, msg),
            Mode::Queue | Mode::Timed => self.by_topic(cx, msg),
        }
    }

    fn timer(&mut self, cx: &mut Cx<'_>, timer: TimerId) {
        if self.report == Some(timer) {
            self.report = None;
            self.depth_status(cx, "dot");
        } else if self.interval == Some(timer) {
            self.tick(cx);
        } else if let Some(at) = self.in_flight.iter().position(|known| *known == timer) {
            if self.in_flight.len() as f64 == self.burst {
                light(cx, "green", "ring");
            }
            self.in_flight.remove(at);
        } else {
            self.due(cx, timer);
        }
    }

    fn close(&mut self, cx: &mut Cx<'_>, _: bool) -> Closing {
        self.clear(cx);
        cx.status(Object::new());
        None
    }
}
