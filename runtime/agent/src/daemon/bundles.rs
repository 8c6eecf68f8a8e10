//! Bundles of programs between agents: whoever has one gives it, and nodes that may have to take a part over get its bundle, and its
//! credentials, beforehand.

use super::Node;
use super::manifests::manifest_of;
use crate::artifacts::{self, ArtifactError, ArtifactId};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use vgdc_net::{Net, NetError};

/// The protocol's name.
const PROTOCOL: &str = "/vgdc/bundle/1";
/// How often it is looked whether bundles are missing that may be needed.
const ROUND: Duration = Duration::from_millis(500);
/// After how many such looks those are removed that nothing needs any more.
const COLLECT: u32 = 1_200;
/// Streams that are served at a time.
const MOST: usize = 32;

/// Whoever is admitted may have what is here, and puts nothing here.
struct GiveOnly;

impl artifacts::Policy for GiveOnly {
    fn may_fetch(&self, _id: &ArtifactId) -> Result<(), String> {
        Ok(())
    }

    fn may_push(&self, _id: &ArtifactId, _bytes: u64) -> Result<(), String> {
        Err("bundles are asked for here, not brought".to_owned())
    }
}

/// Bundles and credentials.
#[derive(Default)]
struct Needed {
    bundles: BTreeSet<ArtifactId>,
    secrets: BTreeSet<String>,
}

/// One is fetched at a time: two parts may need the same.
#[derive(Default)]
pub struct Fetching(tokio::sync::Mutex<()>);

impl Node {
    /// Has a bundle: from the store, or from any node that has it.
    pub async fn fetch(&self, id: &ArtifactId) -> Result<(), String> {
        let _one = self.fetching.0.lock().await;
        if self.store.contains(id) {
            return Ok(());
        }
        let mut why = "no other node answers".to_owned();
        for peer in self.alive().into_iter().filter(|peer| *peer != self.id) {
            let name = self.name_of(&peer);
            let addresses = self.addresses_of(&peer);
            let stream = match self.net.open(peer.key(), &addresses, PROTOCOL).await {
                Ok(stream) => stream,
                Err(error) => {
                    why = error.to_string();
                    continue;
                }
            };
            let fetched = artifacts::fetch(self.store.clone(), stream, *id, &name, |_| {});
            match fetched.await {
                Ok(()) => return Ok(()),
                // (what is wrong here no other node mends)
                Err(error @ (ArtifactError::Io(_) | ArtifactError::Full(_))) => {
                    return Err(format!("its bundle {id} cannot be kept: {error}"));
                }
                Err(error) => why = error.to_string(),
            }
        }
        Err(format!("its bundle {id} cannot be had: {why}"))
    }

    /// What parts need which run here, or may have to, and what versions have that are kept.
    fn needed(&self) -> (Needed, Needed) {
        let (mut needed, mut kept) = (Needed::default(), Needed::default());
        let (state, target) = (self.replica.local(), vgdc_door::target());
        let id = |id: &str| id.parse::<ArtifactId>().ok();
        for (_, flow) in state.flows.iter() {
            for version in flow.versions.values() {
                let Ok(manifest) = manifest_of(self, version) else {
                    continue;
                };
                kept.bundles.extend(manifest.artifacts().filter_map(id));
                let secrets = manifest.parts.iter();
                kept.secrets
                    .extend(secrets.filter_map(|part| part.secrets.clone()));
                if !version.stage.runs() {
                    continue;
                }
                let mine = manifest.parts.iter();
                for part in mine.filter(|part| part.on.contains(&self.name)) {
                    let program = part.programs.get(&target);
                    needed
                        .bundles
                        .extend(program.and_then(|it| id(&it.artifact)));
                    needed.secrets.extend(part.secrets.clone());
                }
            }
        }
        (needed, kept)
    }
}

/// Gives bundles to other nodes, until the net ends.
///
/// # Errors
/// The protocol is served already.
pub async fn serve(net: &Net, node: Arc<Node>) -> Result<(), NetError> {
    let mut incoming = net.serve(PROTOCOL)?;
    let mut serving = JoinSet::new();
    while let Some((_, stream)) = incoming.next().await {
        while serving.try_join_next().is_some() {}
        if serving.len() >= MOST {
            serving.join_next().await;
        }
        let store = node.store.clone();
        serving.spawn(async move {
            // (a peer that has broken off comes again, and goes on where it was)
            let _ = artifacts::serve(store, stream, &GiveOnly).await;
        });
    }
    Ok(())
}

/// Gets what may be needed, and removes what is not, for ever.
pub async fn keep(node: Arc<Node>) {
    let mut round: u32 = 0;
    loop {
        tokio::time::sleep(ROUND).await;
        let (needed, kept) = node.needed();
        for id in needed.bundles {
            if !node.store.contains(&id)
                && let Err(why) = node.fetch(&id).await
            {
                node.say(&why);
            }
        }
        for name in needed.secrets {
            if !node.has_secrets(&name)
                && let Err(why) = node.secrets(&name).await
            {
                node.say(&why);
            }
        }
        round = round.wrapping_add(1);
        if round.is_multiple_of(COLLECT) && node.replica.local().nodes.contains_key(&node.id) {
            if let Err(why) = node.forget_secrets(&kept.secrets) {
                node.say(&format!("credentials that nothing needs stay: {why}"));
            }
            let bundles = kept.bundles.into_iter().collect::<Vec<_>>();
            let (store, kept) = (node.store.clone(), bundles);
            let collected = tokio::task::spawn_blocking(move || store.collect(&kept)).await;
            if let Ok(Err(why)) = collected {
                node.say(&format!("bundles that nothing needs stay: {why}"));
            }
        }
    }
}
