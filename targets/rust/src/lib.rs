//! vgdc-target-rust: see docs/ARCHITECTURE.md.
