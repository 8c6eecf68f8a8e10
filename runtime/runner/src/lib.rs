//! vgdc-runner: see docs/ARCHITECTURE.md.
