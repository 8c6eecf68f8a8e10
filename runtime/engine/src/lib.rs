//! vgdc-engine: see docs/ARCHITECTURE.md.
