//! Who is there: SWIM as a state machine without sockets and without a clock. What happens is told to it with the time at which it
//! happens; what it wants is taken from it.
//!
//! SWIM: Das, Gupta, Motivala, "SWIM: Scalable Weakly-consistent Infection-style Process Group Membership Protocol", DSN 2002, with its
//! suspicion mechanism, by the crate `foca`.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use foca::{Foca, Incarnation, Member, NoCustomBroadcast, Notification, State, Timer};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::tuning::Tuning;
use super::wire::{self, LONGEST_NAME, Node, Wire};
use crate::error::{ErrorKind, NetError};

/// How often, and how many times, a node is told again that this one is here.
const MEET_AGAIN: Duration = Duration::from_millis(500);
const MEETINGS: u8 = 10;
/// Who has gone down is told to one member after the other, this often for so long: news that are retold a number of times do not reach
/// everyone, least of all where many of those that they are told to are cut off themselves.
const RECALL: Duration = Duration::from_millis(400);
const RECALLED: Duration = Duration::from_secs(60);

/// A node of the mesh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberInfo {
    /// Its key.
    pub key: [u8; 32],
    /// Its name, for people: up to 64 bytes.
    pub name: Arc<str>,
    /// Which of its lives it is: a number that is higher after each start, such as the milliseconds since 1970. (A node that finds itself
    /// declared down counts it up by one.)
    pub incarnation: u64,
}

/// How it stands with a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberState {
    /// It answers.
    Alive,
    /// It did not answer; if it says nothing soon it is down. Until then it counts as alive.
    Suspect,
    /// It is gone.
    Down,
}

/// Something that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// A node that was not known is there.
    Joined(MemberInfo),
    /// A member is gone: it left, its host refuses connections, or it has been silent too long.
    Down(MemberInfo),
    /// A member that was down is there again.
    Back(MemberInfo),
    /// A member has begun another life before anyone saw the last one end (a quick restart, or a false suspicion refuted).
    Renewed(MemberInfo),
    /// So many changes came faster than they were taken, and are lost; ask for the members.
    Missed(u64),
}

/// What the machine wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// A datagram to be brought to a node; it may be lost.
    Send {
        /// The node's key.
        to: [u8; 32],
        /// At most [`Tuning::datagram`] bytes.
        datagram: Vec<u8>,
    },
    /// To be told to whoever watches.
    Changed(Change),
}

/// Something that is due at a time.
struct Due {
    at: Duration,
    order: u64,
    what: What,
}

enum What {
    Foca(Timer<Node>),
    /// To tell a node again that this one is here, and how often still after that.
    Meet([u8; 32], u8),
    /// To tell some member who has gone down lately.
    Recall,
    /// A member was asked once more to say that it is there: this key, which was suspected in this life of this incarnation.
    Suspicion([u8; 32], u64, Incarnation),
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}
impl Eq for Due {}
impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

/// What `foca` calls back: notes down what it wants.
struct Notes {
    now: Duration,
    order: u64,
    timers: BinaryHeap<Reverse<Due>>,
    output: VecDeque<Output>,
    /// Keys that have been members, and whether they are down.
    seen: HashMap<[u8; 32], bool>,
    /// Who has gone down lately, and when.
    gone: HashMap<[u8; 32], Duration>,
    /// A recall is due.
    recalls: bool,
}

impl foca::Runtime<Node> for Notes {
    fn notify(&mut self, notification: Notification<'_, Node>) {
        let change = match notification {
            Notification::MemberUp(node) => match self.seen.insert(node.key, false) {
                None => Change::Joined(info(node)),
                Some(_) => Change::Back(info(node)),
            },
            Notification::MemberDown(node) => {
                self.seen.insert(node.key, true);
                self.gone.insert(node.key, self.now);
                if !self.recalls {
                    self.recalls = true;
                    self.after(RECALL, What::Recall);
                }
                Change::Down(info(node))
            }
            Notification::Rename(_, node) if self.seen.get(&node.key) == Some(&false) => {
                Change::Renewed(info(node))
            }
            _ => return,
        };
        self.output.push_back(Output::Changed(change));
    }

    fn send_to(&mut self, to: Node, data: &[u8]) {
        self.output.push_back(Output::Send {
            to: to.key,
            datagram: data.to_vec(),
        });
    }

    fn submit_after(&mut self, timer: Timer<Node>, after: Duration) {
        self.after(after, What::Foca(timer));
    }
}

impl Notes {
    fn after(&mut self, after: Duration, what: What) {
        self.order += 1;
        self.timers.push(Reverse(Due {
            at: self.now + after,
            order: self.order,
            what,
        }));
    }
}

fn info(node: &Node) -> MemberInfo {
    MemberInfo {
        key: node.key,
        name: node.name.clone(),
        incarnation: node.start,
    }
}

/// Decides whose word counts; see [`Machine::new`].
pub type Admitted = Arc<dyn Fn(&[u8; 32]) -> bool + Send + Sync>;

/// One node's view of the mesh.
pub struct Machine {
    foca: Foca<Node, Wire, StdRng, NoCustomBroadcast>,
    notes: Notes,
    admitted: Admitted,
    random: StdRng,
    longest: usize,
    suspicion: Duration,
    left: bool,
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Machine({})",
            crate::identity::short(&self.foca.identity().key)
        )
    }
}

impl Machine {
    /// A machine that knows itself alone. Datagrams are taken from admitted nodes only, and what they say of nodes that are not is left out.
    /// The same seed, times and datagrams give the same machine.
    ///
    /// # Errors
    /// The name is too long, or the tuning makes no sense.
    pub fn new(
        me: &MemberInfo,
        tuning: &Tuning,
        seed: u64,
        admitted: Admitted,
    ) -> Result<Self, NetError> {
        if me.name.len() > LONGEST_NAME {
            let text = format!(
                "the name \"{}\" of this node is longer than {LONGEST_NAME} bytes",
                me.name.chars().take(80).collect::<String>()
            );
            return Err(NetError::new(ErrorKind::Invalid, text));
        }
        let node = Node {
            key: me.key,
            start: me.incarnation,
            name: me.name.clone(),
        };
        let random = StdRng::seed_from_u64(seed);
        Ok(Self {
            foca: Foca::new(node, tuning.config()?, random, Wire),
            notes: Notes {
                now: Duration::ZERO,
                order: 0,
                timers: BinaryHeap::new(),
                output: VecDeque::new(),
                seen: HashMap::new(),
                gone: HashMap::new(),
                recalls: false,
            },
            admitted,
            random: StdRng::seed_from_u64(seed.wrapping_add(1)),
            longest: tuning.datagram,
            suspicion: tuning.suspicion,
            left: false,
        })
    }

    /// This node as others see it.
    pub fn me(&self) -> MemberInfo {
        info(self.foca.identity())
    }

    /// All members that are known, without this node.
    pub fn members(&self) -> Vec<(MemberInfo, MemberState)> {
        let all = self.foca.iter_membership_state();
        all.map(|member| {
            let state = match member.state() {
                State::Alive => MemberState::Alive,
                State::Suspect => MemberState::Suspect,
                State::Down => MemberState::Down,
            };
            (info(member.id()), state)
        })
        .collect()
    }

    /// How many other members are there.
    pub fn alive(&self) -> usize {
        self.foca.num_members()
    }

    /// Whether a node is a member that is there.
    pub fn is_alive(&self, key: &[u8; 32]) -> bool {
        self.foca
            .iter_members()
            .any(|member| member.id().key == *key)
    }

    /// A datagram came from the node with the key `from` (which the connection has proven).
    pub fn receive(&mut self, now: Duration, from: &[u8; 32], datagram: &[u8]) {
        self.notes.now = now;
        let own = self.foca.identity().key;
        let admitted = |key: &[u8; 32]| *key == own || (self.admitted)(key);
        if self.left || *from == own || !admitted(from) {
            return;
        }
        let Some(datagram) = wire::accept(datagram, from, admitted) else {
            return;
        };
        if let Some(members) = wire::told(&datagram, &own) {
            if self.is_alive(from) {
                let news = members.into_iter();
                let _ = self.foca.apply_many(news, true, &mut self.notes);
            }
            return;
        }
        // (what makes no sense is not for us, or of a past life: the protocol lives with losses)
        let _ = self.foca.handle_data(&datagram, &mut self.notes);
        if wire::asks(&datagram) {
            self.tell_all(from);
        }
    }

    /// Tells a node that asked for members all of them, where there are more than the protocol's one datagram can hold.
    fn tell_all(&mut self, key: &[u8; 32]) {
        let of_one = |member: &Member<Node>| 44 + member.id().name.len();
        let bytes: usize = self.foca.iter_members().map(of_one).sum();
        // (a datagram has a header, too, and the protocol fills it by an estimate)
        if bytes < self.longest / 2 {
            return;
        }
        let to = self.foca.iter_members().find(|m| m.id().key == *key);
        let Some(to) = to.map(|member| member.id().clone()) else {
            return;
        };
        let members = self.foca.iter_members();
        let all = wire::tell(self.foca.identity(), &to, members, self.longest);
        self.send(to.key, all);
    }

    fn send(&mut self, to: [u8; 32], datagrams: Vec<Vec<u8>>) {
        let all = datagrams
            .into_iter()
            .map(|datagram| Output::Send { to, datagram });
        self.notes.output.extend(all);
    }

    /// A node can be reached: it is told that this one is here, and answers with whom it knows. It is told a few times more while nothing
    /// is heard of it.
    pub fn meet(&mut self, now: Duration, key: &[u8; 32]) {
        self.notes.now = now;
        self.announce(key, MEETINGS);
    }

    fn announce(&mut self, key: &[u8; 32], again: u8) {
        if self.left || *key == self.foca.identity().key || !(self.admitted)(key) {
            return;
        }
        let anyone = Node {
            key: *key,
            start: 0,
            name: "".into(),
        };
        let _ = self.foca.announce(anyone, &mut self.notes);
        if again > 0 {
            self.notes.after(MEET_AGAIN, What::Meet(*key, again - 1));
        }
    }

    /// A member is known to be gone: its host refuses connections, or it has been removed from the mesh. All are told at once. If it is
    /// there after all it will hear of it, and come back.
    pub fn declare_down(&mut self, now: Duration, key: &[u8; 32]) {
        self.notes.now = now;
        let member = self
            .foca
            .iter_members()
            .find(|member| member.id().key == *key);
        let Some(member) = member else { return };
        let down = Member::new(member.id().clone(), member.incarnation(), State::Down);
        let _ = self
            .foca
            .apply_many(std::iter::once(down), true, &mut self.notes);
        let _ = self.foca.gossip(&mut self.notes);
    }

    /// Tells some member who has gone down lately, and comes back to it while there is something to tell.
    fn recall(&mut self) {
        let now = self.notes.now;
        self.notes.gone.retain(|_, since| now < *since + RECALLED);
        self.notes.recalls = !self.notes.gone.is_empty();
        if !self.notes.recalls {
            return;
        }
        self.notes.after(RECALL, What::Recall);
        let some = self.foca.num_members();
        if some == 0 {
            return;
        }
        let some = self.random.random_range(0..some);
        let Some(to) = self.foca.iter_members().nth(some) else {
            return;
        };
        let to = to.id().clone();
        let down = self.foca.iter_membership_state().filter(|member| {
            member.state() == State::Down && self.notes.gone.contains_key(&member.id().key)
        });
        let all = wire::tell(self.foca.identity(), &to, down, self.longest);
        self.send(to.key, all);
    }

    /// Declares those down that are not admitted any more.
    pub fn recheck(&mut self, now: Duration) {
        let members = self.foca.iter_members().map(|member| member.id().key);
        let gone: Vec<_> = members.filter(|key| !(self.admitted)(key)).collect();
        for key in gone {
            self.declare_down(now, &key);
        }
    }

    /// Says goodbye. The machine does nothing from then on.
    pub fn leave(&mut self, now: Duration) {
        self.notes.now = now;
        if !self.left {
            let _ = self.foca.leave_cluster(&mut self.notes);
            self.left = true;
        }
    }

    /// When [`Machine::tick`] is to be called next.
    pub fn next_tick(&self) -> Option<Duration> {
        self.notes.timers.peek().map(|Reverse(due)| due.at)
    }

    /// Does what is due.
    pub fn tick(&mut self, now: Duration) {
        while let Some(Reverse(due)) = self.notes.timers.peek()
            && due.at <= now
        {
            self.notes.now = now;
            let Some(Reverse(due)) = self.notes.timers.pop() else {
                return;
            };
            match due.what {
                _ if self.left => {}
                What::Foca(timer) => {
                    let suspected = match &timer {
                        Timer::ChangeSuspectToDown {
                            member_id,
                            incarnation,
                            ..
                        } => Some((member_id.key, member_id.start, *incarnation)),
                        _ => None,
                    };
                    let _ = self.foca.handle_timer(timer, &mut self.notes);
                    if let Some((key, start, incarnation)) = suspected {
                        self.still_suspected(key, start, incarnation);
                    }
                }
                What::Suspicion(key, start, incarnation) => {
                    if self.suspect(&key, start, incarnation).is_some() {
                        self.declare_down(now, &key);
                    }
                }
                What::Meet(key, again) => {
                    if !self.is_alive(&key) {
                        self.announce(&key, again);
                    }
                }
                What::Recall => self.recall(),
            }
        }
    }

    /// The member, if it is suspected in this life.
    fn suspect(
        &self,
        key: &[u8; 32],
        start: u64,
        incarnation: Incarnation,
    ) -> Option<Member<Node>> {
        let mut members = self.foca.iter_members();
        let member =
            members.find(|member| member.id().key == *key && member.id().start == start)?;
        let is_it = member.state() == State::Suspect && member.incarnation() == incarnation;
        is_it.then(|| member.clone())
    }

    /// The time of a suspicion is over. Foca has ended it, unless this node has renewed itself meanwhile (it was declared down): then it has
    /// forgotten its timers, and a member would be suspected for as long as nobody else speaks of it. So the member is told what is
    /// said of it, which it refutes if it is there; else it is down after as long again.
    fn still_suspected(&mut self, key: [u8; 32], start: u64, incarnation: Incarnation) {
        if let Some(member) = self.suspect(&key, start, incarnation) {
            let said = [member];
            let told = wire::tell(
                self.foca.identity(),
                said[0].id(),
                said.iter(),
                self.longest,
            );
            self.send(key, told);
            let again = What::Suspicion(key, start, incarnation);
            self.notes.after(self.suspicion, again);
        }
    }

    /// What it wants done, the oldest first.
    pub fn take(&mut self) -> Option<Output> {
        self.notes.output.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(n: u8) -> Machine {
        let me = MemberInfo {
            key: [n; 32],
            name: format!("node {n}").into(),
            incarnation: 1,
        };
        Machine::new(&me, &Tuning::default(), 7, Arc::new(|key| key[0] < 100)).unwrap()
    }

    #[test]
    fn who_renews_itself_forgets_nobody_whom_it_suspects() {
        let mut all = [machine(1), machine(2), machine(3)];
        let mut now = Duration::ZERO;
        for n in [2, 3] {
            all[0].meet(now, &[n; 32]);
        }
        settle(now, &mut all);
        // 3 is gone, and 1 comes to suspect it; then 1 hears that it has been declared down itself.
        let is_suspected = |all: &[Machine]| {
            let members = all[0].members();
            members
                .iter()
                .any(|(member, state)| member.key == [3; 32] && *state == MemberState::Suspect)
        };
        while !is_suspected(&all) {
            now += Duration::from_millis(50);
            assert!(now < Duration::from_secs(30), "3 is suspected");
            all[0].tick(now);
            all[1].tick(now);
            settle(now, &mut all[..2]);
        }
        all[1].declare_down(now, &[1; 32]);
        let until = now + Duration::from_secs(5);
        while now < until {
            now += Duration::from_millis(50);
            all[0].tick(now);
            all[1].tick(now);
            settle(now, &mut all[..2]);
        }
        assert!(all[0].me().incarnation > 1, "it has renewed itself");
        assert!(!is_suspected(&all) && !all[0].is_alive(&[3; 32]));
    }

    /// Carries datagrams until there are none, and gives the changes.
    fn settle(now: Duration, all: &mut [Machine]) -> Vec<(u8, Change)> {
        let mut changes = Vec::new();
        loop {
            let mut quiet = true;
            for at in 0..all.len() {
                let from = all[at].me().key;
                while let Some(output) = all[at].take() {
                    quiet = false;
                    match output {
                        Output::Changed(change) => changes.push((from[0], change)),
                        Output::Send { to, datagram } => {
                            if let Some(to) = all.iter_mut().find(|m| m.me().key == to) {
                                to.receive(now, &from, &datagram);
                            }
                        }
                    }
                }
            }
            if quiet {
                return changes;
            }
        }
    }

    #[test]
    fn two_that_meet_know_each_other() {
        let mut all = [machine(1), machine(2)];
        all[0].meet(Duration::ZERO, &[2; 32]);
        let changes = settle(Duration::ZERO, &mut all);
        assert!(
            changes.contains(&(1, Change::Joined(all[1].me()))),
            "{changes:?}"
        );
        assert!(
            changes.contains(&(2, Change::Joined(all[0].me()))),
            "{changes:?}"
        );
    }

    #[test]
    fn who_is_declared_down_and_is_there_comes_back() {
        let mut all = [machine(1), machine(2)];
        all[0].meet(Duration::ZERO, &[2; 32]);
        settle(Duration::ZERO, &mut all);
        all[0].declare_down(Duration::from_millis(1), &[2; 32]);
        let mut changes = Vec::new();
        for ms in 1..4000 {
            let now = Duration::from_millis(ms);
            for machine in &mut all {
                machine.tick(now);
            }
            changes.extend(settle(now, &mut all));
        }
        assert!(
            matches!(&changes[0], (1, Change::Down(info)) if info.key == [2; 32]),
            "{changes:?}"
        );
        assert!(changes.iter().any(|c| matches!(c, (1, Change::Back(info)) if info.key == [2; 32] && info.incarnation == 2)), "{changes:?}");
        assert!(all[0].is_alive(&[2; 32]) && all[1].is_alive(&[1; 32]));
    }

    #[test]
    fn nobody_speaks_for_another_and_strangers_are_not_heard() {
        let mut all = [machine(1), machine(2), machine(3)];
        all[0].meet(Duration::ZERO, &[2; 32]);
        let Some(Output::Send { datagram, .. }) = all[0].take() else {
            panic!("an announcement");
        };
        all[1].receive(Duration::ZERO, &[3; 32], &datagram);
        assert_eq!(all[1].alive(), 0, "3 sent what 1 wrote");
        let mut stranger = machine(200);
        stranger.meet(Duration::ZERO, &[2; 32]);
        let Some(Output::Send { datagram, .. }) = stranger.take() else {
            panic!("an announcement");
        };
        all[1].receive(Duration::ZERO, &[200; 32], &datagram);
        assert_eq!(all[1].alive(), 0);
    }

    #[test]
    fn who_leaves_is_down_at_once() {
        let mut all = [machine(1), machine(2)];
        all[0].meet(Duration::ZERO, &[2; 32]);
        settle(Duration::ZERO, &mut all);
        all[1].leave(Duration::from_millis(1));
        let changes = settle(Duration::from_millis(1), &mut all);
        assert!(
            changes
                .iter()
                .any(|c| matches!(c, (1, Change::Down(info)) if info.key == [2; 32])),
            "{changes:?}"
        );
    }

    #[test]
    fn tuning_that_makes_no_sense_is_refused() {
        let tuning = Tuning {
            answer: Duration::from_millis(300),
            ..Tuning::default()
        };
        let error = Machine::new(&machine(1).me(), &tuning, 0, Arc::new(|_| true)).unwrap_err();
        assert!(error.to_string().contains("shorter"), "{error}");
    }
}
