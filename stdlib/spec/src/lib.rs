//! vgdc-spec: see docs/ARCHITECTURE.md.
