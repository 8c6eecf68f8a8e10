//! Calls of helpers.

use crate::emit::{Emit, flags, type_of};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{AbiParam, InstBuilder as _, SigRef, Signature, Value, types};
use cranelift_codegen::isa::CallConv;
use vgdc_mir::{Arg, Helper, Kind};
use vgdc_plan::native::{OK, layout};

/// What a helper is given: the context, then its parameters.
pub(crate) fn parameters(helper: Helper, call_conv: CallConv) -> Signature {
    let mut signature = Signature::new(call_conv);
    signature.params.push(AbiParam::new(types::I64));
    for parameter in helper.parameters() {
        signature.params.push(AbiParam::new(type_of(*parameter)));
    }
    signature
}

/// How a helper is called.
pub(crate) fn signature(helper: Helper, call_conv: CallConv) -> Signature {
    let mut signature = parameters(helper, call_conv);
    if helper.result() != Kind::Nothing {
        let result = AbiParam::new(type_of(helper.result()));
        signature.returns.push(result);
    }
    signature
}

impl Emit<'_> {
    fn signature(&mut self, helper: Helper) -> SigRef {
        if let Some(known) = self.signatures.get(&helper) {
            return *known;
        }
        let signature = signature(helper, self.call_conv);
        let made = self.b.import_signature(signature);
        self.signatures.insert(helper, made);
        made
    }

    /// Calls a helper with values that are there; gives its raw result.
    fn call_raw(&mut self, helper: Helper, values: &[Value]) -> Option<Value> {
        let seldom = self.is_cold_here();
        if seldom && self.quiet.contains(&self.at) {
            return self.call_thunk(helper, values);
        }
        let table = match seldom {
            true => {
                let ins = self.b.ins();
                ins.load(types::I64, flags(), self.runtime, layout::HELPERS)
            }
            false => {
                self.loud.insert(self.at);
                self.table
            }
        };
        let signature = self.signature(helper);
        let ins = self.b.ins();
        let callee = ins.load(types::I64, flags(), table, helper as i32 * 8);
        let mut all = vec![self.runtime];
        all.extend_from_slice(values);
        let call = self.b.ins().call_indirect(signature, callee, &all);
        self.b.inst_results(call).first().copied()
    }

    /// Calls a helper, and bails out when it does; gives its result.
    pub(crate) fn call_values(&mut self, helper: Helper, values: &[Value]) -> Option<Value> {
        let result = self.call_raw(helper, values)?;
        Some(self.checked(helper, result))
    }

    /// What a helper has answered, when that is no bail-out.
    pub(crate) fn checked(&mut self, helper: Helper, result: Value) -> Value {
        let bad = match helper.result() {
            Kind::Status => self
                .b
                .ins()
                .icmp_imm_u(IntCC::NotEqual, result, i64::from(OK)),
            Kind::Flag => self
                .b
                .ins()
                .icmp_imm_u(IntCC::UnsignedGreaterThan, result, 1),
            Kind::Found => self.b.ins().icmp_imm_u(IntCC::Equal, result, 0),
            _ => return result,
        };
        let more = self.more();
        self.branch(bad, self.bail, more);
        self.enter(more);
        match helper.result() {
            Kind::Flag => self.b.ins().ireduce(types::I8, result),
            _ => result,
        }
    }

    pub(crate) fn call(&mut self, helper: Helper, args: &[Arg]) -> Option<Value> {
        let values: Vec<Value> = args
            .iter()
            .map(|arg| match *arg {
                Arg::Num(num) => self.num(num),
                Arg::Const(constant) => self.b.ins().iconst(types::I32, i64::from(constant)),
                address => self.address(address),
            })
            .collect();
        self.call_values(helper, &values)
    }

    pub(crate) fn found(&mut self, helper: Helper, args: &[Arg]) -> Value {
        match self.call(helper, args) {
            Some(value) => value,
            None => unreachable!("{helper:?} has a result"),
        }
    }

    pub(crate) fn result(&mut self, helper: Helper, values: &[Value]) -> Value {
        match self.call_values(helper, values) {
            Some(value) => value,
            None => unreachable!("{helper:?} has a result"),
        }
    }
}
