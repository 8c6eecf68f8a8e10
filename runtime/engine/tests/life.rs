//! A function node's life: setup, calls that wait, timers, close; and its limits.

mod common;

use std::rc::Rc;

use common::{Recorder, bench, bench_of, msg, plain, source};
use vgdc_engine::{Completion, Engine, FunctionSource, Limits, Phase};
use vgdc_value::Value;

fn with_setup(initialize: &str, func: &str) -> FunctionSource {
    FunctionSource {
        initialize: initialize.into(),
        ..source(func)
    }
}

fn with_close(func: &str, finalize: &str) -> FunctionSource {
    FunctionSource {
        finalize: finalize.into(),
        ..source(func)
    }
}

#[test]
fn a_setup_without_waiting_is_done_at_once() {
    let b = bench_of(&with_setup(
        "ready = 1; node.status('up'); await null;",
        "msg.payload = ready; return msg;",
    ));
    assert!(matches!(b.function.setup(), Completion::Done(None)));
    assert_eq!(
        b.call(r#"{}"#),
        [
            r#"status {"text":"up"}"#,
            r#"send 0 {"_msgid":"m","payload":1}"#
        ]
    );
}

#[test]
fn a_setup_that_waits_tells_when_it_is_ready() {
    let b = bench_of(&with_setup(
        "await new Promise(done => setTimeout(done, 10));",
        "return msg;",
    ));
    assert!(matches!(b.function.setup(), Completion::Pending));
    assert!(b.host.take().is_empty());
    b.advance(10.0);
    assert_eq!(b.host.take(), ["setup done"]);
}

#[test]
fn a_setup_that_fails_says_why() {
    let b = bench_of(&with_setup("\nnope();", "return msg;"));
    let Completion::Failed(error) = b.function.setup() else {
        panic!("must fail")
    };
    assert_eq!(
        (error.line, error.message.as_str()),
        (2, "ReferenceError: nope is not defined")
    );
    let later = bench_of(&with_setup(
        "await new Promise(done => setTimeout(done, 1)); throw 'no';",
        "return msg;",
    ));
    assert!(matches!(later.function.setup(), Completion::Pending));
    later.advance(1.0);
    assert_eq!(later.host.take(), ["setup no"]);
}

#[test]
fn done_waits_for_the_body_that_waits() {
    let b = bench("await new Promise(done => setTimeout(done, 5)); return msg;");
    assert_eq!(b.call(r#"{"payload":1}"#), ["pending"]);
    b.advance(5.0);
    assert_eq!(
        b.host.take(),
        [r#"send 0 {"payload":1,"_msgid":"m"}"#, "done"]
    );
}

#[test]
fn calls_that_wait_do_not_mix_up() {
    let b = bench(
        "await new Promise(done => setTimeout(done, msg.wait)); node.send({payload: msg.n}); return null;",
    );
    for text in [
        r#"{"_msgid":"a","n":1,"wait":20}"#,
        r#"{"_msgid":"b","n":2,"wait":10}"#,
    ] {
        assert_eq!(b.call(text), ["pending"]);
    }
    b.advance(30.0);
    assert_eq!(
        b.host.take(),
        [
            r#"send 0 {"payload":2,"_msgid":"b"}"#,
            "done",
            r#"send 0 {"payload":1,"_msgid":"a"}"#,
            "done"
        ]
    );
}

#[test]
fn the_message_is_kept_for_complete_nodes_when_asked_for() {
    let kept = FunctionSource {
        keep_message: true,
        ..source("msg.payload = 2; msg.gone = () => 1; delete msg.gone;")
    };
    let b = bench_of(&kept);
    let Completion::Done(Some(left)) = b.function.call(msg(r#"{"payload":1}"#), 1) else {
        panic!("must be done")
    };
    assert_eq!(
        common::show(&left.into_value()),
        r#"{"payload":2,"_msgid":"m"}"#
    );
    let own = bench_of(&FunctionSource {
        keep_message: true,
        ..source("msg.payload = 3; node.done();")
    });
    assert!(matches!(
        own.function.call(msg(r#"{"payload":1}"#), 1),
        Completion::Pending
    ));
    assert_eq!(own.host.take(), [r#"done {"payload":3,"_msgid":"m"}"#]);
}

#[test]
fn a_failure_carries_its_place_and_the_message() {
    let b = bench("msg.payload = 2;\n  throw new TypeError('bad');");
    let Completion::Failed(error) = b.function.call(msg(r#"{"payload":1}"#), 1) else {
        panic!("must fail")
    };
    assert_eq!((error.line, error.message.as_str()), (2, "TypeError: bad"));
    let left = error.msg.expect("the message");
    assert_eq!(left.payload().as_f64(), Some(2.0));
    assert_eq!(
        left.get("error").map(Value::to_js_string).as_deref(),
        Some("TypeError: bad")
    );
    let Value::Rare(rare) = &error.value else {
        panic!("an error value")
    };
    let vgdc_value::Rare::Error(value) = &**rare else {
        panic!("an error value")
    };
    assert!(
        value
            .stack
            .starts_with("TypeError: bad\n    at Function node:f1:3:"),
        "{}",
        value.stack
    );
}

#[test]
fn the_name_stands_in_stack_traces() {
    let named = FunctionSource {
        name: "my node".into(),
        ..source("function inner() { throw new Error('x'); }\ninner();")
    };
    let Completion::Failed(error) = bench_of(&named).function.call(msg("{}"), 1) else {
        panic!("must fail")
    };
    let Value::Rare(rare) = &error.value else {
        panic!("an error value")
    };
    let vgdc_value::Rare::Error(value) = &**rare else {
        panic!("an error value")
    };
    assert!(
        value
            .stack
            .contains("\n    at inner (Function node:f1 [my node]:2:"),
        "{}",
        value.stack
    );
}

#[test]
fn compile_errors_name_text_and_line() {
    let engine = Engine::new(common::limits()).expect("an engine");
    let compile = |source: &FunctionSource| {
        engine
            .function(source, Rc::new(Recorder::default()))
            .err()
            .expect("an error")
    };
    let error = compile(&source("let a = 1;\nlet b = ;"));
    assert_eq!((error.phase, error.line, error.column), (Phase::Body, 2, 9));
    assert_eq!(
        error.message,
        "SyntaxError: Unexpected token ';' (body:line 2)"
    );
    let error = compile(&with_setup("let b = ;", "return msg"));
    assert_eq!((error.phase, error.line), (Phase::Setup, 1));
    assert_eq!(
        error.message,
        "SyntaxError: Unexpected token ';' (setup:line 17)"
    );
    let error = compile(&with_close("return msg", "}"));
    assert_eq!(error.phase, Phase::Close);
}

#[test]
fn close_runs_the_text_then_the_listeners_and_clears_what_is_left() {
    let b = bench_of(&with_close(
        "node.on('close', () => node.log('listener')); setTimeout(() => node.send(msg), 50); node.status('on'); return null;",
        "node.log('text'); node.send({}); context.set('left', 1);",
    ));
    b.call("{}");
    assert!(b.function.close(true));
    assert_eq!(
        b.host.take(),
        [
            "log info \"text\"".replace('"', ""),
            "error Cannot send from close function".into(),
            "status {}".into(),
            "log info listener".into()
        ]
    );
    assert!(b.host.timers.borrow().is_empty());
    assert!(b.function.close(true), "closing again does nothing");
    assert!(b.host.take().is_empty());
}

#[test]
fn close_waits_for_listeners_that_call_back() {
    let b = bench(
        "node.on('close', (removed, done) => { node.log(removed); setTimeout(done, 5); }); node.on('close', d => d());",
    );
    b.call("{}");
    assert!(!b.function.close(true));
    assert_eq!(b.host.take(), ["log info true"]);
    b.advance(5.0);
    assert_eq!(b.host.take(), ["closed"]);
}

#[test]
fn errors_of_the_close_text_are_raised() {
    let b = bench_of(&with_close("return msg;", "throw new Error('at the end');"));
    assert!(b.function.close(false));
    assert_eq!(b.host.take(), ["error Error: at the end"]);
}

#[test]
fn a_function_dropped_without_close_leaves_nothing_behind() {
    let engine = Engine::new(common::limits()).expect("an engine");
    let host = Rc::new(Recorder::default());
    let function = engine
        .function(
            &source("setInterval(() => {}, 5); flow.set('f', () => 1);"),
            host.clone(),
        )
        .expect("a function");
    function.call(msg("{}"), 1);
    drop(function);
    drop(host);
    engine.collect();
    drop(engine);
}

#[test]
fn functions_travel_through_context_between_nodes() {
    let engine = Engine::new(common::limits()).expect("an engine");
    let host = Rc::new(Recorder::default());
    let giver = engine
        .function(
            &source("let n = 0; global.set('count', () => ++n); return null;"),
            host.clone(),
        )
        .expect("a function");
    let taker = engine
        .function(
            &source("msg.payload = global.get('count')(); return msg;"),
            host.clone(),
        )
        .expect("a function");
    giver.call(msg("{}"), 1);
    taker.call(msg("{}"), 2);
    taker.call(msg("{}"), 3);
    assert_eq!(
        host.take(),
        [
            r#"send 0 {"_msgid":"m","payload":1}"#,
            r#"send 0 {"_msgid":"m","payload":2}"#
        ]
    );
    // The function outlives its node.
    giver.close(true);
    drop(giver);
    taker.call(msg("{}"), 4);
    assert_eq!(host.take(), [r#"send 0 {"_msgid":"m","payload":3}"#]);
}

#[test]
fn what_a_closed_nodes_function_asks_of_its_node_is_an_error() {
    let engine = Engine::new(common::limits()).expect("an engine");
    let host = Rc::new(Recorder::default());
    let giver = engine
        .function(
            &source("global.set('say', () => node.log('x')); return null;"),
            host.clone(),
        )
        .expect("a function");
    giver.call(msg("{}"), 1);
    drop(giver);
    let taker = engine
        .function(&source("global.get('say')(); return msg;"), host.clone())
        .expect("a function");
    let Completion::Failed(error) = taker.call(msg("{}"), 2) else {
        panic!("must fail")
    };
    assert_eq!(error.message, "Error: The node has been closed");
}

#[test]
fn a_timer_is_cleared_through_flow_context_by_another_node() {
    let engine = Engine::new(common::limits()).expect("an engine");
    let host = Rc::new(Recorder::default());
    let starts = engine
        .function(
            &source("flow.set('t', setTimeout(() => node.send(msg), 50)); return null;"),
            host.clone(),
        )
        .expect("a function");
    let stops = engine
        .function(
            &source("clearTimeout(flow.get('t')); return null;"),
            host.clone(),
        )
        .expect("a function");
    starts.call(msg("{}"), 1);
    assert_eq!(host.timers.borrow().len(), 1);
    stops.call(msg("{}"), 2);
    assert!(host.timers.borrow().is_empty());
}

#[test]
fn link_calls_come_back() {
    let b = bench(
        "let r = await node.linkcall('sub', {payload: 1}, {timeout: 99}); return {payload: r.payload + 1};",
    );
    assert_eq!(b.call("{}"), ["linkcall sub 99", "pending"]);
    let (request, asked) = b.host.links.borrow_mut().pop().expect("a request");
    assert_eq!(asked.payload().as_f64(), Some(1.0));
    b.function.link_reply(request, Ok(msg(r#"{"payload":41}"#)));
    assert_eq!(
        b.host.take(),
        [r#"send 0 {"payload":42,"_msgid":"m"}"#, "done"]
    );
    let refused = bench("await node.linkcall('', msg);");
    assert_eq!(
        refused.call("{}"),
        ["failed Error: Error link call target parameter is not valid, expected a string"]
    );
    let failing =
        bench("try { await node.linkcall('x', msg); } catch (e) { node.warn(e.message); }");
    failing.call("{}");
    let (request, _) = failing.host.links.borrow_mut().pop().expect("a request");
    failing.function.link_reply(request, Err(plain("timeout")));
    assert_eq!(failing.host.take(), ["log warn timeout", "done"]);
}

#[test]
fn context_errors_reach_the_body() {
    let b = bench(
        "try { flow.set('x', 1, 'broken'); } catch (e) { node.warn(e.message); } flow.set('x', 1, 'broken', e => node.warn('cb ' + e.message));",
    );
    assert_eq!(
        b.call("{}"),
        ["log warn broken store", "log warn cb broken store"]
    );
}

#[test]
fn globals_are_variables_of_the_sandbox() {
    let given = FunctionSource {
        globals: vec![("lib".into(), common::msg(r#"{"v":5}"#).into_value())],
        ..source("return {payload: lib.v};")
    };
    assert_eq!(
        bench_of(&given).call("{}"),
        [r#"send 0 {"payload":5,"_msgid":"m"}"#]
    );
}

#[test]
fn unheard_rejections_are_errors_of_the_node() {
    let b = bench("Promise.reject(new Error('lost')); return null;");
    assert_eq!(b.call("{}"), ["error Error: lost"]);
    let heard = bench(
        "let p = Promise.reject(new Error('found')); setTimeout(() => 0, 1); p.catch(() => {}); return null;",
    );
    assert!(heard.call("{}").is_empty());
}

#[test]
fn endless_code_is_stopped_wherever_it_runs() {
    let quick = FunctionSource {
        timeout_s: 0.05,
        ..source("for (;;) {}")
    };
    assert_eq!(
        bench_of(&quick).call("{}"),
        ["failed Error: Script execution timed out after 50ms"]
    );
    for body in [
        "try { for (;;) {} } catch (e) { return msg; } finally { node.warn('no'); }",
        "await null; for (;;) {}",
        "const again = async () => { for (;;) await null; }; await again();",
        "/^(a+)+$/.test('a'.repeat(40) + 'b');",
        "let f = () => { Promise.resolve().then(f); }; f();",
        "new Proxy({}, {get(t, k, r) { for (;;) {} }}).x;",
    ] {
        let events = bench(body).call("{}");
        assert!(
            events
                .iter()
                .any(|event| event.contains("timed out after 300ms")),
            "{body}: {events:?}"
        );
    }
    let timer = bench("setTimeout(() => { for (;;) {} }, 1); return null;");
    timer.call("{}");
    timer.advance(1.0);
    assert_eq!(
        timer.host.take(),
        ["error Error: Script execution timed out after 300ms"]
    );
    // The engine is as good as new.
    assert_eq!(timer.call("{}"), Vec::<String>::new());
}

#[test]
fn memory_has_an_end() {
    for body in [
        "let a = []; for (;;) a.push({a: [1]});",
        "'x'.repeat(2 ** 29) + 'y'.repeat(2 ** 29);",
        "let s = 'x'; for (;;) s += s + Math.random();",
        "new ArrayBuffer(2 ** 30);",
        "Buffer.alloc(2 ** 30);",
        "let a = []; for (;;) a.push(new Array(1e6).fill(0));",
        "let m = new Map(); for (let i = 0; ; i++) m.set('key' + i, {});",
        "let p = []; const f = async () => { p.push(new Promise(() => {})); await null; return f(); }; await f();",
    ] {
        let b = common::bench_of(&FunctionSource {
            timeout_s: 20.0,
            ..source(body)
        });
        let events = b.call("{}");
        let text = events.join(" ");
        assert!(
            text.contains("memory")
                || text.contains("Invalid string length")
                || text.contains("Invalid array buffer length"),
            "{body}: {events:?}"
        );
        b.engine.collect();
        let after = b.function.call(msg(r#"{}"#), 9);
        assert!(
            matches!(after, Completion::Failed(_) | Completion::Pending),
            "fails again, and does not crash"
        );
    }
}

#[test]
fn the_stack_has_an_end() {
    for body in [
        "function f() { return f() + 1; } f();",
        "async function f() { await f(); } await f();",
        "async function f() { return f(); } f(); return null;",
        "let o = {get x() { return this.x; }}; o.x;",
        "let a = []; for (let i = 0; i < 1e5; i++) a = [a]; msg.payload = a; return msg;",
        "let o = {}; for (let i = 0; i < 1e5; i++) o = {o}; msg.payload = o; return msg;",
        "let a = []; for (let i = 0; i < 1e5; i++) a = [a]; JSON.stringify(a);",
        "class A { toString() { return `${this}`; } } String(new A());",
        "msg.f = function () { return [1].map(msg.f); }; msg.f();",
    ] {
        let events = bench(body).call("{}");
        let text = events.join(" ");
        assert!(
            text.contains("Maximum call stack size exceeded"),
            "{body}: {events:?}"
        );
    }
}

#[test]
fn values_too_deep_to_enter_are_an_error() {
    let mut deep = Value::from(1);
    for _ in 0..3000 {
        deep = Value::from(vec![deep]);
    }
    let mut message = msg("{}");
    message.insert("payload", deep);
    let b = bench("return {payload: msg.payload.length};");
    let Completion::Failed(error) = b.function.call(message, 1) else {
        panic!("must fail")
    };
    assert_eq!(
        error.message,
        "RangeError: Maximum call stack size exceeded"
    );
}

#[test]
fn limits_have_sensible_defaults() {
    let limits = Limits::default();
    assert!(
        limits.memory_bytes >= 64 << 20
            && limits.call_ms >= 1000
            && limits.stack_bytes >= 256 << 10
    );
}
