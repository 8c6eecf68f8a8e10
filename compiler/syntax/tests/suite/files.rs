//! Every form of flow file met in the wild is read without an error and written back byte for byte.

use vgdc_syntax::flowdoc::Form;
use vgdc_syntax::{FlowDoc, SourceMap};

use crate::{all, messages, open};

#[test]
fn every_file_is_written_back_as_it_was() {
    for folder in ["flows", "bad"] {
        for (name, bytes) in all(folder) {
            let Ok(text) = String::from_utf8(bytes.clone()) else {
                continue;
            };
            let mut sources = SourceMap::new();
            let (doc, _) = FlowDoc::parse(&mut sources, name.as_str(), text.as_str());
            assert!(doc.to_text().as_bytes() == bytes, "{name} changed");
            assert!(
                doc.edit().to_text().as_bytes() == bytes,
                "{name} changed by an edit without changes"
            );
        }
    }
}

#[test]
fn no_good_file_has_an_error() {
    for (name, bytes) in all("flows") {
        let mut sources = SourceMap::new();
        let (doc, diagnostics) = FlowDoc::parse_bytes(&mut sources, name.as_str(), bytes);
        assert!(
            !diagnostics.has_errors(),
            "{name}: {:?}",
            messages(&diagnostics)
        );
        assert_eq!(doc.nodes().len() == 0, name.starts_with("empty"), "{name}");
    }
}

#[test]
fn the_same_flow_reads_the_same_in_every_layout() {
    let (expected, _, _) = open("indent4.json");
    let layouts = [
        "indent2.json",
        "tabs.json",
        "compact.json",
        "crlf.json",
        "bom.json",
        "bom-crlf-tabs.json",
        "node-a-line.json",
        "python-style.json",
    ];
    for name in layouts {
        let (doc, diagnostics, _) = open(name);
        assert!(diagnostics.is_empty(), "{name}");
        let values = |doc: &FlowDoc| {
            doc.nodes()
                .map(|node| node.json().to_serde())
                .collect::<Vec<_>>()
        };
        assert_eq!(values(&doc), values(&expected), "{name}");
    }
}

#[test]
fn wrapped_forms_are_understood() {
    let (doc, diagnostics, _) = open("wrapped-rev.json");
    assert!(diagnostics.is_empty());
    assert_eq!(
        (doc.form(), doc.rev().as_deref()),
        (Form::Wrapped, Some("4c1d5f0a9be2"))
    );
    assert_eq!(doc.nodes().len(), 6);
    let (doc, _, _) = open("wrapped-credentials.json");
    assert_eq!(
        doc.credentials()
            .unwrap()
            .at_path(&["cfg1", "user"])
            .unwrap()
            .as_str()
            .unwrap(),
        "ann"
    );
    assert_eq!(open("exported-tab.json").0.form(), Form::Array);
}

#[test]
fn what_is_odd_and_runs_is_a_warning() {
    let (_, diagnostics, _) = open("dangling.json");
    insta::assert_snapshot!(messages(&diagnostics).join("\n"));
    let (_, diagnostics, _) = open("duplicates.json");
    insta::assert_snapshot!(messages(&diagnostics).join("\n"));
    let (_, diagnostics, _) = open("escapes.json");
    insta::assert_snapshot!(messages(&diagnostics).join("\n"));
    let (_, diagnostics, _) = open("exported-nodes.json");
    insta::assert_snapshot!(messages(&diagnostics).join("\n"));
}
