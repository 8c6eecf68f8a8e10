//! Credentials that Node-RED's own code encrypted (`tests/files/creds/make.js`), and credentials that cannot be read.

use std::path::Path;

use vgdc_syntax::creds::{self, Candidate};
use vgdc_syntax::{Config, Credentials, Diagnostics, FlowDoc, Secret, SourceMap, render};

use crate::{files, messages};

/// Loads the credentials beside `flows.json` of a folder, with some environment.
fn load(
    folder: &Path,
    env: &[(&str, &str)],
    config: &Config,
) -> (Credentials, Diagnostics, SourceMap) {
    let mut sources = SourceMap::new();
    let (doc, _) = FlowDoc::parse(&mut sources, "flows.json", "[]");
    let lookup = |name: &str| {
        env.iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| (*value).to_owned())
    };
    let (credentials, diagnostics) = creds::load(
        &mut sources,
        &doc,
        &folder.join("flows.json"),
        config,
        &lookup,
    );
    (credentials, diagnostics, sources)
}

fn assert_right(credentials: &Credentials) {
    assert_eq!(credentials.ids().collect::<Vec<_>>(), ["b1", "c2"]);
    assert_eq!(credentials.get("b1").unwrap()["password"], "pa\"ß😀wörd");
    assert_eq!(credentials.get("c2").unwrap()["map"]["DEEP"], "value");
    assert_eq!(format!("{credentials:?}"), "Credentials(of 2 nodes)");
}

#[test]
fn the_secret_may_be_in_the_environment_or_in_vgdc_toml() {
    let folder = files("creds/user");
    for name in creds::SECRET_VARIABLES {
        let (credentials, diagnostics, _) =
            load(&folder, &[(name, "correct horse")], &Config::default());
        assert!(diagnostics.is_empty());
        assert_right(&credentials);
    }
    let config = Config {
        credential_secret: Some(Secret::new("correct horse")),
        ..Config::default()
    };
    assert_right(&load(&folder, &[], &config).0);
    assert_right(&load(&folder, &[("VGDC_CREDENTIAL_SECRET", "wrong")], &config).0);
}

#[test]
fn the_secret_that_node_red_made_up_is_found() {
    let (credentials, diagnostics, _) = load(&files("creds/system"), &[], &Config::default());
    assert!(diagnostics.is_empty());
    assert_right(&credentials);
}

#[test]
fn a_wrong_or_missing_secret_is_told() {
    let folder = files("creds/user");
    let config = Config {
        credential_secret: Some(Secret::new("battery-staple")),
        ..Config::default()
    };
    let (credentials, diagnostics, sources) = load(
        &folder,
        &[("NODE_RED_CREDENTIAL_SECRET", "wrong-one")],
        &config,
    );
    assert!(credentials.is_empty() && diagnostics.has_errors());
    let shown = render::text(&diagnostics, &sources, &render::TextOptions::default())
        .replace(&*folder.to_string_lossy(), "DIR");
    assert!(!shown.contains("battery") && !shown.contains("wrong-one"));
    insta::assert_snapshot!(shown);
    let (credentials, diagnostics, sources) = load(&folder, &[], &Config::default());
    assert!(credentials.is_empty() && !diagnostics.has_errors() && diagnostics.len() == 1);
    let shown = render::text(&diagnostics, &sources, &render::TextOptions::default())
        .replace(&*folder.to_string_lossy(), "DIR");
    insta::assert_snapshot!(shown);
}

#[test]
fn plain_credentials_are_read() {
    let read = |text: &str| {
        let mut sources = SourceMap::new();
        let (credentials, diagnostics) = creds::read(&mut sources, "flows_cred.json", text, &[]);
        let shown = render::text(&diagnostics, &sources, &render::TextOptions::default());
        assert!(!shown.contains("hush"), "{shown}");
        (credentials, messages(&diagnostics))
    };
    let (credentials, faults) = read(r#"{"a":{"password":"hush"},"b":3}"#);
    assert_eq!(
        (
            credentials.get("a").unwrap()["password"].as_str(),
            credentials.len(),
            faults.len()
        ),
        (Some("hush"), 1, 0)
    );
    assert_eq!(read("").1, Vec::<String>::new());
    assert_eq!(read("{}").1, Vec::<String>::new());
    assert_eq!(
        read("{\"a\":{\n\"password\":hush}}").1,
        ["VG0030 the credentials file flows_cred.json is not JSON: fault at line 2, column 12"]
    );
    assert_eq!(
        read("[\"hush\"]").1,
        ["VG0030 the credentials in flows_cred.json are not an object from node ids to secrets"]
    );
    assert_eq!(
        read("{\"$\":\"hush\"}").1,
        ["VG0030 the encrypted credentials in flows_cred.json are damaged"]
    );
    assert_eq!(
        read("{\"$\":7}").1,
        ["VG0030 the encrypted credentials in flows_cred.json are damaged"]
    );
}

#[test]
fn a_cut_file_is_damaged_or_wrong_and_never_a_panic() {
    let whole = std::fs::read_to_string(files("creds/user/flows_cred.json")).unwrap();
    let data = serde_json::from_str::<serde_json::Value>(&whole).unwrap()["$"]
        .as_str()
        .unwrap()
        .to_owned();
    let candidates = [Candidate {
        secret: Secret::new("correct horse"),
        origin: "a test".to_owned(),
    }];
    for length in 0..data.len() {
        let mut sources = SourceMap::new();
        let text = serde_json::json!({ "$": &data[..length] }).to_string();
        let (credentials, diagnostics) = creds::read(&mut sources, "c", text, &candidates);
        // Cutting the padding of base64 takes nothing away.
        assert!(
            diagnostics.has_errors() || data[length..].chars().all(|c| c == '='),
            "{length}"
        );
        assert_eq!(credentials.is_empty(), diagnostics.has_errors());
    }
}

#[test]
fn an_unreadable_file_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    // A folder in the file's place cannot be read, whoever runs the test.
    std::fs::create_dir(folder.path().join("flows_cred.json")).unwrap();
    let (credentials, diagnostics, _) = load(folder.path(), &[], &Config::default());
    assert!(credentials.is_empty());
    assert!(
        messages(&diagnostics)[0].starts_with("VG0030 cannot read "),
        "{:?}",
        messages(&diagnostics)
    );
    let (_, diagnostics, _) = load(&folder.path().join("nowhere"), &[], &Config::default());
    assert!(
        diagnostics.is_empty(),
        "a flow without credentials is a usual thing"
    );
}

#[test]
fn credentials_in_the_flow_file_itself_are_read() {
    let mut sources = SourceMap::new();
    let text = r#"{"flows":[{"id":"a","type":"x","credentials":{"k":"new"}}],"credentials":{"a":{"k":"old","u":"me"},"b":{"k":"1"}}}"#;
    let (doc, _) = FlowDoc::parse(&mut sources, "flows.json", text);
    let (credentials, diagnostics) = creds::load(
        &mut sources,
        &doc,
        Path::new("/nowhere/flows.json"),
        &Config::default(),
        &|_| None,
    );
    assert!(diagnostics.is_empty());
    assert_eq!(credentials.get("a").unwrap()["k"], "new");
    assert_eq!(credentials.get("a").unwrap()["u"], "me");
    assert_eq!(credentials.get("b").unwrap()["k"], "1");
}

#[test]
fn the_file_beside_the_flow_file_is_named_as_node_red_names_it() {
    assert_eq!(
        creds::path_for(Path::new("/a/flows.json")),
        Path::new("/a/flows_cred.json")
    );
    assert_eq!(
        creds::path_for(Path::new("my.flow")),
        Path::new("my_cred.flow")
    );
    assert_eq!(creds::path_for(Path::new("noext")), Path::new("noext_cred"));
}
