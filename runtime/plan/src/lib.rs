//! vgdc-plan: see docs/ARCHITECTURE.md.
