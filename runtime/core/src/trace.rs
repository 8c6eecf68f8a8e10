//! Traces: which messages are followed through nodes and machines, and what is told of each node that has one.
//!
//! A trace is a message's way. Node-RED's `_msgid` stays with a message through nodes, and goes along over links; so the
//! trace's id, and whether the message is followed, are a hash of it: every machine comes to the same, and no message
//! carries anything for it. A *span* is a turn of a node that such a message has a part in. Its parent is the turn that sent the
//! message: the one that is open when a message is handed on at once; for one that waits in the queue what was noted when it was put there;
//! for one that a node sends later (a timer, an answer) the node's last turn with it.
//!
//! Without traces an island has no `Tracing`, and all that is left of this is to see that there is none.

mod id;

use id::WHOLE;
pub use id::{SpanContext, TraceId};

use crate::island::Island;
use crate::{Cx, LinkEnd, NodeError, OpInfo};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use vgdc_value::{Key, Msg, Value};

/// How many nodes' last turns with a message are known, for what they send later.
const MOST_LAST: usize = 4096;
/// How much of an error's text a span has, in bytes.
const MOST_ERROR: usize = 1024;

/// What a span is, as OpenTelemetry divides them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanKind {
    /// A node has a message.
    Internal,
    /// A message is handed to a link.
    Producer,
    /// A message has come over a link.
    Consumer,
}

/// What is told of a node's turn with a message.
#[derive(Debug, Clone)]
pub struct Span {
    /// Which one it is.
    pub context: SpanContext,
    /// The span that sent the message, in the same trace; `None`: the message begins here.
    pub parent: Option<u64>,
    /// The span of another trace that this message comes of (a node has sent one with another id).
    pub comes_of: Option<SpanContext>,
    /// What it is.
    pub kind: SpanKind,
    /// The node.
    pub node: Arc<OpInfo>,
    /// When it began, in nanoseconds since the epoch, by the computer's clock.
    pub start_ns: u64,
    /// When it ended.
    pub end_ns: u64,
    /// The text of an error that the node raised.
    pub error: Option<String>,
    /// The link that the message goes over.
    pub link: Option<LinkEnd>,
}

/// Takes spans. Called on the islands' threads: it must not wait.
pub trait SpanSink: Send + Sync {
    /// A span has ended.
    fn span(&self, span: Span);
}

/// What is to be known of messages' ways.
#[derive(Clone)]
pub struct Traces {
    /// The share of messages that are followed, 0 to 1. With 0 only log lines know which message they are about.
    pub share: f64,
    /// Takes the spans.
    pub sink: Arc<dyn SpanSink>,
}

/// A sink that nobody listens to.
pub struct NoSpans;

impl SpanSink for NoSpans {
    fn span(&self, _: Span) {}
}

/// What an island knows of the messages on their way through it.
pub(crate) struct Tracing {
    /// Followed are traces whose random part is at least this.
    least: u64,
    sink: Arc<dyn SpanSink>,
    /// Turns that have begun and not ended, outermost first.
    turns: Vec<Turn>,
    /// Who sent the followed messages that wait for an operator, in the order in which they wait.
    waiting: HashMap<(u32, TraceId), VecDeque<Option<SpanContext>>>,
    /// Who sent the message that has just been taken out of the queue.
    came: Option<Option<SpanContext>>,
    last: Last,
}

struct Turn {
    slot: u32,
    /// The `_msgid` of the message that the turn is about.
    id: Option<Value>,
    /// When it began, where that may be asked for.
    begun: Option<(Instant, u64)>,
    spans: Vec<Open>,
}

/// A span that has not ended.
struct Open {
    slot: u32,
    begun: Instant,
    span: Span,
}

/// The last turns of nodes with a message.
#[derive(Default)]
struct Last {
    spans: HashMap<(u32, TraceId), u64>,
    /// In the order in which they came in.
    order: VecDeque<(u32, TraceId)>,
}

impl Last {
    fn put(&mut self, slot: u32, context: SpanContext) {
        let key = (slot, context.trace);
        if self.spans.insert(key, context.span).is_some() {
            return;
        }
        self.order.push_back(key);
        if self.order.len() > MOST_LAST
            && let Some(oldest) = self.order.pop_front()
        {
            self.spans.remove(&oldest);
        }
    }

    fn get(&self, slot: u32, trace: TraceId) -> Option<u64> {
        self.spans.get(&(slot, trace)).copied()
    }
}

fn now() -> (Instant, u64) {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let ns = since.map_or(0, |since| since.as_nanos() as u64);
    (Instant::now(), ns)
}

/// A span's id that no other has: by lot for the process, counted, and mixed (the finaliser of SplitMix64, which maps no two
/// numbers to one).
fn new_span() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    static SEED: std::sync::OnceLock<u64> = std::sync::OnceLock::new();
    let seed = *SEED.get_or_init(|| {
        use std::hash::{BuildHasher, RandomState};
        RandomState::new().hash_one(std::process::id())
    });
    let step = NEXT
        .fetch_add(1, Ordering::Relaxed)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut id = seed.wrapping_add(step);
    id = (id ^ (id >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    id = (id ^ (id >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (id ^ (id >> 31)).max(1)
}

impl Tracing {
    pub(crate) fn new(traces: &Traces) -> Tracing {
        let share = traces.share.clamp(0.0, 1.0);
        Tracing {
            least: WHOLE - (share * WHOLE as f64) as u64,
            sink: traces.sink.clone(),
            turns: Vec::new(),
            waiting: HashMap::new(),
            came: None,
            last: Last::default(),
        }
    }

    /// The trace of a message that is followed.
    fn followed(&self, msg: &Msg) -> Option<TraceId> {
        if self.least == WHOLE {
            return None;
        }
        TraceId::of_msg(msg).filter(|trace| trace.random() >= self.least)
    }

    /// The span of a trace in the turn that is open.
    fn open(&mut self, trace: TraceId) -> Option<&mut Open> {
        let turn = self.turns.last_mut()?;
        let of = |open: &&mut Open| open.span.context.trace == trace;
        turn.spans.iter_mut().find(of)
    }

    /// Who sends a message that is handed on now.
    fn sender(&mut self, trace: TraceId) -> Option<SpanContext> {
        match self.came.take() {
            Some(came) => came,
            None => self.open(trace).map(|open| open.span.context),
        }
    }

    fn begin_span(&mut self, slot: u32, node: &Arc<OpInfo>, trace: TraceId, parent: Option<u64>) {
        let Some(turn) = self.turns.last_mut() else {
            return;
        };
        let (begun, start_ns) = turn.begun.unwrap_or_else(now);
        let context = SpanContext {
            trace,
            span: new_span(),
        };
        // (what a node has made of another message)
        let first = turn.spans.first().map(|open| open.span.context);
        let comes_of = first.filter(|first| parent.is_none() && first.trace != trace);
        let span = Span {
            context,
            parent,
            comes_of,
            kind: SpanKind::Internal,
            node: node.clone(),
            start_ns,
            end_ns: start_ns,
            error: None,
            link: None,
        };
        turn.spans.push(Open { slot, begun, span });
    }

    fn ended(&mut self, mut open: Open) {
        open.span.end_ns = open.span.start_ns + open.begun.elapsed().as_nanos() as u64;
        self.last.put(open.slot, open.span.context);
        self.sink.span(open.span);
    }

    /// Operators have other slots now.
    pub(crate) fn forget_slots(&mut self) {
        self.waiting.clear();
        self.last = Last::default();
    }

    /// An operator has gone, and what waited for it.
    pub(crate) fn forget(&mut self, slot: u32) {
        self.waiting.retain(|(of, _), _| *of != slot);
    }
}

impl Island {
    /// A turn of an operator begins, with a message or without; to be ended with [`Island::turn_ends`].
    #[inline]
    pub(crate) fn turn_begins(&mut self, slot: u32, msg: Option<&Msg>) -> Option<usize> {
        match self.tracing {
            None => None,
            Some(_) => self.traced_turn(slot, msg),
        }
    }

    fn traced_turn(&mut self, slot: u32, msg: Option<&Msg>) -> Option<usize> {
        let node = &self.slots.get(slot as usize)?.info;
        let tracing = self.tracing.as_deref_mut()?;
        let trace = msg.and_then(|msg| tracing.followed(msg));
        let parent = trace.and_then(|trace| tracing.sender(trace));
        // (of a message that went no further than here)
        tracing.came = None;
        let timed = tracing.least < WHOLE && (trace.is_some() || msg.is_none());
        tracing.turns.push(Turn {
            slot,
            id: msg.and_then(|msg| msg.get_key(&Key::MSGID).cloned()),
            begun: timed.then(now),
            spans: Vec::new(),
        });
        if let Some(trace) = trace {
            tracing.begin_span(slot, node, trace, parent.map(|parent| parent.span));
        }
        Some(tracing.turns.len() - 1)
    }

    /// The turn ends.
    #[inline]
    pub(crate) fn turn_ends(&mut self, turn: Option<usize>) {
        if let (Some(turn), Some(tracing)) = (turn, self.tracing.as_deref_mut()) {
            // (turns inside that a panic has ended are over, too)
            while tracing.turns.len() > turn {
                let spans = tracing.turns.pop().map(|turn| turn.spans);
                for open in spans.into_iter().flatten() {
                    tracing.ended(open);
                }
            }
        }
    }

    /// Whether this message is followed: then it goes through operators one by one.
    pub(crate) fn is_followed(&self, msg: &Msg) -> bool {
        let tracing = self.tracing.as_deref();
        tracing.is_some_and(|tracing| tracing.followed(msg).is_some())
    }

    /// A message waits for an operator.
    pub(crate) fn traced_waits(&mut self, slot: u32, msg: &Msg) {
        if let Some(tracing) = self.tracing.as_deref_mut()
            && let Some(trace) = tracing.followed(msg)
        {
            let sender = tracing.sender(trace);
            let waiting = tracing.waiting.entry((slot, trace)).or_default();
            waiting.push_back(sender);
        }
    }

    /// It has been taken out of the queue.
    pub(crate) fn traced_came(&mut self, slot: u32, msg: &Msg) {
        let Some(tracing) = self.tracing.as_deref_mut() else {
            return;
        };
        tracing.came = None;
        let Some(trace) = tracing.followed(msg) else {
            return;
        };
        let key = (slot, trace);
        let mut came = None;
        if let Some(waiting) = tracing.waiting.get_mut(&key) {
            came = waiting.pop_front().flatten();
            if waiting.is_empty() {
                tracing.waiting.remove(&key);
            }
        }
        tracing.came = Some(came);
    }

    /// The span of a message in the turn of this operator that is open: made, if there is none yet.
    pub(crate) fn span_of(&mut self, slot: u32, msg: &Msg) -> Option<&mut Span> {
        let node = &self.slots.get(slot as usize)?.info;
        let tracing = self.tracing.as_deref_mut()?;
        let trace = tracing.followed(msg)?;
        if tracing.open(trace).is_none() {
            let parent = tracing.last.get(slot, trace);
            tracing.begin_span(slot, node, trace, parent);
        }
        Some(&mut tracing.open(trace)?.span)
    }

    /// An operator raises an error.
    pub(crate) fn traced_error(&mut self, slot: u32, error: &NodeError, msg: Option<&Msg>) {
        let text = || {
            let mut text = error.text();
            if text.len() > MOST_ERROR {
                let end = (0..=MOST_ERROR).rev().find(|at| text.is_char_boundary(*at));
                text.truncate(end.unwrap_or(0));
            }
            text
        };
        let span = match msg {
            Some(msg) => self.span_of(slot, msg),
            None => {
                let tracing = self.tracing.as_deref_mut();
                let turn = tracing.and_then(|tracing| tracing.turns.last_mut());
                let first = turn.and_then(|turn| turn.spans.first_mut());
                first
                    .filter(|open| open.slot == slot)
                    .map(|open| &mut open.span)
            }
        };
        if let Some(span) = span {
            span.error.get_or_insert_with(text);
        }
    }

    /// The trace of the message that this operator has now.
    pub(crate) fn current_trace(&self, slot: u32) -> Option<TraceId> {
        let turn = self.tracing.as_deref()?.turns.last()?;
        match &turn.id {
            Some(id) if turn.slot == slot || turn.spans.is_empty() => TraceId::of(id),
            _ => {
                let mut spans = turn.spans.iter().rev();
                let own = spans.find(|open| open.slot == slot)?;
                Some(own.span.context.trace)
            }
        }
    }
}

impl Cx<'_> {
    /// Where in a trace a message is that goes over a link now; nothing where it is not followed. The turn's span is that of
    /// the link then.
    pub fn trace_to(&mut self, link: &LinkEnd, msg: &Msg) -> Option<SpanContext> {
        self.island.tracing.as_ref()?;
        let span = self.island.span_of(self.slot, msg)?;
        span.kind = SpanKind::Producer;
        span.link = Some(link.clone());
        Some(span.context)
    }

    /// Sends a message that has come over a link, with what the other end said of where in a trace it is.
    pub fn send_arrived(&mut self, link: &LinkEnd, msg: Msg, from: Option<SpanContext>) {
        if self.island.tracing.is_none() {
            return self.send(0, msg);
        }
        let context = self.island.span_of(self.slot, &msg).map(|span| {
            span.kind = SpanKind::Consumer;
            span.link = Some(link.clone());
            // (another host's own trace is no parent, but leads there)
            match from {
                Some(from) if from.trace == span.context.trace => span.parent = Some(from.span),
                from => span.comes_of = from,
            }
            span.context
        });
        self.send(0, msg);
        // (the next one of the turn begins where this one ends)
        if let Some(context) = context
            && let Some(tracing) = self.island.tracing.as_deref_mut()
            && let Some(turn) = tracing.turns.last_mut()
            && let Some(at) = (turn.spans.iter()).position(|open| open.span.context == context)
        {
            let open = turn.spans.remove(at);
            turn.begun = Some(now());
            tracing.ended(open);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_followed() {
        let traces = |share| {
            Tracing::new(&Traces {
                share,
                sink: Arc::new(NoSpans),
            })
        };
        let msgs: Vec<Msg> = (0..4000)
            .map(|at| {
                let mut msg = Msg::new();
                msg.insert("_msgid", format!("{at:016x}"));
                msg
            })
            .collect();
        let count = |share| {
            let tracing = traces(share);
            let followed = msgs.iter().filter(|msg| tracing.followed(msg).is_some());
            followed.count()
        };
        assert_eq!((count(0.0), count(1.0)), (0, 4000));
        let quarter = count(0.25);
        assert!((900..1100).contains(&quarter), "{quarter}");
        // (who follows few follows of those whom another one follows)
        let (few, many) = (traces(0.1), traces(0.5));
        let also = |msg: &&Msg| few.followed(msg).is_some();
        assert!(
            msgs.iter()
                .filter(also)
                .all(|msg| many.followed(msg).is_some())
        );
    }

    #[test]
    fn last_turns_are_few() {
        let mut last = Last::default();
        let trace = TraceId::of(&Value::from("m")).expect("an id");
        for slot in 0..=MOST_LAST as u32 {
            let span = u64::from(slot) + 1;
            last.put(slot, SpanContext { trace, span });
        }
        assert_eq!(last.get(0, trace), None);
        assert_eq!(last.get(1, trace), Some(2));
        assert_eq!(last.order.len(), MOST_LAST);
    }

    #[test]
    fn spans_have_ids_of_their_own() {
        let ids: std::collections::HashSet<u64> = (0..10_000).map(|_| new_span()).collect();
        assert_eq!(ids.len(), 10_000);
    }
}
