//! Flow files drawn by lot.

use super::Known;
use serde_json::{Value, json};
use vgdc_spec::NodeSpec;

/// Draws flow files: known and unknown types, odd texts and values, wires of all kinds, groups, subflows.
pub struct Draw(pub u64);

impl Draw {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n.max(1)
    }

    fn of<'t, T>(&mut self, all: &'t [T]) -> &'t T {
        &all[self.below(all.len())]
    }

    fn text(&mut self) -> String {
        const TEXTS: &[&str] = &[
            "",
            "a",
            "payload",
            "a.b[\"c d\"][0]",
            "msg.x",
            "5",
            "-0",
            "1e400",
            "true",
            "null",
            "\"",
            "\\",
            "a\"b\\c\"",
            "\n",
            "a\nb",
            "  a\n b\n",
            "\na\n\n",
            "r#\"x\"#",
            "// no",
            "/* x */",
            "é 語",
            "\u{200b}",
            "\r\n",
            "\t",
            "\u{0}",
            "f0",
            "n0",
            "n1",
            "in",
            "flow",
            "else",
            "0x10",
            "1_0",
            "#:(file)::x",
            "$flowContext('x')",
            "  ",
            "x \n",
            "\"#\n\"##\n",
        ];
        (*self.of(TEXTS)).to_owned()
    }

    fn value(&mut self, depth: usize) -> Value {
        match self.below(if depth > 2 { 5 } else { 7 }) {
            0 => json!(self.below(3) == 0),
            1 => Value::Null,
            2 => [
                json!(0),
                json!(-1.5),
                json!(1e300),
                json!(12_345_678_901_u64),
                json!(-0.0),
            ][self.below(5)]
            .clone(),
            3 | 4 => self.text().into(),
            5 => (0..self.below(3)).map(|_| self.value(depth + 1)).collect(),
            _ => {
                let members = (0..self.below(3)).map(|_| (self.text(), self.value(depth + 1)));
                Value::Object(members.collect())
            }
        }
    }

    fn typed(&mut self) -> (String, String) {
        let ty = *self.of(&[
            "msg", "flow", "global", "str", "num", "bool", "json", "env", "jsonata", "date", "re",
            "prev", "odd type", "",
        ]);
        (self.text(), ty.to_owned())
    }

    fn rule(&mut self) -> Value {
        let t = *self.of(&[
            "eq",
            "neq",
            "gt",
            "btwn",
            "cont",
            "regex",
            "istype",
            "true",
            "nnull",
            "else",
            "head",
            "index",
            "jsonata_exp",
            "set",
            "delete",
            "move",
            "change",
            "odd",
        ]);
        let mut rule = json!({ "t": t });
        for names in [
            ["v", "vt"],
            ["v2", "v2t"],
            ["p", "pt"],
            ["to", "tot"],
            ["from", "fromt"],
        ] {
            if self.below(2) == 0 {
                let (value, ty) = self.typed();
                rule[names[0]] = value.into();
                rule[names[1]] = ty.into();
            }
        }
        if t == "regex" {
            rule["case"] = json!(self.below(2) == 0);
        }
        rule
    }

    /// A flow file.
    pub fn flow_file(&mut self, known: &Known) -> Vec<Value> {
        let mut types: Vec<&str> = known
            .0
            .keys()
            .copied()
            .filter(|ty| !matches!(*ty, "subflow" | "subflow-status" | "unknown" | "hosted"))
            .collect();
        types.sort_unstable();
        types.extend([
            "ui-button",
            "9 lives",
            "of a package",
            "subflow:s0",
            "subflow:gone",
        ]);
        let mut all = Vec::new();
        let (flows, count) = (1 + self.below(3), 1 + self.below(9));
        for at in 0..flows {
            let mut flow = json!({ "id": format!("f{at}"), "type": "tab", "label": self.text() });
            if self.below(2) == 0 {
                let (value, ty) = self.typed();
                flow["env"] = json!([{ "name": self.text(), "value": value, "type": ty }]);
            }
            if self.below(3) == 0 {
                flow["info"] = self.text().into();
                flow["disabled"] = json!(self.below(2) == 0);
                flow["locked"] = json!(true);
            }
            all.push(flow);
        }
        let end = |draw: &mut Draw| json!({ "id": format!("n{}", draw.below(count)), "port": draw.below(2) });
        let ports: Vec<Value> = (0..self.below(3))
            .map(|_| json!({ "x": 5, "y": 6, "wires": (0..self.below(3)).map(|_| end(self)).collect::<Value>() }))
            .collect();
        let inputs = if self.below(2) == 0 {
            json!([{ "x": 1, "y": 2, "wires": [{ "id": "n0" }] }])
        } else {
            json!([])
        };
        all.push(json!({ "id": "s0", "type": "subflow", "name": self.text(), "in": inputs, "out": ports, "env": [{ "name": "size", "type": "num", "value": "1" }] }));
        for at in 0..self.below(4) {
            let mut group = json!({ "id": format!("g{at}"), "type": "group", "z": format!("f{}", self.below(flows)), "name": self.text(), "nodes": [] });
            for name in ["x", "y", "w", "h"] {
                group[name] = json!(self.below(100));
            }
            if self.below(3) == 0 {
                group["g"] = json!(format!("g{}", self.below(4)));
            }
            all.push(group);
        }
        for at in 0..count {
            let ty = *self.of(&types);
            let z = match self.below(5) {
                0 => "s0".to_owned(),
                _ => {
                    let beyond = usize::from(self.below(20) == 0);
                    format!("f{}", self.below(flows + beyond))
                }
            };
            let mut node = json!({ "id": format!("n{at}"), "type": ty, "z": z });
            let spec = known.0.get(ty).copied();
            for field in spec.map_or(&[][..], |spec| spec.fields) {
                match (field.kind, self.below(4)) {
                    (_, 0) => {}
                    (vgdc_spec::FieldKind::Typed(kind), 1 | 2) => {
                        let (value, ty) = self.typed();
                        node[field.name] = value.into();
                        node[kind] = ty.into();
                    }
                    (_, 1) if field.name == "rules" => {
                        node["rules"] = (0..self.below(4)).map(|_| self.rule()).collect()
                    }
                    (_, 1) => node[field.name] = serde_json::from_str(field.default).expect("JSON"),
                    _ if node.get(field.name).is_none() => node[field.name] = self.value(0),
                    _ => {}
                }
            }
            if self.below(2) == 0 {
                let (name, value) = (self.text(), self.value(0));
                if !matches!(name.as_str(), "in" | "flow") || spec.is_none() {
                    node[name] = value;
                }
            }
            for (name, odds) in [
                ("name", 2),
                ("info", 4),
                ("d", 6),
                ("l", 6),
                ("outputLabels", 6),
                ("env", 6),
            ] {
                if self.below(odds) == 0 {
                    node[name] = if self.below(3) == 0 {
                        self.value(0)
                    } else {
                        json!(true)
                    };
                    if self.below(2) == 0 {
                        node[name] = self.text().into();
                    }
                }
            }
            if self.below(4) == 0 {
                node["g"] = json!(format!("g{}", self.below(4)));
            }
            let is_config = spec.is_some_and(NodeSpec::is_config);
            if is_config == (self.below(12) == 0) {
                node["x"] = json!(self.below(900));
                node["y"] = json!(self.below(900));
                let outputs = self.below(4);
                node["wires"] = (0..outputs)
                    .map(|_| {
                        (0..self.below(3))
                            .map(|_| Value::from(format!("n{}", self.below(count + 1))))
                            .collect::<Value>()
                    })
                    .collect();
            }
            all.push(node);
        }
        all
    }
}
