//! vgdc-driver: see docs/ARCHITECTURE.md.
