//! What the tests that run vgdc as a process share.
