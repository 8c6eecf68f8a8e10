//! A node's behaviour.

use crate::{Config, Cx, NodeError, TimerId};
use std::any::Any;
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use vgdc_spec::NodeSpec;
use vgdc_value::{Msg, Value};

/// What a closing node still has to wait for (sockets to end, files to be written). Bounded by the runtime's close timeout.
pub type Closing = Option<Pin<Box<dyn Future<Output = ()>>>>;

/// The behaviour of one operator. It lives on its island's thread from creation to close, so it needs no locks and may
/// hold values that cannot leave a thread. All methods are called with its [`Cx`]; none may block.
///
/// A node that does I/O spawns tasks ([`Cx::spawn`]) that post what they find to its [`crate::Mailbox`]; it arrives in
/// [`Process::event`].
pub trait Process: Any {
    /// A message arrived. The node calls [`Cx::done`] (or [`Cx::error`] with the message) when it has finished with it,
    /// now or later.
    fn input(&mut self, cx: &mut Cx<'_>, msg: Msg);

    /// A timer set by [`Cx::set_timer`] is due.
    fn timer(&mut self, cx: &mut Cx<'_>, timer: TimerId) {
        let _ = (cx, timer);
    }

    /// Something that a task or another node posted to the mailbox.
    fn event(&mut self, cx: &mut Cx<'_>, event: Box<dyn Any>) {
        let _ = (cx, event);
    }

    /// All nodes of the deployment have been created.
    fn started(&mut self, cx: &mut Cx<'_>) {
        let _ = cx;
    }

    /// The node stops: clear timers, end sockets, answer what waits. `removed` tells that the node is no longer in the
    /// flows (otherwise it is about to be started again, or everything stops).
    fn close(&mut self, cx: &mut Cx<'_>, removed: bool) -> Closing {
        let _ = (cx, removed);
        None
    }

    /// The button of an inject node. `msg` is the message that the request carried.
    ///
    /// # Errors
    /// Nodes without a button refuse.
    fn button(&mut self, cx: &mut Cx<'_>, msg: Option<Value>) -> Result<(), NodeError> {
        let _ = (cx, msg);
        Err(NodeError::new("this node has no button").with_code("no-button"))
    }

    /// Switches a debug node on or off.
    fn activate(&mut self, cx: &mut Cx<'_>, active: bool) {
        let _ = (cx, active);
    }
}

/// A [`Process`] that can be made from its configuration; what `#[node]` is put on.
pub trait Node: Process + Sized {
    /// The node's properties, `#[derive(Config)]`.
    type Config: Config;

    /// Makes the node when its flow starts. What fails here leaves the node `failed`; the error is raised and the rest runs.
    ///
    /// # Errors
    /// Whatever keeps the node from starting: a bad expression, a port in use.
    fn new(config: Self::Config, cx: &mut Cx<'_>) -> Result<Self, NodeError>;
}

/// One entry of the node table: what it is, and how to make one.
pub struct NodeDef {
    /// The constant data.
    pub spec: NodeSpec,
    /// Makes the process from the operator's properties.
    pub create: fn(&mut Cx<'_>) -> Result<Box<dyn Process>, NodeError>,
}

/// Creates a [`Node`] from the operator's properties; what `#[node]` puts into [`NodeDef::create`].
///
/// # Errors
/// Properties that do not fit, or the node's own refusal.
pub fn create<N: Node>(cx: &mut Cx<'_>) -> Result<Box<dyn Process>, NodeError> {
    let config = N::Config::from_props(cx.props())?;
    Ok(Box::new(N::new(config, cx)?))
}

/// The behaviours that a runtime has, by type.
#[derive(Clone, Default)]
pub struct Registry {
    nodes: HashMap<&'static str, &'static NodeDef>,
}

impl Registry {
    /// A registry of these nodes; a later one of the same type replaces an earlier one.
    pub fn new(nodes: impl IntoIterator<Item = &'static NodeDef>) -> Self {
        Registry {
            nodes: nodes.into_iter().map(|def| (def.spec.ty, def)).collect(),
        }
    }

    /// The definition of a type.
    pub fn get(&self, ty: &str) -> Option<&'static NodeDef> {
        self.nodes.get(ty).copied()
    }

    /// All types, in no order.
    pub fn types(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.nodes.keys().copied()
    }
}
