//! Idiomatic bodies of function nodes: each is accepted, and what is known about it is written down.

use std::fmt::Write;

use vgdc_script::{JsInfo, Keys, Phase, check_javascript, lower};

/// The bodies of `tests/files/bodies.txt` with their names.
fn bodies() -> Vec<(&'static str, &'static str)> {
    let text = include_str!("files/bodies.txt");
    let blocks = text
        .strip_prefix("=== ")
        .unwrap_or_default()
        .split("\n=== ");
    blocks.filter_map(|block| block.split_once('\n')).collect()
}

fn keys(out: &mut String, name: &str, keys: &Keys) {
    let _ = match keys {
        Keys::Known(names) if names.is_empty() => Ok(()),
        Keys::Known(names) => write!(
            out,
            "; {name} {}",
            names.iter().cloned().collect::<Vec<_>>().join(", ")
        ),
        Keys::All => write!(out, "; {name} *"),
    };
}

fn summary(info: &JsInfo, body: &str) -> String {
    let mut out = match lower(body) {
        Ok(made) if !made.left.is_empty() => format!("native but for {:?}", made.left),
        Ok(made) if made.shared => "native with references".to_owned(),
        Ok(_) => "native".to_owned(),
        Err(refusal) => format!("engine: {}, line {}", refusal.construct, refusal.line),
    };
    keys(&mut out, "flow", &info.context.flow);
    keys(&mut out, "global", &info.context.global);
    keys(&mut out, "node", &info.context.node);
    keys(
        &mut out,
        "stores",
        &Keys::Known(info.context.stores.clone()),
    );
    keys(&mut out, "env", &info.env);
    keys(&mut out, "links", &info.link_calls);
    keys(&mut out, "free", &Keys::Known(info.free.clone()));
    keys(
        &mut out,
        "requires",
        &Keys::Known(info.requires.iter().map(|(name, _)| name.clone()).collect()),
    );
    for (word, is) in [
        ("returns", info.returns_value),
        ("sends", info.calls_send),
        ("done", info.calls_done),
        ("async", info.async_),
        ("dynamic", info.dynamic),
    ] {
        if is {
            let _ = write!(out, "; {word}");
        }
    }
    out
}

#[test]
fn what_is_known_about_each_body() {
    let mut out = String::new();
    for (name, body) in bodies() {
        let info = check_javascript(body, Phase::Body)
            .unwrap_or_else(|errors| panic!("{name}: {errors:?}"));
        let _ = writeln!(out, "{name}: {}", summary(&info, body));
    }
    insta::assert_snapshot!(out);
}

#[test]
fn the_line_ends_of_windows_change_nothing() {
    for (name, body) in bodies() {
        // (in a template they are part of the text, not of its meaning here)
        let windows = check_javascript(&body.replace('\n', "\r\n"), Phase::Body);
        assert_eq!(
            windows,
            check_javascript(body, Phase::Body).map(|mut info| {
                shift(&mut info, body);
                info
            }),
            "{name}"
        );
    }
}

/// Places in a text, moved as line ends of two characters move them.
fn shift(info: &mut JsInfo, body: &str) {
    for (_, range) in &mut info.requires {
        let moved = |at: usize| at + body[..at].matches('\n').count();
        *range = moved(range.start)..moved(range.end);
    }
}

#[test]
fn the_table_is_large_and_its_names_differ() {
    let mut names: Vec<&str> = bodies().iter().map(|(name, _)| *name).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert!(
        all >= 150 && names.len() == all,
        "{all} bodies, {} names",
        names.len()
    );
}
