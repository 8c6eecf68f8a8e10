//! vgdc-macros-node: see docs/ARCHITECTURE.md.
