//! Checks that need nothing but the document: ids, containers, wires.

use crate::diag::Diagnostics;
use crate::flowdoc::FlowDoc;

/// Reports what is odd about the structure of a document.
pub(crate) fn check(_doc: &FlowDoc, _diagnostics: &mut Diagnostics) {}
