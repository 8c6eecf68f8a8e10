//! Sorts the objects of a flow file into containers: tabs, subflow templates, and what stands outside of any.

use std::collections::HashMap;

use vgdc_syntax::{FlowDoc, NodeKind, RawNode};

/// The objects of a file by where they stand.
pub struct Index<'a> {
    /// Tabs in the order of the file, then those that nodes name and that are not there.
    pub tabs: Vec<Container<'a>>,
    /// Subflow templates by id.
    pub subflows: HashMap<&'a str, Container<'a>>,
    /// What stands outside of any tab and has no place on the canvas.
    pub global: Vec<RawNode<'a>>,
}

/// A tab or a subflow template.
pub struct Container<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its object; `None` for a tab that is not in the file.
    pub def: Option<RawNode<'a>>,
    /// Groups.
    pub groups: Vec<RawNode<'a>>,
    /// What has no place on the canvas.
    pub configs: Vec<RawNode<'a>>,
    /// What has.
    pub nodes: Vec<RawNode<'a>>,
}

impl<'a> Container<'a> {
    fn new(id: &'a str, def: Option<RawNode<'a>>) -> Container<'a> {
        Container {
            id,
            def,
            groups: Vec::new(),
            configs: Vec::new(),
            nodes: Vec::new(),
        }
    }

    fn add(&mut self, node: RawNode<'a>) {
        match node.kind() {
            NodeKind::Group => self.groups.push(node),
            _ if node.is_on_canvas() => self.nodes.push(node),
            _ => self.configs.push(node),
        }
    }

    fn sort(&mut self) {
        in_js_order(&mut self.groups, |node| node.id());
        in_js_order(&mut self.configs, |node| node.id());
        in_js_order(&mut self.nodes, |node| node.id());
    }
}

impl<'a> Index<'a> {
    /// Sorts the objects of a document.
    pub fn new(doc: &'a FlowDoc) -> Index<'a> {
        let mut index = Index {
            tabs: Vec::new(),
            subflows: HashMap::new(),
            global: Vec::new(),
        };
        let mut tab_at: HashMap<&str, usize> = HashMap::new();
        let live = || doc.nodes().filter(|node| !node.is_shadowed());
        for node in live() {
            match node.kind() {
                NodeKind::Tab => {
                    tab_at.insert(node.id(), index.tabs.len());
                    index.tabs.push(Container::new(node.id(), Some(node)));
                }
                NodeKind::SubflowDef => {
                    index
                        .subflows
                        .insert(node.id(), Container::new(node.id(), Some(node)));
                }
                _ => {}
            }
        }
        for node in
            live().filter(|node| !matches!(node.kind(), NodeKind::Tab | NodeKind::SubflowDef))
        {
            let z = node.z().unwrap_or_default();
            if let Some(&at) = tab_at.get(z) {
                index.tabs[at].add(node);
            } else if let Some(subflow) = index.subflows.get_mut(z) {
                subflow.add(node);
            } else if node.kind() == NodeKind::Group || (node.is_on_canvas() && z.is_empty()) {
                // Node-RED never looks at these; the reader has said so.
            } else if node.is_on_canvas() {
                tab_at.insert(z, index.tabs.len());
                let mut tab = Container::new(z, None);
                tab.add(node);
                index.tabs.push(tab);
            } else {
                index.global.push(node);
            }
        }
        in_js_order(&mut index.global, |node| node.id());
        index.tabs.iter_mut().for_each(Container::sort);
        index.subflows.values_mut().for_each(Container::sort);
        index
    }
}

/// Puts a list in the order in which JavaScript walks an object with these keys: numbers first, by size. Node-RED keeps
/// nodes in such objects.
pub fn in_js_order<T>(list: &mut [T], key: impl Fn(&T) -> &str) {
    list.sort_by_key(|item| array_index(key(item)).map_or((1, 0), |index| (0, index)));
}

/// The number that a key is, when JavaScript takes it for an array index.
fn array_index(key: &str) -> Option<u32> {
    let index: u32 = key.parse().ok()?;
    (index != u32::MAX && index.to_string() == key).then_some(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_are_numbers_come_first() {
        let mut keys = vec!["b", "10", "a", "9", "01", "4294967295"];
        in_js_order(&mut keys, |key| key);
        assert_eq!(keys, ["9", "10", "b", "a", "01", "4294967295"]);
    }
}
