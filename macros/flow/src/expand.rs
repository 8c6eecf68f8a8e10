//! From the text to what stands in the program in its place.

use crate::closure::{Closure, Code, wire};
use crate::fault::Told;
use crate::source::{Found, Known, Others, RUST, path};
use proc_macro2::{Span, TokenStream};
use quote::quote;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
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
    let ((lowered, faults, found), others) = Others::attempt(
        &mut told,
        Span::call_site(),
        |others| read(tokens.clone(), &others.specs),
        |(_, faults, _)| faults.iter().any(|fault| fault.code == codes::UNKNOWN_TYPE),
    );
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
        let types = closure(op, codes).map(Closure::carries).unwrap_or_default();
        for (output, ty) in types.iter().enumerate() {
            let port = op.ports.get(output);
            if port.is_none_or(|port| port.edges.is_empty()) {
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
    let found = Found::default();
    let mut told = Told::default();
    let ((sources, diagnostics, compiled), others) = Others::attempt(
        &mut told,
        name.span(),
        |others| opened(&full, &found, others),
        |(_, diagnostics, _)| diagnostics.iter().any(|it| it.code == codes::UNKNOWN_TYPE),
    );
    for diagnostic in diagnostics.iter() {
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

/// Reads and compiles a file: the texts that places are in, what there is to say, and what came of it.
fn opened(full: &Path, found: &Found, others: &Others) -> (SourceMap, Diagnostics, Compiled) {
    let mut sources = SourceMap::new();
    let (doc, mut diagnostics, origins) = match vgdc_text::file::is_text(full) {
        false => {
            let (doc, said) = FlowDoc::read_file(&mut sources, full);
            (doc, said, None)
        }
        true => {
            // (rustc's tokens do not know where in a file's text they are)
            proc_macro2::fallback::force();
            let known = Known::new(&others.specs);
            let read = vgdc_text::file::read_file(&mut sources, full, &known);
            proc_macro2::fallback::unforce();
            (read.doc, read.diagnostics, read.origins)
        }
    };
    let mut compiled = compile(&doc, found, others);
    let mut said = std::mem::take(&mut compiled.diagnostics);
    if let Some(origins) = origins {
        // (what a text that is wrong became says nothing more than the text's own faults)
        if diagnostics.has_errors() {
            said = Diagnostics::new();
        }
        origins.map(&mut said, doc.source());
    }
    diagnostics.append(said);
    (sources, diagnostics, compiled)
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

/// The Rust code that an operator is.
fn code<'c>(op: &Op, codes: &'c [Code]) -> Option<&'c Code> {
    let number: usize = op.ty.strip_prefix(RUST)?.parse().ok()?;
    codes.get(number.checked_sub(1)?)
}

/// The closure that an operator is.
fn closure<'c>(op: &Op, codes: &'c [Code]) -> Option<&'c Closure> {
    match code(op, codes)? {
        Code::Closure(closure) => Some(closure),
        Code::Function(_) => None,
    }
}

/// What the flow becomes, where nothing is wrong with it.
fn finish(mut compiled: Compiled, found: &Found, others: Others, told: &Told) -> TokenStream {
    if told.has_errors() {
        return told.errors();
    }
    let chains = chain(&mut compiled.plan, &found.codes);
    let wires = wires(&compiled.plan, &chains, &found.codes);
    let (mut steps, mut functions) = (Vec::new(), Vec::new());
    for (index, op) in compiled.plan.ops.iter_mut().enumerate() {
        let Some(code) = code(op, &found.codes) else {
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

/// Closures that run in one step, by the operator that the step is.
type Chains<'c> = BTreeMap<usize, Vec<&'c Closure>>;

/// Closures of which one leads to nothing but the next run in one step, without a message in between. Gives for each operator
/// that begins such a step (of one closure at least) what is in it; the operators after it are cut off.
fn chain<'c>(plan: &mut Plan, codes: &'c [Code]) -> Chains<'c> {
    let mut ways_in = vec![0_usize; plan.ops.len()];
    let ports = plan.ops.iter().flat_map(|op| &op.ports);
    for edge in ports.flat_map(|port| &port.edges) {
        ways_in[edge.to as usize] += 1;
    }
    let next = |at: usize| {
        let op = &plan.ops[at];
        let [edge] = &op.ports.first()?.edges[..] else {
            return None;
        };
        let to = edge.to as usize;
        let (here, there) = (closure(op, codes)?, closure(&plan.ops[to], codes)?);
        // (a node that has a name can be watched)
        let has_name = |op: &Op| !op.id.contains(".closure_");
        let is_apart = has_name(op) || has_name(&plan.ops[to]) || ways_in[to] != 1 || to == at;
        (here.leads_on() && there.follows() && !is_apart).then_some(to)
    };
    let nexts: BTreeMap<usize, usize> = (0..plan.ops.len())
        .filter_map(|at| Some((at, next(at)?)))
        .collect();
    let follow: BTreeSet<usize> = nexts.values().copied().collect();
    let (mut chains, mut reached) = (Chains::new(), BTreeSet::new());
    // Those that nothing is fused to begin; those left then lead to each other in a circle, and each is alone.
    let begin = (0..plan.ops.len()).map(|at| (at, !follow.contains(&at)));
    let (begin, rest): (Vec<_>, Vec<_>) = begin.partition(|(_, begins)| *begins);
    for (first, begins) in begin.into_iter().chain(rest) {
        let Some(closure_of_first) = closure(&plan.ops[first], codes) else {
            continue;
        };
        if !reached.insert(first) {
            continue;
        }
        let (mut last, mut closures) = (first, vec![closure_of_first]);
        while let Some(&to) = nexts.get(&last).filter(|_| begins) {
            closures.extend(closure(&plan.ops[to], codes));
            reached.insert(to);
            last = to;
        }
        if last != first {
            plan.ops[first].ports = std::mem::take(&mut plan.ops[last].ports);
            // (what was proved of a wire was proved of the operator that it began at)
            let ports = plan.ops[first].ports.iter_mut();
            let edges = ports.flat_map(|port| &mut port.edges);
            edges.for_each(|edge| edge.fused &= edge.to as usize > first);
        }
        chains.insert(first, closures);
    }
    chains
}

/// Statements that have rustc check the wires from step to step; within a step it sees them itself.
fn wires(plan: &Plan, chains: &Chains<'_>, codes: &[Code]) -> TokenStream {
    let mut checks = TokenStream::new();
    for (&at, closures) in chains {
        let given = closures.last().map(|last| last.carries());
        for (given, port) in given.iter().flatten().zip(&plan.ops[at].ports) {
            for edge in &port.edges {
                let to = closure(&plan.ops[edge.to as usize], codes);
                checks.extend(to.map(|to| wire(given, to.takes())));
            }
        }
    }
    checks
}
