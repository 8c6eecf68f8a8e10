//! **exec** — runs a command of the system.
//!
//! The command is the node's, followed by a property of the message and by more of the node's. In *exec* mode a shell runs it, and
//! what it said (the first output; the second for errors) comes when it has ended, with `msg.rc`. In *spawn* mode a program is
//! started without a shell, and each piece of what it says is a message. The third output says how it ended: `{code}`, with
//! `message` and `signal`. What is no text comes as a buffer.
//!
//! `msg.kill` (`"SIGINT"`; empty for `SIGTERM`) sends a signal to the process that runs, or, where there are several, to the one
//! with the number `msg.pid`. A process is ended when its time is over, and when the node is stopped.

use super::child::{
    self, Exit, Output, Process, Refused, Started, latin1, payload, refused, unfit, words,
};
use super::property::Property;
use rustix::process::Signal;
use std::any::Any;
use std::collections::BTreeMap;
use std::path::Path;
use vgdc_core::spec::Typing;
use vgdc_core::value::{ErrorValue, Msg, Object, Value, number};
use vgdc_core::{Closing, Cx, Level, Node, NodeError, TimerId};
use vgdc_macros_node::{Config, node};

/// How much of an output is kept in *exec* mode, unless the setting `execMaxBufferSize` says otherwise.
const MAX_BUFFER: usize = 10_000_000;

/// The form's properties.
#[derive(Config)]
pub struct ExecConfig {
    #[field(default = "", label = "Command")]
    command: String,
    #[field(json = "true", begin = "", kind = MsgPath, label = "Append msg.", hint = "empty appends nothing")]
    addpay: Value,
    #[field(default = "", label = "More arguments")]
    append: String,
    #[field(name = "useSpawn", default = "false", shown = Text, label = "Output", choices = [("false", "When the command is done"), ("true", "While it runs")])]
    use_spawn: Value,
    #[field(json = "\"\"", kind = Number, label = "Timeout (seconds)")]
    timer: Value,
    #[field(json = "false", shown = Bool, label = "Old style of the return code")]
    oldrc: Value,
    #[field(
        name = "winHide",
        default = false,
        label = "Hide the console window (Windows)"
    )]
    win_hide: bool,
}

/// The behaviour.
pub struct Exec {
    command: String,
    /// What of the message is appended.
    added: Option<Property>,
    append: String,
    spawns: bool,
    /// How long a process may take; 0: for ever.
    limit_ms: f64,
    /// The third output is a number, and nothing when all went well.
    old: bool,
    shell: &'static str,
    max_buffer: usize,
    running: BTreeMap<u64, Running>,
    next: u64,
}

/// A process, and the message that it was started for.
struct Running {
    process: Process,
    msg: Msg,
    timer: Option<TimerId>,
}

/// A piece of what a process that was spawned says.
struct Said(u64, Output, Vec<u8>);

/// A process that was spawned has ended.
struct Ended(u64, Exit);

/// A command has ended.
struct Finished {
    number: u64,
    out: Vec<u8>,
    err: Vec<u8>,
    exit: Exit,
    /// The output of which there was too much.
    overflow: Option<&'static str>,
}

#[node(type = "exec", category = "function", inputs = 1, outputs = 3, effect = Io, types = types, text = First("command"), color = "darksalmon", icon = "cog.svg")]
impl Node for Exec {
    type Config = ExecConfig;

    fn new(config: ExecConfig, cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        let trim = |text: &str| text.trim_matches(number::is_js_space).to_owned();
        // (consoles are a matter of Windows)
        let _ = config.win_hide;
        let timer = match config.timer.truthy() {
            true => config.timer.to_number() * 1000.0,
            false => 0.0,
        };
        let max_buffer = cx.setting("execMaxBufferSize").to_number();
        Ok(Exec {
            command: trim(&config.command),
            added: match &config.addpay {
                Value::Bool(true) => Some(Property::parse("payload", "payload")),
                path if path.truthy() => Some(Property::parse(&path.to_js_string(), "payload")),
                _ => None,
            },
            append: trim(&config.append),
            spawns: config.use_spawn.as_str() == Some("true"),
            limit_ms: timer,
            old: config.oldrc.truthy() && config.oldrc.as_str() != Some("false"),
            shell: match Path::new("/bin/bash").exists() {
                true => "/bin/bash",
                false => "/bin/sh",
            },
            max_buffer: match max_buffer > 0.0 {
                true => max_buffer as usize,
                false => MAX_BUFFER,
            },
            running: BTreeMap::new(),
            next: 0,
        })
    }
}

fn types(t: &mut dyn Typing) {
    let (any, text, buffer) = (t.ty("any"), t.ty("string"), t.ty("buffer"));
    let said = t.either(text, buffer);
    t.set("rc", any);
    t.set("payload", said);
    t.send(0);
    t.send(1);
    t.set("payload", any);
    t.send(2);
}

/// `{code}` and what else is known of an end.
fn result(code: impl Into<Value>, message: Option<&str>, signal: Option<&str>) -> Object {
    let mut result = Object::new();
    result.insert("code", code);
    for (key, text) in [("message", message), ("signal", signal)] {
        if let Some(text) = text {
            result.insert(key, text);
        }
    }
    result
}

fn code_of(exit: &Exit) -> Value {
    exit.code.map_or(Value::Null, Value::from)
}

impl Exec {
    /// The line that the message asks for.
    fn line(&self, msg: &Msg) -> Result<String, NodeError> {
        let mut line = self.command.clone();
        let added = self
            .added
            .as_ref()
            .map(|property| property.get(msg))
            .transpose()?;
        if let Some(added) = added.filter(|added| !added.is_undefined()) {
            line.push(' ');
            added.write_js_string(&mut line);
        }
        if !self.append.is_empty() {
            line.push(' ');
            line.push_str(&self.append);
        }
        Ok(line)
    }

    /// A process runs for a message.
    fn runs(&mut self, cx: &mut Cx<'_>, process: Process, msg: Msg) -> u64 {
        cx.set_status("blue", "dot", &format!("pid:{}", process.pid));
        let limited = self.limit_ms != 0.0;
        let timer = limited.then(|| cx.set_timer_ms(self.limit_ms));
        self.next += 1;
        self.running.insert(
            self.next,
            Running {
                process,
                msg,
                timer,
            },
        );
        self.next
    }

    fn ended(&mut self, cx: &mut Cx<'_>, number: u64) -> Option<Msg> {
        let running = self.running.remove(&number)?;
        if let Some(timer) = running.timer {
            cx.clear_timer(timer);
        }
        Some(running.msg)
    }

    /// Sends a signal to the process that is meant, if there is one.
    fn kill(&mut self, cx: &mut Cx<'_>, mut msg: Msg) -> Result<(), NodeError> {
        let asked = msg
            .get("kill")
            .and_then(Value::as_str)
            .map(str::to_uppercase);
        let name = asked
            .filter(|name| name.starts_with("SIG"))
            .unwrap_or_else(|| {
                msg.insert("kill", "SIGTERM");
                "SIGTERM".to_owned()
            });
        let process = match msg.get("pid").map(Value::to_js_string) {
            Some(pid) => {
                let mut all = self.running.values();
                all.find(|running| running.process.pid.to_string() == pid)
            }
            None if self.running.len() == 1 => self.running.values().next(),
            None => None,
        };
        if let Some(running) = process {
            running.process.signal(child::signal(&name)?);
            cx.set_status("red", "dot", "killed");
        }
        cx.done_with(&msg);
        Ok(())
    }

    // ------------------------------------------------------------------------------------------------- exec

    fn exec(&mut self, cx: &mut Cx<'_>, msg: Msg, line: String) -> Result<(), NodeError> {
        cx.log(Level::Debug, line.as_str());
        let unfit = unfit("command", &line).or_else(|| unfit("file", &line));
        if let Some(error) = unfit {
            return Err(error);
        }
        let args = ["-c".to_owned(), line.clone()];
        let env = cx.shared().env.process_all();
        let started = match Started::new(self.shell, &args, env) {
            Ok(started) => started,
            Err(error) => match refused(&error) {
                Refused::Thrown(error) => return Err(error),
                Refused::Told(code, _) => {
                    cx.set_status("blue", "dot", "pid:undefined");
                    let message = format!("spawn {} {code}", self.shell);
                    let rc = result(code, Some(&message), None);
                    self.report(
                        cx,
                        msg,
                        [Vec::new(), Vec::new()],
                        Some((rc, "Error".into())),
                    );
                    return Ok(());
                }
            },
        };
        let process = started.process();
        let number = self.runs(cx, process.clone(), msg);
        let max = self.max_buffer;
        let following = async move {
            let [mut out, mut err] = [Vec::new(), Vec::new()];
            let mut overflow = None;
            let exit = started
                .follow(async |of, piece| {
                    let (whole, name) = match of {
                        Output::Out => (&mut out, "stdout"),
                        Output::Err => (&mut err, "stderr"),
                    };
                    whole.extend_from_slice(&piece);
                    if whole.len() > max {
                        whole.truncate(max);
                        overflow = Some(name);
                        process.signal(Signal::TERM);
                    }
                    overflow.is_none()
                })
                .await;
            Finished {
                number,
                out,
                err,
                exit,
                overflow,
            }
        };
        // On its own, so that what a process says while it is being ended is still taken from it when the node is gone.
        let following = tokio::task::spawn_local(following);
        cx.work(async move { following.await.ok() });
        Ok(())
    }

    fn finished(&mut self, cx: &mut Cx<'_>, finished: Finished) {
        let Finished {
            number,
            out,
            err,
            exit,
            overflow,
        } = finished;
        let Some(msg) = self.ended(cx, number) else {
            return;
        };
        let failure = match overflow {
            Some(name) => {
                let code = "ERR_CHILD_PROCESS_STDIO_MAXBUFFER";
                let message = format!("{name} maxBuffer length exceeded");
                let rc = result(code, Some(&message), None);
                Some((rc, format!("RangeError [{code}]")))
            }
            None if exit.code == Some(0) => None,
            None => {
                let line = self.line(&msg).unwrap_or_default();
                let message = format!("Command failed: {line}\n{}", latin1(&err));
                let rc = result(code_of(&exit), Some(&message), exit.signal);
                Some((rc, "Error".to_owned()))
            }
        };
        self.report(cx, msg, [out, err], failure);
    }

    /// Sends what a command said and how it ended: the result, and the name of the error, if it failed.
    fn report(
        &mut self,
        cx: &mut Cx<'_>,
        mut msg: Msg,
        [out, err]: [Vec<u8>; 2],
        failure: Option<(Object, String)>,
    ) {
        // (the payload comes behind what else there is)
        msg.remove("payload");
        let mut second = (!err.is_empty()).then(|| msg.clone());
        if let Some(second) = &mut second {
            second.set_payload(payload(err));
        }
        msg.set_payload(payload(out));
        cx.status(Object::new());
        let rc = match failure {
            Some((rc, name)) => {
                let text = |key: &str| rc.get(key).map(Value::to_js_string).unwrap_or_default();
                match rc.get("code") {
                    Some(Value::Null) => cx.set_status("red", "dot", "killed"),
                    _ => cx.set_status("red", "dot", &format!("error:{}", text("code"))),
                }
                cx.log(Level::Debug, format!("error:{name}: {}", text("message")));
                Some(rc)
            }
            None if !self.old => Some(result(0, None, None)),
            None => {
                cx.status(Object::new());
                None
            }
        };
        let mut third = None;
        if let Some(rc) = rc {
            let mut ended = msg.clone();
            ended.set_payload(rc.clone());
            third = Some(ended);
            msg.insert("rc", rc.clone());
            if let Some(second) = &mut second {
                second.insert("rc", rc);
            }
        }
        let completion = cx.completion(&msg);
        let list = |msg: Option<Msg>| msg.into_iter().collect();
        cx.send_all(vec![vec![msg], list(second), list(third)]);
        cx.done(completion);
    }

    // ------------------------------------------------------------------------------------------------- spawn

    fn spawn(&mut self, cx: &mut Cx<'_>, msg: Msg, line: &str) -> Result<(), NodeError> {
        let mut args = words(line);
        if args.is_empty() {
            let why = "Cannot read properties of null (reading 'map')";
            return Err(NodeError::from_value(
                ErrorValue::new("TypeError", why).into(),
            ));
        }
        let program = args.remove(0);
        cx.log(Level::Debug, format!("{program} [{}]", args.join(",")));
        let of_args = |(at, arg): (usize, &String)| unfit(&format!("args[{at}]"), arg);
        let unfit = unfit("file", &program).or_else(|| args.iter().enumerate().find_map(of_args));
        if let Some(error) = unfit {
            return Err(error);
        }
        let env = cx.shared().env.process_all();
        let started = match Started::new(&program, &args, env) {
            Ok(started) => started,
            Err(error) => match refused(&error) {
                Refused::Thrown(error) => return Err(error),
                Refused::Told(_, number) => {
                    cx.set_status("blue", "dot", "pid:undefined");
                    let exit = Exit {
                        code: Some(number),
                        signal: None,
                    };
                    self.tell_end(cx, msg, &exit);
                    return Ok(());
                }
            },
        };
        let number = self.runs(cx, started.process(), msg);
        let mailbox = cx.mailbox();
        // On its own, as in `exec`. It is read only as fast as the flow takes it.
        tokio::task::spawn_local(async move {
            let exit = started
                .follow(async |of, piece| {
                    mailbox.send(Said(number, of, piece)).await;
                    true
                })
                .await;
            mailbox.post(Ended(number, exit));
        });
        Ok(())
    }

    fn said(&mut self, cx: &mut Cx<'_>, Said(number, of, piece): Said) {
        let Some(running) = self.running.get_mut(&number) else {
            return;
        };
        running.msg.set_payload(payload(piece));
        let output = match of {
            Output::Out => 0,
            Output::Err => 1,
        };
        cx.send(output, running.msg.clone());
    }

    fn tell_end(&mut self, cx: &mut Cx<'_>, mut msg: Msg, exit: &Exit) {
        msg.set_payload(match self.old {
            true => code_of(exit),
            false => Value::from(result(code_of(exit), None, exit.signal)),
        });
        if exit.code == Some(0) {
            cx.status(Object::new());
        }
        match exit.code {
            None => cx.set_status("red", "dot", "killed"),
            Some(code) => {
                let fill = if code < 0 { "red" } else { "yellow" };
                cx.set_status(fill, "dot", &format!("rc:{code}"));
            }
        }
        cx.send(2, msg.clone());
        cx.done_with(&msg);
    }
}

impl vgdc_core::Process for Exec {
    fn input(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        let told = msg.clone();
        let outcome = if msg.contains_key("kill") {
            self.kill(cx, msg)
        } else {
            self.line(&msg).and_then(|line| match self.spawns {
                true => self.spawn(cx, msg, &line),
                false => self.exec(cx, msg, line),
            })
        };
        if let Err(error) = outcome {
            cx.error(error, Some(&told));
        }
    }

    /// A process has had its time.
    fn timer(&mut self, _: &mut Cx<'_>, timer: TimerId) {
        let mut all = self.running.values();
        if let Some(running) = all.find(|running| running.timer == Some(timer)) {
            running.process.signal(Signal::TERM);
        }
    }

    fn event(&mut self, cx: &mut Cx<'_>, event: Box<dyn Any>) {
        let event = match event.downcast::<Option<Finished>>() {
            Ok(finished) => return finished.into_iter().for_each(|it| self.finished(cx, it)),
            Err(event) => event,
        };
        let event = match event.downcast::<Said>() {
            Ok(said) => return self.said(cx, *said),
            Err(event) => event,
        };
        if let Ok(ended) = event.downcast::<Ended>() {
            let Ended(number, exit) = *ended;
            if let Some(msg) = self.ended(cx, number) {
                self.tell_end(cx, msg, &exit);
            }
        }
    }

    fn close(&mut self, cx: &mut Cx<'_>, _: bool) -> Closing {
        for running in std::mem::take(&mut self.running).into_values() {
            if let Some(timer) = running.timer {
                cx.clear_timer(timer);
            }
            running.process.signal(Signal::TERM);
            cx.done_with(&running.msg);
        }
        cx.status(Object::new());
        None
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Flow, Setup};
    use serde_json::{Value as Json, json};
    use vgdc_core::value::Value;

    /// A node and what is wired to its three outputs.
    fn flow_of(mut node: Json, setup: Setup) -> Flow {
        node["id"] = json!("n");
        node["type"] = json!("exec");
        node["wires"] = json!([["out"], ["err"], ["end"]]);
        let end = |id: &str| json!({ "id": id, "type": "helper" });
        Flow::start_with(json!([node, end("out"), end("err"), end("end")]), setup)
    }

    fn payload(flow: &Flow, node: &str) -> Value {
        flow.wait_received(node, 1)[0].get("payload")
    }

    #[test]
    fn what_was_said_before_a_signal_is_heard() {
        let command = r#"bash -c "trap 'echo caught; exit 4' USR1; echo ready; while :; do sleep 0.01; done""#;
        let flow = flow_of(
            json!({ "useSpawn": "true", "command": command, "addpay": "" }),
            Setup::default(),
        );
        flow.post("n", json!({}));
        assert_eq!(payload(&flow, "out"), "ready\n".into());
        let status = &flow.statuses("n")[0].get("text").to_js_string();
        let pid = status.trim_start_matches("pid:").to_owned();
        flow.receive("n", json!({ "kill": "sigusr1", "pid": pid }));
        assert_eq!(payload(&flow, "end").get("code"), 4.into());
        assert_eq!(
            flow.wait_received("out", 2)[1].get("payload"),
            "caught\n".into()
        );
    }

    #[test]
    fn a_node_that_stops_ends_its_processes() {
        for spawn in ["true", "false"] {
            let mut flow = flow_of(
                json!({ "useSpawn": spawn, "command": "sleep 60", "addpay": "" }),
                Setup::default(),
            );
            flow.post("n", json!({ "payload": 1 }));
            let status = flow.wait_status("n", |status| status.get("fill") == "blue".into());
            let pid = status.get("text").to_js_string().replace("pid:", "");
            flow.stop();
            assert_eq!(flow.finished("n").len(), 1);
            // (gone, or only waiting for its parent to ask)
            let ended = || match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
                Ok(stat) => stat.contains(") Z ").then_some(()),
                Err(_) => Some(()),
            };
            flow.wait(ended);
            assert!(flow.received("end").is_empty());
        }
    }

    #[test]
    fn commands_see_the_variables_of_the_deployment() {
        let setup = Setup {
            env: vec![("EXEC_SAYS", "hello")],
            ..Default::default()
        };
        let flow = flow_of(
            json!({ "command": "printf \"$EXEC_SAYS\"", "addpay": "" }),
            setup,
        );
        flow.receive("n", json!({}));
        assert_eq!(payload(&flow, "out"), "hello".into());
    }

    #[test]
    fn a_command_can_say_much() {
        let flow = flow_of(
            json!({ "useSpawn": "true", "command": "head -c 3000000 /dev/zero", "addpay": "" }),
            Setup::default(),
        );
        flow.post("n", json!({}));
        assert_eq!(payload(&flow, "end").get("code"), 0.into());
        let lengths = flow
            .received("out")
            .into_iter()
            .map(|msg| msg.get("payload").get("length"));
        assert_eq!(
            lengths.map(|length| length.to_number()).sum::<f64>(),
            3_000_000.0
        );
    }

    #[test]
    fn what_does_not_fit_into_a_command_is_an_error() {
        for spawn in ["true", "false"] {
            let flow = flow_of(
                json!({ "useSpawn": spawn, "command": "echo", "addpay": "payload" }),
                Setup::default(),
            );
            flow.receive("n", json!({ "payload": "x".repeat(200_000) }));
            let error = &flow.errors("n")[0];
            assert_eq!(error.to_js_string(), "Error: spawn E2BIG");
            assert_eq!(error.get("code"), "E2BIG".into());
        }
    }
}
