//! The options that every process that runs flows takes, an artifact as well as `vgdc run`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use vgdc_core::{Clock, Level};

/// Where the control protocol is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Control {
    /// Nowhere.
    #[default]
    Off,
    /// On standard input and output.
    Stdio,
    /// As a WebSocket at `/control` of the HTTP listener.
    WebSocket,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// The options of a process that runs flows.
#[derive(Debug, Clone)]
pub struct Options {
    /// The HTTP listener's port; `None`: 1880, or a free one with `--control stdio`. 0: a free one.
    pub port: Option<u16>,
    /// The address it listens on; `None`: what the settings say, else 127.0.0.1.
    pub host: Option<IpAddr>,
    /// Where the control protocol is spoken.
    pub control: Control,
    /// How log lines look.
    pub log: LogFormat,
    /// The least important level that is printed; `None`: what the settings say, else `info`.
    pub level: Option<Level>,
    /// Worker threads; 0: as many as cores.
    pub workers: usize,
    /// A file with environment variables (`NAME=value` lines), secrets among them.
    pub env_file: Option<String>,
    /// A file with the nodes' credentials: Node-RED's `flows_cred.json`, encrypted or plain.
    pub credentials: Option<String>,
    /// Where the profile is written when the flows stop; an empty name stands for the program's own with another ending.
    pub profile: Option<String>,
    /// The time at which a virtual clock begins, in milliseconds since the epoch; `None`: the clock is the computer's.
    pub virtual_time: Option<f64>,
    /// Of a part of a flow over several machines: where links are listened for, where that is not what others call.
    pub listen_links: Option<String>,
    /// Where `/metrics`, `/healthz` and `/readyz` are answered; `None`: nowhere.
    pub metrics: Option<SocketAddr>,
    /// Where spans of messages are sent (OTLP over HTTP); `None`: where OpenTelemetry's variables say, if they do.
    pub traces: Option<String>,
    /// The share of messages that are followed; `None`: as the variables say.
    pub trace_share: Option<f64>,
    /// Where the program keeps what must outlive it, such as messages for other machines.
    pub data: String,
    /// The agent that the program belongs to; its flows start when the agent says so.
    pub agent: Option<String>,
    /// What the agent calls the program.
    pub instance: String,
    /// Since which epoch of the mesh the part is this machine's.
    pub epoch: u64,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            port: None,
            host: None,
            control: Control::Off,
            log: LogFormat::Text,
            level: None,
            workers: 0,
            env_file: None,
            credentials: None,
            profile: None,
            virtual_time: None,
            listen_links: None,
            metrics: None,
            traces: None,
            trace_share: None,
            data: ".vgdc".to_owned(),
            agent: None,
            instance: String::new(),
            epoch: 0,
        }
    }
}

/// The part of a help text that says these options.
pub const HELP: &str = "\
      --port N             HTTP port (default 1880; 0 takes a free one and says which)
      --host ADDRESS       address to listen on (default 127.0.0.1)
      --control stdio|ws|off   speak the control protocol on stdin and stdout, or at ws://HOST:PORT/control (default off)
      --log text|json      how log lines look (default text)
      --log-level LEVEL    fatal, error, warn, info, debug or trace (default info)
      --workers N          worker threads (default: one a core)
      --env-file FILE      environment variables, a NAME=value a line
      --credentials FILE   the nodes' secrets: flows_cred.json, encrypted or plain
      --metrics ADDRESS:PORT   answer /metrics (Prometheus), /healthz and /readyz there
      --traces http://HOST:4318   send spans of messages to this OpenTelemetry collector (OTLP over HTTP)
      --trace-share SHARE  follow this share of messages, 0 to 1 (default 0.01)
      --listen-links ADDRESS:PORT   where links of other machines are taken (default: as mesh.toml says)
      --data DIR           what must outlive the program, such as messages for other machines (default .vgdc)
      --virtual-time[=START]   nodes see a clock that only `clock.advance` moves (START: 2026-01-31T12:00:00Z; default now)
      --profile[=FILE]     count and time nodes and wires; written when it stops (default PROGRAM.profile.json)
";

impl Options {
    /// Takes one option, if it is one of these. `value` gives the option's value.
    ///
    /// # Errors
    /// A value that cannot be used; the text says what can.
    pub fn take(
        &mut self,
        name: &str,
        value: &mut dyn FnMut() -> Result<String, String>,
    ) -> Result<bool, String> {
        match name {
            "port" => self.port = Some(number(name, &value()?)?),
            "host" => {
                let text = value()?;
                let host = address(&text).ok_or_else(|| {
                    format!("--host {text}: not an IP address (0.0.0.0 listens on all)")
                })?;
                self.host = Some(host);
            }
            "control" => {
                self.control = match value()?.as_str() {
                    "stdio" => Control::Stdio,
                    "ws" => Control::WebSocket,
                    "off" => Control::Off,
                    other => return Err(format!("--control {other}: expected stdio, ws or off")),
                }
            }
            "log" => {
                self.log = match value()?.as_str() {
                    "text" => LogFormat::Text,
                    "json" => LogFormat::Json,
                    other => return Err(format!("--log {other}: expected text or json")),
                }
            }
            "log-level" => {
                let text = value()?;
                let level = Level::by_name(&text).ok_or_else(|| {
                    format!("--log-level {text}: expected fatal, error, warn, info, debug or trace")
                })?;
                self.level = Some(level);
            }
            "workers" => self.workers = number(name, &value()?)?,
            "env-file" => self.env_file = Some(value()?),
            "credentials" => self.credentials = Some(value()?),
            "listen-links" => self.listen_links = Some(value()?),
            "metrics" => {
                let text = value()?;
                let address = text.parse().map_err(|_| {
                    format!("--metrics {text}: expected ADDRESS:PORT, such as 127.0.0.1:9100")
                })?;
                self.metrics = Some(address);
            }
            "traces" => {
                let text = value()?;
                if !text.starts_with("http://") || text.len() == "http://".len() {
                    return Err(format!(
                        "--traces {text}: expected the address of a collector, such as http://127.0.0.1:4318"
                    ));
                }
                self.traces = Some(text);
            }
            "trace-share" => {
                let text = value()?;
                let share = crate::trace_options::share(&text).ok_or_else(|| {
                    format!("--trace-share {text}: expected a share from 0 to 1, such as 0.01")
                })?;
                self.trace_share = Some(share);
            }
            "data" => self.data = value()?,
            "agent" => self.agent = Some(value()?),
            "instance" => self.instance = value()?,
            "epoch" => self.epoch = number(name, &value()?)?,
            "profile" => self.profile = Some(value()?),
            "virtual-time" => self.virtual_time = Some(start_time(&value()?)?),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// The address that a text names.
pub(crate) fn address(text: &str) -> Option<IpAddr> {
    match text {
        "localhost" => Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        text => text.parse().ok(),
    }
}

/// The start of a virtual clock: a date as JavaScript reads it, or nothing for now.
fn start_time(text: &str) -> Result<f64, String> {
    if text.is_empty() {
        return Ok(Clock::Real.now_ms().floor());
    }
    match vgdc_value::date::parse(text) {
        ms if ms.is_finite() => Ok(ms),
        _ => Err(format!(
            "--virtual-time={text}: not a date (expected one such as 2026-01-31T12:00:00Z)"
        )),
    }
}

fn number<T: std::str::FromStr>(name: &str, text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|_| format!("--{name} {text}: not a number that can be used"))
}

/// The variables of an env file. Lines that are empty or begin with `#` are passed over; a value in quotes loses them.
///
/// # Errors
/// A line without `=`.
pub fn parse_env_file(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut vars = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (name, value) = line
            .split_once('=')
            .ok_or_else(|| format!("line {}: expected NAME=value", number + 1))?;
        let value = value.trim();
        let unquoted = ['"', '\'']
            .iter()
            .find_map(|q| value.strip_prefix(*q)?.strip_suffix(*q));
        vars.push((name.trim().to_owned(), unquoted.unwrap_or(value).to_owned()));
    }
    Ok(vars)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn env_files_are_read() {
        let vars = parse_env_file("# c\n\nA=1\nexport B = \"x y\"\n C='z'\n");
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(
            vars,
            Ok(vec![pair("A", "1"), pair("B", "x y"), pair("C", "z")])
        );
        assert_eq!(
            parse_env_file("A=1\nB"),
            Err("line 2: expected NAME=value".to_owned())
        );
    }

    #[test]
    fn options_are_checked() {
        let mut options = Options::default();
        assert_eq!(options.take("port", &mut || Ok("0".into())), Ok(true));
        assert_eq!(options.port, Some(0));
        assert!(options.take("port", &mut || Ok("70000".into())).is_err());
        assert!(options.take("control", &mut || Ok("tcp".into())).is_err());
        let mut traces = |text: &str| options.take("traces", &mut || Ok(text.into()));
        assert!(traces("127.0.0.1:4318").is_err());
        assert!(traces("https://collector").is_err());
        assert_eq!(traces("http://127.0.0.1:4318"), Ok(true));
        let share = options.take("trace-share", &mut || Ok("1.5".into()));
        assert!(share.is_err_and(|why| why.contains("0 to 1")));
        let mut start = |text: &str| options.take("virtual-time", &mut || Ok(text.into()));
        assert_eq!(start("2026-01-31T12:00:00Z"), Ok(true));
        assert!(start("soon").is_err());
        assert_eq!(options.virtual_time, Some(1_769_860_800_000.0));
        assert_eq!(
            options.take("unknown", &mut || Ok(String::new())),
            Ok(false)
        );
    }
}
