//! vgdc-expr: see docs/ARCHITECTURE.md.
