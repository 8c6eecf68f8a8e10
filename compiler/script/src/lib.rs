//! vgdc-script: see docs/ARCHITECTURE.md.
