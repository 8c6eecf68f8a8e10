//! vgdc-probe: see docs/ARCHITECTURE.md.
