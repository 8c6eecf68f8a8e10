//! Comments go along: into the object of the statement that they stand at.

use super::json::Out;
use super::{Lower, Target};
use crate::ast::*;
use crate::comments::Comments;

impl<'a> Lower<'a, '_> {
    pub(super) fn remember(&mut self, file: &'a File, comments: &Comments) {
        let (mut containers, mut groups) = (0..self.containers.len(), 0..self.groups.len());
        for item in &file.items {
            match &item.kind {
                ItemKind::Flow(block) | ItemKind::Subflow(block) => {
                    let Some(at) = containers.next() else {
                        continue;
                    };
                    if let (Some(found), Some(container)) =
                        (comments.at(item), self.containers.get_mut(at))
                    {
                        container.comments = found.members();
                    }
                    self.remember_in(&block.items, Some(at), &mut groups, comments);
                }
                _ => self.remember_in(std::slice::from_ref(item), None, &mut groups, comments),
            }
        }
    }

    fn remember_in(
        &mut self,
        items: &'a [Item],
        container: Option<usize>,
        groups: &mut std::ops::Range<usize>,
        comments: &Comments,
    ) {
        for item in items {
            match &item.kind {
                ItemKind::Group(block) if container.is_some() => {
                    let Some(at) = groups.next() else { continue };
                    if let (Some(found), Some(group)) = (comments.at(item), self.groups.get_mut(at))
                    {
                        group.comments = found.members();
                    }
                    self.remember_in(&block.items, container, groups, comments);
                }
                ItemKind::Let(_, element) => {
                    let made = self.made.get(&std::ptr::from_ref(element)).copied();
                    if let (Some(found), Some(draft)) = (
                        comments.at(item),
                        made.and_then(|at| self.drafts.get_mut(at)),
                    ) {
                        draft.comments.extend(found.members());
                    }
                }
                ItemKind::Chain(chain) => {
                    let Some(found) = comments.at(item) else {
                        continue;
                    };
                    let members = Out::map(found.members());
                    let list = match self.begins_at(chain, container) {
                        Some(at) => self.drafts.get_mut(at).map(|draft| &mut draft.comments),
                        None => container
                            .and_then(|at| self.containers.get_mut(at))
                            .map(|container| &mut container.comments),
                    };
                    let Some(list) = list else { continue };
                    match list.iter_mut().find(|(name, _)| name == "wires") {
                        Some((
                            _,
                            Out {
                                kind: super::json::OutKind::List(all),
                                ..
                            },
                        )) => all.push(members),
                        _ => list.push(("wires".to_owned(), Out::list(vec![members]))),
                    }
                }
                _ => {}
            }
        }
    }

    /// The node that a chain begins at.
    fn begins_at(&self, chain: &'a Chain, container: Option<usize>) -> Option<usize> {
        match chain.steps.first()?.branches.first()? {
            Branch::Chain(chain) => self.begins_at(chain, container),
            Branch::Element(element) => match &element.kind {
                ElementKind::Path(path) => match self.find(container, path).ok()?.0 {
                    Target::Node(at) => Some(at),
                    _ => None,
                },
                _ => self.made.get(&std::ptr::from_ref(&**element)).copied(),
            },
        }
    }
}
