//! What follows when flows change: they are saved, the runtime is told, everybody who looks is told.

use crate::comms::{About, Board};
use crate::credentials::{Keeper, Secrets};
use crate::document::{Document, FlowFile, NotSaved};
use crate::drive::{Driver, Refused, quoted};
use crate::insight::Insight;
use crate::rev::stringify;
use serde_json::json;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use vgdc_value::{Array, Object, Value};

/// How much is started anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All nodes.
    Full,
    /// Flows in which something changed.
    Flows,
    /// Nodes that changed.
    Nodes,
}

impl Extent {
    /// The control protocol's word.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Extent::Full => "full",
            Extent::Flows => "flows",
            Extent::Nodes => "nodes",
        }
    }
}

/// Why flows were not deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotDeployed {
    /// They are not made of what is there now: somebody else has changed that, here or in the file.
    Conflict(String),
    /// They, or their credentials, cannot be taken as they are.
    Refused(String),
    /// They cannot be saved.
    Failed(String),
}

/// What is deployed, and how it is kept.
pub(crate) struct Deployed {
    insight: Arc<dyn Insight>,
    driver: Arc<Driver>,
    board: Arc<Board>,
    /// Held for as long as a change takes: one comes after the other.
    file: tokio::sync::Mutex<FlowFile>,
    keeper: Mutex<Keeper>,
    current: RwLock<Arc<Document>>,
    state: Mutex<State>,
}

/// Whether flows run, or should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// They run, or would if they could be compiled.
    Start,
    /// Somebody stopped them.
    Stop,
}

impl State {
    /// Node-RED's word.
    pub(crate) fn name(self) -> &'static str {
        match self {
            State::Start => "start",
            State::Stop => "stop",
        }
    }
}

/// What somebody wants deployed.
pub(crate) struct Wanted {
    /// The nodes, with their credentials in them.
    pub flows: Array,
    /// A whole set of credentials.
    pub credentials: Option<Object>,
    /// The revision that they were made of.
    pub rev: Option<String>,
    /// How much is started anew.
    pub extent: Extent,
}

impl Deployed {
    pub(crate) fn new(
        insight: Arc<dyn Insight>,
        driver: Arc<Driver>,
        board: Arc<Board>,
        file: FlowFile,
        keeper: Keeper,
        document: Document,
    ) -> Deployed {
        board.know(about(&document));
        Deployed {
            insight,
            driver,
            board,
            file: tokio::sync::Mutex::new(file),
            keeper: Mutex::new(keeper),
            current: RwLock::new(Arc::new(document)),
            state: Mutex::new(State::Start),
        }
    }

    /// The flows as they were deployed, or read, last.
    pub(crate) fn document(&self) -> Arc<Document> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.clone()
    }

    /// The secrets.
    pub(crate) fn keeper(&self) -> std::sync::MutexGuard<'_, Keeper> {
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether flows run, or should.
    pub(crate) fn state(&self) -> State {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_state(&self, state: State) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    fn set_document(&self, document: Arc<Document>) {
        self.board.know(about(&document));
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = document;
    }

    /// Deploys flows: saves them, runs them, tells of it. Gives the new revision.
    ///
    /// # Errors
    /// Nothing has changed then, but that a file which somebody else wrote has been read.
    pub(crate) async fn deploy(&self, wanted: Wanted) -> Result<Arc<str>, NotDeployed> {
        let mut file = self.file.lock().await;
        self.deploy_with(&mut file, wanted).await
    }

    /// The flows as they would be deployed, as JSON, and whether they bring secrets that are not the present ones.
    ///
    /// # Errors
    /// They, or their credentials, cannot be taken as they are.
    pub(crate) fn as_deployed(&self, mut flows: Array) -> Result<(String, bool), String> {
        let fields = |ty: &str| self.insight.credentials(ty);
        let kept = self.keeper().take(&mut flows, None, &fields)?;
        Ok((stringify(&Value::Array(flows))?, kept.dirty))
    }

    /// Deploys what becomes of the present flows.
    ///
    /// # Errors
    /// As [`Deployed::deploy`], or what `change` says.
    pub(crate) async fn change<E: From<NotDeployed>>(
        &self,
        change: impl FnOnce(&Document) -> Result<Array, E>,
    ) -> Result<Arc<str>, E> {
        let mut file = self.file.lock().await;
        let flows = change(&self.document())?;
        let wanted = Wanted {
            flows,
            credentials: None,
            rev: None,
            extent: Extent::Flows,
        };
        Ok(self.deploy_with(&mut file, wanted).await?)
    }

    async fn deploy_with(
        &self,
        file: &mut FlowFile,
        wanted: Wanted,
    ) -> Result<Arc<str>, NotDeployed> {
        let before = self.document();
        if wanted.rev.is_some_and(|rev| *rev != *before.rev) {
            return Err(NotDeployed::Conflict("Error".to_owned()));
        }
        if file.has_changed().map_err(NotDeployed::Failed)? {
            return Err(self.take_in(file));
        }
        let mut flows = wanted.flows;
        let fields = |ty: &str| self.insight.credentials(ty);
        let kept = self
            .keeper()
            .take(&mut flows, wanted.credentials.as_ref(), &fields)
            .map_err(NotDeployed::Refused)?;
        let document = Document::new(flows).map_err(NotDeployed::Refused)?;
        file.save(&document, &*self.insight).map_err(|e| match e {
            NotSaved::Changed => NotDeployed::Conflict("Error".to_owned()),
            NotSaved::Failed(why) => NotDeployed::Failed(why),
        })?;
        // (a node is started with its secrets: where they change, all are started)
        let extent = if kept.dirty {
            Extent::Full
        } else {
            wanted.extent
        };
        self.keeper().keep(kept).map_err(NotDeployed::Failed)?;
        let rev = document.rev.clone();
        self.set_document(Arc::new(document));
        self.run(extent, true).await;
        Ok(rev)
    }

    /// Somebody has written the file: what is in it is what others have to look at now.
    fn take_in(&self, file: &mut FlowFile) -> NotDeployed {
        let path = file.path().display().to_string();
        match file.read(&*self.insight) {
            Ok(document) => {
                self.set_document(Arc::new(document));
                NotDeployed::Conflict(format!("{path} has changed on the disk since it was read"))
            }
            Err(why) => NotDeployed::Conflict(format!(
                "{path} has changed on the disk since it was read, and what is there now cannot be read: {why}"
            )),
        }
    }

    /// Reads the file again, and runs what is in it.
    ///
    /// # Errors
    /// It cannot be read: what runs goes on.
    pub(crate) async fn reload(&self) -> Result<Arc<str>, NotDeployed> {
        let mut file = self.file.lock().await;
        let document = file.read(&*self.insight).map_err(NotDeployed::Failed)?;
        self.keeper().load().map_err(NotDeployed::Failed)?;
        let rev = document.rev.clone();
        self.set_document(Arc::new(document));
        self.run(Extent::Full, true).await;
        Ok(rev)
    }

    /// Starts what is deployed.
    pub(crate) async fn start(&self) {
        let _one = self.file.lock().await;
        self.set_state(State::Start);
        self.run(Extent::Full, false).await;
    }

    /// Stops what runs, until it is started.
    ///
    /// # Errors
    /// The process is stopping anyway.
    pub(crate) async fn stop(&self) -> Result<(), Refused> {
        let _one = self.file.lock().await;
        self.driver.ask("stop", &[]).await?;
        self.set_state(State::Stop);
        self.board.clear_statuses();
        self.board
            .retain("notification/runtime-state", json!({"state": "stop"}));
        Ok(())
    }

    /// Has the runtime run the present flows, and tells what came of it. Of flows that cannot be compiled nothing runs.
    async fn run(&self, extent: Extent, is_deployment: bool) {
        let document = self.document();
        if self.state() == State::Stop {
            self.board.retain(
                "notification/runtime-deploy",
                json!({"revision": &*document.rev}),
            );
            return;
        }
        let fields = vec![
            ("type", quoted(extent.name())),
            ("flows", document.json.to_string()),
            ("credentials", text_of(self.keeper().secrets())),
        ];
        let deployed = self.driver.ask_at_length("deploy", fields).await;
        let with = |state: &str| match is_deployment {
            true => json!({"state": state, "deploy": true}),
            false => json!({"state": state}),
        };
        match deployed {
            Ok(_) => {
                if is_deployment {
                    self.board
                        .retain("notification/runtime-state", with("stop"));
                }
                self.board
                    .retain("notification/runtime-state", with("start"));
            }
            Err(refused) => {
                // (a process that is stopping has nothing to stop)
                let _ = self.driver.ask("stop", &[]).await;
                self.board.clear_statuses();
                if is_deployment {
                    self.board
                        .retain("notification/runtime-state", with("stop"));
                }
                self.board
                    .retain("notification/runtime-state", of_refusal(&refused));
            }
        }
        if is_deployment {
            self.board.retain(
                "notification/runtime-deploy",
                json!({"revision": &*document.rev}),
            );
            self.tell_checked();
        }
    }

    /// Tells what there is to say of the present flows, where somebody wants to know; he who deploys does not wait for it.
    fn tell_checked(&self) {
        if !self.board.is_wanted(CHECKED) {
            return;
        }
        let (insight, board, document) =
            (self.insight.clone(), self.board.clone(), self.document());
        tokio::task::spawn_blocking(move || {
            board.tell(CHECKED, &insight.check(&document.json).to_string());
        });
    }

    /// Tells what the process began with: the flows run, unless they could not be compiled.
    pub(crate) fn began(&self, faults: Option<&[serde_json::Value]>) {
        let state = match faults {
            None => json!({"state": "start"}),
            Some(diagnostics) => of_diagnostics(diagnostics, "the flows cannot be compiled"),
        };
        self.board.retain("notification/runtime-state", state);
        let rev = self.document().rev.clone();
        self.board
            .retain("notification/runtime-deploy", json!({"revision": &*rev}));
    }
}

/// What is known of each node.
fn about(document: &Document) -> HashMap<String, About> {
    let text = |node: &Value, name: &str| node.get(name).as_str().map(str::to_owned);
    let of = |node: &Value| {
        let about = About {
            ty: text(node, "type").unwrap_or_default(),
            name: text(node, "name").filter(|name| !name.is_empty()),
        };
        Some((text(node, "id")?, about))
    };
    document.flows.iter().filter_map(of).collect()
}

/// All secrets as the control protocol takes them.
fn text_of(secrets: &Secrets) -> String {
    let mut all = Object::new();
    for (id, own) in secrets {
        all.insert(id, own.clone());
    }
    // (they came from JSON)
    stringify(&Value::Object(all)).unwrap_or_else(|_| "{}".to_owned())
}

fn of_refusal(refused: &Refused) -> serde_json::Value {
    of_diagnostics(&refused.diagnostics, &refused.message)
}

/// The topic of what the compiler says after a deployment.
const CHECKED: &str = "vgdc/check";

/// The diagnostic of a type that nobody knows.
const UNKNOWN: &str = "VG0100";

/// What keeps flows from running, as Node-RED's editor knows it where only types are missing.
fn of_diagnostics(diagnostics: &[serde_json::Value], message: &str) -> serde_json::Value {
    let errors: Vec<_> = diagnostics
        .iter()
        .filter(|d| d["level"] == "error")
        .collect();
    let mut types: Vec<&str> = Vec::new();
    for fault in &errors {
        if let (Some(UNKNOWN), Some(ty)) = (fault["code"].as_str(), fault["node"]["type"].as_str())
            && !types.contains(&ty)
        {
            types.push(ty);
        }
    }
    if !types.is_empty() && errors.iter().all(|fault| fault["code"] == UNKNOWN) {
        return json!({
            "state": "stop", "error": "missing-types", "type": "warning",
            "text": "notification.warnings.missing-types", "types": types,
        });
    }
    json!({
        "state": "stop", "error": "invalid-flows", "type": "error", "text": message, "diagnostics": diagnostics,
    })
}
