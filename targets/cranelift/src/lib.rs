//! Machine code for the code in nodes.
//!
//! One emitter makes position-independent code without relocations (`vgdc_plan::native` says what it may rely on). What it
//! makes can be run in this process or travel in an artifact: both are the same bytes.

mod array;
mod emit;
mod object;
mod thunk;

use cranelift_codegen::ir;
use cranelift_codegen::isa::{self, OwnedTargetIsa, TargetIsa};
use cranelift_codegen::settings::{self, Configurable as _};
use cranelift_codegen::{CodegenError, Context};
use cranelift_frontend::FunctionBuilderContext;
use std::str::FromStr as _;
use target_lexicon::Triple;
use vgdc_mir::Body;
use vgdc_plan::native::{ABI, COLD, Code};

/// Why there is no code.
#[derive(Debug)]
pub struct Error(String);

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

impl From<CodegenError> for Error {
    fn from(error: CodegenError) -> Self {
        Error(error.to_string())
    }
}

/// Compiles functions for this machine's architecture.
///
/// # Errors
/// Cranelift does not know the architecture, or refuses a function (a fault of vgdc).
pub fn compile(bodies: &[Body]) -> Result<Code, Error> {
    compile_for(std::env::consts::ARCH, bodies)
}

/// Compiles functions for an architecture (`x86_64`, `aarch64`).
///
/// # Errors
/// As [`compile`].
pub fn compile_for(arch: &str, bodies: &[Body]) -> Result<Code, Error> {
    let isa = isa(arch)?;
    let mut code = Code {
        abi: ABI,
        arch: arch.to_owned(),
        ..Code::default()
    };
    let mut builder = FunctionBuilderContext::new();
    for helper in COLD {
        let thunk = thunk::function(*helper, isa.as_ref(), &mut builder);
        let offset = append(&mut code, thunk, isa.as_ref())?;
        code.thunks.push(offset);
    }
    for body in bodies {
        let function = emit::function(body, isa.as_ref(), &mut builder);
        let offset = append(&mut code, function, isa.as_ref())?;
        code.functions.push(body.function(offset));
    }
    Ok(code)
}

/// Compiles a function and adds it to the code; gives where it begins.
fn append(code: &mut Code, function: ir::Function, isa: &dyn TargetIsa) -> Result<u32, Error> {
    let mut context = Context::for_function(function);
    let compiled = context
        .compile(isa, &mut Default::default())
        .map_err(|error| Error(format!("Cranelift refuses a function: {:?}", error.inner)))?;
    if !compiled.buffer.relocs().is_empty() {
        return Err(Error("the code of a function has relocations".to_owned()));
    }
    // (functions begin at multiples of 16 bytes)
    code.bytes.resize(code.bytes.len().next_multiple_of(16), 0);
    let offset = code.bytes.len() as u32;
    code.bytes.extend_from_slice(compiled.code_buffer());
    Ok(offset)
}

/// The text of a function in Cranelift's own language: `vgdc emit --stage clif`.
///
/// # Errors
/// Cranelift does not know this machine's architecture.
pub fn text(body: &Body) -> Result<String, Error> {
    let isa = isa(std::env::consts::ARCH)?;
    let function = emit::function(body, isa.as_ref(), &mut FunctionBuilderContext::new());
    Ok(function.display().to_string())
}

fn isa(arch: &str) -> Result<OwnedTargetIsa, Error> {
    let failed = |error: &dyn std::fmt::Display| Error(format!("no code for {arch}: {error}"));
    let triple = Triple::from_str(&format!("{arch}-unknown-linux-gnu")).map_err(|e| failed(&e))?;
    let mut flags = settings::builder();
    for (name, value) in [
        ("opt_level", "speed"),
        ("is_pic", "true"),
        (
            "enable_verifier",
            if cfg!(debug_assertions) {
                "true"
            } else {
                "false"
            },
        ),
    ] {
        flags.set(name, value).map_err(|e| failed(&e))?;
    }
    let mut builder = isa::lookup(triple).map_err(|e| failed(&e))?;
    if arch == "x86_64" {
        // (rounding in one instruction: every processor since 2008)
        for feature in [
            "has_sse3",
            "has_ssse3",
            "has_sse41",
            "has_sse42",
            "has_popcnt",
        ] {
            builder.set(feature, "true").map_err(|e| failed(&e))?;
        }
    }
    builder
        .finish(settings::Flags::new(flags))
        .map_err(|e| failed(&e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use vgdc_mir::{Arg, Arith, Builder, Helper, Inst, MSG, Terminator};

    fn body() -> Body {
        let mut b = Builder::new();
        let (scratch, dst, key, cache) = (b.temp(), b.addr(), b.key("payload"), b.cache());
        b.push(Inst::Get {
            dst,
            base: MSG.into(),
            scratch,
            key,
            cache,
        });
        let (a, sum) = (b.num(), b.num());
        b.push(Inst::ToNumber {
            dst: a,
            src: dst.into(),
        });
        b.push(Inst::Arith {
            op: Arith::Xor,
            dst: sum,
            a,
            b: a,
        });
        let value = b.slot();
        b.push(Inst::Box {
            dst: value,
            src: sum,
        });
        b.call(
            Helper::Set,
            [MSG.into(), value.into(), Arg::Const(key), Arg::Const(cache)],
        );
        b.end(Terminator::Return(MSG));
        b.finish()
    }

    #[test]
    fn code_is_the_same_each_time_on_both_architectures() {
        for arch in ["x86_64", "aarch64"] {
            let code = compile_for(arch, &[body(), body()]).expect("compiles");
            assert_eq!(
                compile_for(arch, &[body(), body()]).expect("compiles"),
                code
            );
            assert_eq!(code.functions.len(), 2);
            assert!(code.functions[1].offset.is_multiple_of(16) && code.functions[1].offset > 64);
        }
        assert!(compile_for("nothing", &[]).is_err());
    }

    #[test]
    fn the_text_says_what_is_called() {
        assert!(text(&body()).expect("a text").contains("call_indirect"));
    }
}
