//! What versions are made of, as the mesh's authority has signed it. A manifest is checked once: its text never changes.

use super::{Node, instance, lock};
use crate::manifest::Manifest;
use crate::state::flows::Version;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use vgdc_door::manifest::{FlowManifest, SignedManifest};
use vgdc_net::verify;

/// How many are remembered; with more, all are checked anew.
const MOST: usize = 256;

type Read = Result<Arc<FlowManifest>, String>;

/// Those that have been checked.
#[derive(Default)]
pub struct Manifests(Mutex<HashMap<Manifest, Read>>);

/// The manifest of a version that the mesh's authority has signed; of any other one there is none.
pub fn manifest_of(node: &Node, version: &Version) -> Read {
    let mut known = lock(&node.manifests.0);
    if let Some(read) = known.get(&version.manifest) {
        return read.clone();
    }
    if known.len() >= MOST {
        known.clear();
    }
    let read = check(&node.authority, &version.manifest);
    known.insert(version.manifest.clone(), read.clone());
    read
}

fn check(authority: &[u8; 32], manifest: &Manifest) -> Read {
    let signed: SignedManifest = serde_json::from_value(manifest.value()?.into())
        .map_err(|e| format!("a manifest that is none: {e}"))?;
    let signature = instance::hex(&signed.signature).unwrap_or_default();
    match verify(authority, signed.manifest.text().as_bytes(), &signature) {
        true => Ok(Arc::new(signed.manifest)),
        false => Err("the manifest is not signed by the mesh's authority".to_owned()),
    }
}
