//! vgdc-core: see docs/ARCHITECTURE.md.
