//! What is known at one point of a body: the values of its variables, and the objects that it has made or got hold of.
//!
//! An object literal, and an object that something is written into, is followed under a name of its own (a [`Loc`]), so that a
//! change through one variable is seen through another. All other objects and arrays are known by type alone; any two of them
//! may be one and the same. What a change may touch follows from that:
//! * an object that is followed and has never been handed out (not `shared`) changes only by its own name;
//! * a change of any other object may be one of every shared object and of all that is known by type alone.

use std::collections::{BTreeMap, BTreeSet};

use oxc_semantic::SymbolId;
use vgdc_ir::Ty;

/// An object that is followed, by the place in the text where it was made or found.
pub(super) type Loc = u32;

/// How deep the types of values may be nested.
const DEPTH: usize = 4;
/// How many fields an object may have.
const FIELDS: usize = 48;

/// What a value may be: of this type, or one of these objects.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Val {
    pub(super) ty: Ty,
    pub(super) locs: BTreeSet<Loc>,
}

impl From<Ty> for Val {
    fn from(ty: Ty) -> Val {
        Val {
            ty,
            locs: BTreeSet::new(),
        }
    }
}

impl Val {
    pub(super) fn never() -> Val {
        Ty::NEVER.into()
    }

    pub(super) fn any() -> Val {
        Ty::ANY.into()
    }

    pub(super) fn object(loc: Loc) -> Val {
        Val {
            ty: Ty::NEVER,
            locs: BTreeSet::from([loc]),
        }
    }

    pub(super) fn join(&self, other: &Val) -> Val {
        Val {
            ty: self.ty.join(&other.ty),
            locs: self.locs.union(&other.locs).copied().collect(),
        }
    }

    pub(super) fn is_never(&self) -> bool {
        self.ty.is_never() && self.locs.is_empty()
    }

    /// Whether it is of this type for sure, and not an object that is followed.
    pub(super) fn is(&self, ty: &Ty) -> bool {
        self.locs.is_empty() && !self.ty.is_never() && self.ty.is(ty)
    }

    /// What it is where it counts as true.
    pub(super) fn truthy(&self) -> Val {
        Val {
            ty: self.ty.present(),
            locs: self.locs.clone(),
        }
    }

    /// What it is where it counts as false.
    pub(super) fn falsy(&self) -> Val {
        let ty = &self.ty;
        let never = [Ty::any_object(), Ty::array(Ty::ANY), Ty::BUFFER, Ty::DATE];
        never
            .iter()
            .fold(ty.clone(), |ty, never| ty.minus(never))
            .into()
    }

    /// What it is where it is neither `undefined` nor `null`.
    pub(super) fn present(&self) -> Val {
        self.truthy()
    }

    pub(super) fn only(&self, ty: &Ty) -> Val {
        let objects = ty.may_be_object();
        Val {
            ty: self.ty.meet(ty),
            locs: self.locs.iter().copied().filter(|_| objects).collect(),
        }
    }

    pub(super) fn except(&self, ty: &Ty) -> Val {
        let objects = Ty::any_object().is(ty);
        Val {
            ty: self.ty.minus(ty),
            locs: self.locs.iter().copied().filter(|_| !objects).collect(),
        }
    }
}

/// An object that is followed.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Obj {
    fields: BTreeMap<String, Val>,
    /// It may have other fields.
    open: bool,
    /// Others may have it too.
    shared: bool,
    /// There is one of it: made or found once.
    unique: bool,
}

impl Obj {
    fn get(&self, name: &str) -> Val {
        match (self.fields.get(name), self.open) {
            (Some(val), _) => val.clone(),
            (None, true) => Val::any(),
            (None, false) => Ty::UNDEFINED.into(),
        }
    }

    fn has_room_for(&self, name: &str) -> bool {
        self.fields.len() < FIELDS || self.fields.contains_key(name)
    }

    fn join(&self, other: &Obj) -> Obj {
        let names = self.fields.keys().chain(other.fields.keys());
        let fields = names.map(|name| (name.clone(), self.get(name).join(&other.get(name))));
        Obj {
            fields: fields.collect(),
            open: self.open || other.open,
            shared: self.shared || other.shared,
            unique: self.unique && other.unique,
        }
    }
}

/// What is known at one point.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct State {
    vars: BTreeMap<SymbolId, Val>,
    heap: BTreeMap<Loc, Obj>,
    /// Some object may be inside itself. In a message that is sent, what leads back is no object.
    circles: bool,
}

impl State {
    pub(super) fn join(&self, other: &State) -> State {
        let mut made = self.clone();
        made.circles |= other.circles;
        for (symbol, val) in &other.vars {
            let known = self.var(*symbol);
            made.vars.insert(*symbol, known.join(val));
        }
        for (symbol, val) in &self.vars {
            if !other.vars.contains_key(symbol) {
                made.vars.insert(*symbol, val.join(&Ty::UNDEFINED.into()));
            }
        }
        for (loc, obj) in &other.heap {
            let joined = match self.heap.get(loc) {
                Some(known) => known.join(obj),
                None => obj.clone(),
            };
            made.heap.insert(*loc, joined);
        }
        made
    }

    // ---- variables

    pub(super) fn var(&self, symbol: SymbolId) -> Val {
        let known = self.vars.get(&symbol);
        known.cloned().unwrap_or_else(|| Ty::UNDEFINED.into())
    }

    pub(super) fn set_var(&mut self, symbol: SymbolId, val: Val) {
        self.vars.insert(symbol, limited(val));
    }

    // ---- objects

    /// Makes an object at a place in the text. Where there is one from before, the name stands for both from now on.
    pub(super) fn make(&mut self, at: Loc, ty: &Ty, shared: bool) -> Val {
        let (fields, open) = ty.fields();
        let fields = fields.map(|(name, ty)| (name.to_owned(), ty.clone().into()));
        self.add(at, fields.collect(), open, shared)
    }

    /// Makes a new object with these fields.
    pub(super) fn make_of(&mut self, at: Loc, fields: Vec<(String, Val)>, open: bool) -> Val {
        self.add(at, fields.into_iter().collect(), open, false)
    }

    fn add(&mut self, at: Loc, fields: BTreeMap<String, Val>, open: bool, shared: bool) -> Val {
        let obj = Obj {
            fields,
            open,
            shared,
            unique: true,
        };
        let obj = match self.heap.get(&at) {
            Some(known) => Obj {
                unique: false,
                ..known.join(&obj)
            },
            None => obj,
        };
        self.heap.insert(at, obj);
        Val::object(at)
    }

    /// What a field of a value has, where reading it does not fail.
    pub(super) fn get(&self, of: &Val, name: &str) -> Val {
        let mut found: Val = of.ty.property(name).into();
        for obj in of.locs.iter().filter_map(|loc| self.heap.get(loc)) {
            let own = obj.get(name);
            // (what every object has from JavaScript)
            let empty = Ty::object::<&str>([], false);
            let inherited = !empty.property(name).is(&Ty::UNDEFINED);
            found = found.join(&match inherited {
                true => own.join(&Val::any()),
                false => own,
            });
        }
        found
    }

    /// Sets a field of what a value may be; `None`: of which name is not known.
    pub(super) fn set(&mut self, of: &Val, name: Option<&str>, val: &Val) {
        let by_type = of.ty.element().is_some() || of.ty.may_be_object();
        let alone = !by_type && of.locs.len() == 1;
        let mut anywhere = by_type;
        for loc in &of.locs {
            let Some(obj) = self.heap.get_mut(loc) else {
                continue;
            };
            anywhere |= obj.shared;
            match name {
                Some(name) if obj.has_room_for(name) => {
                    let new = match alone && obj.unique {
                        true => val.clone(),
                        false => obj.get(name).join(val),
                    };
                    obj.fields.insert(name.to_owned(), limited(new));
                }
                _ => {
                    self.hand_out(val);
                    self.open_up(*loc);
                }
            }
        }
        let others = if anywhere { Others::All } else { Others::None };
        self.circles |= self.may_reach(val, &of.locs, others);
        if anywhere {
            let ty = self.type_of(val);
            let done = of.locs.first().copied().filter(|_| alone);
            self.touch(name, &ty, done);
            // (only now: what nobody else had was none of those that were written to)
            self.hand_out(val);
        }
    }

    /// Whether a value may lead to one of these objects, or to some of those that others have.
    fn may_reach(&self, val: &Val, locs: &BTreeSet<Loc>, others: Others) -> bool {
        let mut seen = BTreeSet::new();
        let mut todo = vec![val];
        while let Some(val) = todo.pop() {
            let by_type = match others {
                Others::None => false,
                Others::Arrays => has_array(&val.ty),
                Others::All => val.ty.may_be_object() || val.ty.element().is_some(),
            };
            if by_type || !val.locs.is_disjoint(locs) {
                return true;
            }
            for loc in val.locs.iter().filter(|loc| seen.insert(**loc)) {
                let Some(obj) = self.heap.get(loc) else {
                    continue;
                };
                let more = match others {
                    Others::None => false,
                    Others::Arrays => obj.open,
                    Others::All => obj.open || obj.shared,
                };
                if more {
                    return true;
                }
                todo.extend(obj.fields.values());
            }
        }
        false
    }

    /// Nothing is known of an object's fields any more.
    fn open_up(&mut self, loc: Loc) {
        let Some(obj) = self.heap.get_mut(&loc) else {
            return;
        };
        obj.open = true;
        let fields = std::mem::take(&mut obj.fields);
        // (what it had can still be reached through it)
        fields.values().for_each(|val| drop(self.hand_out(val)));
    }

    /// Something is written into an object of which nobody knows which one it is; `done`: one that has been dealt with.
    fn touch(&mut self, name: Option<&str>, ty: &Ty, done: Option<Loc>) {
        self.each_type(&mut |of| match (name, of.may_be_object()) {
            (Some(name), true) => of.with(name, of.field(name).join(ty)),
            (None, true) => of.opened(),
            (Some(name), false) if !is_index(name) => of,
            _ => match of.element() {
                Some(element) => of.with_element(element.join(ty).join(&Ty::UNDEFINED)),
                None => of,
            },
        });
        let known = Val::from(ty.clone());
        for loc in self.shared() {
            let Some(obj) = self.heap.get_mut(&loc).filter(|_| done != Some(loc)) else {
                continue;
            };
            match name {
                Some(name) if obj.has_room_for(name) => {
                    let new = obj.get(name).join(&known);
                    obj.fields.insert(name.to_owned(), limited(new));
                }
                _ => self.open_up(loc),
            }
        }
    }

    fn shared(&self) -> Vec<Loc> {
        let shared = self.heap.iter().filter(|(_, obj)| obj.shared);
        shared.map(|(loc, _)| *loc).collect()
    }

    /// Changes all that is known by type alone.
    fn each_type(&mut self, change: &mut dyn FnMut(Ty) -> Ty) {
        let vals = self.vars.values_mut();
        let fields = self
            .heap
            .values_mut()
            .flat_map(|obj| obj.fields.values_mut());
        for val in vals.chain(fields) {
            if val.ty.may_be_object() || val.ty.element().is_some() {
                val.ty = val.ty.inside_out(change).widened(DEPTH, FIELDS);
            }
        }
    }

    /// An element comes into an array of which nobody knows which one it is.
    pub(super) fn push(&mut self, val: &Val) {
        self.circles |= self.may_reach(val, &BTreeSet::new(), Others::Arrays);
        let ty = self.hand_out(val);
        self.each_type(&mut |of| match of.element() {
            Some(element) if !of.is_any() => of.with_element(element.join(&ty)),
            _ => of,
        });
    }

    /// Code that is not known runs: whatever it can reach may have changed.
    pub(super) fn unknown_code(&mut self) {
        self.each_type(&mut |of| of.opened().with_element(Ty::ANY));
        self.shared().into_iter().for_each(|loc| self.open_up(loc));
    }

    /// Gives the type of a value, which others have from now on.
    pub(super) fn hand_out(&mut self, val: &Val) -> Ty {
        let ty = self.type_of(val);
        let mut todo: Vec<Loc> = val.locs.iter().copied().collect();
        while let Some(loc) = todo.pop() {
            if let Some(obj) = self.heap.get_mut(&loc)
                && !std::mem::replace(&mut obj.shared, true)
            {
                todo.extend(obj.fields.values().flat_map(|val| val.locs.iter().copied()));
            }
        }
        ty
    }

    /// The type of a value as it is now.
    pub(super) fn type_of(&self, val: &Val) -> Ty {
        self.looked_into(val, DEPTH)
    }

    /// The type of a value in a message that is sent.
    pub(super) fn type_sent(&self, val: &Val) -> Ty {
        let ty = self.type_of(val);
        if !self.circles {
            return ty;
        }
        let or_other = |ty: &Ty| match ty.may_be_object() || ty.element().is_some() {
            true => ty.join(&Ty::OTHER),
            false => ty.clone(),
        };
        ty.inside_out(&mut |of| {
            let (fields, open) = of.fields();
            match of.element() {
                Some(element) => Ty::array(or_other(&element)),
                None => Ty::object(fields.map(|(name, ty)| (name, or_other(ty))), open),
            }
        })
    }

    fn looked_into(&self, val: &Val, depth: usize) -> Ty {
        let mut ty = val.ty.widened(depth, FIELDS);
        for obj in val.locs.iter().filter_map(|loc| self.heap.get(loc)) {
            ty = ty.join(&match depth {
                0 => Ty::any_object(),
                _ => {
                    let fields = obj.fields.iter();
                    let fields = fields.map(|(name, val)| (name, self.looked_into(val, depth - 1)));
                    Ty::object(fields.filter(|(_, ty)| !ty.is_never()), obj.open)
                }
            });
        }
        ty
    }

    /// Whether objects of a value can be told apart: one object, of which there is one.
    pub(super) fn the_one(&self, val: &Val) -> Option<Loc> {
        let loc = val.locs.first().filter(|_| val.locs.len() == 1)?;
        let unique = self.heap.get(loc).is_some_and(|obj| obj.unique);
        (unique && val.ty.is_never()).then_some(*loc)
    }

    /// Replaces what is known of a field of an object, which itself does not change.
    pub(super) fn know(&mut self, loc: Loc, name: &str, val: Val) {
        if let Some(obj) = self.heap.get_mut(&loc) {
            obj.fields.insert(name.to_owned(), val);
        }
    }

    /// The fields that an object has, if no others: for a copy of it.
    pub(super) fn fields(&self, val: &Val) -> Option<Vec<(String, Val)>> {
        let loc = self.the_one(val)?;
        let obj = self.heap.get(&loc).filter(|obj| !obj.open)?;
        Some(obj.fields.clone().into_iter().collect())
    }
}

/// Of what others may have too, what something may lead to.
#[derive(Clone, Copy)]
enum Others {
    None,
    Arrays,
    All,
}

/// Whether there may be an array in a value.
fn has_array(ty: &Ty) -> bool {
    let (mut fields, open) = ty.fields();
    open || ty.element().is_some() || fields.any(|(_, ty)| has_array(ty))
}

fn is_index(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit())
}

fn limited(val: Val) -> Val {
    Val {
        ty: val.ty.widened(DEPTH, FIELDS),
        locs: val.locs,
    }
}
