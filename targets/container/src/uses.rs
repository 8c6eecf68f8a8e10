//! What the operators of a plan do that whoever runs it has to know: ports, files, the world outside.

use crate::env;
use crate::part::{Port, PortNumber, Protocol};
use serde_json::Value as Json;
use vgdc_plan::{Op, Plan};

/// Types that call nobody but what the plan's links lead to: they work inside of the process, or others call them. (A WebSocket that
/// calls another has a node of its own, `websocket-client`.) Whatever is not here is taken to reach out.
const INSIDE: [&str; 45] = [
    "batch",
    "catch",
    "change",
    "comment",
    "complete",
    "csv",
    "debug",
    "delay",
    "file",
    "file in",
    "function",
    "global-config",
    "helper",
    "html",
    "http in",
    "http response",
    "inject",
    "join",
    "json",
    "junction",
    "link call",
    "link in",
    "link out",
    "mesh receiver",
    "mesh sender",
    "program in",
    "program out",
    "range",
    "rbe",
    "sort",
    "split",
    "status",
    "subflow",
    "subflow-status",
    "switch",
    "template",
    "tls-config",
    "trigger",
    "udp in",
    "watch",
    "websocket in",
    "websocket out",
    "websocket-listener",
    "xml",
    "yaml",
];

/// Types that remember nothing from one message to the next, and begin none but for an HTTP request. What their texts do is looked at
/// besides.
const STATELESS: [&str; 27] = [
    "catch",
    "change",
    "comment",
    "complete",
    "csv",
    "debug",
    "function",
    "global-config",
    "html",
    "http in",
    "http proxy",
    "http request",
    "http response",
    "json",
    "junction",
    "link call",
    "link in",
    "link out",
    "range",
    "status",
    "subflow",
    "subflow-status",
    "switch",
    "template",
    "tls-config",
    "xml",
    "yaml",
];

/// What is used.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Uses {
    pub http: bool,
    pub ports: Vec<Port>,
    pub durable: bool,
    pub hosted: bool,
    pub outside: bool,
    /// But for links, which the part knows of.
    pub replicable: bool,
}

/// Looks through a plan.
pub fn of(plan: &Plan) -> Uses {
    let any = |test: fn(&Op) -> bool| plan.ops.iter().any(test);
    let hosted = any(|op| op.away.is_some());
    let stores = stores(plan);
    let mut ports: Vec<Port> = (plan.ops.iter()).filter_map(|op| port(plan, op)).collect();
    ports.sort();
    ports.dedup();
    let stateless = |op: &Op| STATELESS.contains(&op.process_type()) && !has_state(op);
    Uses {
        // (packages' nodes may have pages: dashboards do)
        http: hosted
            || any(|op| ["http in", "websocket-listener"].contains(&op.process_type()))
            || plan.settings.contains_key("httpStatic"),
        durable: stores
            || any(|op| {
                let ty = op.process_type();
                ty == "file" || ty == "mesh sender" && text(op, "delivery") == "durable"
            }),
        outside: hosted || any(|op| !INSIDE.contains(&op.process_type()) && !is_called(op)),
        replicable: !hosted && !stores && ports.is_empty() && plan.ops.iter().all(stateless),
        hosted,
        ports,
    }
}

/// Whether a context store of the settings is on disk.
fn stores(plan: &Plan) -> bool {
    let stores = plan
        .settings
        .get("contextStorage")
        .and_then(Json::as_object);
    (stores.into_iter().flat_map(|stores| stores.values())).any(|store| {
        let module = store.get("module").unwrap_or(store);
        module.as_str().is_some_and(|module| module != "memory")
    })
}

fn text<'a>(op: &'a Op, key: &str) -> &'a str {
    op.props.get(key).and_then(Json::as_str).unwrap_or_default()
}

/// Whether a node of a type that can call others is one that others call.
fn is_called(op: &Op) -> bool {
    match op.process_type() {
        "tcp in" => text(op, "server") == "server",
        // (the other choice besides is to answer by the connection that a message came by)
        "tcp out" => !["", "client"].contains(&text(op, "beserver")),
        _ => false,
    }
}

/// The port that a node listens at, other than for HTTP.
fn port(plan: &Plan, op: &Op) -> Option<Port> {
    let protocol = match op.process_type() {
        "tcp in" if text(op, "server") == "server" => Protocol::Tcp,
        "tcp out" if text(op, "beserver") == "server" => Protocol::Tcp,
        "udp in" => Protocol::Udp,
        _ => return None,
    };
    let value = op.props.get("port")?;
    let mut number = value.as_u64().map_or_else(
        || value.as_str().unwrap_or_default().trim().to_owned(),
        |n| n.to_string(),
    );
    if let Some(name) = env::reference(&number) {
        match env::defined(plan, Some(op.env), name) {
            Some(Some(constant)) => number = constant.to_owned(),
            _ => {
                let number = PortNumber::Variable(name.to_owned());
                return Some(Port { protocol, number });
            }
        }
    }
    let fixed: u16 = number.parse().ok().filter(|&number| number != 0)?;
    let number = PortNumber::Fixed(fixed);
    Some(Port { protocol, number })
}

/// Whether texts of a node may use a context. A word in a text that means something else is taken for one, too: that only
/// keeps the part single.
fn has_state(op: &Op) -> bool {
    fn uses(value: &Json) -> bool {
        match value {
            Json::String(text) => {
                ["flow", "global"].contains(&&**text)
                    || [
                        "flow.",
                        "global.",
                        "context",
                        "flow[",
                        "global[",
                        "Context",
                        "setInterval",
                        "setTimeout",
                    ]
                    .iter()
                    .any(|word| text.contains(word))
            }
            Json::Array(items) => items.iter().any(uses),
            Json::Object(object) => object.values().any(uses),
            _ => false,
        }
    }
    let own = op.props.iter();
    own.filter(|(key, _)| *key != "name" && *key != "info")
        .any(|(_, value)| uses(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use vgdc_plan::{Away, EnvScope, EnvVar};

    fn plan(ops: Json) -> Plan {
        let ops = ops.as_array().cloned().unwrap_or_default();
        let op = |props: &Json| Op {
            ty: props["type"].as_str().unwrap_or_default().to_owned(),
            props: props.as_object().cloned().unwrap_or_default(),
            ..Op::default()
        };
        let port = EnvVar {
            name: "PORT".to_owned(),
            ty: "num".to_owned(),
            value: json!("5000"),
            scope: None,
        };
        Plan {
            ops: ops.iter().map(op).collect(),
            env: vec![EnvScope {
                vars: vec![port],
                ..EnvScope::default()
            }],
            ..Plan::default()
        }
    }

    #[test]
    fn ports_are_found() {
        let plan = plan(json!([
            { "type": "tcp in", "server": "server", "port": "7000" },
            { "type": "tcp in", "server": "client", "port": "7001" },
            { "type": "tcp out", "beserver": "server", "port": "${PORT}" },
            { "type": "udp in", "port": 7002 },
            { "type": "udp in", "port": "${ELSE}" },
            { "type": "udp in", "port": "none" },
            { "type": "udp in", "port": "0" },
        ]));
        let fixed = |protocol, number| Port {
            protocol,
            number: PortNumber::Fixed(number),
        };
        let variable = Port {
            protocol: Protocol::Udp,
            number: PortNumber::Variable("ELSE".to_owned()),
        };
        let (tcp, udp) = (Protocol::Tcp, Protocol::Udp);
        assert_eq!(
            of(&plan).ports,
            [
                fixed(tcp, 5000),
                fixed(tcp, 7000),
                fixed(udp, 7002),
                variable
            ]
        );
        assert!(of(&plan).outside);
        let called = json!([{ "type": "tcp in", "server": "server" }, { "type": "tcp out", "beserver": "reply" }]);
        assert!(!of(&self::plan(called)).outside);
    }

    #[test]
    fn only_what_remembers_nothing_may_run_twice() {
        let may = |ops| of(&plan(ops)).replicable;
        let web = json!({ "type": "http in", "url": "/" });
        assert!(may(
            json!([web, { "type": "function", "func": "return msg" }])
        ));
        assert!(!may(
            json!([web, { "type": "function", "func": "flow.set('a', 1)" }])
        ));
        assert!(!may(
            json!([web, { "type": "change", "rules": [{ "p": "a", "pt": "global" }] }])
        ));
        assert!(!may(json!([web, { "type": "inject" }])));
        assert!(!may(json!([web, { "type": "of a package" }])));
        let mut stores = plan(json!([web]));
        stores.settings.insert(
            "contextStorage".to_owned(),
            json!({ "default": { "module": "localfilesystem" } }),
        );
        assert!(!of(&stores).replicable);
        assert!(of(&stores).durable);
    }

    #[test]
    fn nodes_of_packages_need_their_host() {
        let mut plan = plan(json!([{ "type": "dashboard" }]));
        assert!(!of(&plan).hosted);
        plan.ops[0].away = Some(Away::default());
        let uses = of(&plan);
        assert!(uses.hosted && uses.http && uses.outside && !uses.replicable);
    }

    #[test]
    fn the_rest_of_a_part_is_found() {
        let uses = of(&plan(
            json!([{ "type": "mesh sender", "delivery": "durable" }]),
        ));
        assert!(uses.durable && !uses.outside && !uses.http);
        assert!(
            !of(&plan(
                json!([{ "type": "mesh sender", "delivery": "fast" }])
            ))
            .durable
        );
        assert!(of(&plan(json!([{ "type": "websocket-listener" }]))).http);
    }
}
