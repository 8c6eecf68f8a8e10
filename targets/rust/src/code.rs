//! Functions of the middle representation as Rust functions: `vgdc_native::linked` has what they are made of.

use crate::structure::{Stmt, Structure};
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{format_ident, quote};
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;
use syn::Lifetime;
use vgdc_mir::opt::{self, Owners};
use vgdc_mir::{
    Access, Addr, Arg, Arith, BlockId, Body, Builtin, Compare, Expected, Flag, Helper, Host, Inst,
    Kind, Math, Method, Mutation, Num, Operand, Slot, Terminator, Unary,
};
use vgdc_plan::native::layout;

/// The name of a function.
pub(crate) fn name(number: usize) -> Ident {
    format_ident!("code_{number}")
}

/// A function.
pub(crate) fn function(number: usize, body: &Body) -> TokenStream {
    let registers = Registers::of(body);
    let name = name(number);
    let slots = Literal::u32_unsuffixed(body.slots);
    let print = Print {
        body,
        registers,
        joined: BTreeMap::new(),
        labels: BTreeSet::new(),
        owners: opt::owners_at_entry(body),
        lists: BTreeSet::new(),
    };
    let start = print.registers.declare();
    let fuel = body
        .blocks
        .iter()
        .flat_map(|block| &block.insts)
        .any(|inst| {
            matches!(
                inst,
                Inst::Do {
                    helper: Helper::Tick,
                    ..
                }
            )
        });
    let fuel = fuel.then(|| quote!(let mut fuel = fuel(cx);));
    let text = print.body();
    // (rounding in one instruction: every processor since 2008)
    quote! {
        #[cfg_attr(target_arch = "x86_64", target_feature(enable = "sse4.1"))]
        unsafe fn #name(cx: &mut Context, frame: &mut [Value; #slots]) -> Option<Left> {
            let v = slots(frame);
            #fuel
            #start
            #text
        }
    }
}

/// A register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reg {
    Num(u32),
    Flag(u32),
    Addr(u32),
}

/// What is known of a function's registers.
struct Registers {
    /// Those that are always this number.
    constants: BTreeMap<u32, f64>,
    /// Those of numbers that are always whole: they are integers here.
    whole: Vec<bool>,
    /// Those that are assigned once and used in the same block behind that.
    local: BTreeSet<Reg>,
    /// The others.
    shared: BTreeSet<Reg>,
}

impl Registers {
    fn of(body: &Body) -> Registers {
        let mut assigned: BTreeMap<Reg, Vec<usize>> = BTreeMap::new();
        let mut local = BTreeSet::new();
        let mut shared = BTreeSet::new();
        let blocks = body.reached();
        for id in &blocks {
            for inst in &body.blocks[id.0 as usize].insts {
                for reg in registers(inst).1 {
                    assigned.entry(reg).or_default().push(id.0 as usize);
                }
            }
        }
        for id in &blocks {
            let block = &body.blocks[id.0 as usize];
            let mut here = BTreeSet::new();
            let mut used = |reg: Reg, here: &BTreeSet<Reg>| {
                if !here.contains(&reg) {
                    shared.insert(reg);
                }
            };
            for inst in &block.insts {
                let (read, written) = registers(inst);
                read.into_iter().for_each(|reg| used(reg, &here));
                here.extend(written);
            }
            if let Terminator::Branch(flag, ..) = &block.end {
                used(Reg::Flag(flag.0), &here);
            }
        }
        for (reg, blocks) in &assigned {
            if blocks.len() > 1 {
                shared.insert(*reg);
            } else if !shared.contains(reg) {
                local.insert(*reg);
            }
        }
        let mut constants = BTreeMap::new();
        for inst in blocks
            .iter()
            .flat_map(|id| &body.blocks[id.0 as usize].insts)
        {
            if let Inst::Num { dst, value } = inst
                && assigned[&Reg::Num(dst.0)].len() == 1
            {
                constants.insert(dst.0, *value);
                shared.remove(&Reg::Num(dst.0));
            }
        }
        Registers {
            constants,
            whole: opt::integral(body),
            local,
            shared,
        }
    }

    /// Declares those that live longer than a block.
    fn declare(&self) -> TokenStream {
        let named = |wanted: &dyn Fn(&Reg) -> bool| -> Vec<Ident> {
            self.shared
                .iter()
                .filter(|reg| wanted(reg))
                .map(|reg| ident(*reg))
                .collect()
        };
        let whole = |reg: &Reg| matches!(reg, Reg::Num(num) if self.whole[*num as usize]);
        let lists = [
            (
                named(&|reg| matches!(reg, Reg::Num(_)) && !whole(reg)),
                quote!(0.0),
            ),
            (named(&whole), quote!(0i64)),
            (named(&|reg| matches!(reg, Reg::Flag(_))), quote!(false)),
            (named(&|reg| matches!(reg, Reg::Addr(_))), quote!(v(0))),
        ];
        let mut text = TokenStream::new();
        for (names, first) in lists {
            let count = Literal::usize_unsuffixed(names.len());
            match &names[..] {
                [] => {}
                [name] => text.extend(quote!(let mut #name = #first;)),
                _ => text.extend(quote!(let [#(mut #names),*] = [#first; #count];)),
            }
        }
        text
    }
}

fn ident(reg: Reg) -> Ident {
    match reg {
        Reg::Num(number) => format_ident!("n{number}"),
        Reg::Flag(number) => format_ident!("f{number}"),
        Reg::Addr(number) => format_ident!("a{number}"),
    }
}

/// The registers that an instruction reads and that it assigns.
fn registers(inst: &Inst) -> (Vec<Reg>, Vec<Reg>) {
    let (mut read, mut written) = (Vec::new(), Vec::new());
    // (the visitor could change them)
    inst.clone().operands(|operand, access| {
        let reg = match operand {
            Operand::Num(num) => Reg::Num(num.0),
            Operand::Flag(flag) => Reg::Flag(flag.0),
            Operand::Addr(addr) => Reg::Addr(addr.0),
            _ => return,
        };
        match access {
            Access::Write => written.push(reg),
            Access::Read | Access::Lend => read.push(reg),
        }
    });
    (read, written)
}

struct Print<'b> {
    body: &'b Body,
    registers: Registers,
    /// Loops whose label is that of the block around them.
    joined: BTreeMap<BlockId, BlockId>,
    labels: BTreeSet<BlockId>,
    /// For each block, which slots may own memory when it begins.
    owners: Vec<Owners>,
    /// Slots whose lists' elements are known here.
    lists: BTreeSet<Slot>,
}

impl Print<'_> {
    fn body(mut self) -> TokenStream {
        match Structure::of(self.body) {
            Some(structure) => {
                self.labels = structure.labels;
                self.stmts(&structure.stmts)
            }
            None => self.machine(),
        }
    }

    fn stmts(&mut self, stmts: &[Stmt]) -> TokenStream {
        stmts.iter().map(|stmt| self.stmt(stmt)).collect()
    }

    fn stmt(&mut self, stmt: &Stmt) -> TokenStream {
        match stmt {
            Stmt::Block(id) => self.block(*id),
            Stmt::Cold => quote!(core::hint::cold_path();),
            Stmt::If(flag, yes, no) => {
                let flag = self.flag(*flag);
                let (yes, no) = (self.stmts(yes), self.stmts(no));
                match (yes.is_empty(), no.is_empty()) {
                    (_, true) => quote!(if #flag { #yes }),
                    (true, false) => quote!(if !#flag { #no }),
                    (false, false) => quote!(if #flag { #yes } else { #no }),
                }
            }
            Stmt::Labelled(label, inner) => {
                let name = lifetime(*label);
                // (a loop can be left by the label that it is begun anew by)
                if let [Stmt::Loop(header, turn)] = &inner[..] {
                    self.joined.insert(*header, *label);
                    return self.turns(turn, Some(name));
                }
                let inner = self.stmts(inner);
                quote!(#name: { #inner })
            }
            Stmt::Loop(header, turn) => {
                let name = self.labels.contains(header).then(|| lifetime(*header));
                self.turns(turn, name)
            }
            Stmt::Break(label) => {
                let name = lifetime(*label);
                quote!(break #name;)
            }
            Stmt::Continue(header) => {
                let name = lifetime(self.joined.get(header).copied().unwrap_or(*header));
                quote!(continue #name;)
            }
            Stmt::Return(slot) => ret(*slot),
            Stmt::Send(port) => send(*port),
            Stmt::Bail => quote!(return None;),
        }
    }

    /// A loop. Where the elements of the lists are that it does not change is found out before it.
    fn turns(&mut self, turn: &[Stmt], name: Option<Lifetime>) -> TokenStream {
        let mut blocks = Vec::new();
        blocks_in(turn, &mut blocks);
        let insts: Vec<&Inst> = blocks
            .iter()
            .flat_map(|id| &self.body.blocks[id.0 as usize].insts)
            .collect();
        let bases: BTreeSet<Slot> = insts
            .iter()
            .copied()
            .filter_map(Inst::reads_element_of)
            .collect();
        let kept = |slot: &Slot| {
            !self.lists.contains(slot) && insts.iter().all(|inst| only_reads(inst, *slot))
        };
        let new: Vec<Slot> = bases.into_iter().filter(kept).collect();
        let lists = new.iter().map(|at| {
            let (name, at) = (list(*at), slot(*at));
            quote!(let #name = list(#at);)
        });
        let lists: TokenStream = lists.collect();
        self.lists.extend(&new);
        let turn = self.stmts(turn);
        new.iter().for_each(|slot| {
            self.lists.remove(slot);
        });
        let name = name.map(|name| quote!(#name:));
        quote!(#lists #name loop { #turn })
    }

    /// A function whose loops cannot be written as loops.
    fn machine(&self) -> TokenStream {
        let arms = self.body.reached().into_iter().map(|id| {
            let block = &self.body.blocks[id.0 as usize];
            let insts = self.block(id);
            let number = Literal::u32_unsuffixed(id.0);
            let to = |to: &BlockId| Literal::u32_unsuffixed(to.0);
            let end = match &block.end {
                Terminator::Bail => quote!(return None;),
                Terminator::Return(slot) => ret(*slot),
                Terminator::Send(port) => send(*port),
                Terminator::Jump(next) => {
                    let next = to(next);
                    quote!(block = #next;)
                }
                Terminator::Branch(flag, yes, no) => {
                    let (flag, yes, no) = (self.flag(*flag), to(yes), to(no));
                    quote!(block = if #flag { #yes } else { #no };)
                }
            };
            quote!(#number => { #insts #end })
        });
        quote! {
            let mut block = 0;
            loop {
                match block {
                    #(#arms)*
                    _ => return None,
                }
            }
        }
    }

    fn block(&self, id: BlockId) -> TokenStream {
        let mut owners = self.owners[id.0 as usize].clone();
        let mut text = TokenStream::new();
        for inst in &self.body.blocks[id.0 as usize].insts {
            text.extend(self.inst(inst, &owners));
            owners.apply(inst);
        }
        text
    }

    /// Puts a value into a slot. Where that owns nothing, nobody has to look.
    fn put(&self, dst: Slot, value: TokenStream, owners: &Owners) -> TokenStream {
        let put = match owners.has(dst) {
            true => format_ident!("put"),
            false => format_ident!("write"),
        };
        let dst = slot(dst);
        quote!(#put(#dst, #value);)
    }

    fn num(&self, num: Num) -> TokenStream {
        let name = ident(Reg::Num(num.0));
        match self.registers.constants.get(&num.0) {
            Some(value) => number(*value),
            None if self.is_whole(num) => quote!(#name as f64),
            None => quote!(#name),
        }
    }

    fn is_whole(&self, num: Num) -> bool {
        self.registers.whole[num.0 as usize]
    }

    /// A register of whole numbers as an integer.
    fn whole(&self, num: Num) -> Option<TokenStream> {
        if !self.is_whole(num) {
            return None;
        }
        let name = ident(Reg::Num(num.0));
        Some(match self.registers.constants.get(&num.0) {
            Some(value) => {
                let value = *value as i64;
                let size = Literal::i64_unsuffixed(value.abs());
                if value < 0 {
                    quote!(-#size)
                } else {
                    quote!(#size)
                }
            }
            None => quote!(#name),
        })
    }

    /// The lowest 32 bits of a number.
    fn bits(&self, num: Num) -> TokenStream {
        match (self.whole(num), self.num(num)) {
            (Some(whole), _) => quote!((#whole as i32)),
            (None, num) => quote!(int(#num)),
        }
    }

    /// Arithmetic: as a number, and as an integer where both operands are.
    fn arith(&self, op: Arith, dst: Num, a: Num, b: Num) -> TokenStream {
        let whole = self.is_whole(dst);
        let plain = |sign: TokenStream| match (self.whole(a), self.whole(b)) {
            (Some(a), Some(b)) if whole => quote!(#a #sign #b),
            _ => {
                let (a, b) = (self.num(a), self.num(b));
                quote!(#a #sign #b)
            }
        };
        let (x, y) = (self.bits(a), self.bits(b));
        let value = match op {
            Arith::Add => return plain(quote!(+)),
            Arith::Sub => return plain(quote!(-)),
            Arith::Mul => return plain(quote!(*)),
            Arith::Div => return plain(quote!(/)),
            Arith::And => quote!(#x & #y),
            Arith::Or => quote!(#x | #y),
            Arith::Xor => quote!(#x ^ #y),
            // (only the lowest five bits say how far)
            Arith::Shl => quote!(#x.wrapping_shl(#y as u32)),
            Arith::Shr => quote!(#x.wrapping_shr(#y as u32)),
            Arith::UShr => quote!((#x as u32).wrapping_shr(#y as u32)),
        };
        match whole {
            true => quote!(i64::from(#value)),
            false => quote!(f64::from(#value)),
        }
    }

    fn flag(&self, flag: Flag) -> Ident {
        ident(Reg::Flag(flag.0))
    }

    fn arg(&self, arg: &Arg) -> TokenStream {
        match arg {
            Arg::Slot(at) => slot(*at),
            Arg::Addr(addr) => {
                let name = ident(Reg::Addr(addr.0));
                quote!(#name)
            }
            Arg::Num(num) => self.num(*num),
            Arg::Const(constant) => {
                let constant = Literal::u32_unsuffixed(*constant);
                quote!(#constant)
            }
        }
    }

    /// Assigns a register.
    fn assign(&self, reg: Reg, value: TokenStream) -> TokenStream {
        let name = ident(reg);
        if self.registers.local.contains(&reg) {
            quote!(let #name = #value;)
        } else {
            quote!(#name = #value;)
        }
    }

    fn assign_num(&self, num: Num, value: TokenStream) -> TokenStream {
        self.assign(Reg::Num(num.0), value)
    }

    fn assign_flag(&self, flag: Flag, value: TokenStream) -> TokenStream {
        self.assign(Reg::Flag(flag.0), value)
    }

    fn assign_addr(&self, addr: Addr, value: TokenStream) -> TokenStream {
        self.assign(Reg::Addr(addr.0), value)
    }

    fn inst(&self, inst: &Inst, owners: &Owners) -> TokenStream {
        match inst {
            Inst::Stage { number } => {
                let number = Literal::u32_unsuffixed(*number);
                quote!(stage(cx, #number);)
            }
            // (there is no such macro: who asks for lines takes them out of the text again)
            Inst::Line { line } => {
                let line = Literal::u32_unsuffixed(*line);
                quote!(__line!(#line);)
            }
            // (lists that a loop does not change are found again where its text is made)
            Inst::View { .. } => TokenStream::new(),
            Inst::Num { dst, .. } if self.registers.constants.contains_key(&dst.0) => {
                TokenStream::new()
            }
            Inst::Num { dst, value } => {
                let value = match self.is_whole(*dst) {
                    true => {
                        let value = Literal::i64_unsuffixed(*value as i64);
                        quote!(#value)
                    }
                    false => number(*value),
                };
                self.assign_num(*dst, value)
            }
            Inst::MoveNum { dst, src } => {
                let value = match self.whole(*src) {
                    Some(value) if self.is_whole(*dst) => value,
                    _ => self.num(*src),
                };
                self.assign_num(*dst, value)
            }
            Inst::Arith { op, dst, a, b } => self.assign_num(*dst, self.arith(*op, *dst, *a, *b)),
            Inst::Unary { op, dst, src } => {
                let src = self.num(*src);
                let value = match op {
                    // (`-n as f64` would be the integer's negative, which knows no -0)
                    Unary::Neg => quote!(-(#src)),
                    Unary::Abs => quote!(f64::abs(#src)),
                    Unary::Sqrt => quote!(f64::sqrt(#src)),
                    Unary::Floor => quote!(f64::floor(#src)),
                    Unary::Ceil => quote!(f64::ceil(#src)),
                    Unary::Trunc => quote!(f64::trunc(#src)),
                };
                self.assign_num(*dst, value)
            }
            Inst::Flag { dst, value } => self.assign_flag(*dst, quote!(#value)),
            Inst::MoveFlag { dst, src } => {
                let src = self.flag(*src);
                self.assign_flag(*dst, quote!(#src))
            }
            Inst::Not { dst, src } => {
                let src = self.flag(*src);
                self.assign_flag(*dst, quote!(!#src))
            }
            Inst::Compare { op, dst, a, b } => {
                let (a, b) = match (self.whole(*a), self.whole(*b)) {
                    (Some(a), Some(b)) => (a, b),
                    _ => (self.num(*a), self.num(*b)),
                };
                // (`a as f64 < b` would be read as the beginning of a list of types)
                let a = quote!((#a));
                let value = match op {
                    Compare::Eq => quote!(#a == #b),
                    Compare::Lt => quote!(#a < #b),
                    Compare::Gt => quote!(#a > #b),
                    Compare::Le => quote!(#a <= #b),
                    Compare::Ge => quote!(#a >= #b),
                };
                self.assign_flag(*dst, value)
            }
            Inst::NumTruthy { dst, src } => {
                let src = self.num(*src);
                self.assign_flag(*dst, quote!(truthy_number(#src)))
            }
            Inst::FlagNum { dst, src } => {
                let src = self.flag(*src);
                let value = match self.is_whole(*dst) {
                    true => quote!(i64::from(#src)),
                    false => quote!(f64::from(#src)),
                };
                self.assign_num(*dst, value)
            }
            Inst::Box { dst, src } => {
                let src = self.num(*src);
                self.put(*dst, quote!(Value::Number(#src)), owners)
            }
            Inst::BoxFlag { dst, src } => {
                let src = self.flag(*src);
                self.put(*dst, quote!(Value::Bool(#src)), owners)
            }
            Inst::Undefined { dst } => self.put(*dst, quote!(Value::Undefined), owners),
            Inst::Null { dst } => self.put(*dst, quote!(Value::Null), owners),
            Inst::ToNumber { dst, src } => {
                let src = self.arg(src);
                self.assign_num(*dst, quote!(quick!(number(cx, #src))))
            }
            Inst::Truthy { dst, src } => {
                let src = self.arg(src);
                self.assign_flag(*dst, quote!(truthy(#src)))
            }
            Inst::Nullish { dst, src } => {
                let src = self.arg(src);
                self.assign_flag(*dst, quote!(nullish(#src)))
            }
            Inst::IsUndefined { dst, src } => {
                let src = self.arg(src);
                self.assign_flag(*dst, quote!(undefined(#src)))
            }
            Inst::Expect { src, kind } => {
                let src = self.arg(src);
                let kind = Literal::u8_unsuffixed(match kind {
                    Expected::Number => layout::NUMBER_KIND,
                    Expected::Object => layout::OBJECT,
                });
                quote!(expect(#src, #kind)?;)
            }
            Inst::Copy { dst, src } => {
                let (dst, src) = (slot(*dst), self.arg(src));
                quote!(copy(#dst, #src);)
            }
            Inst::Get {
                dst,
                base,
                scratch,
                key,
                cache,
            } => {
                let is_length = self
                    .body
                    .keys
                    .get(*key as usize)
                    .is_some_and(|k| k == "length");
                let get = format_ident!("{}", if is_length { "get_length" } else { "get" });
                let (base, scratch) = (self.arg(base), slot(*scratch));
                let [key, cache] = [key, cache].map(|it| Literal::u32_unsuffixed(*it));
                self.assign_addr(
                    *dst,
                    quote!(quick!(#get(cx, #base, #scratch, #key, #cache))),
                )
            }
            Inst::Do { helper, args } => self.action(*helper, args, owners),
            Inst::Ask { helper, dst, args } => {
                let call = self.call(*helper, args);
                self.assign_flag(*dst, call)
            }
            Inst::Calc { helper, dst, args } => self.assign_num(*dst, self.calc(*helper, args)),
            Inst::Find { helper, dst, args } => {
                let call = match args.first() {
                    Some(Arg::Slot(base))
                        if *helper == Helper::GetIndex && self.lists.contains(base) =>
                    {
                        let (list, args) = (list(*base), self.args(*helper, args));
                        quote!(quick!(item(cx, #list #(, #args)*)))
                    }
                    _ => self.call(*helper, args),
                };
                self.assign_addr(*dst, call)
            }
        }
    }

    fn args(&self, helper: Helper, args: &[Arg]) -> Vec<TokenStream> {
        let one = |(at, arg): (usize, &Arg)| match arg {
            Arg::Const(number) => which(helper, at, *number),
            Arg::Num(num) if matches!(helper, Helper::GetIndex | Helper::SetIndex) => {
                self.whole(*num).unwrap_or_else(|| self.num(*num))
            }
            _ => self.arg(arg),
        };
        args.iter().enumerate().map(one).collect()
    }

    /// A call of the function that is named like the helper; a bail-out ends the function.
    fn call(&self, helper: Helper, args: &[Arg]) -> TokenStream {
        let (name, args) = (called(helper), self.args(helper, args));
        match helper {
            Helper::Get
            | Helper::Set
            | Helper::GetIndex
            | Helper::SetIndex
            | Helper::Add
            | Helper::StrictEqual
            | Helper::LooseEqual
            | Helper::Less => quote!(quick!(#name(cx #(, #args)*))),
            Helper::TryNumber => quote!(quick!(number(cx #(, #args)*))),
            Helper::Truthy => quote!(truthy(#(#args),*)),
            _ if matches!(helper.result(), Kind::Nothing | Kind::Number) => {
                quote!(#name(cx #(, #args)*))
            }
            _ => quote!(#name(cx #(, #args)*)?),
        }
    }

    fn action(&self, helper: Helper, args: &[Arg], owners: &Owners) -> TokenStream {
        let values: Vec<TokenStream> = args.iter().map(|arg| self.arg(arg)).collect();
        match (helper, args) {
            (Helper::Tick, _) => quote!(quick!(tick(cx, &mut fuel));),
            (Helper::Clear, _) => quote!(clear(#(#values),*);),
            (Helper::Move, [Arg::Slot(dst), _]) if !owners.has(*dst) => {
                quote!(take_into(#(#values),*);)
            }
            (Helper::Move, _) => quote!(take(#(#values),*);),
            (Helper::Copy, _) => quote!(copy(#(#values),*);),
            (Helper::Mutate, [_, _, _, Arg::Const(which), _])
                if *which == Mutation::Push as u32 =>
            {
                let (dst, list, first, count) = (&values[0], &values[1], &values[2], &values[4]);
                quote!(quick!(push_all(cx, #dst, #list, #first, #count));)
            }
            _ => {
                let call = self.call(helper, args);
                quote!(#call;)
            }
        }
    }

    fn calc(&self, helper: Helper, args: &[Arg]) -> TokenStream {
        let values: Vec<TokenStream> = args.iter().map(|arg| self.arg(arg)).collect();
        let math = match args.last() {
            Some(Arg::Const(number)) => Math::ALL.get(*number as usize).copied(),
            _ => None,
        };
        match (helper, math, &values[..]) {
            (Helper::Math1, Some(math), [x, _]) => match math {
                Math::Abs => quote!(f64::abs(#x)),
                Math::Floor => quote!(f64::floor(#x)),
                Math::Ceil => quote!(f64::ceil(#x)),
                Math::Trunc => quote!(f64::trunc(#x)),
                Math::Sqrt => quote!(f64::sqrt(#x)),
                Math::Round => quote!(round(#x)),
                Math::Sign => quote!(sign(#x)),
                other => {
                    let which = format_ident!("{other:?}");
                    quote!(math1(#x, Math::#which))
                }
            },
            (Helper::Math2, Some(math), [x, y, _]) => match math {
                Math::Remainder => match self.remainder(args) {
                    Some((x, y)) => quote!(remainder_int(#x, #y)),
                    None => quote!(remainder(#x, #y)),
                },
                Math::Max => quote!(max(#x, #y)),
                Math::Min => quote!(min(#x, #y)),
                other => {
                    let which = format_ident!("{other:?}");
                    quote!(math2(#x, #y, Math::#which))
                }
            },
            (Helper::ToInt32, _, [x]) => quote!(f64::from(int(#x))),
            _ => self.call(helper, args),
        }
    }
}

impl Print<'_> {
    /// The operands of `%`, if the first is whole and the second a positive constant.
    fn remainder(&self, args: &[Arg]) -> Option<(TokenStream, TokenStream)> {
        let [Arg::Num(x), Arg::Num(y), _] = args else {
            return None;
        };
        let by = *self.registers.constants.get(&y.0)?;
        Some((self.whole(*x)?, self.whole(*y)?)).filter(|_| by > 0.0)
    }
}

/// The blocks in statements.
fn blocks_in(stmts: &[Stmt], into: &mut Vec<BlockId>) {
    for stmt in stmts {
        match stmt {
            Stmt::Block(id) => into.push(*id),
            Stmt::If(_, yes, no) => {
                blocks_in(yes, into);
                blocks_in(no, into);
            }
            Stmt::Labelled(_, inner) | Stmt::Loop(_, inner) => blocks_in(inner, into),
            Stmt::Cold
            | Stmt::Break(_)
            | Stmt::Continue(_)
            | Stmt::Return(_)
            | Stmt::Send(_)
            | Stmt::Bail => {}
        }
    }
}

/// Whether an instruction leaves a slot and all in it as it is. What is in it is referred to by it, so that nobody who refers
/// to the same can change it in place.
fn only_reads(inst: &Inst, slot: Slot) -> bool {
    let mut reads = true;
    inst.writes(|written| reads &= written != slot);
    reads
}

/// The name of the elements of a list.
fn list(slot: Slot) -> Ident {
    format_ident!("list_{}", slot.0)
}

/// The name of the function that does what a helper does.
fn called(helper: Helper) -> Ident {
    let mut name = String::new();
    for c in format!("{helper:?}").chars() {
        if c.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(c.to_ascii_lowercase());
    }
    format_ident!("{name}")
}

/// A constant of a call: with a name, if it is the number of a function.
fn which(helper: Helper, at: usize, number: u32) -> TokenStream {
    let index = number as usize;
    let named = match (helper, at) {
        (Helper::Builtin, 2) => Builtin::ALL
            .get(index)
            .map(|it| ("Builtin", format!("{it:?}"))),
        (Helper::Host, 2) => Host::ALL.get(index).map(|it| ("Host", format!("{it:?}"))),
        (Helper::Method, 3) => Method::ALL
            .get(index)
            .map(|it| ("Method", format!("{it:?}"))),
        (Helper::Mutate, 3) => Mutation::ALL
            .get(index)
            .map(|it| ("Mutation", format!("{it:?}"))),
        _ => None,
    };
    match named {
        Some((list, name)) => {
            let (list, name) = (format_ident!("{list}"), format_ident!("{name}"));
            quote!(#list::#name as u32)
        }
        None => {
            let number = Literal::u32_unsuffixed(number);
            quote!(#number)
        }
    }
}

fn slot(slot: Slot) -> TokenStream {
    let number = Literal::u32_unsuffixed(slot.0);
    quote!(v(#number))
}

fn ret(slot: Slot) -> TokenStream {
    let number = Literal::u32_unsuffixed(slot.0);
    quote!(return Some(returned(#number));)
}

fn send(port: u32) -> TokenStream {
    let port = Literal::u32_unsuffixed(port);
    quote!(return Some(sent(#port));)
}

fn lifetime(label: BlockId) -> Lifetime {
    Lifetime::new(&format!("'b{}", label.0), Span::call_site())
}

/// A number as a literal, to the bit.
fn number(value: f64) -> TokenStream {
    let size = Literal::from_str(&format!("{:?}", value.abs()));
    match size {
        Ok(size) if value.is_finite() && value.is_sign_negative() => quote!(-#size),
        Ok(size) if value.is_finite() => quote!(#size),
        _ => {
            let bits = Literal::u64_unsuffixed(value.to_bits());
            quote!(f64::from_bits(#bits))
        }
    }
}
