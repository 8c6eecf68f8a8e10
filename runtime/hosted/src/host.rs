//! The hosts as the runtime sees them: its other places.

use crate::pages::Pages;
use crate::place::{Place, lock};
use crate::supervise::Command;
use futures_util::future::join_all;
use serde_json::{Map, Value as Json};
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use vgdc_core::elsewhere::Doing;
use vgdc_core::{DeployType, Elsewhere, Kinds, Level, Mailbox, NodeError, Shared};
use vgdc_http::HttpServer;
use vgdc_value::Msg;

/// What hosts are given, where the settings do not say otherwise.
pub struct HostOptions {
    /// The folder with the packages: `node_modules`, `nodes`, `settings.js`. `None`: what the setting `host.userDir` says, else
    /// the working directory.
    pub user_dir: Option<PathBuf>,
    /// The listener that shows what packages have to show.
    pub http: Arc<HttpServer>,
}

/// Runs the nodes of packages, one process for each place; see the crate. Nothing is started before a plan needs it.
pub struct Host {
    user_dir: Option<PathBuf>,
    pages: Arc<Pages>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    places: BTreeMap<String, Arc<Place>>,
    /// Where nodes run, by their ids: in one place, or in all places as twins.
    of: HashMap<String, Vec<Arc<Place>>>,
    /// The kinds of events that are watched, by node; hosts are told of those that they do not have, too.
    watched: Json,
}

impl Host {
    /// Hosts that do not run yet.
    pub fn new(options: HostOptions) -> Host {
        Host {
            user_dir: options.user_dir,
            pages: Arc::new(Pages::new(options.http)),
            known: Mutex::default(),
        }
    }

    fn place(&self, known: &mut Known, name: &str) -> Arc<Place> {
        let new = || Place::new(name, self.user_dir.clone(), self.pages.clone());
        let watched = known.watched.as_object().cloned().unwrap_or_default();
        let place = known.places.entry(name.to_owned()).or_insert_with(|| {
            let place = new();
            place.watch(&watched);
            Arc::new(place)
        });
        place.clone()
    }

    fn places(&self) -> Vec<Arc<Place>> {
        lock(&self.known).places.values().cloned().collect()
    }

    /// The place that a message for a node is for.
    fn to(&self, id: &str, msg: &Msg) -> Option<Arc<Place>> {
        let known = lock(&self.known);
        let places = known.of.get(id)?;
        match &places[..] {
            [only] => Some(only.clone()),
            several => {
                let mut theirs = several.iter().filter(|place| place.inner.has_lent_to(msg));
                theirs.next().cloned()
            }
        }
    }
}

impl Elsewhere for Host {
    fn attach(&self, id: &str, places: &[String], mailbox: Mailbox) {
        let mut known = lock(&self.known);
        let places = places.iter().map(|name| self.place(&mut known, name));
        let places: Vec<Arc<Place>> = places.collect();
        for place in &places {
            place.attach(id, mailbox.clone());
        }
        known.of.insert(id.to_owned(), places);
    }

    fn deliver(&self, id: &str, msg: &Msg, from: &Mailbox) -> Result<(), NodeError> {
        let Some(place) = self.to(id, msg) else {
            let text = "the host that the message has something of has ended";
            return Err(NodeError::new(text).with_code("host-down"));
        };
        let is_written = {
            let mut outgoing = place.inner.outgoing();
            outgoing.add(id, msg, from)?;
            outgoing.flush_alone()
        };
        if !is_written {
            place.inner.wake.notify_one();
        }
        Ok(())
    }

    fn watch(&self, watched: &HashMap<String, Kinds>) {
        let told = [
            ("input", Kinds::INPUT),
            ("send", Kinds::SEND),
            ("done", Kinds::DONE),
        ];
        let names = |kinds: &Kinds| -> Vec<&str> {
            let theirs = told.iter().filter(|(_, kind)| kinds.intersects(*kind));
            theirs.map(|(name, _)| *name).collect()
        };
        let watched: Map<String, Json> = watched
            .iter()
            .map(|(id, kinds)| (id.clone(), names(kinds)))
            .filter(|(_, names)| !names.is_empty())
            .map(|(id, names)| (id, names.into()))
            .collect();
        {
            let mut known = lock(&self.known);
            known.watched = watched.clone().into();
        }
        for place in self.places() {
            place.watch(&watched);
        }
    }

    fn deploy(&self, shared: Arc<Shared>, ty: DeployType) -> Doing<'_, ()> {
        Box::pin(async move {
            let places = {
                let mut known = lock(&self.known);
                for place in &shared.plan.places {
                    self.place(&mut known, &place.name);
                }
                let runs = |id: &String| shared.plan.ops.iter().any(|op| op.id == *id);
                known.of.retain(|id, _| runs(id));
                known.places.values().cloned().collect::<Vec<_>>()
            };
            let doing = places.iter().map(|place| {
                let is_needed = place.set_shared(&shared);
                let log = shared.log.clone();
                async move {
                    let done = match is_needed {
                        true => {
                            let deploy = |reply| Command::Deploy { ty, reply };
                            place.command(true, deploy).await
                        }
                        false => {
                            let stop = |reply| Command::Stop { nodes: None, reply };
                            place.command(false, stop).await
                        }
                    };
                    if let Err(why) = done {
                        let text = format!("no host can be started: {why}");
                        log.log(0.0, Level::Error, None, &text.into());
                    }
                }
            });
            join_all(doing).await;
        })
    }

    fn stop(&self, nodes: Option<Vec<String>>) -> Doing<'_, ()> {
        Box::pin(async move {
            let places = self.places();
            let doing = places.iter().map(|place| {
                let nodes = nodes.clone();
                async move {
                    let stopped = nodes.clone();
                    let stop = |reply| Command::Stop { nodes, reply };
                    // (nothing is started for that, so nothing can fail to be)
                    let _ = place.command(false, stop).await;
                    place.detach(stopped.as_deref().unwrap_or_default());
                }
            });
            join_all(doing).await;
        })
    }

    fn settle(&self) -> Doing<'_, u64> {
        Box::pin(async move {
            let places = self.places();
            let doing = places.iter().map(|place| async move {
                let _ = place
                    .command(false, |reply| Command::Settle { reply })
                    .await;
            });
            join_all(doing).await;
            let came = places.iter();
            came.map(|place| place.inner.came.load(Ordering::Relaxed))
                .sum()
        })
    }
}
