//! vgdc-stdlib: see docs/ARCHITECTURE.md.
