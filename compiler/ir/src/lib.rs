//! vgdc-ir: see docs/ARCHITECTURE.md.
