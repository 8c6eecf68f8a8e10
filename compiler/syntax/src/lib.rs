//! vgdc-syntax: see docs/ARCHITECTURE.md.
