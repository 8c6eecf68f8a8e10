//! vgdc-value: see docs/ARCHITECTURE.md.
