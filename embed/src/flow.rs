//! A flow that can be started.

use crate::closure::{Closures, Step};
use crate::merge::{self, Linkable};
use crate::running::{Logged, Watched};
use crate::{Error, Running};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use vgdc_core::island::State;
use vgdc_core::{Deployment, Linked, NodeDef, Registry, Runtime, RuntimeOptions, Services};
use vgdc_http::HttpServer;
use vgdc_plan::Plan;
use vgdc_stdlib::common::ends::Ends;
use vgdc_value::{Object, Value};

/// A compiled flow with its closures; what [`crate::flow!`] gives.
#[must_use = "a flow does nothing before it is started"]
pub struct Flow {
    plan: fn() -> Result<Plan, serde_json::Error>,
    nodes: &'static [&'static NodeDef],
    linked: &'static [Linked],
    steps: HashMap<String, Step>,
    /// What stands in it by the ids of the operators that stand for it.
    functions: Vec<(String, Flow)>,
    env: HashMap<String, Option<String>>,
    credentials: HashMap<String, Object>,
    settings: Object,
    address: SocketAddr,
    workers: usize,
}

impl Flow {
    /// What `flow!` puts together.
    #[doc(hidden)]
    pub fn from_parts(
        plan: fn() -> Result<Plan, serde_json::Error>,
        nodes: &'static [&'static NodeDef],
        linked: &'static [Linked],
        steps: Vec<(&'static str, Step)>,
        functions: Vec<(&'static str, Flow)>,
    ) -> Flow {
        let functions = functions.into_iter();
        Flow {
            plan,
            nodes,
            linked,
            steps: steps
                .into_iter()
                .map(|(id, step)| (id.to_owned(), step))
                .collect(),
            functions: functions.map(|(id, flow)| (id.to_owned(), flow)).collect(),
            env: HashMap::new(),
            credentials: HashMap::new(),
            settings: Object::new(),
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            workers: 0,
        }
    }

    /// Sets a variable that the flow reads (`env("LIMIT")`, `${LIMIT}`), over the process's own of that name.
    pub fn env(mut self, name: &str, value: impl ToString) -> Flow {
        self.env.insert(name.to_owned(), Some(value.to_string()));
        self
    }

    /// Sets a secret of a node, by the node's id (its name, inside a flow `flow.name`) and Node-RED's name of the secret.
    pub fn secret(mut self, node: &str, name: &str, value: impl Into<String>) -> Flow {
        let secrets = self.credentials.entry(node.to_owned()).or_default();
        secrets.insert(name, Value::from(value.into()));
        self
    }

    /// Sets one of Node-RED's settings that nodes see (docs/settings.md).
    pub fn setting(mut self, name: &str, value: impl Into<Value>) -> Flow {
        self.settings.insert(name, value);
        self
    }

    /// Where **http in** and **websocket** nodes listen; without it on a free port of this machine alone.
    pub fn listen(mut self, address: SocketAddr) -> Flow {
        self.address = address;
        self
    }

    /// At most this many threads; without it as many as there are cores. Parts of a flow that share nothing run side by side.
    pub fn workers(mut self, workers: usize) -> Flow {
        self.workers = workers;
        self
    }

    /// Starts all nodes, on threads of the flow's own. A node that cannot start fails the whole.
    ///
    /// # Errors
    /// What nodes said.
    pub async fn start(self) -> Result<Running, Error> {
        let whole = self.whole()?;
        let http = Arc::new(HttpServer::new(whole.address));
        let services = Arc::new(Services::default());
        services.insert(http.clone());
        let ends = services.get_or_insert(Ends::default);
        services.insert(Arc::new(Closures(Mutex::new(whole.steps))));
        let (watched, logged) = (Arc::new(Watched::default()), Arc::new(Logged::default()));
        let mut runtime = Runtime::new(RuntimeOptions {
            services,
            sink: watched.clone(),
            log: logged.clone(),
            workers: whole.workers,
            // (the functions of flows in flows are in tables of their own: what starts, starts seldom)
            linked: whole.linkable.linked.leak(),
            ..RuntimeOptions::new(Registry::new(whole.nodes))
        });
        let deployment = Deployment {
            plan: Some(whole.linkable.plan),
            credentials: Some(whole.credentials),
            env: Some(whole.env),
            settings: Some(whole.settings),
            ..Deployment::default()
        };
        logged.begin();
        runtime.deploy(deployment).await?;
        let errors = logged.end();
        let nodes = runtime.nodes().into_iter();
        let failed = nodes
            .filter(|node| node.state != State::Started)
            .map(|node| {
                let said = errors
                    .iter()
                    .find(|log| log.node.as_ref() == Some(&node.id));
                let why = said.map_or("it did not start", |log| &log.message);
                format!("{}: {why}", node.name.as_ref().unwrap_or(&node.id))
            });
        let failed: Vec<String> = failed.collect();
        if !failed.is_empty() {
            runtime.shutdown().await;
            return Err(Error::Start(failed.join("\n")));
        }
        Ok(Running::new(runtime, ends, watched, logged, http))
    }

    /// The flow with all that stands in it.
    fn whole(self) -> Result<Whole, Error> {
        let plan = (self.plan)().map_err(|error| Error::Start(error.to_string()))?;
        let mut whole = Whole {
            linkable: Linkable {
                plan,
                linked: self.linked.to_vec(),
            },
            nodes: self.nodes.to_vec(),
            steps: self.steps,
            env: self.env,
            credentials: self.credentials,
            settings: self.settings,
            address: self.address,
            workers: self.workers,
        };
        for (id, flow) in self.functions {
            let inner = flow.whole()?;
            merge::put_in(&mut whole.linkable, &id, inner.linkable, &inner.env)
                .map_err(Error::Start)?;
            let within = |node: String| merge::id_within(&id, &node);
            whole.nodes.extend(inner.nodes);
            whole.nodes.push(&vgdc_stdlib::common::junction::NODE);
            let steps = inner.steps.into_iter();
            whole
                .steps
                .extend(steps.map(|(node, step)| (within(node), step)));
            let secrets = inner.credentials.into_iter();
            whole
                .credentials
                .extend(secrets.map(|(node, secrets)| (within(node), secrets)));
            merge::settings_of(&mut whole.settings, inner.settings);
        }
        Ok(whole)
    }

    /// What runs, without what functions give; for tests.
    #[doc(hidden)]
    pub fn plan(&self) -> Result<Plan, Error> {
        (self.plan)().map_err(|error| Error::Start(error.to_string()))
    }

    /// The ids of all its nodes.
    ///
    /// # Errors
    /// The plan is damaged: a fault of vgdc.
    pub fn node_ids(&self) -> Result<Vec<String>, Error> {
        Ok(self.plan()?.ops.into_iter().map(|op| op.id).collect())
    }
}

/// A flow that is ready to start.
struct Whole {
    linkable: Linkable,
    nodes: Vec<&'static NodeDef>,
    steps: HashMap<String, Step>,
    env: HashMap<String, Option<String>>,
    credentials: HashMap<String, Object>,
    settings: Object,
    address: SocketAddr,
    workers: usize,
}

impl std::fmt::Debug for Flow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flow")
            .field("types", &self.nodes.len())
            .field("closures", &self.steps.len())
            .finish_non_exhaustive()
    }
}
