//! Machine code for the code in nodes.
//!
//! One emitter makes position-independent code without relocations (`vgdc_plan::native` says what it may rely on). What it
//! makes can be run in this process or travel in an artifact: both are the same bytes.

mod array;
mod calls;
mod emit;
mod numbers;
mod object;
mod thunk;

use cranelift_codegen::ir;
use cranelift_codegen::isa::{self, OwnedTargetIsa, TargetIsa};
use cranelift_codegen::settings::{self, Configurable as _};
use cranelift_codegen::{CodegenError, Context};
use cranelift_frontend::FunctionBuilderContext;
use std::collections::BTreeSet;
use std::str::FromStr as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use target_lexicon::Triple;
use vgdc_mir::{Body, Helper};
use vgdc_plan::native::{ABI, Code, Thunk};

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
    let isas = Isas::of(arch)?;
    let mut code = Code {
        abi: ABI,
        arch: arch.to_owned(),
        ..Code::default()
    };
    let mut thunks = BTreeSet::new();
    for (body, made) in bodies.iter().zip(compile_all(bodies, &isas)) {
        let made = made?;
        let offset = append(&mut code.bytes, &made.bytes);
        code.functions.push(body.function(offset));
        thunks.extend(made.thunks);
    }
    let mut builder = FunctionBuilderContext::new();
    for number in thunks {
        let helper = Helper::ALL[number as usize];
        let thunk = thunk::function(helper, isas.quick.as_ref(), &mut builder);
        let bytes = bytes_of(thunk, isas.quick.as_ref())?;
        code.thunks.push(Thunk {
            helper: number,
            offset: append(&mut code.bytes, &bytes),
        });
    }
    Ok(code)
}

/// From how many instructions on a function is made compact, and with less effort: half of the time that a thousand functions
/// of public flows took went into the 27 largest of them.
const LARGE: usize = 1_000;

/// How functions are compiled.
struct Isas {
    /// Quick code.
    quick: OwnedTargetIsa,
    /// Code that is made quickly, for large functions.
    plain: OwnedTargetIsa,
}

impl Isas {
    fn of(arch: &str) -> Result<Isas, Error> {
        Ok(Isas {
            quick: isa(arch, "speed")?,
            plain: isa(arch, "none")?,
        })
    }

    fn compile(
        &self,
        body: &Body,
        builder: &mut FunctionBuilderContext,
    ) -> Result<Compiled, Error> {
        let large = is_large(body);
        let isa = match large {
            true => self.plain.as_ref(),
            false => self.quick.as_ref(),
        };
        let made = emit::function(body, isa, builder, large);
        Ok(Compiled {
            bytes: bytes_of(made.function, isa)?,
            thunks: made.thunks,
        })
    }
}

/// A function's machine code.
struct Compiled {
    bytes: Vec<u8>,
    /// The numbers of the helpers that it calls by thunks.
    thunks: BTreeSet<u32>,
}

fn is_large(body: &Body) -> bool {
    let insts = body.blocks.iter().map(|block| block.insts.len());
    insts.sum::<usize>() > LARGE
}

/// Compiles functions on all cores; what comes out is in the order of what went in.
fn compile_all(bodies: &[Body], isas: &Isas) -> Vec<Result<Compiled, Error>> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut builder = FunctionBuilderContext::new();
        let mut made = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(body) = bodies.get(at) else {
                return made;
            };
            made.push((at, isas.compile(body, &mut builder)));
        }
    };
    // (a thread is not worth it for a few functions)
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    let threads = cores.min(bodies.len() / 8).max(1);
    let mut made = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut made = work();
        for other in others {
            match other.join() {
                Ok(more) => made.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        made
    });
    made.sort_by_key(|(at, _)| *at);
    made.into_iter().map(|(_, made)| made).collect()
}

/// The machine code of a function.
fn bytes_of(function: ir::Function, isa: &dyn TargetIsa) -> Result<Vec<u8>, Error> {
    let mut context = Context::for_function(function);
    let compiled = context
        .compile(isa, &mut Default::default())
        .map_err(|error| Error(format!("Cranelift refuses a function: {:?}", error.inner)))?;
    if !compiled.buffer.relocs().is_empty() {
        return Err(Error("the code of a function has relocations".to_owned()));
    }
    Ok(compiled.code_buffer().to_vec())
}

/// Adds a function's code to that of the others; gives where it begins.
fn append(code: &mut Vec<u8>, function: &[u8]) -> u32 {
    // (functions begin at multiples of 16 bytes)
    code.resize(code.len().next_multiple_of(16), 0);
    let offset = code.len() as u32;
    code.extend_from_slice(function);
    offset
}

/// The text of a function in Cranelift's own language: `vgdc emit --stage clif`.
///
/// # Errors
/// Cranelift does not know this machine's architecture.
pub fn text(body: &Body) -> Result<String, Error> {
    let isa = isa(std::env::consts::ARCH, "speed")?;
    let mut builder = FunctionBuilderContext::new();
    let function = emit::function(body, isa.as_ref(), &mut builder, is_large(body)).function;
    Ok(function.display().to_string())
}

fn isa(arch: &str, effort: &str) -> Result<OwnedTargetIsa, Error> {
    let failed = |error: &dyn std::fmt::Display| Error(format!("no code for {arch}: {error}"));
    let triple = Triple::from_str(&format!("{arch}-unknown-linux-gnu")).map_err(|e| failed(&e))?;
    let mut flags = settings::builder();
    for (name, value) in [
        ("opt_level", effort),
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
    use vgdc_mir::{Arg, Arith, Builder, Compare, Helper, Inst, MSG, Terminator};

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

    /// `do { n = v1[n] } while (n < n)`: nothing is called each time around.
    fn quiet_loop() -> Body {
        let mut b = Builder::new();
        let (list, scratch, number, flag, found) =
            (b.slot(), b.temp(), b.num(), b.flag(), b.addr());
        b.push(Inst::Num {
            dst: number,
            value: 0.5,
        });
        let (inside, end) = (b.block(), b.block());
        b.jump(inside);
        b.switch_to(inside);
        b.push(Inst::Find {
            helper: Helper::GetIndex,
            dst: found,
            args: vec![list.into(), scratch.into(), number.into()],
        });
        b.push(Inst::ToNumber {
            dst: number,
            src: found.into(),
        });
        b.push(Inst::Compare {
            op: Compare::Lt,
            dst: flag,
            a: number,
            b: number,
        });
        b.end(Terminator::Branch(flag, inside, end));
        b.switch_to(end);
        b.end(Terminator::Return(MSG));
        b.finish()
    }

    #[test]
    fn seldom_calls_of_a_loop_that_calls_nothing_else_go_by_thunks() {
        for arch in ["x86_64", "aarch64"] {
            let code = compile_for(arch, &[body(), quiet_loop()]).expect("compiles");
            let helpers: Vec<u32> = code.thunks.iter().map(|thunk| thunk.helper).collect();
            let mut expected = vec![Helper::GetIndex as u32, Helper::TryNumber as u32];
            expected.sort_unstable();
            assert_eq!(helpers, expected, "{arch}");
            let code = compile_for(arch, &[body()]).expect("compiles");
            assert!(code.thunks.is_empty(), "{arch}");
        }
    }

    #[test]
    fn the_text_says_what_is_called() {
        assert!(text(&body()).expect("a text").contains("call_indirect"));
    }
}
