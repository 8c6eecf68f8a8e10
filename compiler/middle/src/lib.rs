//! vgdc-middle: see docs/ARCHITECTURE.md.
