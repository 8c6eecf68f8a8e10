//! **acme average** — the average of the last readings.
//!
//! `size` is how many readings count. What is no number raises an error; a message with `reset` forgets the readings.

use std::collections::VecDeque;
use vgdc_core::value::{Msg, Value};
use vgdc_core::{Cx, Node, NodeError, Process};
use vgdc_macros_node::{Config, node};

/// The form's properties, with their defaults.
#[derive(Config)]
pub struct AverageConfig {
    #[field(default = 3, label = "Readings")]
    size: f64,
}

/// A node that runs: what it has read.
pub struct Average {
    size: usize,
    readings: VecDeque<f64>,
}

#[node(type = "acme average", category = "acme", inputs = 1, outputs = 1, effect = State,
       types = "msg{payload: number}")]
impl Node for Average {
    type Config = AverageConfig;

    fn new(config: AverageConfig, _: &mut Cx<'_>) -> Result<Self, NodeError> {
        if !(1.0..=1e6).contains(&config.size) {
            return Err(NodeError::new("`size` must be a number from 1 to 1000000"));
        }
        Ok(Average {
            size: config.size as usize,
            readings: VecDeque::new(),
        })
    }
}

impl Process for Average {
    fn input(&mut self, cx: &mut Cx<'_>, mut msg: Msg) {
        let completion = cx.completion(&msg);
        if msg.contains_key("reset") {
            self.readings.clear();
            return cx.done(completion);
        }
        let Value::Number(reading) = *msg.payload() else {
            return cx.error(NodeError::new("the reading is no number"), Some(&msg));
        };
        let average = self.take(reading);
        cx.set_status("green", "dot", &format!("{average}"));
        msg.set_payload(average);
        cx.send(0, msg);
        cx.done(completion);
    }
}

impl Average {
    fn take(&mut self, reading: f64) -> f64 {
        self.readings.push_back(reading);
        if self.readings.len() > self.size {
            self.readings.pop_front();
        }
        self.readings.iter().sum::<f64>() / self.readings.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_readings_count() {
        let mut average = Average {
            size: 2,
            readings: VecDeque::new(),
        };
        assert_eq!(average.take(1.0), 1.0);
        assert_eq!(average.take(2.0), 1.5);
        assert_eq!(average.take(4.0), 3.0);
    }
}
