//! **http proxy** — the proxy that **http request** nodes go through: its URL, the hosts that are connected to directly
//! (`*.example.com` and `.example.com` take in all below), and the user's name and password.

use super::proxy::ProxyConfig;
use std::rc::Rc;
use vgdc_core::value::Msg;
use vgdc_core::{Cx, Node, NodeError, Process};
use vgdc_macros_node::{Config, node};

/// The form's properties.
#[derive(Config)]
pub struct HttpProxyConfig {
    #[field(filled = true, label = "URL")]
    url: String,
    #[expect(
        dead_code,
        reason = "the form has it; it is among the secrets, not in the flow"
    )]
    #[field(kind = Credential, label = "User name", legible = true)]
    username: String,
    #[expect(
        dead_code,
        reason = "the form has it; it is among the secrets, not in the flow"
    )]
    #[field(kind = Credential, label = "Password")]
    password: String,
    #[field(label = "Not for these hosts")]
    noproxy: Vec<String>,
}

/// The behaviour: it only offers what it was given.
pub struct HttpProxy;

#[node(type = "http proxy", category = "network", inputs = 0, outputs = 0, effect = Io, role = Config, copies = Yes, text = First("url"))]
impl Node for HttpProxy {
    type Config = HttpProxyConfig;

    fn new(config: HttpProxyConfig, cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        let secrets = cx.credentials();
        cx.publish(Rc::new(ProxyConfig {
            url: config.url,
            no_proxy: config.noproxy,
            secrets,
        }));
        Ok(HttpProxy)
    }
}

impl Process for HttpProxy {
    fn input(&mut self, _: &mut Cx<'_>, _: Msg) {}
}
