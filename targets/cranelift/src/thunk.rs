//! Thunks: they call a helper and keep all registers, which helpers do not.
//!
//! A call in a loop, however seldom it is reached, makes the register allocator keep what the loop works on in memory. A call
//! that keeps the registers does not. Such a call has no result: the thunk leaves it in the context. Where a loop calls helpers
//! each time around there is nothing to be won, and thunks, which save all registers, are not used.

use crate::calls::{parameters, signature};
use crate::emit::{Emit, flags, type_of};
use cranelift_codegen::ir::{self, InstBuilder as _, Value, types};
use cranelift_codegen::isa::{CallConv, TargetIsa};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use vgdc_mir::{Helper, Kind};
use vgdc_plan::native::layout;

/// Makes the thunk of a helper.
pub(crate) fn function(
    helper: Helper,
    isa: &dyn TargetIsa,
    context: &mut FunctionBuilderContext,
) -> ir::Function {
    let signature_of_thunk = parameters(helper, CallConv::PreserveAll);
    let name = ir::UserFuncName::default();
    let mut function = ir::Function::with_name_signature(name, signature_of_thunk);
    let mut b = FunctionBuilder::new(&mut function, context);
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    b.seal_block(entry);
    let args = b.block_params(entry).to_vec();
    let of_helper = signature(helper, isa.default_call_conv());
    let has_result = helper.result() != Kind::Nothing;
    let of_helper = b.import_signature(of_helper);
    let table = b.ins().load(types::I64, flags(), args[0], layout::HELPERS);
    let at = helper as i32 * 8;
    let callee = b.ins().load(types::I64, flags(), table, at);
    let call = b.ins().call_indirect(of_helper, callee, &args);
    if has_result {
        let result = b.inst_results(call)[0];
        b.ins().store(flags(), result, args[0], layout::ANSWER);
    }
    b.ins().return_(&[]);
    b.finalize(isa.frontend_config());
    function
}

impl Emit<'_> {
    /// Calls a helper by its thunk; gives its raw result.
    pub(crate) fn call_thunk(&mut self, helper: Helper, values: &[Value]) -> Option<Value> {
        self.thunks.insert(helper as u32);
        let signature = parameters(helper, CallConv::PreserveAll);
        let signature = self.b.import_signature(signature);
        let runtime = self.runtime;
        let mut load = |ty, from: Value, at: i32| self.b.ins().load(ty, flags(), from, at);
        let thunks = load(types::I64, runtime, layout::THUNKS);
        let callee = load(types::I64, thunks, helper as i32 * 8);
        let mut all = vec![runtime];
        all.extend_from_slice(values);
        self.b.ins().call_indirect(signature, callee, &all);
        if helper.result() == Kind::Nothing {
            return None;
        }
        let ty = type_of(helper.result());
        let ins = self.b.ins();
        Some(ins.load(ty, flags(), runtime, layout::ANSWER))
    }
}
