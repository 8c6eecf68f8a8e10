//! vgdc-store: see docs/ARCHITECTURE.md.
