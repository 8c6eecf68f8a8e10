//! vgdc-tests: see docs/ARCHITECTURE.md.
