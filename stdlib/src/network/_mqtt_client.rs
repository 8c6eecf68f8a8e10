//! The client that an `mqtt-broker` node shares with the nodes that use it: its connection, subscriptions, users.
//!
//! All of it lives on the island's thread. Publishing writes into the session's buffer in the publisher's own turn; one task
//! (`link`) carries bytes between that buffer and the socket, and posts what comes to the subscribers.

use super::mqtt_options::Options;
use super::mqtt_packet::{Arrived, Datatype, Filter, Publication};
use super::mqtt_session::{Ack, Received, Session, Subscribe};
use super::tls::Tls;
use mqtt_protocol_core::mqtt::packet::{Properties, Property};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::{Notify, oneshot};
use vgdc_core::value::Object;
use vgdc_core::{Level, Mailbox};

/// What a node that uses the broker shows of its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Red ring.
    Disconnected,
    /// Yellow ring.
    Connecting,
    /// Green dot.
    Connected,
}

impl Shown {
    /// Fill, shape and text.
    pub fn parts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Shown::Disconnected => ("red", "ring", "node-red:common.status.disconnected"),
            Shown::Connecting => ("yellow", "ring", "node-red:common.status.connecting"),
            Shown::Connected => ("green", "dot", "node-red:common.status.connected"),
        }
    }
}

/// A message for a subscriber.
pub struct Delivery {
    /// What its payload is to become.
    pub datatype: Datatype,
    /// The message.
    pub arrived: Arrived,
}

/// An action of a node is done.
pub struct ActionDone {
    /// What the node calls it.
    pub token: u64,
}

/// What the client has the broker node log.
pub struct Log(pub Level, pub String);

/// The broker node is to show everybody's state in a moment.
pub struct ShowSoon;

/// What the broker said of itself.
#[derive(Debug, Clone, Default)]
pub struct ServerLimits {
    /// The highest topic alias it takes.
    pub topic_alias_maximum: u16,
    /// Subscriptions can be numbered.
    pub subscription_ids: bool,
}

struct Subscription {
    topic: String,
    owner: String,
    how: Subscribe,
    datatype: Datatype,
    filter: Filter,
    /// Where messages go; `None` when the owner has gone and left the subscription in place.
    to: Option<Mailbox>,
    /// With what number it was made.
    number: Option<u32>,
    broker: String,
}

struct State {
    options: Options,
    users: Vec<(String, Mailbox)>,
    subscriptions: Vec<Subscription>,
    numbers: HashMap<String, u32>,
    next_number: u32,
    session: Session,
    server: ServerLimits,
    connected: bool,
    connecting: bool,
    closing: bool,
    /// Tells the link to end. `None`: there is no link.
    link: Option<Rc<Stop>>,
    waiting_connect: Vec<(Mailbox, u64)>,
    ended: Vec<oneshot::Sender<()>>,
}

/// How a link is told to end.
#[derive(Default)]
pub struct Stop {
    wanted: Cell<bool>,
    notify: Notify,
}

impl Stop {
    /// True when the link is to end.
    pub fn is_set(&self) -> bool {
        self.wanted.get()
    }

    /// Waits until it is.
    pub async fn set(&self) {
        while !self.wanted.get() {
            self.notify.notified().await;
        }
    }
}

/// (see the module)
pub struct Client {
    /// The broker node's id.
    pub id: String,
    /// The broker node.
    pub mailbox: Mailbox,
    /// Certificates, when a `tls-config` node is chosen.
    pub tls: Option<Rc<Tls>>,
    /// How long to wait before connecting again.
    pub period: Duration,
    secrets: Object,
    state: RefCell<State>,
    wake: Notify,
}

/// Subscriptions that were left in place by nodes that went, by node; a node that comes again with another broker ends them.
#[derive(Default)]
pub struct LeftBehind(pub RefCell<HashMap<String, Vec<(String, String)>>>);

impl Client {
    /// A client that is not connected.
    pub fn new(
        id: String,
        mailbox: Mailbox,
        options: Options,
        tls: Option<Rc<Tls>>,
        secrets: Object,
        period: Duration,
    ) -> Client {
        let session = Session::new(options.protocol);
        let state = State {
            options,
            users: Vec::new(),
            subscriptions: Vec::new(),
            numbers: HashMap::new(),
            next_number: 1,
            session,
            server: ServerLimits::default(),
            connected: false,
            connecting: false,
            closing: false,
            link: None,
            waiting_connect: Vec::new(),
            ended: Vec::new(),
        };
        Client {
            id,
            mailbox,
            tls,
            period,
            secrets,
            state: RefCell::new(state),
            wake: Notify::new(),
        }
    }

    /// True while the connection stands.
    pub fn is_connected(&self) -> bool {
        self.state.borrow().connected
    }

    /// True when MQTT 5 is spoken.
    pub fn v5(&self) -> bool {
        self.state.borrow().session.v5()
            || self.state.borrow().options.protocol == super::mqtt_session::Protocol::V5
    }

    /// True when messages carry their topic twice.
    pub fn is_local(&self) -> bool {
        self.state.borrow().options.is_local()
    }

    /// What the broker said of itself.
    pub fn server(&self) -> ServerLimits {
        self.state.borrow().server.clone()
    }

    fn show(&self, state: &State, shown: Shown) {
        for (_, user) in &state.users {
            user.post(shown);
        }
    }

    fn log(&self, text: String) {
        self.mailbox.post(Log(Level::Info, text));
    }

    /// Shows everybody's present state.
    pub fn show_all(&self) {
        let state = self.state.borrow();
        let shown = if state.connecting {
            Shown::Connecting
        } else if state.connected {
            Shown::Connected
        } else {
            Shown::Disconnected
        };
        self.show(&state, shown);
    }

    // ------------------------------------------------------------------------------------------------- users

    /// A node begins to use the broker: the first one lets it connect.
    pub fn register(self: &Rc<Self>, id: &str, mailbox: Mailbox) {
        let first = {
            let mut state = self.state.borrow_mut();
            state.users.retain(|(user, _)| user != id);
            state.users.push((id.to_owned(), mailbox));
            state.users.len() == 1 && state.options.auto_connect
        };
        if first {
            self.connect(None);
            self.mailbox.post(ShowSoon);
        }
    }

    /// A node no longer uses the broker. `removed`: it is gone for good, and the last one lets it disconnect; then there is
    /// something to wait for.
    pub fn deregister(&self, id: &str, removed: bool) -> Option<oneshot::Receiver<()>> {
        let last = {
            let mut state = self.state.borrow_mut();
            state.users.retain(|(user, _)| user != id);
            removed && !state.closing && state.connected && state.users.is_empty()
        };
        if last { self.disconnect() } else { None }
    }

    // ------------------------------------------------------------------------------------------------- connection

    /// True when it is neither connected nor about to be.
    pub fn can_connect(&self) -> bool {
        let state = self.state.borrow();
        !state.connected && !state.connecting
    }

    /// Takes over what a `connect` action brings.
    pub fn update(&self, given: &Object) {
        let mut state = self.state.borrow_mut();
        if state.options.update(given, &self.secrets) {
            self.mailbox.post(Log(
                Level::Warn,
                "No client ID set, using clean session".to_owned(),
            ));
        }
    }

    /// Connects, and tells when it has. Must be called on the island's thread.
    pub fn connect(self: &Rc<Self>, tell: Option<(Mailbox, u64)>) {
        let stop = {
            let mut state = self.state.borrow_mut();
            state.waiting_connect.extend(tell);
            if state.connected || state.connecting {
                return;
            }
            (state.closing, state.connecting) = (false, true);
            self.show(&state, Shown::Connecting);
            // (one that waits to connect again is left alone: it is in nobody's way once it is told to end)
            if let Some(old) = state.link.take() {
                old.wanted.set(true);
                old.notify.notify_one();
            }
            let stop = Rc::new(Stop::default());
            state.link = Some(stop.clone());
            stop
        };
        tokio::task::spawn_local(super::mqtt_link::run(self.clone(), stop));
    }

    /// Disconnects in good order. `None` when there is nothing to wait for.
    pub fn disconnect(&self) -> Option<oneshot::Receiver<()>> {
        let mut state = self.state.borrow_mut();
        if state.closing || state.link.is_none() {
            self.set_disconnected(&mut state);
            return None;
        }
        state.closing = true;
        if state.connected
            && let Some(close) = state.options.close.clone()
        {
            // (a close message that cannot be sent does not keep the connection open)
            let _ = state.session.publish(close, None);
        }
        let (sender, receiver) = oneshot::channel();
        state.ended.push(sender);
        if let Some(link) = &state.link {
            link.wanted.set(true);
            link.notify.notify_one();
        }
        self.wake.notify_one();
        Some(receiver)
    }

    fn set_disconnected(&self, state: &mut State) {
        if state.connected || state.connecting {
            self.show(state, Shown::Disconnected);
        }
        (state.connected, state.connecting) = (false, false);
    }

    // ------------------------------------------------------------------------------------------------- messages

    /// Publishes; false when there is no connection and nothing is done. `Some(true)`: it is on its way.
    ///
    /// # Errors
    /// It does not fit the protocol, or too much is waiting.
    pub fn publish(
        &self,
        publication: Publication,
        ack: Option<Ack>,
    ) -> Result<Option<bool>, String> {
        let mut state = self.state.borrow_mut();
        if !state.connected {
            return Ok(None);
        }
        let on_its_way = state.session.publish(publication, ack)?;
        self.wake.notify_one();
        Ok(Some(on_its_way))
    }

    /// Subscribes a node to a topic, now or as soon as there is a connection. What it had there before is replaced.
    pub fn subscribe(
        &self,
        topic: &str,
        how: Subscribe,
        datatype: Datatype,
        owner: &str,
        to: Mailbox,
    ) {
        let mut state = self.state.borrow_mut();
        let found = state
            .subscriptions
            .iter()
            .position(|known| known.topic == topic && known.owner == owner);
        if let Some(at) = found
            && state.subscriptions[at].how != how
        {
            self.end(&mut state, topic, owner);
        }
        let filter = Filter::parse(topic);
        let broker = self.id.clone();
        let (topic_text, owner_text) = (topic.to_owned(), owner.to_owned());
        let new = Subscription {
            topic: topic_text,
            owner: owner_text,
            how,
            datatype,
            filter,
            to: Some(to),
            number: None,
            broker,
        };
        let at = match state
            .subscriptions
            .iter()
            .position(|known| known.topic == topic && known.owner == owner)
        {
            Some(at) => {
                state.subscriptions[at] = new;
                at
            }
            None => {
                state.subscriptions.push(new);
                state.subscriptions.len() - 1
            }
        };
        self.send_subscribe(&mut state, at);
    }

    fn send_subscribe(&self, state: &mut State, at: usize) {
        let State {
            subscriptions,
            numbers,
            next_number,
            session,
            server,
            connected,
            ..
        } = state;
        let Some(subscription) = subscriptions.get_mut(at) else {
            return;
        };
        let number = *numbers
            .entry(subscription.topic.clone())
            .or_insert_with(|| {
                *next_number += 1;
                *next_number - 1
            });
        if !*connected {
            return;
        }
        subscription.number = server.subscription_ids.then_some(number);
        match session.subscribe(&subscription.topic, &subscription.how, subscription.number) {
            Ok(()) => self.wake.notify_one(),
            Err(why) => self.mailbox.post(Log(Level::Error, why)),
        }
    }

    /// Ends a node's subscription; `remove`: at the broker, too, even when the node's are to be left in place. Gives what is
    /// left behind: topic and broker.
    pub fn unsubscribe(&self, topic: &str, owner: &str, remove: bool) -> Option<(String, String)> {
        let mut state = self.state.borrow_mut();
        if remove || state.options.auto_unsubscribe {
            self.end(&mut state, topic, owner);
            return None;
        }
        let found = state
            .subscriptions
            .iter_mut()
            .find(|known| known.topic == topic && known.owner == owner)?;
        found.to = None;
        Some((topic.to_owned(), found.broker.clone()))
    }

    fn end(&self, state: &mut State, topic: &str, owner: &str) {
        state
            .subscriptions
            .retain(|known| known.topic != topic || known.owner != owner);
        if state.subscriptions.iter().any(|known| known.topic == topic)
            || state.numbers.remove(topic).is_none()
        {
            return;
        }
        if state.connected {
            match state.session.unsubscribe(topic) {
                Ok(()) => self.wake.notify_one(),
                Err(why) => self.mailbox.post(Log(Level::Error, why)),
            }
        }
    }

    fn deliver(state: &State, arrived: Arrived) {
        let mut last: Option<(&Mailbox, Datatype)> = None;
        let numbers = arrived
            .extras
            .as_ref()
            .map(|extras| &extras.subscriptions)
            .filter(|numbers| !numbers.is_empty());
        for subscription in &state.subscriptions {
            let Some(to) = &subscription.to else { continue };
            if let (Some(came_by), Some(number)) = (numbers, subscription.number)
                && !came_by.contains(&number)
            {
                continue;
            }
            if subscription.filter.matches(&arrived.topic)
                // (most messages go to one subscriber: the last one takes the message itself)
                && let Some((before, datatype)) = last.replace((to, subscription.datatype))
            {
                before.post(Delivery {
                    datatype,
                    arrived: arrived.clone(),
                });
            }
        }
        if let Some((to, datatype)) = last {
            to.post(Delivery { datatype, arrived });
        }
    }

    // ------------------------------------------------------------------------------------------------- the link's side

    /// Something is to be sent, or the link is to end.
    pub(super) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// What is needed to connect.
    pub(super) fn options(&self) -> Options {
        self.state.borrow().options.clone()
    }

    /// The session, for as long as it is not awaited upon.
    pub(super) fn with_session<T>(&self, act: impl FnOnce(&mut Session) -> T) -> T {
        act(&mut self.state.borrow_mut().session)
    }

    /// Handles what came. False: the broker ends the connection.
    pub(super) fn receive(&self, received: &mut Vec<Received>) -> Result<(), String> {
        let mut ends = Ok(());
        for what in received.drain(..) {
            match what {
                Received::Message(arrived) => Client::deliver(&self.state.borrow(), arrived),
                Received::Connected { properties } => self.accepted(&properties),
                Received::Refused(why) => ends = Err(why),
                Received::Disconnect { code, reason } => {
                    let mut state = self.state.borrow_mut();
                    self.log(format!(
                        "Broker {} disconnected client: {code} {reason}",
                        state.options.name()
                    ));
                    state.connected = false;
                    self.show(&state, Shown::Disconnected);
                    ends = Err(reason);
                }
            }
        }
        ends
    }

    fn accepted(&self, properties: &Properties) {
        let mut state = self.state.borrow_mut();
        (state.closing, state.connecting, state.connected) = (false, false, true);
        for (mailbox, token) in state.waiting_connect.drain(..) {
            mailbox.post(ActionDone { token });
        }
        self.log(format!("Connected to broker: {}", state.options.name()));
        let mut limits = ServerLimits {
            topic_alias_maximum: 0,
            subscription_ids: state.session.v5(),
        };
        for property in properties {
            match property {
                Property::TopicAliasMaximum(maximum) => limits.topic_alias_maximum = maximum.val(),
                Property::SubscriptionIdentifierAvailable(available) => {
                    limits.subscription_ids = available.val() == 1
                }
                _ => {}
            }
        }
        state.server = limits;
        self.show(&state, Shown::Connected);
        for at in 0..state.subscriptions.len() {
            self.send_subscribe(&mut state, at);
        }
        if let Some(birth) = state.options.birth.clone()
            && let Err(why) = state.session.publish(birth, None)
        {
            self.mailbox.post(Log(Level::Error, why));
        }
        self.wake.notify_one();
    }

    /// The connection is gone, or none came about.
    pub(super) fn lost(&self) {
        let mut state = self.state.borrow_mut();
        state.session.closed();
        if state.connected {
            state.connected = false;
            self.log(format!(
                "Disconnected from broker: {}",
                state.options.name()
            ));
            self.show(&state, Shown::Disconnected);
        } else if state.connecting {
            self.log(format!(
                "Connection failed to broker: {}",
                state.options.name()
            ));
        }
    }

    /// It is about to be tried again.
    pub(super) fn again(&self) {
        self.show(&self.state.borrow(), Shown::Connecting);
    }

    /// The link has ended because it was told to.
    pub(super) fn ended(&self, stop: &Rc<Stop>) {
        let mut state = self.state.borrow_mut();
        if !state
            .link
            .as_ref()
            .is_some_and(|link| Rc::ptr_eq(link, stop))
        {
            return;
        }
        state.link = None;
        state.session.closed();
        state.session.give_up("Error: Connection closed");
        self.set_disconnected(&mut state);
        for ended in state.ended.drain(..) {
            // (whoever waited may have gone)
            let _ = ended.send(());
        }
    }
}
