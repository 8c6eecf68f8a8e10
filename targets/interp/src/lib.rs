//! vgdc-interp: see docs/ARCHITECTURE.md.
