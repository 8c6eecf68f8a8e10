//! Limits that the settings give all nodes alike.

use vgdc_core::Cx;

/// How many messages may wait in a node: the setting `nodeMessageBufferMaxLength`; without it, any number.
pub fn most_waiting(cx: &Cx<'_>) -> usize {
    match cx.setting("nodeMessageBufferMaxLength").to_number() {
        most if most > 0.0 => most as usize,
        _ => usize::MAX,
    }
}
