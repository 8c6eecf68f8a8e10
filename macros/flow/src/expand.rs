//! From the text to what stands in the program in its place.

use crate::closure::{Closure, Code, wire};
use crate::fault::Told;
use crate::source::{Found, Known, Others, RUST, path};
use proc_macro2::{Span, TokenStream};
use quote::quote;
use std::collections::{BTreeMap, BTreeSet};
use syn::spanned::Spanned as _;
use vgdc_driver::{Compiled, Options, Session};
use vgdc_plan::{Op, Plan};
use vgdc_spec::NodeSpec;
use vgdc_syntax::{Diagnostics, FlowDoc, Level, SourceMap, codes};
use vgdc_text::ast::{Block, File, Item, ItemKind, Name};
use vgdc_text::comments::Comments;
use vgdc_text::{Fault, Lowered};

/// `flow! { … }`.
pub fn text(tokens: TokenStream) -> TokenStream {
    let mut told = Told::default();
    let (mut lowered, mut faults, mut found) = read(tokens.clone(), &[]);
    let mut others = Others::default();
    if faults.iter().any(|fault| fault.code == codes::UNKNOWN_TYPE) {
        match Others::of_the_project() {
            Ok(known) if !known.specs.is_empty() => {
                others = known;
                (lowered, faults, found) = read(tokens, &others.specs);
            }
            Ok(_) => {}
            Err(why) => told.at(Span::call_site(), Level::Error, &why),
        }
    }
    for fault in &faults {
        told.fault(fault);
    }
    for fault in &found.faults {
        told.at(fault.span(), Level::Error, &fault.to_string());
    }
    if told.has_errors() {
        return told.errors();
    }
    let mut sources = SourceMap::new();
    let (doc, said) = FlowDoc::parse(&mut sources, "flow!", lowered.json.as_str());
    let compiled = compile(&doc, &found, &others);
    for diagnostic in said.iter().chain(compiled.diagnostics.iter()) {
        let place = diagnostic
            .span()
            .and_then(|span| origin(&lowered, span.start, span.end));
        told.diagnostic(diagnostic, place.unwrap_or_else(Span::call_site), None);
    }
    warn_of_ends(&compiled.plan, &found.codes, &mut told);
    finish(compiled, &found, others, &told)
}

/// Reads a text with the library's nodes and others.
fn read(tokens: TokenStream, others: &[&'static NodeSpec]) -> (Lowered, Vec<Fault>, Found) {
    let known = Known::new(others);
    let (file, mut faults) = vgdc_text::parse::parse(tokens);
    let file = in_a_flow(file);
    let mut lowered = vgdc_text::lower::lower(&file, &known, &Comments::default());
    faults.append(&mut lowered.faults);
    (lowered, faults, known.found())
}

/// Warns of closures that give what nobody takes.
fn warn_of_ends(plan: &Plan, codes: &[Code], told: &mut Told) {
    for op in &plan.ops {
        let Some(Code::Closure(closure)) = rust(op).and_then(|number| codes.get(number)) else {
            continue;
        };
        let leads = |output: usize| {
            op.ports
                .get(output)
                .is_some_and(|port| !port.edges.is_empty())
        };
        for (output, ty) in closure.carries().iter().enumerate() {
            if !leads(output) {
                let text = "nobody takes what this closure gives\nhelp: lead it to a node, or let the closure give nothing";
                told.at(ty.span(), Level::Warning, text);
            }
        }
    }
}

/// `include_flow!("flows.json")`.
pub fn file(tokens: TokenStream) -> TokenStream {
    let name: syn::LitStr = match syn::parse2(tokens) {
        Ok(name) => name,
        Err(error) => return error.into_compile_error(),
    };
    let full = match path(&name) {
        Ok(full) => full,
        Err(error) => return error.into_compile_error(),
    };
    let known = Known::new(&[]);
    let mut sources = SourceMap::new();
    let mut said = Diagnostics::new();
    let mut origins = None;
    let doc = match full.extension().is_some_and(|ending| ending == "flow") {
        false => {
            let (doc, read) = FlowDoc::read_file(&mut sources, &full);
            said.append(read);
            doc
        }
        true => match std::fs::read_to_string(&full) {
            Ok(text) => {
                let shown = full.display().to_string();
                // (rustc's tokens do not know where in a file's text they are)
                proc_macro2::fallback::force();
                let read = vgdc_text::read(&mut sources, &shown, &text, &known);
                proc_macro2::fallback::unforce();
                said.append(read.diagnostics);
                let (doc, mut found) = FlowDoc::parse(&mut sources, shown, read.json.as_str());
                read.origins.map(&mut found, doc.source());
                said.append(found);
                origins = Some(read.origins);
                doc
            }
            Err(error) => {
                let text = format!("{}: {error}", full.display());
                return syn::Error::new(name.span(), text).into_compile_error();
            }
        },
    };
    let found = Found::default();
    let mut told = Told::default();
    let mut others = Others::default();
    let unknown = |said: &Diagnostics| said.iter().any(|it| it.code == codes::UNKNOWN_TYPE);
    let mut compiled = compile(&doc, &found, &others);
    if unknown(&compiled.diagnostics) {
        match Others::of_the_project() {
            Ok(known) if !known.specs.is_empty() => {
                others = known;
                compiled = compile(&doc, &found, &others);
            }
            Ok(_) => {}
            Err(why) => told.at(name.span(), Level::Error, &why),
        }
    }
    // (what a text that is wrong became says nothing more than the text's own faults)
    if said.has_errors() {
        compiled.diagnostics = Diagnostics::new();
    }
    if let Some(origins) = &origins {
        origins.map(&mut compiled.diagnostics, doc.source());
    }
    for diagnostic in said.iter().chain(compiled.diagnostics.iter()) {
        let at = diagnostic.span().map(|span| {
            let at = sources.line_col(span.source, span.start);
            format!("{}:{}:{}", full.display(), at.line, at.column)
        });
        let shown = at.unwrap_or_else(|| full.display().to_string());
        told.diagnostic(diagnostic, name.span(), Some(&shown));
    }
    if told.has_errors() {
        return told.errors();
    }
    let made = finish(compiled, &found, others, &told);
    // (cargo compiles the program again when the file changes)
    let full = full.display().to_string();
    quote!({ const _: &[u8] = ::core::include_bytes!(#full); #made })
}

/// A text that connects nodes without naming a flow is one flow.
fn in_a_flow(mut file: File) -> File {
    let is_loose = |item: &Item| matches!(item.kind, ItemKind::Chain(_) | ItemKind::Group(_));
    if !file.items.iter().any(is_loose) {
        return file;
    }
    let of_the_file = |item: &Item| matches!(item.kind, ItemKind::Flow(_) | ItemKind::Subflow(_));
    let (mut items, loose): (Vec<Item>, Vec<Item>) = file.items.into_iter().partition(of_the_file);
    let span = Span::call_site();
    let block = Block {
        keyword: span,
        name: Some(Name {
            text: "main".to_owned(),
            span,
        }),
        label: None,
        env: Vec::new(),
        place: None,
        at: None,
        items: loose,
        open: span,
        close: span,
    };
    items.push(Item {
        attrs: Vec::new(),
        kind: ItemKind::Flow(block),
        span,
    });
    file.items = items;
    file
}

fn compile(doc: &FlowDoc, found: &Found, others: &Others) -> Compiled {
    let session = Session::new(vgdc_stdlib::specs(), Options::default())
        .with_lowerings(vgdc_stdlib::lowerings())
        .with_nodes(found.specs.iter().chain(&others.specs).copied())
        .unobserved();
    session.compile(doc)
}

/// The tokens that a part of the JSON comes from.
fn origin(lowered: &Lowered, start: u32, end: u32) -> Option<Span> {
    let holds = lowered.origins.iter();
    let holds = holds.filter(|origin| origin.json.start <= start && end <= origin.json.end);
    let innermost = holds.min_by_key(|origin| origin.json.end - origin.json.start);
    innermost.map(|origin| origin.span)
}

/// The number of the Rust code that an operator is.
fn rust(op: &Op) -> Option<usize> {
    let number: usize = op.ty.strip_prefix(RUST)?.parse().ok()?;
    number.checked_sub(1)
}

/// What the flow becomes, where nothing is wrong with it.
fn finish(mut compiled: Compiled, found: &Found, others: Others, told: &Told) -> TokenStream {
    if told.has_errors() {
        return told.errors();
    }
    let chains = chain(&mut compiled.plan, &found.codes);
    let wires = wires(&compiled.plan, &found.codes);
    let (mut steps, mut functions) = (Vec::new(), Vec::new());
    for (index, op) in compiled.plan.ops.iter_mut().enumerate() {
        let Some(code) = rust(op).and_then(|number| found.codes.get(number)) else {
            continue;
        };
        let id = &op.id;
        match code {
            Code::Closure(_) => match chains.get(&index) {
                Some(closures) => {
                    let step = Closure::chain(closures);
                    steps.push(quote!((#id, #step)));
                    op.process = Some("rust".to_owned());
                }
                // (it runs with the one before it)
                None => op.process = Some("junction".to_owned()),
            },
            Code::Function(function) => {
                functions.push(quote!((#id, #function)));
                op.process = Some("junction".to_owned());
            }
        }
    }
    let own = [("rust".to_owned(), "&CLOSURE".to_owned())];
    let text = vgdc_target_rust::emit(
        &compiled.plan,
        &compiled.lowered.bodies,
        &others.external.with_linked(own),
    );
    let module: TokenStream = match text.parse() {
        Ok(module) => module,
        Err(error) => {
            let text = format!("this is a fault of vgdc and not of the flow: {error}");
            return syn::Error::new(Span::call_site(), text).into_compile_error();
        }
    };
    let warnings = told.warnings();
    quote! {{
        mod __flow {
            #![allow(unused_imports)]
            #module
            use ::vgdc_flow::__private::{CLOSURE, serde_json, vgdc_core, vgdc_native, vgdc_plan, vgdc_stdlib};
        }
        #warnings
        #wires
        ::vgdc_flow::Flow::from_parts(
            __flow::plan,
            __flow::NODES,
            __flow::LINKED,
            ::std::vec![#(#steps),*],
            ::std::vec![#(#functions),*],
        )
    }}
}

/// Closures of which one leads to nothing but the next run in one step, without a message in between. Gives for each operator
/// that begins such a step (of one closure at least) what is in it; the operators after it are cut off.
fn chain<'f>(plan: &mut Plan, codes: &'f [Code]) -> BTreeMap<usize, Vec<&'f Closure>> {
    let closure = |op: &Op| match codes.get(rust(op)?)? {
        Code::Closure(closure) => Some(&**closure),
        Code::Function(_) => None,
    };
    let mut ways_in = vec![0_usize; plan.ops.len()];
    for edge in plan
        .ops
        .iter()
        .flat_map(|op| &op.ports)
        .flat_map(|port| &port.edges)
    {
        ways_in[edge.to as usize] += 1;
    }
    let next = |plan: &Plan, at: usize| {
        let op = &plan.ops[at];
        let [edge] = &op.ports.first()?.edges[..] else {
            return None;
        };
        let (here, to) = (closure(op)?, edge.to as usize);
        let there = closure(&plan.ops[to])?;
        // (a node that has a name can be watched)
        let has_name = |op: &Op| !op.id.contains(".closure_");
        if has_name(op) || has_name(&plan.ops[to]) {
            return None;
        }
        (here.leads_on() && there.follows() && ways_in[to] == 1 && to != at).then_some(to)
    };
    let mut begins: BTreeSet<usize> = (0..plan.ops.len())
        .filter(|&at| closure(&plan.ops[at]).is_some())
        .collect();
    for at in 0..plan.ops.len() {
        if let Some(to) = next(plan, at) {
            begins.remove(&to);
        }
    }
    let (mut chains, mut covered) = (BTreeMap::new(), Vec::new());
    for &first in &begins {
        let (mut at, mut closures) = (first, Vec::new());
        closures.extend(closure(&plan.ops[at]));
        covered.push(at);
        while let Some(to) = next(plan, at) {
            closures.extend(closure(&plan.ops[to]));
            covered.push(to);
            at = to;
        }
        if at != first {
            plan.ops[first].ports = std::mem::take(&mut plan.ops[at].ports);
            // (what was proved of a wire was proved of the operator that it began at)
            let edges = plan.ops[first]
                .ports
                .iter_mut()
                .flat_map(|port| &mut port.edges);
            edges.for_each(|edge| edge.fused &= edge.to as usize > first);
        }
        chains.insert(first, closures);
    }
    // (those that lead to each other in a circle, and that nothing leads to)
    let reached: BTreeSet<usize> = covered.into_iter().collect();
    for at in (0..plan.ops.len()).filter(|at| !reached.contains(at)) {
        chains.extend(closure(&plan.ops[at]).map(|closure| (at, vec![closure])));
    }
    chains
}

/// Statements that have rustc check the wires between closures.
fn wires(plan: &Plan, codes: &[Code]) -> TokenStream {
    let closure = |op: &Op| match codes.get(rust(op)?)? {
        Code::Closure(closure) => Some(closure),
        Code::Function(_) => None,
    };
    let mut checks = TokenStream::new();
    for op in &plan.ops {
        let Some(from) = closure(op) else { continue };
        for (given, port) in from.carries().iter().zip(&op.ports) {
            for edge in &port.edges {
                let to = plan.ops.get(edge.to as usize).and_then(closure);
                checks.extend(to.map(|to| wire(given, to.takes())));
            }
        }
    }
    checks
}
