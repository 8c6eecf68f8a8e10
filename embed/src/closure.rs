//! Closures as nodes. `flow!` puts each into [`sync`] or [`asynchronous`], and says by the return type that is written there what
//! becomes of what it gives ([`one`], [`maybe`], [`many`], [`nothing`], [`tried`]).

use std::any::Any;
use std::collections::{HashMap, VecDeque};
use std::fmt::Display;
use std::rc::Rc;
use std::sync::{Mutex, PoisonError};
use vgdc_core::{Completion, Cx, Mailbox, NodeDef, NodeError, Process};
use vgdc_spec::NodeSpec;
use vgdc_value::{FromMsg, IntoMsg, Msg};

/// The closures of a flow until their nodes start, by the nodes' ids; one of the runtime's services.
#[derive(Default)]
pub(crate) struct Closures(pub Mutex<HashMap<String, Step>>);

/// Makes a node of a closure, on the thread where it runs.
pub type Step = Box<dyn FnOnce() -> Box<dyn Process> + Send>;

/// The type that all closures are of.
pub static CLOSURE: NodeDef = NodeDef {
    spec: NodeSpec::unknown("rust"),
    create,
};

fn create(cx: &mut Cx<'_>) -> Result<Box<dyn Process>, NodeError> {
    let closures = cx.services().get::<Closures>();
    let step = closures.and_then(|closures| {
        let mut all = closures.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(cx.id())
    });
    match step {
        Some(make) => Ok(make()),
        None => Err(NodeError::new("the closure of this node has run before")),
    }
}

/// Where a closure's messages go: the output's number, and the message.
pub type Out<'o> = dyn FnMut(usize, Msg) + 'o;

/// One message.
///
/// # Errors
/// It cannot be written.
pub fn one<T: IntoMsg>(it: T, of: &mut Msg, out: &mut Out<'_>) -> Result<(), NodeError> {
    it.put_into(of)
        .map_err(|fault| NodeError::new(fault.to_string()))?;
    out(0, std::mem::take(of));
    Ok(())
}

/// One message or none.
///
/// # Errors
/// As [`one`].
pub fn maybe<T: IntoMsg>(it: Option<T>, of: &mut Msg, out: &mut Out<'_>) -> Result<(), NodeError> {
    it.map_or(Ok(()), |it| one(it, of, out))
}

/// A message for each.
///
/// # Errors
/// As [`one`]; those before have been sent then.
pub fn many<T: IntoMsg>(
    all: impl IntoIterator<Item = T>,
    of: &mut Msg,
    out: &mut Out<'_>,
) -> Result<(), NodeError> {
    all.into_iter()
        .try_for_each(|it| one(it, &mut of.clone(), out))
}

/// The same from another output; others may get messages of the same one.
///
/// # Errors
/// As those of `give`.
pub fn from_output<T>(
    output: usize,
    it: T,
    of: &mut Msg,
    out: &mut Out<'_>,
    give: impl FnOnce(T, &mut Msg, &mut Out<'_>) -> Result<(), NodeError>,
) -> Result<(), NodeError> {
    give(it, &mut of.clone(), &mut |_, msg| out(output, msg))
}

/// No message.
///
/// # Errors
/// None.
pub fn nothing(_it: (), _of: &mut Msg, _out: &mut Out<'_>) -> Result<(), NodeError> {
    Ok(())
}

/// What `give` makes of it, or an error of the node.
///
/// # Errors
/// The closure's own.
pub fn tried<T, E: Display>(
    it: Result<T, E>,
    of: &mut Msg,
    out: &mut Out<'_>,
    give: impl FnOnce(T, &mut Msg, &mut Out<'_>) -> Result<(), NodeError>,
) -> Result<(), NodeError> {
    match it {
        Ok(it) => give(it, of, out),
        Err(error) => Err(NodeError::new(error.to_string())),
    }
}

/// Which type a wire between two closures carries.
#[diagnostic::on_unimplemented(
    message = "this wire carries `{Self}`, and the closure at its end takes `{Taken}`",
    label = "takes `{Taken}`",
    note = "write the same type on both, or convert in one of them"
)]
pub trait Carries<Taken> {
    /// The thing, handed on.
    fn hand_on(self) -> Taken;
}

impl<T> Carries<T> for T {
    fn hand_on(self) -> T {
        self
    }
}

/// Checks a wire.
pub const fn wire<Given: Carries<Taken>, Taken>() {}

/// A closure that runs to its end at once.
pub fn sync<I, R, F, G>(closure: F, give: G) -> Step
where
    I: FromMsg + 'static,
    R: 'static,
    F: FnMut(I) -> R + Send + 'static,
    G: Fn(R, &mut Msg, &mut Out<'_>) -> Result<(), NodeError> + Send + 'static,
{
    Box::new(|| {
        Box::new(Sync {
            closure,
            give,
            types: std::marker::PhantomData,
        })
    })
}

struct Sync<I, R, F, G> {
    closure: F,
    give: G,
    types: std::marker::PhantomData<fn(I) -> R>,
}

/// What a closure takes of a message; what it is instead is an error of the node.
fn taken<I: FromMsg>(cx: &mut Cx<'_>, msg: &Msg) -> Option<I> {
    match I::from_msg(msg) {
        Ok(input) => Some(input),
        Err(fault) => {
            let wanted = std::any::type_name::<I>();
            let text = format!("this node takes {wanted}: {fault}");
            cx.error(NodeError::new(text), Some(msg));
            None
        }
    }
}

/// Sends what a closure gave, and finishes with the message.
fn gave<R>(
    cx: &mut Cx<'_>,
    given: R,
    mut msg: Msg,
    completion: Completion,
    give: &impl Fn(R, &mut Msg, &mut Out<'_>) -> Result<(), NodeError>,
) {
    match give(given, &mut msg, &mut |output, msg| cx.send(output, msg)) {
        Ok(()) => cx.done(completion),
        Err(error) => cx.error(error, Some(&msg)),
    }
}

impl<I, R, F, G> Process for Sync<I, R, F, G>
where
    I: FromMsg + 'static,
    R: 'static,
    F: FnMut(I) -> R + Send + 'static,
    G: Fn(R, &mut Msg, &mut Out<'_>) -> Result<(), NodeError> + Send + 'static,
{
    fn input(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        if let Some(input) = taken::<I>(cx, &msg) {
            let completion = cx.completion(&msg);
            let given = (self.closure)(input);
            gave(cx, given, msg, completion, &self.give);
        }
    }
}

/// A closure that waits. Messages are worked off one after the other, so that they keep their order; those that wait slow the sources.
pub fn asynchronous<I, R, F, G>(closure: F, give: G) -> Step
where
    I: FromMsg + 'static,
    R: 'static,
    F: AsyncFn(I) -> R + Send + 'static,
    G: Fn(R, &mut Msg, &mut Out<'_>) -> Result<(), NodeError> + Send + 'static,
{
    Box::new(|| {
        Box::new(Waits {
            closure: Rc::new(closure),
            give,
            now: None,
            waiting: VecDeque::new(),
            result: Rc::default(),
            types: std::marker::PhantomData::<fn(I) -> R>,
        })
    })
}

/// A node that waits for its closure.
struct Waits<I, R, F, G> {
    closure: Rc<F>,
    give: G,
    /// The message that is worked on.
    now: Option<(Msg, Completion)>,
    /// Those behind it.
    waiting: VecDeque<Msg>,
    /// What came of it.
    result: Rc<std::cell::RefCell<Option<R>>>,
    types: std::marker::PhantomData<fn(I) -> R>,
}

/// The closure has come to its end.
struct Ended;

impl<I, R, F, G> Waits<I, R, F, G>
where
    I: FromMsg + 'static,
    R: 'static,
    F: AsyncFn(I) -> R + 'static,
{
    fn next(&mut self, cx: &mut Cx<'_>) {
        while self.now.is_none()
            && let Some(msg) = self.waiting.pop_front()
        {
            let mailbox: Mailbox = cx.mailbox();
            mailbox.arrived(1);
            let Some(input) = taken::<I>(cx, &msg) else {
                continue;
            };
            let completion = cx.completion(&msg);
            self.now = Some((msg, completion));
            let (closure, result) = (self.closure.clone(), self.result.clone());
            cx.work(async move {
                let given = closure(input).await;
                *result.borrow_mut() = Some(given);
                Ended
            });
        }
    }
}

impl<I, R, F, G> Process for Waits<I, R, F, G>
where
    I: FromMsg + 'static,
    R: 'static,
    F: AsyncFn(I) -> R + 'static,
    G: Fn(R, &mut Msg, &mut Out<'_>) -> Result<(), NodeError> + 'static,
{
    fn input(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        cx.mailbox().gone();
        self.waiting.push_back(msg);
        self.next(cx);
    }

    fn event(&mut self, cx: &mut Cx<'_>, event: Box<dyn Any>) {
        let given = self.result.borrow_mut().take();
        if event.is::<Ended>()
            && let (Some((msg, completion)), Some(given)) = (self.now.take(), given)
        {
            gave(cx, given, msg, completion, &self.give);
        }
        self.next(cx);
    }
}
