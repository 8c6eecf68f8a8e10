//! What is wrong with a flow, told by rustc at the tokens that are wrong.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use vgdc_syntax::{Diagnostic, Level};

/// What there is to tell.
#[derive(Default)]
pub struct Told {
    errors: TokenStream,
    warnings: TokenStream,
}

impl Told {
    /// Tells something at a place.
    pub fn at(&mut self, span: Span, level: Level, text: &str) {
        match level {
            Level::Error => self
                .errors
                .extend(quote_spanned!(span=> ::core::compile_error!(#text);)),
            // A macro cannot warn; what is used although somebody has advised against it, rustc warns of.
            Level::Warning => self.warnings.extend(quote_spanned! {span=>
                const _: () = {
                    #[deprecated(note = #text)]
                    #[allow(non_upper_case_globals)]
                    const flow: () = ();
                    let _ = flow;
                };
            }),
            Level::Note => {}
        }
    }

    /// Tells a fault of a text.
    pub fn fault(&mut self, fault: &vgdc_text::Fault) {
        let mut text = format!("{} [{}]", fault.message, fault.code);
        if let Some(fix) = &fault.fix {
            text.push_str(&format!("\nhelp: {fix}"));
        }
        self.at(fault.span, fault.level_in_programs, &text);
        if let Some((span, remark)) = &fault.other
            && fault.level_in_programs == Level::Error
        {
            self.at(*span, Level::Error, remark);
        }
    }

    /// Tells what a later stage found; `place` says where it is in the text, `file` what a file's text is called.
    pub fn diagnostic(&mut self, diagnostic: &Diagnostic, place: Span, position: Option<&str>) {
        let mut text = String::new();
        if let Some(position) = position {
            text.push_str(&format!("{position}: "));
        }
        text.push_str(&format!("{} [{}]", diagnostic.message, diagnostic.code));
        if let Some(node) = &diagnostic.node {
            text.push_str(&format!("\nnode {} ({})", node.id, node.ty));
        }
        for note in &diagnostic.notes {
            text.push_str(&format!("\nnote: {note}"));
        }
        if let Some(fix) = &diagnostic.fix {
            text.push_str(&format!("\nhelp: {fix}"));
        }
        self.at(place, diagnostic.level, &text);
    }

    /// Whether nothing can be made of the flow.
    pub fn has_errors(&self) -> bool {
        !self.errors.is_empty()
    }

    /// Errors in the place of what would have been made.
    pub fn errors(&self) -> TokenStream {
        let errors = &self.errors;
        quote!({ #errors ::core::unreachable!() })
    }

    /// Statements that have rustc warn.
    pub fn warnings(&self) -> &TokenStream {
        &self.warnings
    }
}
